"""A worker still holds the old run when somebody retries: what it brings comes too late, and people's word stands."""

import threading
import time

import pytest
from django.conf import settings as configured
from django.db import connection
from django.utils import timezone

from retry.models import RetryAttempt, RetryKind
from retry.operations import retry, retry_full_pipeline
from tests.engine.helpers import active_run, claimed, events_of, make_artifact, past, results, run_to_the_end, scheduled
from tests.factories import make_claim, make_club, make_coach, make_user
from tests.faults.surroundings import TEST_STAGES
from tests.names.helpers import choose, make_read_note, player, resolve
from tests.retry.factories import LONG
from tests.stages.scripted import Given
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.engine.reclaiming import Suspect, reclaim
from voicepipeline.engine.settling import finish
from voicepipeline.models import Artifact, InsightDraft, StageName, StageRun
from voicepipeline.operations.entry_decisions import confirm_entry, reject_entry
from voicepipeline.operations.entry_edits import seen_of
from voicepipeline.operations.notes import release_and_requeue
from voicepipeline.stages import STAGES
from voicepipeline.stages.contract import StageOutput

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

PATIENCE_SECONDS = 20
REAL_STAGES = dict(configured.STAGE_CODE)


@pytest.fixture(autouse=True)
def _generous(settings):
    settings.STAGE_CODE = TEST_STAGES
    settings.RETRY = {"retries_an_hour": 10**6, "destructive_an_hour": 10**6}


@pytest.fixture
def ana():
    return make_user(roles.ADMINISTRATOR)


def stand_still(note):
    """As if the worker had been at it for long, and nobody had heard of it."""
    note.runs.filter(status="running").update(started_at=timezone.now() - LONG)
    Artifact.objects.filter(pk=note.pk).update(updated_at=timezone.now() - LONG)


def give_up_on(note, late):
    """Its worker is declared dead, once too often."""
    StageRun.objects.filter(pk=late.run_id).update(lease_until=past(120), crash_no=2)
    run = active_run(note)
    assert reclaim(Suspect(run.pk, note.pk, late.token, run.lease_until))


def result_of(late):
    return StageOutput(Given(late.stage.name, "late", late.run_id, late.token))


def words_kept(note):
    with connection.cursor() as cursor:
        cursor.execute("SELECT word FROM tests_stageresult WHERE artifact_id = %s", [note.pk])
        return {word for (word,) in cursor.fetchall()}


# --- Started over ------------------------------------------------------------------------------------------------


def taken_up(stage):
    """A note whose run of this stage a worker holds."""
    note = make_artifact()
    scheduled(note)
    while active_run(note).stage != stage:
        perform(active_run(note).pk)
    return note, claimed(note)


def check_a_late_result_after_starting_over(ana, stage, moment):
    """The worker comes back right after the start over, in the middle of the new round, or when that has ended."""
    note, late = taken_up(stage)
    stand_still(note)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.").success
    for _ in range(moment):
        perform(active_run(note).pk)
    before = results(note)
    finish(late, result_of(late))
    assert results(note) == before
    assert run_to_the_end(note).status == "completed"
    assert (results(note), words_kept(note)) == (list(StageName.values), {"ok"})
    assert events_of(note).count("stage_result_discarded") == 2  # told when it was replaced, and when it came
    assert RetryAttempt.objects.get(artifact=note).outcome == "succeeded"


@pytest.mark.parametrize("stage", [StageName.TRANSCRIPTION, StageName.ENTITY_RESOLUTION])
def test_what_comes_after_a_start_over_is_discarded(ana, stage):
    check_a_late_result_after_starting_over(ana, stage, moment=StageName.values.index(stage))


@pytest.mark.trial
def test_a_hundred_of_a_hundred_are_discarded_after_a_start_over(ana):
    for number in range(100):
        check_a_late_result_after_starting_over(
            ana, StageName.values[number % 4], moment=number % 5 if number % 5 < 4 else 3
        )


# --- Run again from here -----------------------------------------------------------------------------------------


def check_a_late_result_after_running_again(ana, stage, taken_away):
    note, late = taken_up(stage)
    taken_away(note, late, ana)
    assert retry(stage, note.artifact_id, by=ana).success
    finish(late, result_of(late))
    assert stage not in results(note)
    perform(active_run(note).pk)
    finish(late, result_of(late))
    assert run_to_the_end(note).status == "completed"
    assert (results(note), words_kept(note)) == (list(StageName.values), {"ok"})
    assert RetryAttempt.objects.get(artifact=note).outcome == "succeeded"


def died(note, late, ana):
    give_up_on(note, late)


def released_and_failed(note, late, ana):
    """Somebody gave it back to the queue; another worker took it up, and failed."""
    stand_still(note)
    assert release_and_requeue(note.artifact_id, by=ana).done
    give_up_on(note, claimed(note))


