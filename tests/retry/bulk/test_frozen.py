"""What is retried is what the preview counted: a note that is another by now is refused, and left as it is."""

import pytest

from retry import operations
from retry.bulk.pacing import advance_all
from retry.kinds import FAILED_STAGE
from retry.models import RetryAttempt, RetryKind
from retry.policies import CHANGED, CLOSED
from tests.retry.bulk.bulks import (
    State,
    administrator,
    go_on,
    make_broken,
    make_notes,
    operator,
    started,
    state_of,
    states,
    under_way,
    work_off,
)
from tests.retry.factories import make_confirmed, make_ready
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import Artifact, InsightDraft, PipelineEvent, StageName

pytestmark = pytest.mark.django_db

AGAIN = RetryKind.DRAFT_GENERATION


@pytest.fixture(autouse=True)
def _four_at_once(settings):
    settings.WORKERS = 8


def retry_by_hand(note, kind=FAILED_STAGE, **how):
    return operations.retry(kind, note.artifact_id, by=administrator(), reason="By hand.", **how)


def test_a_note_that_fails_after_the_preview_is_not_in_it():
    bulk = started(make_notes(2))
    late = make_broken()
    go_on(bulk)
    late.refresh_from_db()
    assert (late.status, bulk.items.count()) == ("failed", 2)


def test_a_note_started_over_meanwhile_is_refused():
    first, second = make_notes(2)
    bulk = started([first, second])
    assert retry_by_hand(first, RetryKind.FULL).success
    work_off()
    go_on(bulk)
    assert states(bulk) == ["refused", "succeeded"]
    assert "started over" in bulk.items.get(artifact=first).message


def test_a_note_that_is_being_retried_is_refused():
    (note,) = make_notes(1)
    bulk = started([note])
    retry_by_hand(note)
    advance_all()
    item = bulk.items.get()
    assert "Already requested" in item.message
    assert item.refusal_group == "It is being retried already."
    assert note.retries.count() == 1


def test_a_note_that_was_retried_meanwhile_with_success_is_not_worked_on_again():
    note = make_broken(stage=StageName.DRAFT_GENERATION)
    bulk = started([note], kind=RetryKind.DRAFT_GENERATION)
    retry_by_hand(note)
    work_off()
    advance_all()
    assert states(bulk) == ["refused"]
    assert note.retries.count() == 1


def test_a_note_that_has_failed_in_another_way_meanwhile_is_refused_and_left_as_it_is():
    note = make_broken(later=StageName.CLAIMS_EXTRACTION)
    bulk = started([note])
    retry_by_hand(note)
    work_off()
    note.refresh_from_db()
    before, events = note.updated_at, PipelineEvent.objects.count()
    advance_all()
    note.refresh_from_db()
    assert bulk.items.get().message == CHANGED
    assert (note.updated_at, note.retries.count(), PipelineEvent.objects.count()) == (before, 1, events)


def test_entries_confirmed_after_the_preview_are_not_replaced():
    note = make_ready()
    bulk = started([note], kind=RetryKind.DRAFT_GENERATION)
    note.drafts.update(status="confirmed", decided_at=database_now(), decided_by=operator())
    advance_all()
    assert states(bulk) == ["refused"]
    assert note.drafts.get().status == "confirmed"


def test_start_over_in_bulk_begins_a_new_round_of_each():
    note = make_ready()
    bulk = started([note], by=administrator(), kind=RetryKind.FULL)
    advance_all()
    note.refresh_from_db()
    assert (note.generation, note.status, note.completed_at) == (2, "received", None)
    assert under_way(bulk) == 1


def test_a_note_that_somebody_has_closed_since_the_preview_stays_closed():
    first, second = make_notes(2)
    bulk = started([first, second])
    closed = {"closed_at": database_now(), "closed_by": operator(), "closed_reason": "It will not be fixed."}
    Artifact.objects.filter(pk=first.pk).update(**closed)
    advance_all()
    first.refresh_from_db()
    assert states(bulk) == ["refused", "requested"]
    assert first.closed_reason == "It will not be fixed."
    assert bulk.items.get(artifact=first).message == CLOSED


def test_a_ready_note_that_was_retried_meanwhile_is_not_worked_on_twice():
    note = make_ready()
    bulk = started([note], kind=AGAIN)
    retry_by_hand(note, AGAIN)
    work_off()
    advance_all()
    assert (states(bulk), bulk.items.get().message) == (["refused"], CHANGED)
    assert note.retries.count() == 1


def test_an_attempt_before_the_preview_or_one_that_never_began_holds_nothing_up():
    note = make_ready()
    retry_by_hand(note, AGAIN)
    work_off()
    bulk = started([note], kind=AGAIN)
    RetryAttempt.objects.create(
        artifact=note,
        number=2,
        kind=AGAIN,
        generation=1,
        requested_by=operator(),
        requested_at=database_now(),
        outcome="not_started",
        finished_at=database_now(),
    )
    advance_all()
    assert states(bulk) == ["requested"]


def test_who_agreed_to_one_confirmed_entry_has_not_agreed_to_another():
    note = make_ready()
    shown = make_confirmed(note, automatic=True)
    bulk = started([note], by=administrator(), kind=RetryKind.FULL, agreed=True)
    InsightDraft.objects.filter(pk=shown.pk).update(status="pending", automatic=False, decided_at=None)
    other = make_confirmed(note)
    advance_all()
    assert states(bulk) == ["refused"]
    assert "An entry was confirmed since" in bulk.items.get().message
    assert InsightDraft.objects.filter(pk=other.pk).exists()


def test_what_was_agreed_to_stays_agreed_to_when_it_is_passed_on_to_the_club():
    note = make_ready()
    shown = make_confirmed(note)
    bulk = started([note], by=administrator(), kind=RetryKind.FULL, agreed=True)
    InsightDraft.objects.filter(pk=shown.pk).update(status="applied")
    advance_all()
    assert states(bulk) == ["requested"]


def test_an_attempt_of_another_form_that_has_ended_is_not_taken_for_its_own():
    by, (note, other) = operator(), make_notes(2)
    bulk = started([note, other], by=by)
    key = f"bulk/{bulk.bulk_id}/1"
    assert operations.retry(FAILED_STAGE, note.artifact_id, by=by, idempotency_key=key).success
    work_off()
    go_on(bulk)
    assert (states(bulk), state_of(bulk)) == (["refused", "succeeded"], State.FINISHED)
