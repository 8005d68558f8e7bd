"""How a retry ends: with the last stage of what it caused, told once, and never forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry import closing
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from retry.operations import retry_claims_extraction, retry_failed_stage, retry_full_pipeline
from tests.engine.helpers import active_run, make_artifact, make_due, run_to_the_end, scheduled
from tests.factories import make_user
from tests.faults.surroundings import TEST_STAGES
from tests.retry.factories import make_attempt, make_bulk_of, make_failed, make_moving, make_ready, make_stalled
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.models import PipelineEvent
from voicepipeline.operations.notes import close_artifact

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def _scripted_stages(settings):
    settings.STAGE_CODE = TEST_STAGES


@pytest.fixture
def ana():
    return make_user(roles.ADMINISTRATOR)


def failed_note(**script):
    """A note that the engine itself has brought to its failure."""
    note = make_artifact(**(script or {"claims_extraction": ["permanent"]}))
    scheduled(note)
    return run_to_the_end(note)


def perform_next(note):
    make_due(note)
    perform(active_run(note).pk)
    note.refresh_from_db()


def told(note, *types):
    wanted = types or ("retry_initiated", "retry_succeeded", "retry_failed")
    events = PipelineEvent.objects.filter(artifact=note, event_type__in=wanted).order_by("id")
    return list(events.values_list("event_type", flat=True))


def the_attempt(note):
    return RetryAttempt.objects.get(artifact=note)


# --- With the last stage of what it caused -----------------------------------------------------------------------


def test_a_retry_succeeds_when_the_last_stage_has_ended_and_not_before(ana):
    note = failed_note()
    retry_failed_stage(note.artifact_id, by=ana)
    for _ in range(2):
        perform_next(note)
        assert (the_attempt(note).outcome, told(note)) == ("under_way", ["retry_initiated"])
    perform_next(note)
    assert note.status == "completed"
    assert (the_attempt(note).outcome, told(note)) == ("succeeded", ["retry_initiated", "retry_succeeded"])


def test_it_fails_again_with_the_failure_of_the_stage_that_ended_it(ana):
    note = failed_note(claims_extraction=["permanent"], entity_resolution=["permanent"])
    retry_failed_stage(note.artifact_id, by=ana)
    run_to_the_end(note)
    attempt = the_attempt(note)
    assert (attempt.outcome, attempt.failed_stage, attempt.error_code) == (
        "failed",
        "entity_resolution",
        note.error_code,
    )
    assert (attempt.problem, attempt.error_message) == (note.fingerprint, note.error_message)
    assert told(note) == ["retry_initiated", "retry_failed"]


def test_passing_faults_do_not_end_it(ana):
    note = failed_note(claims_extraction=["permanent", "transient", "provider"])
    retry_failed_stage(note.artifact_id, by=ana)
    perform_next(note)
    perform_next(note)
    assert the_attempt(note).outcome == "under_way"
    assert run_to_the_end(note).status == "completed"
    assert the_attempt(note).outcome == "succeeded"


def test_its_end_says_how_long_it_took_and_which_attempt_it_was(ana):
    note = failed_note()
    retry_failed_stage(note.artifact_id, by=ana)
    RetryAttempt.objects.update(requested_at=timezone.now() - timedelta(seconds=90))
    run_to_the_end(note)
    event = PipelineEvent.objects.get(artifact=note, event_type="retry_succeeded")
    assert 90_000 <= event.duration_ms < 150_000
    assert (event.metadata["retry_attempt"], event.metadata["kind"]) == (1, "claims_extraction")
    assert the_attempt(note).finished_at == event.stage_completed_at


def test_one_after_another_each_has_its_own_end(ana):
    note = failed_note(claims_extraction=["permanent", "permanent"])
    for _ in range(2):
        retry_failed_stage(note.artifact_id, by=ana)
        run_to_the_end(note)
    retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.")
    run_to_the_end(note)
    outcomes = RetryAttempt.objects.filter(artifact=note).order_by("number").values_list("number", "outcome")
    assert list(outcomes) == [(1, "failed"), (2, "succeeded"), (3, "succeeded")]
    assert told(note, "retry_failed", "retry_succeeded") == ["retry_failed", "retry_succeeded", "retry_succeeded"]


def test_a_note_that_is_not_retried_ends_no_retry(ana):
    note = make_artifact()
    attempt = make_attempt(note, ana)
    scheduled(note)
    run_to_the_end(note)
    attempt.refresh_from_db()
    assert attempt.outcome == "under_way"


# --- Replaced, cancelled -----------------------------------------------------------------------------------------


def test_one_that_is_replaced_by_starting_over_is_closed_as_such(ana):
    note = failed_note()
    retry_failed_stage(note.artifact_id, by=ana)
    stand_still(note)
    assert retry_full_pipeline(note.artifact_id, by=ana, reason="It hangs.").success
    first, second = RetryAttempt.objects.filter(artifact=note).order_by("number")
    assert (first.outcome, first.error_code, second.outcome) == ("superseded", "", "under_way")
    assert told(note) == ["retry_initiated", "retry_initiated", "retry_failed"]
    assert PipelineEvent.objects.get(event_type="retry_failed").metadata["outcome"] == "superseded"


def stand_still(note):
    note.runs.filter(status="queued").update(not_before=timezone.now() - LONG_AGO)
    type(note).objects.filter(pk=note.pk).update(updated_at=timezone.now() - LONG_AGO)


def test_one_whose_waiting_run_is_cancelled_has_failed(ana):
    note = failed_note()
    retry_failed_stage(note.artifact_id, by=ana)
    stand_still(note)
    assert close_artifact(note.artifact_id, by=ana, reason="Not worth it.").done
    assert (the_attempt(note).outcome, the_attempt(note).error_code) == ("failed", "cancelled")


@pytest.mark.parametrize(("words", "state"), [([], "succeeded"), (["permanent", "permanent"], "failed")])
def test_its_place_in_a_bulk_retry_ends_with_it(ana, words, state):
    note = failed_note(claims_extraction=words or ["permanent"])
    attempt = retry_failed_stage(note.artifact_id, by=ana).retry_attempt
    bulk = BulkRetry.objects.create(
        kind="failed_stage", requested_by=ana, state="running", started_at=timezone.now(), reason="The prompt."
    )
    item = BulkRetryItem.objects.create(
        bulk=bulk, artifact=note, position=1, kind=attempt.kind, generation=1, state="requested", attempt=attempt
    )
    run_to_the_end(note)
    item.refresh_from_db()
    assert (item.state, item.problem) == (state, note.fingerprint)
    assert item.settled_at is not None


def test_a_place_that_its_attempt_has_left_behind_is_settled_as_that_ended(ana):
    note = make_ready()
    attempt = make_bulk_of(make_attempt(note, ana, outcome="succeeded")).items.get().attempt
    item = BulkRetryItem.objects.filter(attempt=attempt)
    item.update(state="requested", settled_at=None)
    assert [closing.settle_forgotten(), closing.settle_forgotten()] == [1, 0]
    assert item.get().state == "succeeded"
    assert item.get().settled_at == attempt.finished_at


def test_the_watchdog_leaves_a_place_alone_whose_attempt_is_under_way(ana):
    item = make_bulk_of(make_attempt(make_moving(), ana)).items.get()
    BulkRetryItem.objects.update(state="requested", settled_at=None)
    closing.sweep()
    item.refresh_from_db()
    assert item.state == "requested"


# --- Never forgotten ---------------------------------------------------------------------------------------------


def forgotten(note, by, **fields):
    return make_attempt(note, by, requested_at=timezone.now() - LONG_AGO, **fields)


@pytest.mark.parametrize(("make", "outcome"), [(make_ready, "succeeded"), (make_failed, "failed")])
def test_one_that_was_left_open_is_closed_as_its_note_has_ended(ana, make, outcome):
    note = make()
    attempt = forgotten(note, ana)
    assert closing.close_forgotten() == 1
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.problem) == (outcome, note.fingerprint)
    assert told(note) == [f"retry_{outcome}"]


def test_it_is_closed_once(ana):
    forgotten(make_ready(), ana)
    assert [closing.close_forgotten(), closing.close_forgotten()] == [1, 0]


@pytest.mark.parametrize("make", [make_moving, make_stalled])
def test_one_that_is_worked_on_stays_open(ana, make):
    attempt = forgotten(make(), ana)
    assert closing.close_forgotten() == 0
    attempt.refresh_from_db()
    assert attempt.outcome == "under_way"


def test_one_that_has_just_been_requested_stays_open(ana):
    make_attempt(make_ready(), ana)
    assert closing.close_forgotten() == 0


def test_of_two_left_open_the_older_was_replaced(ana):
    """Only one can have brought the note to its end."""
    note = make_ready()
    older, newer = forgotten(note, ana), forgotten(note, ana, kind=RetryKind.FULL)
    closing.close_forgotten()
    older.refresh_from_db()
    newer.refresh_from_db()
    assert (older.outcome, newer.outcome) == ("superseded", "succeeded")


def test_what_is_left_of_many_is_closed_the_next_time(ana, django_assert_num_queries):
    note = make_ready()
    for _ in range(3):
        forgotten(make_ready(), ana)
    assert closing.close_forgotten() == 3
    with django_assert_num_queries(2):
        assert closing.close_forgotten() == 0
    assert not RetryAttempt.objects.filter(artifact=note).exists()


def test_every_run_that_it_caused_carries_its_origin_and_who_asked(ana):
    note = failed_note(claims_extraction=["permanent", "transient"])
    attempt = retry_claims_extraction(note.artifact_id, by=ana).retry_attempt
    run_to_the_end(note)
    assert note.runs.filter(origin=attempt.origin, requested_by=ana).count() == 4
