"""The scheduled jobs see to every period that needs it, each on its own, and leave what they did."""

import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from metrics import jobs, schedules
from metrics.models import JobRun, MetricsSnapshot, Period, RefusedEvent
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.factories import hour, make_period, make_snapshot
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import Organization, PipelineEvent, ScheduledJob
from voicepipeline.operations.schedules import perform_scheduled_job
from voicepipeline.registry import registry
from voicepipeline.tracebacks import JobFailed

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

EVERY_JOB = [
    jobs.refresh_running_hour,
    jobs.aggregate_hourly,
    jobs.aggregate_daily,
    jobs.cleanup_snapshots,
    jobs.cleanup_events,
]


def tell(*moments, event_type="artifact_received", **fields):
    return log_events([NewEvent(event_type=event_type, timestamp=moment, **fields) for moment in moments], strict=True)


def break_the_counting_of(*starts):
    """As if the database could not do it; who counts them gets an error."""
    moments = ", ".join(f"'{start:%Y-%m-%d %H:%M}+00'" for start in starts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE metrics_period ADD CONSTRAINT broken CHECK (period_start NOT IN ({moments})) NOT VALID"
        )


def break_the_counting_of_five():
    """As if there were numbers too large for the database, at a club with five notes in an hour."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the table cannot be changed
        cursor.execute("ALTER TABLE metrics_metricssnapshot ADD CONSTRAINT broken CHECK (artifacts_received < 5)")


def figures():
    """All that history says, without when it was written."""
    columns = ("period_type", "period_start", "organization", "artifacts_received")
    return sorted(MetricsSnapshot.objects.values_list(*columns), key=str)


@pytest.fixture
def now():
    return timezone.now()


def make_hours(first, end, **fields):
    """Empty hours of the platform, all counted."""
    starts = [first + number * HOUR for number in range((end - first) // HOUR)]
    fields = {"period_type": "hour", "aggregated_at": timezone.now(), "events": 0, **fields}
    Period.objects.bulk_create(Period(period_start=start, **fields) for start in starts)
    MetricsSnapshot.objects.bulk_create(MetricsSnapshot(period_type="hour", period_start=start) for start in starts)


@pytest.fixture
def counted(now):
    """A history of since yesterday that lacks nothing but what is running, so that a run is a short one."""
    today = hour(now).replace(hour=0)
    make_hours(today - DAY, hour(now))
    make_snapshot("day", today - DAY)


def test_each_minute_the_running_hour_is_counted_again(now, counted):
    tell(now)
    first = jobs.refresh_running_hour(now=now)
    tell(now)
    jobs.refresh_running_hour(now=now)
    row = MetricsSnapshot.objects.get(period_type="hour", period_start=hour(now), organization=None)
    assert row.artifacts_received == 2
    assert (first.succeeded, first.error) == (True, "")
    assert first.periods >= 2  # today was missing, too
    assert first.rows >= 2


def test_today_is_known_as_soon_as_an_hour_is(now, counted):
    tell(now)
    jobs.refresh_running_hour(now=now)
    assert Period.objects.filter(period_type="day", period_start=hour(now).replace(hour=0)).exists()


def test_events_that_nobody_counted_are_filled_in_by_one_run(now):
    club, start = make_club(), hour(now).replace(hour=0) - DAY
    Organization.objects.update(created_at=start)
    tell(start + HOUR, now, organization_id=club.pk)
    jobs.refresh_running_hour(now=now)
    hours = Period.objects.filter(period_type="hour").count()
    assert hours == (hour(now) - start) // HOUR + 1
    assert MetricsSnapshot.objects.filter(period_type="hour").count() == 2 * hours
    assert Period.objects.filter(period_type="day").count() == 2


def test_an_hour_that_breaks_stops_none_of_the_others_and_is_told(now, counted):
    Period.objects.filter(period_start__in=[hour(now, back=5), hour(now, back=6)]).delete()
    break_the_counting_of(hour(now, back=5))
    with pytest.raises(jobs.PeriodsFailed):
        jobs.refresh_running_hour(now=now)
    run = JobRun.objects.get()
    assert run.finished_at
    assert not run.succeeded
    assert f"The hour {hour(now, back=5):%Y-%m-%d %H:%M} could not be counted" in run.error
    assert Period.objects.filter(period_start=hour(now, back=6)).exists()
    assert not Period.objects.filter(period_start=hour(now, back=5)).exists()


def test_an_hour_that_lacks_a_club_is_told(now, counted):
    tell(now)
    tell(*[now] * 5, organization_id=make_club().pk)
    break_the_counting_of_five()
    with pytest.raises(jobs.PeriodsFailed):
        jobs.refresh_running_hour(now=now)
    said = f"The hour {hour(now):%Y-%m-%d %H:%M} lacks one club, whose events could not be counted."
    assert JobRun.objects.get().error.startswith(said)
    assert MetricsSnapshot.objects.get(period_type="hour", period_start=hour(now), organization=None).has_gaps


def test_many_that_break_are_told_in_few_words(now, counted):
    gone = [hour(now, back=back) for back in range(5, 20)]
    Period.objects.filter(period_start__in=gone).delete()
    break_the_counting_of(*gone)
    with pytest.raises(jobs.PeriodsFailed):
        jobs.refresh_running_hour(now=now)
    error = JobRun.objects.get().error
    assert len(error) <= 500


def test_what_breaks_altogether_is_recorded_and_raised(now, counted):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE metrics_refusedevent RENAME TO gone")
    with pytest.raises(Exception, match="metrics_refusedevent"):
        jobs.cleanup_snapshots(now=now)
    run = JobRun.objects.get()
    assert (run.succeeded, run.finished_at is not None) == (False, True)
    assert run.error == "It broke off (psycopg.errors.UndefinedTable: SQLSTATE 42P01)."


@pytest.mark.parametrize("job", EVERY_JOB, ids=lambda job: job.__name__)
def test_every_run_of_every_job_is_recorded(job, now, counted):
    began = timezone.now()
    run = job(now=now)
    assert run.pk == JobRun.objects.get().pk
    assert began <= run.started_at <= run.finished_at
    assert (run.succeeded, run.error) == (True, "")


@pytest.mark.parametrize("name", [schedule.name for schedule in schedules.SCHEDULES])
def test_every_schedule_runs_a_job_of_its_own_name(name, counted):
    perform_scheduled_job(name)
    assert JobRun.objects.get().name == name
    assert ScheduledJob.objects.get(name=name).last_succeeded


def test_the_schedules_page_knows_of_a_run_that_failed(now, counted):
    Period.objects.filter(period_start=hour(now, back=5)).delete()
    break_the_counting_of(hour(now, back=5))
    with pytest.raises(JobFailed):
        perform_scheduled_job(schedules.HOURLY)
    assert ScheduledJob.objects.get(name=schedules.HOURLY).last_succeeded is False
    assert JobRun.objects.get().succeeded is False


def test_the_names_and_times_are_those_agreed_on():
    assert {name: registry.schedules[name].cron for name in registry.schedules if "-pipeline-" in name} == {
        "refresh-pipeline-running-hour": "* * * * *",
        "aggregate-pipeline-hourly-metrics": "30 * * * *",
        "aggregate-pipeline-daily-metrics": "30 1 * * *",
        "cleanup-pipeline-snapshots": "30 4 * * 0",
        "cleanup-pipeline-events": "45 * * * *",
    }


def test_the_last_three_hours_are_counted_again_for_what_came_late(now, counted):
    tell(hour(now, back=3), hour(now, back=4))
    jobs.aggregate_hourly(now=now)
    rows = MetricsSnapshot.objects.filter(period_type="hour", organization=None)
    late = {row.period_start: row.artifacts_received for row in rows}
    assert (late[hour(now, back=3)], late[hour(now, back=4)]) == (1, 0)


def test_two_runs_change_nothing(now, counted):
    club = make_club()
    tell(now, hour(now, back=1), hour(now, back=2), organization_id=club.pk)
    jobs.aggregate_hourly(now=now)
    before = figures()
    for job in EVERY_JOB[:3]:
        job(now=now)
    assert figures() == before


def test_a_day_is_complete_once_its_hours_are_final(now):
    day = hour(now).replace(hour=0) - 4 * DAY
    make_hours(day, day + 22 * HOUR, sealed_at=now)
    make_hours(day + 24 * HOUR, hour(now), sealed_at=now)
    tell(day + 22 * HOUR, day + 23 * HOUR)
    jobs.refresh_running_hour(now=now)
    assert Period.objects.get(period_type="day", period_start=day).sealed_at is None
    jobs.cleanup_events(now=now)
    period = Period.objects.get(period_type="day", period_start=day)
    assert (period.hours, period.events, period.sealed_at is not None) == (24, 2, True)
    for job in (jobs.cleanup_events, jobs.aggregate_hourly, jobs.aggregate_daily):
        job(now=now)
    row = MetricsSnapshot.objects.get(period_type="day", period_start=day, organization=None)
    assert row.artifacts_received == 2


def test_an_hour_that_keeps_its_events_is_told_when_it_is_no_matter_of_minutes(now, counted):
    make_period("hour", hour(now, back=60), sealed_at=now)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voicepipeline_pipelineevent DISABLE TRIGGER event_of_a_sealed_hour_is_refused")
    tell(hour(now, back=60))
    with pytest.raises(jobs.PeriodsFailed, match="keeps its events: it has more events than were counted"):
        jobs.cleanup_events(now=now)
    assert PipelineEvent.objects.count() == 1
    assert JobRun.objects.get().error.startswith(f"The hour {hour(now, back=60):%Y-%m-%d %H:%M} keeps")


# --- Several at once, and nobody for long ----------------------------------------------------------------------


def at_once(*acts):
    """Do these in threads of their own; what one raises is raised."""
    errors = []

    def run(act):
        try:
            act()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not errors, errors


@pytest.mark.django_db(transaction=True)
def test_thirty_hours_without_a_scheduler_leave_no_hole_and_nothing_twice(now):
    make_club()
    Organization.objects.update(created_at=now - 3 * DAY)
    before = hour(now, back=31)
    make_snapshot("hour", before)
    moments = [hour(now, back=back) + timedelta(minutes=7) for back in range(30, -1, -1) if back % 3]
    tell(*moments, organization_id=Organization.objects.get().pk)
    jobs.aggregate_hourly(now=now)
    rows = MetricsSnapshot.objects.filter(period_type="hour", organization=None, period_start__gt=before)
    known = {row.period_start: row.artifacts_received for row in rows}
    assert known == {hour(now, back=back): int(back % 3 > 0) for back in range(31)}
    expected = figures()
    jobs.aggregate_hourly(now=now)
    jobs.refresh_running_hour(now=now)
    assert figures() == expected


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_leave_what_one_leaves(now):
    club = make_club()
    tell(*[hour(now, back=back) for back in range(12)], organization_id=club.pk)
    at_once(
        lambda: jobs.aggregate_hourly(now=now),
        lambda: jobs.refresh_running_hour(now=now),
        lambda: jobs.aggregate_hourly(now=now),
    )
    together = [row for row in figures() if row[0] == "hour"]
    MetricsSnapshot.objects.all().delete()
    Period.objects.all().delete()
    jobs.aggregate_hourly(now=now)
    assert together == [row for row in figures() if row[0] == "hour"]
    assert set(JobRun.objects.values_list("succeeded", flat=True)) == {True}


@pytest.mark.django_db(transaction=True)
def test_an_hour_that_somebody_else_counts_is_passed_over_without_an_error(now, counted):
    with transaction.atomic():
        assert hold_period("hour", hour(now))
        at_once(lambda: jobs.refresh_running_hour(now=now))
    run = JobRun.objects.get()
    assert (run.succeeded, run.error) == (True, "")
    assert run.periods == Period.objects.filter(period_type="day").count()
    assert not Period.objects.filter(period_type="hour", period_start=hour(now)).exists()


class Inserting:
    """Writers of events of old hours, some of whose transactions are rolled back, while others count and delete."""

    def __init__(self, hours: list[datetime], flushes: int) -> None:
        self.hours, self.flushes, self.given = hours, flushes, 0
        self.lock = threading.Lock()

    def write(self) -> None:
        for number in range(self.flushes):
            moments = [start + timedelta(minutes=number % 60) for start in self.hours]
            with transaction.atomic():
                tell(*(moments if number % 2 else reversed(moments)))
                if number % 7 == 3:
                    transaction.set_rollback(True)
            if number % 7 != 3:
                with self.lock:
                    self.given += len(moments)

    def check(self) -> None:
        counted = sum(Period.objects.filter(period_type="hour").values_list("events", flat=True))
        unsealed = Period.objects.filter(period_type="hour", sealed_at=None, period_start__in=self.hours)
        rows = MetricsSnapshot.objects.filter(period_type="hour", organization=None)
        assert not unsealed.exists()
        assert counted == sum(rows.values_list("artifacts_received", flat=True))
        assert counted + RefusedEvent.objects.count() == self.given
        assert not PipelineEvent.objects.exists()


def race(hours: int, flushes: int, writers: int) -> None:
    now = timezone.now()
    writing = Inserting([hour(now, back=50 + back) for back in range(hours)], flushes)
    for start in writing.hours:
        make_period("hour", start)
    at_once(
        *[writing.write] * writers,
        *[lambda: jobs.cleanup_events(now=now)] * 2,
        lambda: jobs.aggregate_hourly(now=now),
    )
    for _ in range(3):  # what was being written to is done by a later run
        jobs.cleanup_events(now=now)
    writing.check()


@pytest.mark.django_db(transaction=True)
def test_retention_racing_late_writers_and_counting_loses_nothing():
    race(hours=3, flushes=15, writers=2)


@pytest.mark.trial
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(30))
def test_retention_racing_late_writers_loses_nothing_time_and_again(number):
    race(hours=1 + number % 4, flushes=40, writers=4)
