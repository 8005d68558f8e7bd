"""Several jobs and writers at once: nothing is lost, nothing is counted twice, and nobody waits for long."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from metrics import jobs
from metrics.models import JobRun, MetricsSnapshot, Period, RefusedEvent
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.factories import hour, make_snapshot
from tests.metrics.telling import DAY, NOW, figures, history_until, make_hours, tell
from tests.threads import at_once, raised
from voicepipeline.models import Organization, PipelineEvent

pytestmark = pytest.mark.django_db(transaction=True)
DEADLINE = 60


def test_thirty_hours_without_a_scheduler_leave_no_hole_and_nothing_twice():
    make_club()
    Organization.objects.update(created_at=NOW - 3 * DAY)
    before = hour(NOW, back=31)
    make_snapshot("hour", before)
    moments = [hour(NOW, back=back) + timedelta(minutes=7) for back in range(30, -1, -1) if back % 3]
    tell(*moments, organization_id=Organization.objects.get().pk)
    jobs.aggregate_hourly(now=NOW)
    rows = MetricsSnapshot.objects.filter(period_type="hour", organization=None, period_start__gt=before)
    known = {row.period_start: row.artifacts_received for row in rows}
    assert known == {hour(NOW, back=back): int(back % 3 > 0) for back in range(31)}
    expected = figures()
    jobs.aggregate_hourly(now=NOW)
    jobs.refresh_running_hour(now=NOW)
    assert figures() == expected


def test_two_schedulers_at_once_leave_what_one_leaves():
    tell(*[hour(NOW, back=back) for back in range(12)], organization_id=make_club().pk)
    held = hour(NOW, back=2)
    with transaction.atomic():
        assert hold_period("hour", held)
        outcomes = at_once(
            lambda: jobs.aggregate_hourly(now=NOW),
            lambda: jobs.refresh_running_hour(now=NOW),
            lambda: jobs.aggregate_hourly(now=NOW),
        )
    assert not raised(outcomes)
    assert not Period.objects.filter(period_start=held).exists()
    jobs.aggregate_hourly(now=NOW)
    together = figures()
    MetricsSnapshot.objects.all().delete()
    Period.objects.all().delete()
    jobs.aggregate_hourly(now=NOW)
    assert together == figures()
    assert set(JobRun.objects.values_list("succeeded", flat=True)) == {True}


def test_an_hour_that_somebody_else_counts_is_passed_over_without_an_error():
    history_until(NOW)
    with transaction.atomic():
        assert hold_period("hour", hour(NOW))
        assert not raised(at_once(lambda: jobs.refresh_running_hour(now=NOW)))
    run = JobRun.objects.get()
    assert (run.succeeded, run.error) == (True, "")
    assert run.periods == Period.objects.filter(period_type="day").count()
    assert not Period.objects.filter(period_type="hour", period_start=hour(NOW)).exists()


class Race:
    """Writers of events of old hours, some of whose transactions are rolled back, while others count and delete.

    Each writes some while nothing is final yet or only a part, and some more when all is.
    """

    def __init__(self, hours: list[datetime], flushes: int) -> None:
        self.hours, self.flushes, self.given = hours, flushes, 0
        self.lock, self.all_final = threading.Lock(), threading.Event()
        self.give_up = timezone.now() + timedelta(seconds=DEADLINE)

    def write(self) -> None:
        for number in range(self.flushes):
            self._flush(number)
        assert self.all_final.wait(DEADLINE)
        for number in range(2):
            self._flush(number)

    def _flush(self, number: int) -> None:
        moments = [start + timedelta(minutes=number % 60) for start in self.hours]
        taken_back = number % 7 == 3
        with transaction.atomic():
            tell(*(moments if number % 2 else reversed(moments)))
            transaction.set_rollback(taken_back)
        with self.lock:
            self.given += 0 if taken_back else len(moments)

    def clean_up(self) -> None:
        while not self.all_final.is_set():
            assert timezone.now() < self.give_up
            jobs.cleanup_events(now=NOW)
            if not self.unsealed():
                self.all_final.set()

    def count(self) -> None:
        while not self.all_final.is_set():
            jobs.aggregate_hourly(now=NOW)

    def unsealed(self) -> set[datetime]:
        final = Period.objects.filter(period_type="hour", sealed_at__isnull=False, period_start__in=self.hours)
        return {*self.hours} - {*final.values_list("period_start", flat=True)}

    def check(self) -> None:
        counted = sum(Period.objects.filter(period_type="hour").values_list("events", flat=True))
        rows = MetricsSnapshot.objects.filter(period_type="hour", organization=None)
        assert counted == sum(rows.values_list("artifacts_received", flat=True))
        assert counted + RefusedEvent.objects.count() == self.given
        assert RefusedEvent.objects.exists()
        assert not PipelineEvent.objects.exists()


def race(hours: int, flushes: int, writers: int) -> None:
    """Nothing but these hours needs anybody."""
    first = hour(NOW, back=50 + hours)
    make_hours(first.replace(hour=0), first, sealed_at=NOW)
    make_hours(hour(NOW, back=50), hour(NOW), sealed_at=NOW)
    racing = Race([hour(NOW, back=50 + hours - number) for number in range(hours)], flushes)
    assert not raised(at_once(*[racing.write] * writers, *[racing.clean_up] * 2, racing.count))
    jobs.cleanup_events(now=NOW)
    racing.check()


def test_retention_racing_late_writers_and_counting_loses_nothing():
    race(hours=3, flushes=15, writers=2)


@pytest.mark.trial
@pytest.mark.parametrize("number", range(30))
def test_retention_racing_late_writers_loses_nothing_time_and_again(number):
    race(hours=1 + number % 4, flushes=40, writers=4)
