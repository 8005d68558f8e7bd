"""Which figures may go and when, and what a dry run says of it: hours of complete days, and days that are old."""

from datetime import timedelta

import pytest

from metrics.aggregation import aggregate_hourly_metrics
from metrics.limits import limits
from metrics.models import JobRun, MetricsSnapshot, Period, PromptSnapshot, RefusedEvent, SourceSnapshot, StageSnapshot
from metrics.retention import CleanupPlan, SnapshotCleanup, cleanup_old_events, cleanup_old_snapshots, plan_cleanup
from tests.factories import make_club
from tests.metrics.factories import hour, make_period, make_snapshot
from tests.metrics.telling import DAY, HOUR, NOW, tell
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db

# The last hour that ended 48 hours ago.
OLD = hour(NOW, back=49)
TODAY = NOW.replace(hour=0, minute=0)
DAY_OF_OLD_HOURS = TODAY - 8 * DAY


def whole_day(day, *, sealed=True, **more):
    for number in range(24):
        make_snapshot("hour", day + number * HOUR, **more)
    make_snapshot("day", day)
    stamp = NOW if sealed else None
    Period.objects.filter(period_start__gte=day, period_start__lt=day + DAY).update(sealed_at=stamp)


def hourly():
    return MetricsSnapshot.objects.filter(period_type="hour").count()


def test_hours_go_when_they_are_old_and_their_day_is_complete():
    whole_day(DAY_OF_OLD_HOURS)
    assert cleanup_old_snapshots(NOW) == SnapshotCleanup(hourly=24)
    assert MetricsSnapshot.objects.get().period_type == "day"


def test_they_stay_while_their_day_is_not():
    whole_day(DAY_OF_OLD_HOURS, sealed=False)
    assert cleanup_old_snapshots(NOW) == SnapshotCleanup()


def test_an_hour_goes_when_its_end_is_seven_days_ago():
    whole_day(TODAY - 7 * DAY)
    assert cleanup_old_snapshots(NOW).hourly == 15
    kept = MetricsSnapshot.objects.filter(period_type="hour").order_by("period_start").first()
    assert kept.period_start == TODAY - 7 * DAY + 15 * HOUR


def test_what_is_beneath_goes_with_its_figures_and_no_other():
    beneath = {
        "stages": {"transcription": {"durations": [5]}},
        "sources": {"api": {}},
        "prompts": {"v1": {}},
    }
    whole_day(DAY_OF_OLD_HOURS, **beneath)
    make_snapshot("hour", NOW.replace(minute=0), make_club(), **beneath)
    cleanup_old_snapshots(NOW)
    for model in (StageSnapshot, SourceSnapshot, PromptSnapshot):
        assert [row.snapshot.period_start for row in model.objects.all()] == [NOW.replace(minute=0)]


def test_days_go_after_ninety_days_complete_or_not_and_so_do_what_hours_they_left():
    for back in (89, 90, 91, 92):
        make_snapshot("day", TODAY - back * DAY)
    make_snapshot("hour", TODAY - 91 * DAY)
    done = cleanup_old_snapshots(NOW)
    assert (done.daily, done.hourly) == (2, 1)
    assert sorted(MetricsSnapshot.objects.values_list("period_start", flat=True)) == [
        TODAY - 90 * DAY,
        TODAY - 89 * DAY,
    ]


def test_what_is_known_of_periods_outlives_their_figures_by_a_day():
    for back in (90, 91, 92, 93):
        make_period("day", TODAY - back * DAY)
        make_period("hour", TODAY - back * DAY + 15 * HOUR)
    assert cleanup_old_snapshots(NOW).periods == 4
    kept = Period.objects.order_by("period_start").values_list("period_type", "period_start")
    assert list(kept)[:2] == [("day", TODAY - 91 * DAY), ("hour", TODAY - 91 * DAY + 15 * HOUR)]


def test_refused_events_and_job_runs_go_too():
    for days in (90, 91, 92):
        RefusedEvent.objects.create(
            period_start=TODAY, event_type="x", refused_at=NOW - days * DAY - timedelta(seconds=1)
        )
    for days in (13, 14, 15):
        JobRun.objects.create(name="x", started_at=NOW - days * DAY - timedelta(seconds=1))
    done = cleanup_old_snapshots(NOW)
    assert (done.refused_events, done.job_runs, done.rows) == (2, 2, 4)


def test_rows_go_some_at_a_time(settings, django_assert_num_queries):
    settings.METRICS = {"deleted_at_once": 10}
    whole_day(DAY_OF_OLD_HOURS)
    with django_assert_num_queries(3 * (3 + 4)):  # savepoint, statement, release
        assert cleanup_old_snapshots(NOW).hourly == 24


def test_limits_of_figures_come_from_the_settings(settings):
    settings.METRICS = {"hours_kept": 3 * 86_400, "days_kept": 5 * 86_400, "job_runs_kept": 3600}
    whole_day(TODAY - 4 * DAY)
    make_snapshot("day", TODAY - 6 * DAY)
    JobRun.objects.create(name="x", started_at=NOW - 2 * HOUR)
    assert cleanup_old_snapshots(NOW) == SnapshotCleanup(hourly=24, daily=1, job_runs=1)


def test_the_plan_says_what_would_go_and_touches_nothing(settings):
    settings.METRICS = {"hours_kept": 3 * 86_400}
    tell(OLD, OLD, OLD - HOUR, NOW)
    aggregate_hourly_metrics(OLD - HOUR, seal=True)
    whole_day(TODAY - 4 * DAY)
    JobRun.objects.create(name="x", started_at=NOW - 15 * DAY)
    models = (PipelineEvent, MetricsSnapshot, Period, JobRun)
    before = {model: list(model.objects.order_by("pk").values()) for model in models}
    plan = plan_cleanup(NOW)
    assert {model: list(model.objects.order_by("pk").values()) for model in models} == before
    events, snapshots = cleanup_old_events(NOW), cleanup_old_snapshots(NOW)
    assert plan == CleanupPlan(hours_to_seal=events.hours_sealed, events=events.events_deleted, snapshots=snapshots)
    assert (plan.events, plan.snapshots) == (3, SnapshotCleanup(hourly=24, job_runs=1))
    assert plan_cleanup(NOW) == CleanupPlan(0, 0, SnapshotCleanup())


def test_the_limits_that_are_told_are_those_that_hold():
    how = limits()
    assert (how.events_kept, how.hours_kept, how.days_kept) == (48 * HOUR, 7 * DAY, 90 * DAY)
