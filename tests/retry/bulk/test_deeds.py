"""What people do about a bulk retry: every move from every state, allowed or refused in words."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from retry.bulk.deeds import TOLD, UNKNOWN, pause, put_away, resume, stop
from retry.bulk.moves import move
from retry.bulk.pacing import advance_all
from retry.models import BulkRetry, RetryKind
from tests.factories import make_user
from tests.retry.bulk.bulks import (
    State,
    administrator,
    in_state,
    make_notes,
    operator,
    started,
    state_of,
    states,
    work_off,
)
from tests.retry.factories import make_ready
from voicepipeline import roles

pytestmark = pytest.mark.django_db

DEEDS = {pause: {State.TRYING, State.RUNNING}, resume: {State.PAUSED, State.HALTED}, stop: set(BulkRetry.UNFINISHED)}
LEADS_TO = {pause: State.PAUSED, resume: State.RUNNING, stop: State.STOPPED}
CELLS = [pytest.param(deed, state, id=f"{deed.__name__} when {state}") for deed in DEEDS for state in State]
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"


def unseen_of(user):
    """The newest of which this person is to be told, as the notice looks for it."""
    ended = BulkRetry.objects.filter(requested_by=user, state__in=TOLD, seen_at=None)
    return ended.order_by("-pk").first()


# --- Every state ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("deed", "state"), CELLS)
def test_a_deed_moves_only_from_the_states_that_it_fits(deed, state):
    bulk = in_state(state)
    outcome = deed(bulk.bulk_id, by=operator())
    allowed = state in DEEDS[deed]
    assert outcome.done == allowed, outcome.message
    assert state_of(bulk) == (LEADS_TO[deed] if allowed else state)


@pytest.mark.parametrize("state", [state for state in State if BulkRetry.TRANSITIONS[state]])
def test_it_moves_wherever_the_table_of_moves_allows(state):
    for to in BulkRetry.TRANSITIONS[state]:
        bulk = in_state(state)
        more = {"started_at": timezone.now(), "reason": "A test."} if state == State.PREVIEW else {}
        assert move(bulk, to, now=timezone.now(), **more)
        assert state_of(bulk) == to


@pytest.mark.parametrize("state", State)
def test_it_moves_nowhere_else(state):
    bulk = in_state(state)
    for to in set(State) - BulkRetry.TRANSITIONS[state]:
        with pytest.raises(ValueError, match="→"):
            move(bulk, to, now=timezone.now())
    assert state_of(bulk) == state


def test_whoever_read_it_before_another_moved_it_moves_nothing():
    bulk = in_state(State.RUNNING)
    stale = BulkRetry.objects.get(pk=bulk.pk)
    assert pause(bulk.bulk_id, by=operator()).done
    assert not move(stale, State.HALTED, now=timezone.now())
    assert state_of(bulk) == State.PAUSED


def test_paused_and_resumed_meanwhile_is_another_state_of_the_same_name():
    bulk = in_state(State.RUNNING)
    stale = BulkRetry.objects.get(pk=bulk.pk)
    for deed in (pause, resume):
        assert deed(bulk.bulk_id, by=operator()).done
    assert not move(stale, State.HALTED, now=timezone.now())
    assert state_of(bulk) == State.RUNNING


@pytest.mark.parametrize("deed", [*DEEDS, put_away])
def test_what_is_not_there_is_told(deed):
    assert deed(UNKNOWN_ID, by=operator()).message == UNKNOWN


# --- Pause, go on, stop -----------------------------------------------------------------------------------------


def test_what_is_under_way_goes_on_while_it_is_paused(settings):
    settings.WORKERS = 4
    bulk = started(make_notes(3))
    advance_all()
    pause(bulk.bulk_id, by=operator())
    work_off()
    advance_all()
    assert states(bulk) == ["succeeded", "succeeded", "waiting"]


def test_resumed_it_goes_on_with_what_is_left():
    bulk = in_state(State.PAUSED, notes=2)
    assert resume(bulk.bulk_id, by=operator()).done
    advance_all()
    assert states(bulk) == ["requested", "requested"]


def test_stopped_it_leaves_the_rest_as_it_is(settings):
    settings.WORKERS = 2
    bulk = started(make_notes(2))
    advance_all()
    assert stop(bulk.bulk_id, by=operator()).done
    work_off()
    advance_all()
    bulk.refresh_from_db()
    assert states(bulk) == ["succeeded", "waiting"]
    assert bulk.finished_at is not None


def test_who_paused_or_stopped_it_is_told():
    by, bulk = operator(first_name="Ana"), in_state(State.RUNNING)
    for deed, words in ((pause, "Paused by Ana."), (stop, "Stopped by Ana.")):
        deed(bulk.bulk_id, by=by)
        bulk.refresh_from_db()
        assert bulk.state_reason == words


def test_failures_from_before_are_forgotten_when_it_goes_on():
    bulk = in_state(State.PAUSED)
    resume(bulk.bulk_id, by=operator())
    before = bulk.moving_since
    bulk.refresh_from_db()
    assert bulk.moving_since > before
    assert bulk.state_reason == ""


@pytest.mark.parametrize(
    ("state", "tried_first", "says", "to"),
    [
        (State.HALTED, True, None, State.TRYING),
        (State.HALTED, False, None, State.RUNNING),
        (State.PAUSED, True, None, State.TRYING),
        (State.PAUSED, False, None, State.RUNNING),
        (State.HALTED, True, False, State.RUNNING),
        (State.PAUSED, False, True, State.TRYING),
    ],
)
def test_a_few_are_tried_first_again_when_that_was_wanted_or_is_said(state, tried_first, says, to):
    bulk = in_state(state)
    BulkRetry.objects.filter(pk=bulk.pk).update(tries_first=tried_first)
    assert resume(bulk.bulk_id, by=operator(), tries_first=says).done
    assert state_of(bulk) == to


def test_one_paused_after_its_first_few_had_ended_well_does_not_try_them_again(settings):
    settings.WORKERS = 8
    bulk = started(make_notes(5), tries_first=True)
    advance_all()
    work_off()
    pause(bulk.bulk_id, by=operator())
    resume(bulk.bulk_id, by=operator())
    assert state_of(bulk) == State.RUNNING


def test_it_does_not_go_on_in_the_name_of_somebody_who_lost_the_right():
    bulk = in_state(State.HALTED)
    bulk.requested_by.groups.clear()
    outcome = resume(bulk.bulk_id, by=operator())
    assert not outcome.done
    assert "may no longer" in outcome.message
    assert state_of(bulk) == State.HALTED


# --- Rights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", [roles.VIEWER, None])
def test_who_may_not_retry_does_nothing_about_it(deed, role):
    bulk = in_state(State.RUNNING)
    with pytest.raises(PermissionDenied):
        deed(bulk.bulk_id, by=make_user(role))
    assert state_of(bulk) == State.RUNNING


@pytest.mark.parametrize(("deed", "allowed"), [(pause, True), (resume, False), (stop, False)])
def test_of_start_overs_an_operator_may_only_pause(deed, allowed):
    bulk = started([make_ready()], by=administrator(), kind=RetryKind.FULL)
    if deed is resume:
        BulkRetry.objects.update(state=State.PAUSED)
    if allowed:
        assert deed(bulk.bulk_id, by=operator()).done
    else:
        with pytest.raises(PermissionDenied):
            deed(bulk.bulk_id, by=operator())


# --- Telling its starter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_its_starter_is_told_of_what_has_ended_or_halted(state):
    bulk = in_state(state)
    told = state in (State.FINISHED, State.HALTED, State.STOPPED)
    assert unseen_of(bulk.requested_by) == (bulk if told else None)
    assert unseen_of(operator()) is None


def test_put_away_it_is_told_no_more():
    bulk = in_state(State.FINISHED)
    assert put_away(bulk.bulk_id, by=bulk.requested_by).done
    assert unseen_of(bulk.requested_by) is None
    assert not put_away(bulk.bulk_id, by=bulk.requested_by).done


def test_only_its_starter_puts_it_away():
    bulk = in_state(State.FINISHED)
    with pytest.raises(PermissionDenied):
        put_away(bulk.bulk_id, by=operator())
    assert unseen_of(bulk.requested_by) == bulk


def test_put_away_when_it_halted_its_end_is_told_all_the_same():
    bulk = in_state(State.HALTED)
    put_away(bulk.bulk_id, by=bulk.requested_by)
    resume(bulk.bulk_id, by=operator())
    advance_all()
    work_off()
    advance_all()
    assert unseen_of(bulk.requested_by) == bulk


@pytest.mark.parametrize("by_its_starter", [True, False])
def test_whoever_stops_their_own_is_not_told_of_it(by_its_starter):
    bulk = in_state(State.RUNNING)
    stop(bulk.bulk_id, by=bulk.requested_by if by_its_starter else operator())
    assert (unseen_of(bulk.requested_by) is None) == by_its_starter


def test_the_newest_is_told_first():
    bulk = in_state(State.FINISHED)
    newer = in_state(State.HALTED)
    BulkRetry.objects.filter(pk=newer.pk).update(requested_by=bulk.requested_by)
    assert unseen_of(bulk.requested_by) == newer
