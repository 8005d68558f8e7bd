"""What pages and commands ask of live figures and history; nothing here reads events."""

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from metrics import history_sql
from metrics.figures import (
    ClubFigures,
    Figures,
    History,
    LiveMetrics,
    MinutePoint,
    Point,
    PromptFigures,
    SourceFigures,
    StageFigures,
    figures_of,
)
from metrics.history_rows import Asked, Known
from metrics.limits import COUNTERS_KEPT, HOUR, MINUTE
from metrics.models import END_TO_END, CounterType, PeriodType, PromptSnapshot, SourceSnapshot, StageSnapshot
from voicepipeline.models import Organization

NO_CLUB = "No club"

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
    period_type: PeriodType | None,
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    *,
    now: datetime | None = None,
    known: Known | None = None,
) -> History:
    """The hours or days of this span; without a period type hours up to 7 days, and days beyond.

    Today is made of its hours, and so is a day that its hours know better; hours that are no longer kept become days.
    """
    known = known or Known.of(start, end, organization, now=now)
    asked = known.asked(start, end, organization, period_type=period_type, as_one=False)
    sums = {row["point"]: figures_of(Figures, row) for row in asked.rows(history_sql.history(asked.whose))}
    stages: dict[datetime, dict[str, StageFigures]] = {}
    for row in asked.rows(history_sql.stages_of_points(asked.whose)):
        stages.setdefault(row["point"], {})[row["stage"]] = figures_of(StageFigures, row)
    points = [
        Point(
            start=part.start,
            figures=sums.get(part.start, Figures()),
            stages=stages.get(part.start, {}),
            is_running=part.is_running,
            is_missing=part.is_missing,
            is_incomplete=part.is_incomplete,
        )
        for part in asked.cover.parts
    ]
    return History(
        period_type=asked.cover.period_type,
        start=start,
        end=end,
        points=points,
        total=sums[None],
        is_partial=asked.cover.is_partial,
    )


def get_total(
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    *,
    now: datetime | None = None,
    known: Known | None = None,
) -> Figures:
    """The sums of this span, without its hours or days."""
    asked = _as_one(start, end, organization, now, known)
    (row,) = asked.rows(history_sql.total(asked.whose))
    return figures_of(Figures, row)


def get_stage_breakdown(
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    *,
    now: datetime | None = None,
    known: Known | None = None,
) -> Sequence[StageFigures]:
    """The four stages in order, then the whole way."""
    asked = _as_one(start, end, organization, now, known)
    found = {row["stage"]: row for row in asked.rows(history_sql.stages(asked.whose))}
    return [figures_of(StageFigures, found.get(stage, {"stage": stage})) for stage, _ in StageSnapshot.STAGES]


def get_org_breakdown(
    start: datetime, end: datetime, *, now: datetime | None = None, known: Known | None = None
) -> Sequence[ClubFigures]:
    """Every club by volume, those at work without any as well, and last what belongs to none."""
    rows = _as_one(start, end, None, now, known).rows(history_sql.CLUBS)
    return [
        ClubFigures(
            organization_id=row["club_id"] or None,
            name=row["name"] or NO_CLUB,
            figures=figures_of(Figures, row),
            end_to_end=figures_of(StageFigures, {**row, "stage": END_TO_END}),
        )
        for row in rows
    ]


def get_source_breakdown(
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    *,
    now: datetime | None = None,
    known: Known | None = None,
) -> Sequence[SourceFigures]:
    """Every source channel that notes came by, by volume."""
    asked = _as_one(start, end, organization, now, known)
    rows = asked.rows(history_sql.beneath(asked.whose, SourceSnapshot, "source_channel"))
    found = [figures_of(SourceFigures, row) for row in rows]
    return sorted(found, key=lambda source: (-source.artifacts_received, source.source_channel))


def get_prompt_breakdown(
    start: datetime,
    end: datetime,
    organization: Organization | None = None,
    *,
    now: datetime | None = None,
    known: Known | None = None,
) -> Sequence[PromptFigures]:
    """Every version of the prompt that was in use, the newest name first."""
    asked = _as_one(start, end, organization, now, known)
    rows = asked.rows(history_sql.beneath(asked.whose, PromptSnapshot, "prompt_version"))
    found = [figures_of(PromptFigures, row) for row in rows]
    return sorted(found, key=lambda prompt: _counting(prompt.prompt_version), reverse=True)


def _as_one(
    start: datetime, end: datetime, organization: Organization | None, now: datetime | None, known: Known | None
) -> Asked:
    """`known` is what several questions share."""
    return (known or Known.of(start, end, organization, now=now)).asked(start, end, organization)


def _counting(name: str) -> list[str | int]:
    """A name by which v10 comes after v9."""
    return [int(part) if place % 2 else part for place, part in enumerate(re.split("([0-9]+)", name))]
