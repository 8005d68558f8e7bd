"""How far a bulk retry is, told in a fixed number of queries."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from retry.bulk.pacing import advance_all
from retry.bulk.progress import SPEED_OF_LAST, progress_of
from retry.models import BulkRetry
from tests.engine.helpers import write_unguarded
from tests.retry.bulk.bulks import (
    CODE,
    MESSAGE,
    TRANSCRIPTION,
    State,
    in_state,
    make_broken,
    make_notes,
    started,
    work_off,
)
from tests.retry.factories import make_attempt, make_failed, make_ready, make_run
from voicepipeline.models import StageRun

pytestmark = [pytest.mark.trial, pytest.mark.django_db]

COST_OF_A_RUN = Decimal("0.0125")


@pytest.fixture(autouse=True)
def _room_for_all(settings):
    settings.WORKERS = 40


def ended(bulk, number, *, seconds, state="succeeded"):
    """The first so many of its items ended, one each so many seconds, the last just now."""
    now = timezone.now()
    BulkRetry.objects.filter(pk=bulk.pk).update(moving_since=now - timedelta(seconds=seconds * number))
    for place, item in enumerate(bulk.items.order_by("position")[:number]):
        attempt = make_attempt(item.artifact, outcome=state)
        at = now - timedelta(seconds=seconds * (number - 1 - place))
        bulk.items.filter(pk=item.pk).update(state=state, attempt=attempt, settled_at=at)
    bulk.refresh_from_db()


def test_every_note_is_counted_once_by_how_far_it_is():
    bulk = started([*make_notes(2), make_broken("permanent"), make_ready()])
    advance_all()
    work_off()
    progress = progress_of(bulk)
    assert (progress.succeeded, progress.failed, progress.refused) == (2, 1, 1)
    assert (progress.waiting, progress.requested, progress.superseded) == (0, 0, 0)


def test_before_anything_has_begun_nothing_is_known_but_what_waits():
    progress = progress_of(started(make_notes(2)))
    assert (progress.waiting, progress.cost_usd, progress.without_cost) == (2, None, 0)
    assert (progress.problems, progress.on_hold, progress.takes) == ([], [], None)


def test_its_cost_is_that_of_the_runs_that_it_caused_and_no_others():
    note = make_broken()
    make_run(note, TRANSCRIPTION, "failed", error_code=CODE, cost_usd=Decimal(7), ai_model="test-model")
    bulk = started([note])
    advance_all()
    work_off()
    progress = progress_of(bulk)
    assert (progress.cost_usd, progress.without_cost) == (4 * COST_OF_A_RUN, 0)


def test_calls_of_unknown_cost_are_told_apart_from_free_ones():
    bulk = started(make_notes(1))
    advance_all()
    work_off()
    mine = {run.stage: run.pk for run in StageRun.objects.exclude(status="failed")}
    write_unguarded(StageRun, mine["transcription"], cost_usd=None)
    write_unguarded(StageRun, mine["entity_resolution"], cost_usd=None, ai_model="")  # no model was asked
    assert (progress_of(bulk).cost_usd, progress_of(bulk).without_cost) == (2 * COST_OF_A_RUN, 1)


def test_the_problems_that_came_back_are_told_with_how_many_most_first():
    other = {"code": "another", "message": "Another."}
    bulk = started(
        [make_broken("permanent"), make_broken("permanent"), make_broken(later="claims_extraction", **other)]
    )
    advance_all()
    work_off()
    first, second = progress_of(bulk).problems
    assert (first.stage, first.code, first.message, first.notes) == ("transcription", CODE, MESSAGE, 2)
    assert (second.stage, second.notes) == ("claims_extraction", 1)


def test_how_long_the_rest_takes_is_told_at_the_present_speed():
    bulk = started(make_notes(10))
    ended(bulk, 4, seconds=10)
    assert progress_of(bulk).takes.total_seconds() == pytest.approx(60, rel=0.1)


def test_its_speed_is_that_of_the_last_ones_not_of_those_long_before():
    bulk = started([make_failed() for _ in range(SPEED_OF_LAST + 10)])
    ended(bulk, SPEED_OF_LAST, seconds=2)
    BulkRetry.objects.filter(pk=bulk.pk).update(moving_since=timezone.now() - timedelta(days=1))
    bulk.refresh_from_db()
    assert progress_of(bulk).takes.total_seconds() == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("state", [State.PAUSED, State.HALTED, State.STOPPED])
def test_what_does_not_move_takes_nobody_knows_how_long(state):
    bulk = in_state(state, notes=5)
    ended(bulk, 4, seconds=10)
    assert progress_of(bulk).takes is None


def test_of_too_few_nothing_can_be_reckoned():
    bulk = started(make_notes(5))
    ended(bulk, 2, seconds=10)
    assert progress_of(bulk).takes is None


def queries_of(act, *arguments):
    with CaptureQueriesContext(connection) as asked:
        act(*arguments)
    return len(asked)


def test_many_notes_ask_no_more_than_few():
    few, many = started([make_failed() for _ in range(2)]), started([make_failed() for _ in range(12)])
    advance_all()
    assert queries_of(progress_of, few) == queries_of(progress_of, many) <= 8
