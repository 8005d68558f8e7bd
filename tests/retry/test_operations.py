"""What whoever asks for a retry is told, what is kept of it, and when nothing is done."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from retry.kinds import FAILED_STAGE
from retry.models import RetryAttempt, RetryKind
from retry.operations import retry, retry_claims_extraction, retry_failed_stage, retry_full_pipeline
from retry.policies import CLOSED
from tests.factories import make_draft, make_user
from tests.retry.dumps import dump
from tests.retry.factories import (
    NAMES,
    STATEMENTS,
    make_attempt,
    make_closed,
    make_confirmed,
    make_failed,
    make_moving,
    make_ready,
    make_stalled,
)
from voicepipeline import roles
from voicepipeline.models import AIServiceHealth, EntityResolution, InsightDraft, Pause, PipelineEvent

pytestmark = pytest.mark.django_db

STATEMENTS_AGAIN = RetryKind.CLAIMS_EXTRACTION
SECOND = timedelta(seconds=1)


@pytest.fixture
def ana():
    return make_user(roles.ADMINISTRATOR, first_name="Ana", last_name="Ito")


@pytest.fixture
def ben():
    return make_user(roles.OPERATOR)


def refused(result, words):
    return not result.success and words in result.message


# --- What is kept ------------------------------------------------------------------------------------------------


def test_what_was_asked_for_is_kept_with_its_reason(ana):
    note = make_failed(STATEMENTS)
    attempt = retry_failed_stage(note.artifact_id, by=ana, reason=" The prompt\nwas wrong. ").retry_attempt
    attempt.refresh_from_db()
    assert (attempt.reason, attempt.outcome, attempt.finished_at) == ("The prompt\nwas wrong.", "under_way", None)
    assert (attempt.problem_before, attempt.agreed_to) == (note.fingerprint, 0)


def test_what_was_deleted_is_kept_by_the_names_it_has_on_pages(ana):
    note = make_ready()
    make_confirmed(note, by=ana)
    result = retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.", agreed_to=1)
    result.retry_attempt.refresh_from_db()
    assert result.retry_attempt.deleted == {
        "transcripts": 1,
        "statements": 1,
        "matched names": 1,
        "suggested entries": 2,
    }


def test_a_reason_that_is_far_too_long_is_cut(ana):
    note = make_failed()
    result = retry_failed_stage(note.artifact_id, by=ana, reason="x\x00" * 3_000)
    result.retry_attempt.refresh_from_db()
    assert result.success
    assert len(result.retry_attempt.reason) <= 500


def test_what_people_typed_as_a_reason_stands_in_the_log_for_those_who_may_read_it(ana):
    note = make_failed()
    retry_failed_stage(note.artifact_id, by=ana, reason="The prompt was wrong.")
    event = PipelineEvent.objects.get(artifact=note, event_type="retry_initiated")
    assert event.metadata == {
        "retry_attempt": 1,
        "kind": "claims_extraction",
        "given_reason": "The prompt was wrong.",
    }
    assert (event.actor, event.pipeline_stage) == (ana, "claims_extraction")


def test_attempts_are_counted_on_when_all_events_are_gone(ana):
    note = make_failed()
    make_attempt(note, ana, outcome="failed", error_code="x")
    make_attempt(note, ana, outcome="superseded", number=7)
    PipelineEvent.objects.all().delete()
    assert retry_failed_stage(note.artifact_id, by=ana).message == "Retry requested (attempt 8)."


# --- The same form, two people, another round --------------------------------------------------------------------


def test_the_same_form_sent_again_is_the_same_retry(ana):
    note, key = make_failed(), uuid.uuid4().hex
    first = retry_failed_stage(note.artifact_id, by=ana, idempotency_key=key)
    before = dump()
    again = retry_failed_stage(note.artifact_id, by=ana, idempotency_key=key)
    assert (again.success, again.retry_attempt) == (True, first.retry_attempt)
    assert again.message.startswith("Already requested by Ana Ito ")
    assert dump() == before


def test_the_same_form_is_the_same_retry_when_that_has_ended(ana):
    note = make_failed()
    made = make_attempt(note, ana, outcome="failed", error_code="x", idempotency_key="form")
    again = retry_failed_stage(note.artifact_id, by=ana, idempotency_key="form")
    assert (again.retry_attempt, RetryAttempt.objects.count()) == (made, 1)


@pytest.mark.parametrize("other", ["note", "person"])
def test_a_form_of_another_note_or_person_does_nothing(ana, ben, other):
    note = make_failed()
    make_attempt(make_failed() if other == "note" else note, ana, outcome="failed", error_code="x", idempotency_key="k")
    by = ana if other == "note" else ben
    before = dump()
    assert refused(retry_failed_stage(note.artifact_id, by=by, idempotency_key="k"), "used for something else")
    assert dump() == before


def test_the_second_of_two_people_is_told_who_was_first(ana, ben):
    note = make_failed()
    first = retry_claims_extraction(note.artifact_id, by=ana).retry_attempt
    RetryAttempt.objects.update(requested_at=timezone.now() - timedelta(seconds=3.4))
    before = dump()
    second = retry_claims_extraction(note.artifact_id, by=ben)
    assert (second.success, second.message) == (False, "Already requested by Ana Ito 3 s ago (attempt 1).")
    assert second.retry_attempt == first
    assert dump() == before


def test_two_who_start_over_one_after_the_other_start_over_once(ana):
    note, other = make_ready(), make_user(roles.ADMINISTRATOR)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.").success
    assert refused(retry_full_pipeline(note.artifact_id, by=other, reason="Me too."), "Already requested by Ana Ito")
    note.refresh_from_db()
    assert note.generation == 2


def test_a_page_of_an_earlier_round_does_nothing(ana):
    note = make_ready(generation=3)
    before = dump()
    result = retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.", expected_generation=2)
    assert refused(result, "started over since you looked at it")
    assert dump() == before


def test_a_page_of_this_round_does_what_it_says(ana):
    note = make_ready(generation=3)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.", expected_generation=3).success


# --- Agreement and reasons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RetryKind.CLAIMS_EXTRACTION, RetryKind.DRAFT_GENERATION, RetryKind.FULL])
def test_nobody_replaces_confirmed_entries_without_having_agreed(ana, kind):
    note = make_ready()
    make_confirmed(note)
    before = dump()
    assert refused(retry(kind, note.artifact_id, by=ana, reason="The prompt."), "1 confirmed entry depends on it")
    assert dump() == before


def test_who_agreed_to_fewer_than_there_are_now_is_asked_again(ana):
    note = make_ready()
    make_confirmed(note)
    make_confirmed(note, applied=True)
    result = retry_claims_extraction(note.artifact_id, by=ana, reason="The prompt.", agreed_to=1)
    assert refused(result, "1 confirmed entry depends on it to which you have not agreed")


def test_who_agreed_to_as_many_gets_them_replaced(ana):
    note = make_ready()
    make_confirmed(note)
    result = retry_claims_extraction(note.artifact_id, by=ana, reason="The prompt.", agreed_to=1)
    assert (result.success, result.retry_attempt.agreed_to) == (True, 1)


def test_who_agreed_to_one_entry_has_not_agreed_to_another_that_was_confirmed_since(ana):
    note = make_ready()
    shown = make_confirmed(note)
    agreed = {"reason": "The prompt.", "agreed_to": 1, "as_of": shown.decided_at}
    shown.delete()
    other = make_confirmed(note)
    assert refused(retry_full_pipeline(note.artifact_id, by=ana, **agreed), "An entry was confirmed since")
    agreed["as_of"] = other.decided_at
    assert retry_full_pipeline(note.artifact_id, by=ana, **agreed).success


def test_in_bulk_what_was_closed_since_the_preview_is_seen_under_the_lock(ana):
    note = make_closed()
    before = dump()
    in_bulk = {"by": ana, "reason": "The prompt.", "bulk": True}
    assert refused(retry(FAILED_STAGE, note.artifact_id, **in_bulk, as_of=note.closed_at - SECOND), CLOSED)
    assert dump() == before
    assert retry(FAILED_STAGE, note.artifact_id, **in_bulk, as_of=note.closed_at + SECOND).success


@pytest.mark.parametrize("make", [make_ready, make_stalled, make_failed])
def test_nobody_starts_over_without_a_reason(ana, make):
    note = make()
    before = dump()
    assert refused(retry_full_pipeline(note.artifact_id, by=ana, reason="  "), "Say why")
    assert dump() == before


def test_a_failed_stage_is_retried_without_a_reason(ana):
    assert retry_failed_stage(make_failed().artifact_id, by=ana).success


# --- What people decided stays -----------------------------------------------------------------------------------


def test_running_again_keeps_what_people_confirmed_and_refused(ana, ben):
    note = make_ready()
    kept = {make_confirmed(note, by=ben), make_confirmed(note, applied=True, by=ben), make_refused(note, ben)}
    make_confirmed(note, automatic=True)
    assert retry_claims_extraction(note.artifact_id, by=ana, reason="The prompt.", agreed_to=3).success
    assert set(InsightDraft.objects.filter(artifact=note)) == kept


def test_starting_over_keeps_what_people_refused(ana, ben):
    note = make_ready()
    make_confirmed(note, by=ben)
    refused_entry = make_refused(note, ben)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.", agreed_to=1).success
    assert list(InsightDraft.objects.filter(artifact=note)) == [refused_entry]


@pytest.mark.parametrize("kind", RetryKind.values)
def test_no_retry_touches_what_people_said_of_names(ana, ben, kind):
    note = make_failed(NAMES)
    choice = note.name_choices.create(kind="player_name", raw_text="Niamh", name_key="niamh", chosen_by=ben)
    assert retry(kind, note.artifact_id, by=ana, reason="Anew.").success == (kind != RetryKind.DRAFT_GENERATION)
    assert list(note.name_choices.all()) == [choice]


def test_matching_names_again_keeps_transcript_and_statements(ana):
    note = make_ready(unclear=True)
    assert retry(RetryKind.ENTITY_RESOLUTION, note.artifact_id, by=ana).success
    assert (note.claims.count(), note.transcript.text) == (1, "Niamh was sharp in training today.")
    assert not EntityResolution.objects.filter(artifact=note).exists()


def make_refused(note, by):
    return make_draft(note.claims.get(), status="rejected", decided_by=by)


# --- On hold, closed, in bulk ------------------------------------------------------------------------------------


def test_a_retry_that_will_wait_says_so_and_why(ana):
    AIServiceHealth.objects.create(
        service="chat", state="open", reason="provider_no_credit", needs_person=True, trouble_since=timezone.now()
    )
    result = retry_claims_extraction(make_failed().artifact_id, by=ana)
    assert result.success
    assert "on hold, because the provider credit is used up" in result.message


def test_a_retry_says_that_it_will_wait_for_a_later_stage(ana):
    Pause.objects.create(subject="draft_generation", reason="Works.", paused_by=ana)
    assert "people have paused this work" in retry_claims_extraction(make_failed().artifact_id, by=ana).message


def test_a_retry_that_does_not_need_what_is_paused_says_nothing_of_it(ana):
    Pause.objects.create(subject="transcription", reason="Works.", paused_by=ana)
    assert "hold" not in retry_claims_extraction(make_failed().artifact_id, by=ana).message


def test_a_retry_that_is_under_way_and_on_hold_is_said_to_be_requested(ana, ben):
    note = make_moving(STATEMENTS, "on hold")
    make_attempt(note, ana)
    assert refused(retry_claims_extraction(note.artifact_id, by=ben), "Already requested by Ana Ito")


def test_what_a_worker_died_on_is_refused_in_bulk_alone(ana):
    note = make_failed(code="worker_died")
    assert refused(retry(FAILED_STAGE, note.artifact_id, by=ana, reason="Try.", bulk=True), "The worker died on it")
    assert retry(FAILED_STAGE, note.artifact_id, by=ana, reason="Try.").success


def test_a_stalled_note_is_started_over_and_what_worked_on_it_is_superseded(ana):
    note = make_stalled(STATEMENTS)
    slow = note.runs.get(status="running")
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.").success
    slow.refresh_from_db()
    note.refresh_from_db()
    assert (slow.status, slow.terminal, slow.effective) == ("superseded", False, False)
    assert (note.generation, note.status, note.runs.filter(status="queued").count()) == (2, "received", 1)


def test_a_name_that_is_no_full_name_is_the_one_to_sign_in_with(ben):
    note = make_failed()
    assert retry_failed_stage(note.artifact_id, by=ben).success
    assert refused(retry_claims_extraction(note.artifact_id, by=ben), f"Already requested by {ben.username} ")
