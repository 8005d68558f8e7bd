"""What the scheduler calls: each job does its work and leaves a `JobRun`."""

from django.utils import timezone

from metrics import jobs
from voicepipeline.tracebacks import job


@job
def refresh_running_hour() -> None:
    jobs.refresh_running_hour(now=timezone.now())


@job
def aggregate_hourly_metrics() -> None:
    jobs.aggregate_hourly(now=timezone.now())


@job
def aggregate_daily_metrics() -> None:
    jobs.aggregate_daily(now=timezone.now())


@job
def cleanup_snapshots() -> None:
    jobs.cleanup_snapshots(now=timezone.now())


@job
def cleanup_events() -> None:
    jobs.cleanup_events(now=timezone.now())
