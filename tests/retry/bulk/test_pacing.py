"""How bulk retries go on: frozen, paced, fair, and no note in another's way."""

import logging

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retry import operations
from retry.bulk import requesting
from retry.bulk.deeds import pause
from retry.bulk.holding import load_holds
from retry.bulk.pacing import advance, advance_all
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from tests.factories import make_user
from tests.retry.bulk.bulks import (
    REASON,
    ItemState,
    State,
    administrator,
    go_on,
    in_state,
    make_broken,
    make_notes,
    operator,
    started,
    state_of,
    states,
    under_way,
    work_off,
)
from tests.retry.factories import make_failed, make_ready
from voicepipeline import roles
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import Artifact, StageName, StageRun, VoiceNote
from voicepipeline.registry import registry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _four_at_once(settings):
    settings.WORKERS = 8


def retry_by_hand(note, kind=FAILED_STAGE, **how):
    return operations.retry(kind, note.artifact_id, by=administrator(), reason="By hand.", **how)


# --- One bulk retry ---------------------------------------------------------------------------------------------


def test_the_watchdog_goes_on_with_it_every_second_and_tidies_up():
    ticks = registry.ticks
    assert ticks["bulk retries"].every.total_seconds() == 1
    assert "old previews" in ticks


def test_it_works_through_all_notes_and_is_finished():
    bulk = started([*make_notes(1), *make_notes(5, stage=StageName.DRAFT_GENERATION)])
    go_on(bulk)
    assert states(bulk) == ["succeeded"] * 6
    assert (state_of(bulk), bulk.state_reason) == (State.FINISHED, "")
    assert bulk.finished_at is not None


def test_each_retry_is_the_starters_with_the_reason_given():
    bulk = started(make_notes(2))
    advance_all()
    attempts = RetryAttempt.objects.all()
    assert {(attempt.requested_by_id, attempt.reason) for attempt in attempts} == {(bulk.requested_by_id, REASON)}
    assert set(bulk.items.values_list("attempt", flat=True)) == set(attempts.values_list("pk", flat=True))


def test_notes_that_fail_again_say_with_what_and_keep_no_other():
    bulk = started([make_broken("permanent"), make_broken(later=StageName.CLAIMS_EXTRACTION), make_broken()])
    go_on(bulk)
    assert states(bulk) == ["failed", "failed", "succeeded"]
    assert state_of(bulk) == State.FINISHED
    assert len(set(bulk.items.values_list("problem", flat=True))) == 3


def test_a_preview_does_nothing():
    in_state(State.PREVIEW)
    advance_all()
    assert not RetryAttempt.objects.exists()


@pytest.mark.parametrize("state", [State.PAUSED, State.HALTED, State.STOPPED])
def test_what_does_not_move_begins_nothing(state):
    bulk = in_state(state)
    advance_all()
    assert (state_of(bulk), states(bulk)) == (state, ["waiting"])


@pytest.mark.parametrize("state", [State.RUNNING, State.TRYING, State.PAUSED, State.HALTED])
def test_with_every_note_settled_it_is_finished_in_whatever_state(state):
    bulk = in_state(state)
    bulk.items.update(state=ItemState.REFUSED, settled_at=database_now())
    advance_all()
    assert state_of(bulk) == State.FINISHED


def test_a_stopped_one_stays_stopped_when_its_last_note_ends():
    bulk = started(make_notes(1))
    advance_all()
    BulkRetry.objects.update(state=State.STOPPED, finished_at=database_now())
    work_off()
    advance_all()
    assert (state_of(bulk), states(bulk)) == (State.STOPPED, ["succeeded"])


def test_one_alone_can_be_taken_a_step_on():
    bulk, other = started(make_notes(1)), started(make_notes(1))
    advance(bulk.pk)
    assert (under_way(bulk), under_way(other)) == (1, 0)


# --- Pace -------------------------------------------------------------------------------------------------------


def test_never_more_are_under_way_than_their_share_of_the_workers():
    started(make_notes(7))
    seen = []
    for _ in range(3):
        advance_all()
        seen.append(under_way())
    assert seen == [4, 4, 4]


@pytest.mark.parametrize(
    ("workers", "share", "most"), [(1, 50, 1), (2, 50, 1), (8, 25, 2), (8, 100, 5), (3, 50, 1), (4, 1, 1)]
)
def test_the_share_is_a_setting_and_one_is_always_possible(settings, workers, share, most):
    settings.WORKERS, settings.RETRY = workers, settings.RETRY | {"share_of_workers_percent": share}
    started(make_notes(5))
    advance_all()
    assert under_way() == most


def test_places_that_become_free_are_filled_again():
    started(make_notes(7, stage=StageName.DRAFT_GENERATION))
    advance_all()
    work_off()
    advance_all()
    assert under_way() == 3


def test_notes_that_are_refused_take_no_place():
    notes = make_notes(8)
    bulk = started(notes)
    for note in notes[:4]:
        retry_by_hand(note)
    advance_all()
    assert states(bulk) == ["refused"] * 4 + ["requested"] * 4


def test_all_bulk_retries_share_the_places():
    started(make_notes(3))
    advance_all()
    second = started(make_notes(3))
    advance_all()
    assert (under_way(), under_way(second)) == (4, 1)


def test_several_get_the_same_number_of_places():
    first, second = started(make_notes(4)), started(make_notes(4))
    advance_all()
    assert (under_way(first), under_way(second)) == (2, 2)


