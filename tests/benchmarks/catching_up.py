"""The job of each minute over a log of months that nobody has counted, and over one of which all is counted."""

import statistics
import time
from datetime import datetime

from django.utils import timezone

from metrics.catching_up import days_to_count, hours_to_count, missing_hours
from metrics.jobs import refresh_running_hour
from metrics.models import Period, PeriodType
from tests.benchmarks.surroundings import Table

LOOKS = 5
TARGET_MS = 100


def catching_up_rows(table: Table) -> None:
    table.heading(f"The job of each minute (target of a look < {TARGET_MS} ms)")
    now = timezone.now()
    missing = missing_hours(now)
    table.row(f"which of {len(missing):,} hours are missing, nothing counted", f"{_milliseconds(now):.0f} ms")
    started = time.monotonic()
    run = refresh_running_hour(now=now)
    table.row("the first run, at most 40 s", f"{time.monotonic() - started:.1f} s", f"{run.periods:,} hours")
    _as_if_counted(missing, now)
    table.row("which hours are missing, all counted", f"{_milliseconds(now):.0f} ms")
    times = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        refresh_running_hour(now=timezone.now())
        times.append((time.perf_counter() - started) * 1000)
    table.row("a run when all is counted but the running hour", f"{statistics.median(times):.0f} ms")


def _milliseconds(now: datetime) -> float:
    """Of all three questions, in the median."""
    times = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        for question in (missing_hours, hours_to_count, days_to_count):
            question(now)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _as_if_counted(hours: list[datetime], now: datetime) -> None:
    """What counting them leaves behind that is looked at; the figures themselves would take minutes."""
    Period.objects.bulk_create(
        [Period(period_type=PeriodType.HOUR, period_start=hour, aggregated_at=now, events=3600) for hour in hours],
        ignore_conflicts=True,
    )
    days = {hour.replace(hour=0) for hour in hours}
    Period.objects.bulk_create(
        [
            Period(period_type=PeriodType.DAY, period_start=day, aggregated_at=timezone.now(), events=1, hours=24)
            for day in days
        ],
        ignore_conflicts=True,
    )
