"""The scheduled jobs see to every period that needs it, each on its own, and leave what they did."""

import pytest
from django.db import connection
from django.utils import timezone

from metrics import jobs, schedules
from metrics.models import JobRun, MetricsSnapshot, Period
from tests.factories import make_club
from tests.metrics.factories import hour, make_period
from tests.metrics.telling import (
    DAY,
    HOUR,
    NOW,
    break_the_counting_of,
    break_the_counting_of_five,
    figures,
    history_until,
    make_hours,
    tell,
)
from voicepipeline.models import Organization, PipelineEvent, ScheduledJob
from voicepipeline.operations.schedules import perform_scheduled_job
from voicepipeline.registry import registry
from voicepipeline.tracebacks import JobFailed

pytestmark = pytest.mark.django_db

EVERY_JOB = [
    jobs.refresh_running_hour,
    jobs.aggregate_hourly,
    jobs.aggregate_daily,
    jobs.cleanup_snapshots,
    jobs.cleanup_events,
]


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def counted():
    history_until(NOW)


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
def test_every_schedule_runs_a_job_of_its_own_name(name):
    history_until(timezone.now())
    perform_scheduled_job(name)
    assert JobRun.objects.get().name == name
    assert ScheduledJob.objects.get(name=name).last_succeeded


def test_the_schedules_page_knows_of_a_run_that_failed():
    now = timezone.now()
    history_until(now)
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