def test_with_one_place_they_take_turns(settings):
    settings.WORKERS = 1
    bulks = [started(make_notes(2, stage=StageName.DRAFT_GENERATION)) for _ in range(2)]
    turns = []
    for _ in range(4):
        advance_all()
        turns.append(BulkRetryItem.objects.get(state=ItemState.REQUESTED).bulk_id)
        work_off()
    assert turns == [bulks[0].pk, bulks[1].pk] * 2


def test_the_oldest_is_served_first(settings):
    settings.WORKERS = 1
    first, second = started(make_notes(1)), started(make_notes(1))
    advance_all()
    assert (under_way(first), under_way(second)) == (1, 0)


# --- One note and the others ------------------------------------------------------------------------------------


def test_a_note_that_breaks_does_not_stop_the_others(caplog):
    notes = make_notes(3)
    bulk = started(notes)
    # A stage that no kind of retry begins with: nothing foresees it.
    Artifact.objects.filter(pk=notes[0].pk).update(failed_stage="unheard_of")
    with caplog.at_level(logging.CRITICAL):
        advance_all()
    assert states(bulk) == ["refused", "requested", "requested"]
    assert bulk.items.get(artifact=notes[0]).message == requesting.UNEXPECTED


REFUSE = """
CREATE OR REPLACE FUNCTION tests_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$;
CREATE TRIGGER tests_refuse BEFORE INSERT ON retry_retryattempt
FOR EACH ROW WHEN (NEW.artifact_id = {note}) EXECUTE FUNCTION tests_refuse()
"""


def test_a_note_whose_retry_the_database_refuses_does_not_stop_the_others():
    notes = make_notes(3)
    bulk = started(notes)
    with connection.cursor() as cursor:
        cursor.execute(REFUSE.format(note=notes[0].pk))
    advance_all()
    assert states(bulk) == ["refused", "requested", "requested"]
    assert bulk.items.get(artifact=notes[0]).message == requesting.UNEXPECTED


def test_a_note_that_is_replaced_by_a_newer_try_is_told():
    (note,) = make_notes(1)
    bulk = started([note])
    advance_all()
    StageRun.objects.filter(artifact=note).active().update(
        queued_at="2020-01-01T00:00Z", not_before="2020-01-01T00:00Z"
    )
    Artifact.objects.filter(pk=note.pk).update(updated_at="2020-01-01T00:00Z")
    assert retry_by_hand(note, RetryKind.FULL).success
    assert states(bulk) == ["superseded"]


# --- Rights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False), id="gone"),
        pytest.param(lambda user: type(user).objects.filter(pk=user.pk).update(is_platform_staff=False), id="no staff"),
        pytest.param(lambda user: user.groups.clear(), id="no role"),
    ],
)
def test_a_starter_who_lost_the_right_in_the_middle_begins_nothing_more(lose):
    bulk = started(make_notes(6, stage=StageName.DRAFT_GENERATION))
    advance_all()
    lose(bulk.requested_by)
    work_off()
    advance_all()
    assert states(bulk) == ["succeeded"] * 4 + ["waiting"] * 2
    assert state_of(bulk) == State.HALTED
    assert "may no longer" in bulk.state_reason


def test_starting_over_needs_its_own_right_to_the_end():
    bulk = started([make_ready()], by=administrator(), kind=RetryKind.FULL)
    bulk.requested_by.groups.set(make_user(roles.OPERATOR).groups.all())
    advance_all()
    assert (state_of(bulk), states(bulk)) == (State.HALTED, ["waiting"])


# --- What it costs ----------------------------------------------------------------------------------------------


def queries_of_a_step():
    with CaptureQueriesContext(connection) as asked:
        advance_all()
    return len(asked)


def test_with_no_bulk_retry_a_step_asks_one_question():
    assert queries_of_a_step() == 1


def test_with_all_places_taken_a_step_asks_as_much_for_many_notes_as_for_few():
    started([make_failed() for _ in range(6)])
    advance_all()
    few = queries_of_a_step()
    BulkRetry.objects.update(state=State.STOPPED, finished_at=database_now())
    started([make_failed() for _ in range(40)])
    assert queries_of_a_step() == few <= 10


def test_one_more_note_begun_asks_the_same_again():
    steps = []
    for number in (1, 2, 3):
        bulk = started([make_failed() for _ in range(number)])
        steps.append(queries_of_a_step())
        bulk.items.update(state=ItemState.SUCCEEDED, settled_at=database_now())
        advance_all()
    assert steps[2] - steps[1] == steps[1] - steps[0] < 45


def test_nothing_is_begun_after_somebody_was_told_that_it_is_paused():
    bulk = started(make_notes(1))
    item = bulk.items.select_related("artifact").get()
    assert pause(bulk.bulk_id, by=operator()).done
    with pytest.raises(requesting.MovedOn):
        requesting.request(bulk, item)
    assert (states(bulk), RetryAttempt.objects.count()) == (["waiting"], 0)


def test_an_item_that_another_has_seen_to_is_left_alone():
    bulk = started(make_notes(1))
    item = bulk.items.select_related("artifact").get()
    assert requesting.request(bulk, item) is not None
    work_off()
    VoiceNote.objects.filter(pk=item.artifact.voice_note_id).update(text='{"transcription": ["permanent"]}')
    with pytest.raises(requesting.MovedOn):
        requesting.request(bulk, item)
    assert states(bulk) == ["succeeded"]


def test_with_nothing_paused_nothing_is_held():
    holds = load_holds(database_now())
    assert not holds.why
    assert not holds.clubs
    assert holds.waits_for(started(make_notes(1))) == ""
