"""What the metrics do by the clock; cron lines are UTC."""

from datetime import timedelta

from voicepipeline.registry import Schedule, Tick, registry

REFRESH = "refresh-pipeline-running-hour"
HOURLY = "aggregate-pipeline-hourly-metrics"
DAILY = "aggregate-pipeline-daily-metrics"
CLEAN_SNAPSHOTS = "cleanup-pipeline-snapshots"
CLEAN_EVENTS = "cleanup-pipeline-events"

SCHEDULES = (
    Schedule(
        name=REFRESH,
        func="metrics.tasks.refresh_running_hour",
        cron="* * * * *",
        purpose="Keeps the figures of the running hour fresh, and fills in hours and days that are missing.",
    ),
    Schedule(
        name=HOURLY,
        func="metrics.tasks.aggregate_hourly_metrics",
        cron="30 * * * *",
        purpose="Counts the last hours again, for events that came late, and every hour that is missing.",
    ),
    Schedule(
        name=DAILY,
        func="metrics.tasks.aggregate_daily_metrics",
        cron="30 1 * * *",
        purpose="Adds up the days (UTC) whose hours have been counted, until each is complete.",
    ),
    Schedule(
        name=CLEAN_SNAPSHOTS,
        func="metrics.tasks.cleanup_snapshots",
        cron="30 4 * * 0",
        purpose="Deletes hourly figures older than 7 days and daily ones older than 90 days, by default.",
    ),
    Schedule(
        name=CLEAN_EVENTS,
        func="metrics.tasks.cleanup_events",
        cron="45 * * * *",
        purpose="Deletes events older than 48 hours (by default), once their hour has been counted for good.",
    ),
)


def fold_counters() -> None:
    # Imported late: apps are told of their schedules before their models are there.
    from metrics import counters

    counters.fold_counters()


def register() -> None:
    for schedule in SCHEDULES:
        registry.add_schedule(schedule)
    registry.add_tick(Tick(name="live figures", every=timedelta(seconds=60), run=fold_counters))
