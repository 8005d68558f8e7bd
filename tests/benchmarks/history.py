"""90 days of history of 500 clubs: what pages and reports ask of it, and the live figures while others write."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics import queries
from metrics.limits import limits
from metrics.windows import Window, parse_window
from tests.benchmarks.history_loader import CLUBS, DAYS, load_history
from tests.benchmarks.surroundings import Table
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import Artifact, Organization

ROUNDS = 5
MOST_QUERIES = 3  # which hours and days there are, and what they say of sums and of stages
LIVE_ROUNDS = 400
WRITERS = 8
TARGET_LIVE_MS = 5


def measure(table: Table) -> None:
    now = timezone.now()
    table.heading(f"History: {DAYS} days of {CLUBS} clubs, p50 / slowest of {ROUNDS}")
    table.row("made by the loader in", f"{load_history(now):.0f} s")
    club = Organization.objects.filter(slug__startswith="club-of-history").first()
    for name, ask in questions(now, club).items():
        assert asked(ask) <= MOST_QUERIES, f"{name}: at most {MOST_QUERIES} queries"
        times = sorted(milliseconds(ask) for _ in range(ROUNDS))
        table.row(name, f"{statistics.median(times):.0f} / {times[-1]:.0f} ms")
    table.heading(f"Live figures while {WRITERS} processes write events (target p95 < {TARGET_LIVE_MS} ms)")
    assert asked(queries.get_real_time_metrics) == 1
    idle = live_p95(club)
    with writers(club) as written:
        busy, rate = live_p95(club), written()
    table.row("p95 while nobody writes", f"{idle:.1f} ms")
    table.row(f"p95 with {rate:,.0f} flushes a second", f"{busy:.1f} ms", f"{busy / idle:.1f}")


def questions(now: datetime, club: Organization | None) -> dict[str, Callable[[], object]]:
    def window(key: str) -> Window:
        return parse_window(key, now=now, how=limits())[0]

    week, quarter = window("7d"), window("90d")
    return {
        "7 days in hours, with stages": lambda: queries.get_historical_metrics(None, week.start, week.end),
        "7 days in hours, of a club": lambda: queries.get_historical_metrics(None, week.start, week.end, club),
        "7 days, stages together": lambda: queries.get_stage_breakdown(week.start, week.end),
        f"7 days, table of {CLUBS} clubs": lambda: queries.get_org_breakdown(week.start, week.end),
        "90 days, with stages": lambda: queries.get_historical_metrics(None, quarter.start, quarter.end),
        "90 days, of a club": lambda: queries.get_historical_metrics(None, quarter.start, quarter.end, club),
        "90 days, stages together": lambda: queries.get_stage_breakdown(quarter.start, quarter.end),
        "90 days, sources": lambda: queries.get_source_breakdown(quarter.start, quarter.end),
        "90 days, prompts": lambda: queries.get_prompt_breakdown(quarter.start, quarter.end),
        f"90 days, table of {CLUBS} clubs": lambda: queries.get_org_breakdown(quarter.start, quarter.end),
    }


def asked(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as found:
        ask()
    return len(found)


def milliseconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000


def live_p95(club: Organization | None) -> float:
    """Of the platform and of a club by turns, as the pages of several people ask."""
    times = [
        milliseconds(lambda whose=whose: queries.get_real_time_metrics(whose))  # type: ignore[misc]
        for _ in range(LIVE_ROUNDS // 2)
        for whose in (None, club)
    ]
    return statistics.quantiles(times, n=20)[18]


@contextmanager
def writers(club: Organization | None) -> Iterator[Callable[[], float]]:
    """Processes that log events as fast as they can; what is yielded tells how many flushes a second they made."""
    artifact = Artifact.objects.create(source_channel="api", organization=club)
    connections.close_all()
    context = multiprocessing.get_context("fork")
    over, done = context.Event(), context.Value("q", 0)

    def write() -> None:
        while not over.is_set():
            with transaction.atomic():
                log_events([NewEvent(event_type="claims_extracted", artifact=artifact, stage="claims_extraction")])
            with done.get_lock():
                done.value += 1
        connection.close()

    crew = [context.Process(target=write) for _ in range(WRITERS)]
    started = time.monotonic()
    for process in crew:
        process.start()
    try:
        yield lambda: done.value / (time.monotonic() - started)
    finally:
        over.set()
        for process in crew:
            process.join()