@pytest.mark.parametrize(
    ("stage", "taken_away"), [(StageName.CLAIMS_EXTRACTION, died), (StageName.DRAFT_GENERATION, released_and_failed)]
)
def test_what_comes_after_running_again_is_discarded(ana, stage, taken_away):
    check_a_late_result_after_running_again(ana, stage, taken_away)


@pytest.mark.trial
def test_a_hundred_of_a_hundred_are_discarded_after_running_again(ana):
    for number in range(100):
        taken_away = died if number % 3 else released_and_failed
        check_a_late_result_after_running_again(ana, StageName.values[number % 4], taken_away)


# --- In a thread of its own --------------------------------------------------------------------------------------


def test_a_worker_that_works_on_through_a_start_over_has_worked_in_vain(ana):
    note = make_artifact(transcription=["slow:1"])
    worker = threading.Thread(target=work, args=(scheduled(note).pk,))
    worker.start()
    wait_until(lambda: note.runs.filter(status="running").exists())
    stand_still(note)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.").success
    assert run_to_the_end(note).status == "completed"
    worker.join(PATIENCE_SECONDS)
    assert (results(note), words_kept(note)) == (list(StageName.values), {"ok"})
    assert events_of(note).count("stage_result_discarded") == 2


def work(run_id):
    perform(run_id)
    connection.close()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline


# --- What people have said stays ---------------------------------------------------------------------------------


@pytest.fixture
def told_note(settings):
    """A ready note: its entries are one that somebody confirmed, one that somebody refused, and one that waits."""
    settings.STAGE_CODE = REAL_STAGES
    club = make_club()
    note = make_read_note(sender=make_coach(organization=club))
    for name in ("Niamh Kelly", "Eoin Murphy", "Aoife Ryan"):
        player(club, name)
        make_claim(note, name, confidence=0.95)
    make_claim(note, "Neevo", confidence=0.95)
    choose(note, "Neevo", player=player(club, "Niamh O'Neill"))
    resolve(note)
    perform(active_run(note).pk)
    return note


def decide_about_entries(note, by):
    confirmed, refused, waiting, of_choice = InsightDraft.objects.filter(artifact=note).order_by("id")
    assert confirm_entry(confirmed.pk, by=by, seen=seen_of(confirmed)).done
    assert reject_entry(refused.pk, by=by, seen=seen_of(refused), reason="Not said.").done
    return confirmed, refused, waiting, of_choice


def fingerprints(note):
    entries = InsightDraft.objects.filter(artifact=note).order_by("key")
    return [(entry.key, entry.status, entry.decided_by_id, entry.player.first_name) for entry in entries]


def slow_output(note, late):
    code = STAGES[late.stage.name].code
    return code.work(code.load(Artifact.objects.select_related("voice_note").get(pk=note.pk)))


@pytest.mark.parametrize("stage", [StageName.ENTITY_RESOLUTION, StageName.DRAFT_GENERATION])
def test_running_again_with_consent_keeps_choices_and_decisions_whatever_a_slow_worker_brings(told_note, ana, stage):
    note = told_note
    decide_about_entries(note, ana)
    before = fingerprints(note)
    assert retry(stage, note.artifact_id, by=ana, reason="The roster.", agreed_to=1).success
    late = claimed(note)
    output = slow_output(note, late)
    give_up_on(note, late)
    assert retry(stage, note.artifact_id, by=ana, reason="The roster.", agreed_to=1).success
    finish(late, output)
    assert run_to_the_end(note).status == "completed"
    finish(late, output)
    assert fingerprints(note) == before
    assert note.name_choices.filter(undone_at=None).count() == 1
    assert note.resolutions.get(raw_text="Neevo").status == "user_resolved"


def test_starting_over_keeps_choices_and_refusals_whatever_a_slow_worker_brings(told_note, ana):
    note = told_note
    _, refused, *_ = decide_about_entries(note, ana)
    assert retry(StageName.DRAFT_GENERATION, note.artifact_id, by=ana, reason="The prompt.", agreed_to=1).success
    late = claimed(note)
    output = slow_output(note, late)
    stand_still(note)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.", agreed_to=1).success
    finish(late, output)
    assert list(InsightDraft.objects.filter(artifact=note)) == [refused]
    assert (note.claims.count(), note.name_choices.filter(undone_at=None).count()) == (0, 1)
    assert Artifact.objects.get(pk=note.pk).status == "received"


def test_without_consent_a_slow_worker_and_a_confirmed_entry_are_left_alone(told_note, ana):
    note = told_note
    decide_about_entries(note, ana)
    assert retry(RetryKind.DRAFT_GENERATION, note.artifact_id, by=ana, reason="The prompt.", agreed_to=1).success
    late = claimed(note)
    output = slow_output(note, late)
    stand_still(note)
    assert not retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.").success
    finish(late, output)
    assert Artifact.objects.get(pk=note.pk).status == "completed"
    assert InsightDraft.objects.filter(artifact=note, status="confirmed").count() == 1
