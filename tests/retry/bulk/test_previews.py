"""What is counted before anything happens: frozen by its ids, kept for a while, started once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from retry.bulk.previews import (
    EXPIRED,
    EXPIRED_KEPT_FOR,
    GONE,
    NEEDS_REASON,
    NO_NOTES,
    NOTHING_POSSIBLE,
    delete_old_previews,
    expires_at,
    make_preview,
)
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from tests.engine.helpers import write_unguarded
from tests.factories import make_user
from tests.retry.bulk.bulks import (
    REASON,
    ItemState,
    State,
    administrator,
    in_state,
    make_notes,
    operator,
    pks,
    previewed,
    start,
    state_of,
    states,
)
from tests.retry.factories import make_confirmed, make_failed, make_moving, make_ready
from voicepipeline import roles
from voicepipeline.errors import InvalidTransition

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def made_ago(bulk, ago):
    BulkRetry.objects.filter(pk=bulk.pk).update(created_at=timezone.now() - ago)


# --- Making -----------------------------------------------------------------------------------------------------


def test_a_preview_keeps_each_note_with_its_place_round_and_problem():
    notes = make_notes(3)
    bulk = previewed(notes[::-1])
    items = list(bulk.items.order_by("position"))
    assert [item.artifact_id for item in items] == pks(notes)[::-1]
    assert {(item.kind, item.generation, item.state) for item in items} == {("transcription", 1, "waiting")}
    assert {item.problem_before for item in items} == {notes[0].fingerprint}


def test_a_preview_changes_no_note_and_has_not_begun():
    (note,) = make_notes(1)
    bulk = previewed([note])
    note.refresh_from_db()
    assert (note.status, bulk.state, bulk.started_at) == ("failed", "preview", None)
    assert not RetryAttempt.objects.exists()


def test_what_cannot_be_retried_is_kept_with_why():
    bulk = previewed([*make_notes(2), make_ready(), make_moving()])
    refused = bulk.items.filter(state=ItemState.REFUSED)
    assert states(bulk) == ["waiting", "waiting", "refused", "refused"]
    assert bulk.expected == 2
    assert all(item.message and item.settled_at for item in refused)
    assert {item.refusal_group for item in refused} == {group for group, _ in bulk.details["refusals"]}


def test_the_figures_of_the_preview_stay_with_it():
    bulk = previewed(make_notes(2))
    assert (bulk.expected, bulk.expected_runs) == (2, 8)
    assert bulk.details["kinds"] == {"transcription": 2}
    assert bulk.details.keys() == {
        "refusals", "kinds", "deleted", "on_hold", "needs_reason", "takes_s", "confirmed", "with_confirmed",
    }  # fmt: skip


def test_a_note_named_twice_is_there_once():
    (note,) = make_notes(1)
    bulk = make_preview([note.pk, note.pk], FAILED_STAGE, by=operator(), chosen_by="")
    assert bulk.items.count() == 1


def test_no_notes_make_no_preview():
    with pytest.raises(InvalidTransition, match=NO_NOTES):
        make_preview([], FAILED_STAGE, by=operator(), chosen_by="")


def test_too_many_notes_make_no_preview(settings):
    settings.RETRY = settings.RETRY | {"most_in_bulk": 2}
    with pytest.raises(InvalidTransition, match="3 voice notes; 2 are the most"):
        previewed(make_notes(3))
    assert not BulkRetry.objects.exists()


@pytest.mark.parametrize(
    ("role", "kind"),
    [(roles.VIEWER, FAILED_STAGE), (roles.VIEWER, RetryKind.FULL), (roles.OPERATOR, RetryKind.FULL), (None, "full")],
)
def test_who_may_not_retry_may_not_preview_either(role, kind):
    with pytest.raises(PermissionDenied):
        previewed(make_notes(1), by=make_user(role), kind=kind)


# --- Starting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tries_first", "state"), [(True, State.TRYING), (False, State.RUNNING)])
def test_a_started_preview_moves_with_its_reason(tries_first, state):
    bulk = previewed(make_notes(1))
    assert start(bulk, tries_first=tries_first).done
    bulk.refresh_from_db()
    assert (bulk.state, bulk.reason, bulk.tries_first) == (state, REASON, tries_first)
    assert bulk.started_at == bulk.moving_since is not None


def test_started_twice_it_starts_once():
    bulk = previewed(make_notes(1))
    outcomes = [start(bulk, tries_first=True), start(bulk, tries_first=False)]
    assert [outcome.done for outcome in outcomes] == [True, False]
    assert "already started" in outcomes[1].message
    assert state_of(bulk) == State.TRYING


@pytest.mark.parametrize("state", [state for state in State if state != State.PREVIEW])
def test_only_a_preview_can_be_started(state):
    bulk = in_state(state)
    outcome = start(bulk)
    assert not outcome.done
    assert "already started" in outcome.message
    assert state_of(bulk) == state


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_start_needs_a_reason(reason):
    bulk = previewed(make_notes(1))
    assert start(bulk, reason=reason).message == NEEDS_REASON
    assert state_of(bulk) == State.PREVIEW


def test_a_start_that_concerns_confirmed_entries_needs_agreement():
    note = make_ready()
    make_confirmed(note)
    bulk = previewed([note], kind=RetryKind.DRAFT_GENERATION)
    outcome = start(bulk)
    assert not outcome.done
    assert outcome.message.startswith("1 confirmed entry depends on these voice notes. Say that you agree to that")
    assert start(bulk, agreed=True).done


def test_nobody_agrees_to_anything_where_no_entry_is_concerned():
    assert start(previewed(make_notes(1)), agreed=False).done


def test_after_an_hour_a_preview_cannot_be_started():
    bulk = previewed(make_notes(1))
    made_ago(bulk, HOUR)
    assert start(bulk).message == EXPIRED
    assert state_of(bulk) == State.PREVIEW


def test_until_then_it_can_and_says_until_when():
    bulk = previewed(make_notes(1))
    made_ago(bulk, HOUR - timedelta(minutes=1))
    assert expires_at(bulk) == bulk.created_at + HOUR
    assert start(bulk).done


def test_with_nothing_that_can_be_retried_nothing_starts():
    assert start(previewed([make_ready()])).message == NOTHING_POSSIBLE


def test_a_preview_that_is_gone_is_told():
    bulk = previewed(make_notes(1))
    bulk.items.all().delete()
    bulk.delete()
    assert start(bulk).message == GONE


def test_only_who_made_a_preview_starts_it():
    bulk = previewed(make_notes(1))
    with pytest.raises(PermissionDenied, match="Only"):
        start(bulk, by=operator())
    assert state_of(bulk) == State.PREVIEW


def test_who_lost_the_right_after_previewing_does_not_start():
    bulk = previewed(make_notes(1), by=administrator(), kind=RetryKind.FULL)
    bulk.requested_by.groups.clear()
    by = type(bulk.requested_by).objects.get(pk=bulk.requested_by_id)
    with pytest.raises(PermissionDenied):
        start(bulk, by=by)


# --- Removing ---------------------------------------------------------------------------------------------------


def test_previews_that_nobody_started_are_removed_with_their_items():
    old, new = previewed(make_notes(2)), previewed(make_notes(1))
    made_ago(old, HOUR + EXPIRED_KEPT_FOR)
    delete_old_previews()
    assert list(BulkRetry.objects.values_list("pk", flat=True)) == [new.pk]
    assert BulkRetryItem.objects.count() == 1


def test_whatever_it_is_expected_to_cost_it_can_be_kept():
    note = make_ready()
    each = {"cost_usd": Decimal(900_000), "ai_model": "test-model"}
    for number, run in enumerate(note.runs.all()):
        write_unguarded(type(run), run.pk, **each, started_at=run.finished_at - timedelta(seconds=number + 1))
    bulk = previewed([make_failed() for _ in range(3)])
    bulk.refresh_from_db()
    assert bulk.expected_cost_usd >= 2_000_000


def test_it_is_of_the_moment_before_it_looked():
    """What is decided while it is made may not have been seen by it."""
    bulk = previewed([make_ready()])
    assert bulk.created_at < bulk.items.get().settled_at


def test_an_expired_preview_stays_for_a_day_so_that_its_page_can_say_so():
    bulk = previewed(make_notes(1))
    made_ago(bulk, EXPIRED_KEPT_FOR)
    delete_old_previews()
    assert start(bulk).message == EXPIRED


@pytest.mark.parametrize("state", [state for state in State if state != State.PREVIEW])
def test_what_was_started_is_never_removed(state):
    bulk = in_state(state)
    made_ago(bulk, timedelta(days=400))
    delete_old_previews()
    assert bulk.items.count() == 1


# --- However many -----------------------------------------------------------------------------------------------


def queries_of(act, *arguments):
    with CaptureQueriesContext(connection) as asked:
        act(*arguments)
    return len(asked)


def test_a_preview_and_its_start_ask_as_much_for_many_notes_as_for_few():
    few, many, by = make_notes(2), [make_failed() for _ in range(40)], operator()
    by.has_perm("retry.retry_artifact")  # looked up once for both
    assert queries_of(lambda: previewed(few, by=by)) == queries_of(lambda: previewed(many, by=by))
    bulks = BulkRetry.objects.order_by("pk")
    assert queries_of(start, bulks[0]) == queries_of(start, bulks[1])
