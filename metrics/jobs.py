"""The scheduled jobs: each sees to every period that needs it, and leaves a `JobRun` that says what it did."""

from datetime import datetime

from metrics.models import JobRun


def refresh_running_hour(*, now: datetime) -> JobRun:
    raise NotImplementedError


def aggregate_hourly(*, now: datetime) -> JobRun:
    raise NotImplementedError


def aggregate_daily(*, now: datetime) -> JobRun:
    raise NotImplementedError


def cleanup_snapshots(*, now: datetime) -> JobRun:
    raise NotImplementedError


def cleanup_events(*, now: datetime) -> JobRun:
    raise NotImplementedError
