"""Several at once: who starts it, who takes it on, who pauses it. Real threads, connections and commits."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from retry.bulk.deeds import pause, resume, stop
from retry.bulk.moves import move
from retry.bulk.pacing import LOCK, advance_all
from retry.bulk.previews import delete_old_previews
from retry.models import BulkRetry, RetryAttempt
from tests.retry.bulk.bulks import (
    REASON,
    State,
    make_notes,
    operator,
    previewed,
    start,
    started,
    state_of,
    states,
    under_way,
)
from tests.threads import at_once
from voicepipeline.models import PipelineEvent, StageRun

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

LONGEST_SECONDS = 60


def test_one_preview_posted_by_many_at_once_starts_once():
    bulk = previewed(make_notes(1))
    outcomes = at_once(*[lambda: start(bulk)] * 8)
    assert Counter(outcome.done for outcome in outcomes) == {True: 1, False: 7}
    assert {outcome.message for outcome in outcomes if not outcome.done} == {
        "It was already started; its page says how far it is."
    }


def test_two_watchdogs_begin_each_note_once_and_no_more_than_the_share(settings):
    settings.WORKERS = 8
    bulk = started(make_notes(10))
    assert at_once(*[advance_all] * 4) == [None] * 4
    assert under_way(bulk) == RetryAttempt.objects.count() == StageRun.objects.active().count() == 4


def test_while_a_watchdog_is_at_it_another_leaves_it_alone_until_that_one_is_gone():
    bulk = started(make_notes(1))
    with ThreadPoolExecutor(1) as another:  # one thread, one connection of its own
        assert another.submit(locked).result(LONGEST_SECONDS)
        advance_all()
        assert states(bulk) == ["waiting"]
        another.submit(lambda: connection.close()).result(LONGEST_SECONDS)
    advance_all()
    assert states(bulk) == ["requested"]


def test_a_connection_past_its_age_is_kept_until_the_step_is_done():
    bulk = started(make_notes(2))
    of_age, connection.close_at = connection.close_at, 0
    try:
        advance_all()
        assert connection.close_at == 0  # closed by whatever comes next
    finally:
        connection.close_at = of_age
    assert states(bulk) == ["requested"] * 2


def test_a_preview_that_is_started_at_the_moment_at_which_it_would_be_removed_stays():
    bulk = previewed(make_notes(2))
    BulkRetry.objects.filter(pk=bulk.pk).update(created_at=timezone.now() - timedelta(days=9))
    with ThreadPoolExecutor(1) as another, transaction.atomic():
        move(bulk, State.TRYING, now=timezone.now(), started_at=timezone.now(), reason=REASON)
        another.submit(in_its_own_connection, delete_old_previews).result(LONGEST_SECONDS)
    assert (state_of(bulk), bulk.items.count()) == (State.TRYING, 2)


def in_its_own_connection(act):
    try:
        act()
    finally:
        connection.close()


def locked():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def test_watchdogs_that_go_on_and_on_begin_each_note_once(settings):
    settings.WORKERS = 40
    bulk = started(make_notes(12))

    def several_times():
        for _ in range(4):
            advance_all()

    assert at_once(*[several_times] * 3) == [None] * 3
    assert states(bulk) == ["requested"] * 12
    assert PipelineEvent.objects.filter(event_type="retry_initiated").count() == 12
    assert not RetryAttempt.objects.filter(number__gt=1).exists()


def test_paused_in_the_middle_nothing_is_begun_after_the_answer(settings):
    settings.WORKERS = 40
    bulk = started(make_notes(12))

    def pause_it():
        outcome = pause(bulk.bulk_id, by=bulk.requested_by)
        return outcome.done, under_way(bulk)

    found = at_once(advance_all, pause_it)
    assert found[0] is None
    done, begun = found[1]
    assert done
    assert (state_of(bulk), under_way(bulk)) == (State.PAUSED, begun)


def test_of_several_who_do_different_things_each_is_told_what_came_of_it():
    bulk = started(make_notes(2))
    people = [operator() for _ in range(6)]
    deeds = [pause, resume, stop, pause, resume, stop]
    outcomes = at_once(
        *(lambda deed=deed, by=by: deed(bulk.bulk_id, by=by) for deed, by in zip(deeds, people, strict=True))
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert sum(outcome.done for deed, outcome in zip(deeds, outcomes, strict=True) if deed is stop) <= 1
    assert state_of(bulk) in (State.STOPPED, State.PAUSED, State.RUNNING)
