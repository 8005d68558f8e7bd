"""The job of each minute over a log of months that nobody has counted, and over one of which all is counted."""

import statistics
import time
from datetime import datetime

from django.utils import timezone

from metrics.catching_up import days_to_count, hours_to_count, missing_hours
from metrics.jobs import refresh_running_hour
from tests.benchmarks.surroundings import Table

LOOKS = 5
MOST_RUNS = 10
TARGET_MS = 100


def catching_up_rows(table: Table) -> None:
    table.heading(f"The job of each minute (target of a look < {TARGET_MS} ms)")
    now = timezone.now()
    table.row(f"which of {len(missing_hours(now)):,} hours are missing, nothing counted", f"{_look_ms(now):.0f} ms")
    started, runs, hours = time.monotonic(), 0, 0
    while runs < MOST_RUNS and len(missing_hours(now)) > 1:  # the running hour always is
        hours += refresh_running_hour(now=now).periods
        runs += 1
    table.row(f"all is counted after {runs} runs", f"{time.monotonic() - started:.1f} s", f"{hours:,} periods")
    table.row("which hours are missing, all counted", f"{_look_ms(now):.0f} ms")
    times = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        refresh_running_hour(now=timezone.now())
        times.append((time.perf_counter() - began) * 1000)
    table.row("a run when all is counted but the running hour", f"{statistics.median(times):.0f} ms")


def _look_ms(now: datetime) -> float:
    """Of all three questions, in the median."""
    times = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        for question in (missing_hours, hours_to_count, days_to_count):
            question(now)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
