"""One hour of the history, counted from its events."""

import logging
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from metrics.hour_sql import ADD_UP, ADDED_UP, COPIED, COPY, EVENTS, IS_LARGE, adding_up, counting
from metrics.limits import HOUR
from metrics.models import MetricsSnapshot, Period, PeriodType
from metrics.periods import Aggregated, checked_start, hold_period

logger = logging.getLogger(__name__)

# Compiling so large a statement takes longer than running it; its rows of like events fit into this much memory.
SETTINGS = "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)"


@transaction.atomic(durable=True)
def aggregate_hourly_metrics(hour: datetime, *, seal: bool = False) -> Aggregated:
    """Count this UTC hour's events into the rows of the platform and of every club, instead of what they said.

    `seal` makes the hour final, unless some club's events could not be counted.
    """
    start = checked_start(PeriodType.HOUR, hour)
    _refuse_the_future(start, seal=seal)
    if not hold_period(PeriodType.HOUR, start):
        return Aggregated(start, busy=True)
    if Period.objects.filter(period_type=PeriodType.HOUR, period_start=start, sealed_at__isnull=False).exists():
        return Aggregated(start, refused=True)
    values: dict[str, Any] = {"start": start, "end": start + HOUR, "seal": seal, "only": None, "gaps": []}
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS)
    try:
        events, rows = _count_all(values)
    except (DataError, IntegrityError):
        events, rows = _count_without_gaps(values)
    return Aggregated(start, events=events, rows=rows, gaps=values["gaps"])


def _refuse_the_future(start: datetime, *, seal: bool) -> None:
    now = timezone.now()
    if start > now:
        raise ValueError(f"The hour {start.isoformat()} has not begun.")
    if seal and start + HOUR > now:
        raise ValueError(f"The hour {start.isoformat()} is not over, so it cannot be made final.")


def _count_all(values: dict[str, Any]) -> tuple[int, int]:
    """All that happened: of a large hour it is added up on several cores first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IS_LARGE, values)
        if not cursor.fetchone()[0]:
            return _count(adding_up(EVENTS), values)
        cursor.execute(ADD_UP, values)
        done = _count(ADDED_UP, values)
        cursor.execute("DROP TABLE metrics_added_up")
        return done


def _count(added_up: str, values: dict[str, Any]) -> tuple[int, int]:
    """How many events were counted, and how many rows changed; nothing happened if it fails."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(counting(added_up), values)
        counted, rows = cursor.fetchone()
    return int(counted), int(rows)


def _count_without_gaps(values: dict[str, Any]) -> tuple[int, int]:
    """Leave out the clubs whose events break the statement, from the platform's figures and from their own."""
    with connection.cursor() as cursor:
        cursor.execute(COPY, values)
        cursor.execute("CREATE INDEX ON metrics_events_of_the_hour (club)")
        cursor.execute("ANALYZE metrics_events_of_the_hour")
        cursor.execute("SELECT DISTINCT club FROM metrics_events_of_the_hour ORDER BY club")
        clubs = [club for (club,) in cursor.fetchall()]
    values["gaps"] = [club for club in clubs if not _is_countable({**values, "only": club})]
    logger.error(
        "events of some clubs cannot be counted", extra={"hour": values["start"].isoformat(), "clubs": values["gaps"]}
    )
    this_hour = MetricsSnapshot.objects.filter(period_type=PeriodType.HOUR, period_start=values["start"])
    this_hour.filter(organization__in=values["gaps"]).delete()
    try:
        return _count(adding_up(COPIED), values)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS metrics_events_of_the_hour")


def _is_countable(values: dict[str, Any]) -> bool:
    """Whether one club's events can be counted, tried and taken back."""
    try:
        with transaction.atomic():
            _count(adding_up(COPIED), values)
            transaction.set_rollback(True)
    except (DataError, IntegrityError):
        return False
    return True
