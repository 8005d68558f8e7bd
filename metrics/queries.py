"""What pages and commands ask of live figures and history; nothing here reads events."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from metrics.figures import (
    ClubFigures,
    History,
    LiveMetrics,
    MinutePoint,
    PromptFigures,
    SourceFigures,
    StageFigures,
)
from metrics.limits import COUNTERS_KEPT, HOUR, MINUTE
from metrics.models import CounterType, PeriodType
from voicepipeline.models import Organization

# The database's clock decides, as it does for the events. A figure that nobody counted leaves its type NULL.
LIVE = """
SELECT clock.minute, counter.counter_type, sum(counter.value)
FROM (SELECT date_trunc('minute', coalesce(%(now)s::timestamptz, statement_timestamp()), 'UTC') AS minute) clock
LEFT JOIN metrics_counter counter
    ON counter.window_start > clock.minute - interval '1 hour' AND counter.window_start <= clock.minute AND {whose}
GROUP BY 1, 2
"""
MINUTES = """
SELECT counter.window_start, counter.counter_type, sum(counter.value)
FROM metrics_counter counter
WHERE counter.window_start >= %(start)s AND counter.window_start < %(end)s AND {whose}
GROUP BY 1, 2
"""


def get_real_time_metrics(organization: Organization | None = None, *, now: datetime | None = None) -> LiveMetrics:
    """The last 60 whole minutes, the running one included, of the platform or of one club, from live figures alone."""
    rows = _live_figures(LIVE, organization, now=now)
    end = rows[0][0] + MINUTE
    values = {CounterType(counter_type): value for _, counter_type, value in rows if counter_type is not None}
    return LiveMetrics(start=end - HOUR, end=end, values=values)


def get_minute_metrics(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[MinutePoint]:
    """Every whole minute of this span, which is 2 hours at most, of the platform or of one club."""
    first = start.replace(second=0, microsecond=0)
    if end - first > COUNTERS_KEPT:
        raise ValueError("Live figures are kept for 2 hours.")
    values: dict[datetime, dict[CounterType, Decimal]] = {}
    for minute, counter_type, value in _live_figures(MINUTES, organization, start=first, end=end):
        values.setdefault(minute, {})[CounterType(counter_type)] = value
    minutes = (first + number * MINUTE for number in range(-((first - end) // MINUTE)))
    return [MinutePoint(start=minute, values=values.get(minute, {})) for minute in minutes]


def _live_figures(
    query: str, organization: Organization | None, **when: datetime | None
) -> list[tuple[datetime, str, Decimal]]:
    # Spelled out, for an index knows `=` and IS NULL, but no IS NOT DISTINCT FROM.
    whose = "counter.organization_id IS NULL" if organization is None else "counter.organization_id = %(club)s"
    with connection.cursor() as cursor:
        cursor.execute(query.format(whose=whose), {**when, "club": organization.pk if organization else None})
        return list(cursor.fetchall())


def get_historical_metrics(
    period_type: PeriodType | None, start: datetime, end: datetime, organization: Organization | None = None
) -> History:
    """The hours or days of this span; without a period type hours up to 7 days, and days beyond."""
    raise NotImplementedError


def get_stage_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[StageFigures]:
    """The four stages in order, then the whole way."""
    raise NotImplementedError


def get_org_breakdown(start: datetime, end: datetime) -> Sequence[ClubFigures]:
    """Every club by volume, and last what belongs to none."""
    raise NotImplementedError


def get_source_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[SourceFigures]:
    """Every source channel that notes came by, by volume."""
    raise NotImplementedError


def get_prompt_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[PromptFigures]:
    """Every version of the prompt that was in use, the newest name first."""
    raise NotImplementedError
