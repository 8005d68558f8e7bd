"""Something goes wrong in the middle of a retry: nothing is half done, and both events stand."""

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import TestCase

from retry.models import RetryAttempt, RetryKind
from retry.operations import NOT_STARTED, retry, retry_full_pipeline
from tests.factories import make_user
from tests.retry.dumps import dump
from tests.retry.factories import STATEMENTS, make_attempt, make_closed, make_confirmed, make_ready, make_stalled
from voicepipeline import roles
from voicepipeline.models import Artifact, PipelineEvent

pytestmark = [pytest.mark.trial, pytest.mark.django_db]

# The failure itself is on record, and counted; nothing else may be.
ON_RECORD = ("retry_retryattempt", "voicepipeline_pipelineevent", "metrics_counter")
BREAK = """
CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'a secret that must not be shown'; END $$;
CREATE CONSTRAINT TRIGGER broken AFTER {event} ON {table} {when} FOR EACH ROW {condition} EXECUTE FUNCTION break_it()
"""
AT_ONCE, WHEN_KEYS_ARE_LOOKED_AT = "NOT DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"
# Every step of a start over that writes, in its order.
STEPS = {
    "what runs is superseded": ("UPDATE", "voicepipeline_stagerun", "WHEN (new.status = 'superseded')"),
    "the transcript goes": ("DELETE", "voicepipeline_transcript", ""),
    "that nobody speaks is forgotten": ("UPDATE", "voicepipeline_artifact", "WHEN (old.generation = new.generation)"),
    "the statements go": ("DELETE", "voicepipeline_claim", ""),
    "the matched names go": ("DELETE", "voicepipeline_entityresolution", ""),
    "the entries go": ("DELETE", "voicepipeline_insightdraft", ""),
    "results are no longer in use": ("UPDATE", "voicepipeline_stagerun", "WHEN (old.effective AND NOT new.effective)"),
    "the round begins": ("UPDATE", "voicepipeline_artifact", "WHEN (old.generation < new.generation)"),
    "the first stage is queued": ("INSERT", "voicepipeline_stagerun", ""),
    "what was deleted is kept": ("UPDATE", "retry_retryattempt", "WHEN (new.deleted::text <> old.deleted::text)"),
}
LATE = {
    f"{name}, found when keys are looked at": STEPS[name]
    for name in ("the transcript goes", "the statements go", "the matched names go", "the entries go")
}


@pytest.fixture
def ana():
    return make_user(roles.ADMINISTRATOR)


@pytest.fixture
def note(ana):
    """Stalled in its last stage, with everything that a start over takes away, and a retry that it replaces."""
    note = make_stalled("draft_generation", outcome="no_speech")
    attempt = make_attempt(note, ana)
    note.runs.filter(status="running").update(origin=attempt.origin)
    make_confirmed(note, by=ana)
    return note


def broken(event, table, condition, when=AT_ONCE):
    with connection.cursor() as cursor:
        cursor.execute(BREAK.format(event=event, table=table, condition=condition, when=when))


def mended(table):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER broken ON {table}; DROP FUNCTION break_it()")


def start_over(note, by):
    with TestCase.captureOnCommitCallbacks() as rung:
        result = retry_full_pipeline(note.artifact_id, by=by, reason="It hangs.", agreed_to=1)
    return result, rung


def kept(before):
    return {table: digest for table, digest in before.items() if table not in ON_RECORD}


def told(note):
    return list(PipelineEvent.objects.filter(artifact=note).order_by("id").values_list("event_type", flat=True))


@pytest.mark.parametrize(
    ("step", "when"),
    [(step, AT_ONCE) for step in STEPS.values()] + [(step, WHEN_KEYS_ARE_LOOKED_AT) for step in LATE.values()],
    ids=[*STEPS, *LATE],
)
def test_wherever_it_fails_nothing_is_half_done_and_it_can_be_retried(note, ana, step, when):
    before = dump()
    broken(*step, when)
    result, rung = start_over(note, ana)
    assert (result.success, result.message, rung) == (False, NOT_STARTED, [])
    assert kept(dump()) == kept(before)
    assert_on_record(note, result)
    mended(step[1])
    result, rung = start_over(note, ana)
    assert (result.message, len(rung)) == ("Retry requested (attempt 3).", 1)
    assert Artifact.objects.get(pk=note.pk).generation == 2


def assert_on_record(note, result):
    attempt = RetryAttempt.objects.get(artifact=note, number=2)
    assert result.retry_attempt == attempt
    assert (result.retry_attempt.outcome, result.retry_attempt.deleted) == ("not_started", {})
    assert (attempt.outcome, attempt.deleted, attempt.error_message) == ("not_started", {}, "")
    assert RetryAttempt.objects.get(artifact=note, number=1).outcome == "under_way"
    assert told(note) == ["retry_initiated", "retry_failed"]
    metadata = PipelineEvent.objects.filter(artifact=note).order_by("id").values_list("metadata", flat=True)
    assert [each["retry_attempt"] for each in metadata] == [2, 2]


@pytest.mark.parametrize("kind", [RetryKind.CLAIMS_EXTRACTION, RetryKind.DRAFT_GENERATION, RetryKind.FULL])
@pytest.mark.parametrize("module", ["tests.retry.refusing_to_go", "no.such.module", None])
def test_a_stage_that_cannot_take_its_results_away_costs_nothing(ana, settings, kind, module):
    others = {stage: code for stage, code in configured.STAGE_CODE.items() if stage != "draft_generation"}
    note = make_ready()
    settings.STAGE_CODE = others | ({"draft_generation": module} if module else {})
    before = dump()
    result = retry(kind, note.artifact_id, by=ana, reason="The prompt.")
    assert (result.success, result.message) == (False, NOT_STARTED)
    assert kept(dump()) == kept(before)
    assert told(note) == ["retry_initiated", "retry_failed"]


def test_what_went_wrong_stands_in_the_log_and_nowhere_else(ana, settings, caplog):
    settings.STAGE_CODE = {**configured.STAGE_CODE, "draft_generation": "tests.retry.refusing_to_go"}
    note = make_ready()
    result = retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.")
    assert [record.message for record in caplog.records] == ["a retry could not be started"]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
    shown = f"{result} {RetryAttempt.objects.values()} {PipelineEvent.objects.values()}"
    assert "secret" not in shown


def test_a_note_that_was_closed_stays_closed(ana):
    note = make_closed(STATEMENTS)
    broken(*STEPS["the first stage is queued"])
    assert not retry(RetryKind.CLAIMS_EXTRACTION, note.artifact_id, by=ana).success
    after = Artifact.objects.get(pk=note.pk)
    assert (after.status, after.closed_reason, after.error_code) == ("failed", note.closed_reason, note.error_code)


@pytest.mark.parametrize("table", ["voicepipeline_pipelineevent", "retry_retryattempt"])
def test_a_retry_that_cannot_be_put_on_record_is_none(note, ana, table):
    """Without its event it would be a change that nobody has made."""
    before = dump()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (id < 0) NOT VALID")
    result, rung = start_over(note, ana)
    assert (result.success, result.message, rung) == (False, NOT_STARTED, [])
    assert dump() == before


def test_the_same_form_after_a_failure_is_told_so_and_does_nothing(ana):
    note = make_ready()
    make_attempt(note, ana, outcome="not_started", idempotency_key="form")
    before = dump()
    again = retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.", idempotency_key="form")
    assert (again.success, again.message) == (False, NOT_STARTED)
    assert dump() == before
