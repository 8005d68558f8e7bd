"""Whoever takes bulk retries on is killed at each point where it matters; each note is retried once all the same."""

import random

import pytest
from django.db import connection

from retry.bulk.pacing import advance_all
from retry.models import BulkRetryItem, RetryAttempt
from tests.engine.helpers import make_artifact, scheduled
from tests.faults.crashing import (
    FORKS,
    After,
    AfterCommit,
    AnswerLost,
    Before,
    BeforeCommit,
    Surroundings,
    act_in_child,
    crash,
    watch_until_killed,
)
from tests.faults.fleet import until
from tests.faults.invariants import broken
from tests.retry.bulk.bulks import State, started, state_of, states, work_off
from voicepipeline.engine.execution import perform
from voicepipeline.models import StageRun

pytestmark = [pytest.mark.faults, pytest.mark.trial, pytest.mark.django_db(transaction=True)]

NOTES = 6
PACING, REQUESTING = "retry.bulk.pacing", "retry.bulk.requesting"
# Where it dies, and how many retries are begun by then.
POINTS = [
    pytest.param(Before(f"{PACING}:_deal"), 0, id="before it begins any"),
    pytest.param(BeforeCommit(), 0, id="with the first written and not committed"),
    pytest.param(AfterCommit(), 1, id="with the first committed and not rung for"),
    pytest.param(BeforeCommit(3), 2, id="in the third"),
    pytest.param(AfterCommit(3), 3, id="after the third"),
    pytest.param(Before(f"{REQUESTING}:_keep"), 0, id="with a retry requested and its item not marked"),
    pytest.param(After(f"{REQUESTING}:_write"), 0, id="with its item marked, before the commit"),
    pytest.param(After(f"{PACING}:request"), 1, id="after one, before it counts the places that are left"),
]


@pytest.fixture(autouse=True)
def _no_earlier_results(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tests_stageresult")


def failed_notes(number):
    """Notes that the scripted stages have failed once and do not fail again."""
    notes = [make_artifact(transcription=["permanent"]) for _ in range(number)]
    for note in notes:
        perform(scheduled(note).pk)
    return notes


def half_done():
    """Items and retries that tell different things of each other."""
    requested = BulkRetryItem.objects.filter(state="requested")
    attempts = set(RetryAttempt.objects.filter(outcome="under_way").values_list("pk", flat=True))
    origins = set(RetryAttempt.objects.filter(outcome="under_way").values_list("origin", flat=True))
    active = set(StageRun.objects.active().values_list("origin", flat=True))
    return [
        set(requested.values_list("attempt", flat=True)) ^ attempts,
        origins ^ active,
        set(BulkRetryItem.objects.filter(state="waiting").exclude(attempt=None).values_list("pk", flat=True)),
    ]


def go_on(bulk):
    for _ in range(NOTES):
        advance_all()
        work_off()
    advance_all()
    assert (state_of(bulk), set(states(bulk))) == (State.FINISHED, {"succeeded"})
    assert list(RetryAttempt.objects.values_list("number", flat=True)) == [1] * bulk.items.count()
    with connection.cursor() as cursor:
        assert broken(cursor) == []


@pytest.mark.parametrize(("moment", "begun"), POINTS)
def test_killed_at_any_point_it_leaves_nothing_half_done_and_is_gone_on_with(moment, begun):
    bulk = started(failed_notes(NOTES))
    crash(moment, advance_all)
    assert RetryAttempt.objects.count() == begun
    assert half_done() == [set(), set(), set()]
    go_on(bulk)


def test_an_answer_that_is_lost_with_the_connection_is_no_second_retry():
    bulk = started(failed_notes(NOTES))
    act_in_child(AnswerLost(2), advance_all)
    assert (RetryAttempt.objects.count(), half_done()) == (2, [set(), set(), set()])
    go_on(bulk)


@pytest.mark.parametrize("point", [Before(f"{PACING}:move"), After(f"{PACING}:move")], ids=["before", "after"])
def test_killed_while_it_moves_on_it_is_moved_on_once(point):
    bulk = started(failed_notes(NOTES), tries_first=True)
    advance_all()
    work_off()
    crash(point, advance_all)
    go_on(bulk)


def test_watchdogs_that_are_killed_again_and_again_retry_each_note_once():
    chance = random.Random(7)
    bulk = started(failed_notes(60))
    while RetryAttempt.objects.count() < 60:
        begun = RetryAttempt.objects.count()
        watchdog = FORKS.Process(target=_watch, args=(Surroundings.here(),))
        watchdog.start()
        enough = min(60, begun + chance.randint(1, 12))
        try:
            until(lambda most=enough: RetryAttempt.objects.count() >= most, "some are begun")
        finally:
            watchdog.kill()
            watchdog.join()
        assert half_done() == [set(), set(), set()]
        work_off()
    go_on(bulk)


def _watch(surroundings):
    surroundings.enter()
    watch_until_killed()
