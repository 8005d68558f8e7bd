"""Adding up the rows of minutes that are over changes no figure."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection

from metrics.counters import LOCK, fold_counters
from metrics.models import Counter, CounterType
from metrics.queries import get_minute_metrics, get_real_time_metrics
from tests.factories import make_club
from tests.metrics.counting import MINUTE, db_minute, random_event
from voicepipeline.events import log_event, log_events
from voicepipeline.registry import registry

pytestmark = pytest.mark.django_db


def as_of_other_connections():
    """The rows so far become those of somebody else; the next event makes new ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metrics_counter SET slot = -slot - (SELECT count(*) FROM metrics_counter) WHERE slot > 0"
        )


def test_a_minute_that_is_over_is_one_row_for_each_figure():
    club, now = make_club(), db_minute()
    for _ in range(3):
        log_event("artifact_received", organization_id=club.pk, timestamp=now - 10 * MINUTE)
        as_of_other_connections()
    assert Counter.objects.count() == 6
    assert fold_counters(now)
    assert list(Counter.objects.order_by("organization").values_list("organization", "slot", "value")) == [
        (club.pk, 0, 3),
        (None, 0, 3),
    ]


def test_minutes_that_may_still_grow_are_left_alone(settings):
    settings.METRICS = {"counters_folded_after": 300}
    now = db_minute()
    for back in (0, 5, 6, 7):
        log_event("artifact_received", timestamp=now - back * MINUTE)
    fold_counters(now)
    folded = Counter.objects.filter(slot=0).values_list("window_start", flat=True)
    assert sorted(folded) == [now - back * MINUTE for back in (7, 6)]


def test_what_comes_after_its_minute_was_added_up_is_added_the_next_time():
    now = db_minute()
    for expected in (1, 2, 3):
        log_event("artifact_received", timestamp=now - 10 * MINUTE)
        fold_counters(now)
        assert Counter.objects.get().value == expected


def test_minutes_that_nobody_reads_any_more_are_deleted():
    now = db_minute()
    for back in (0, 110, 119):
        log_event("artifact_received", timestamp=now - back * MINUTE)
    fold_counters(now)
    assert Counter.objects.count() == 3
    later = now + 2 * MINUTE
    fold_counters(later)
    assert {counter.window_start for counter in Counter.objects.all()} == {now, now - 110 * MINUTE}
    _put_back(now - 119 * MINUTE)


def _put_back(minute):
    """The comparison after the test is about now, and the test went ahead of it."""
    Counter.objects.create(
        counter_type=CounterType.ARTIFACTS_RECEIVED, window_start=minute, window_end=minute + MINUTE, slot=0, value=1
    )


@pytest.mark.parametrize("seed", range(5))
def test_adding_up_changes_no_reading(seed):
    random, now, clubs = Random(seed), db_minute(), [make_club(), make_club()]

    def readings():
        hours = [
            get_real_time_metrics(club, now=now + minutes * MINUTE) for club in (None, *clubs) for minutes in (0, 30)
        ]
        return hours, [get_minute_metrics(now - 119 * MINUTE, now + MINUTE, club) for club in (None, *clubs)]

    for _ in range(3):
        log_events([random_event(random, now - 110 * MINUTE, 112, clubs) for _ in range(100)])
        as_of_other_connections()
        before = readings()
        assert fold_counters(now + timedelta(minutes=random.choice([0, 3, 8])))
        assert readings() == before
        rows = Counter.objects.count()
        assert fold_counters(now)  # nothing is left to do
        assert (readings(), Counter.objects.count()) == (before, rows)


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_adds_up():
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 0)", [LOCK])
            assert not fold_counters()
            cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [LOCK])
        assert fold_counters()
    finally:
        other.close()


def test_the_watchdog_sees_to_it():
    log_event("artifact_received", timestamp=db_minute() - 10 * MINUTE)
    tick = registry.ticks["live figures"]
    tick.run()
    assert (tick.every, Counter.objects.get().slot) == (timedelta(minutes=1), 0)
