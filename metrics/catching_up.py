"""Which hours and days of the history have to be counted now, however long nobody has."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Min

from metrics.limits import DAY, HOUR, MINUTE, limits
from metrics.models import Period, PeriodType
from metrics.windows import Grain, oldest_day
from voicepipeline.models import Organization, PipelineEvent

# An event may commit a moment after the hour that it belongs to.
ENDED_JUST_NOW = 3 * MINUTE
# What is being counted while another reads says of itself that it is older: longer than that no hour takes.
SURELY_SEEN = MINUTE

HOURS = """
SELECT expected.start
FROM generate_series(%(first)s, %(last)s, interval '1 hour') AS expected (start)
LEFT JOIN metrics_period hour ON hour.period_type = 'hour' AND hour.period_start = expected.start
WHERE hour.id IS NULL OR hour.sealed_at IS NULL AND (
    expected.start >= %(again_from)s OR hour.aggregated_at < expected.start + %(settled_after)s
    OR %(with_gaps)s AND hour.gaps <> '{}'
)
ORDER BY expected.start DESC
"""

# The running hour changes each minute, and today is not added up for that alone.
DAYS = """
SELECT hours.day
FROM (
    SELECT date_trunc('day', period_start, 'UTC') AS day, count(*) AS counted, count(sealed_at) AS final,
        max(aggregated_at) FILTER (WHERE period_start < %(running)s) AS last_counted_at
    FROM metrics_period
    WHERE period_type = 'hour' AND period_start >= %(oldest)s
    GROUP BY 1
) hours
LEFT JOIN metrics_period day ON day.period_type = 'day' AND day.period_start = hours.day
WHERE day.id IS NULL OR day.sealed_at IS NULL AND (
    day.hours < hours.counted OR hours.final = 24 OR day.aggregated_at < hours.last_counted_at + %(surely_seen)s
)
ORDER BY hours.day DESC
"""


def hours_to_count(now: datetime) -> list[datetime]:
    """The newest first: the running hour, those before it that late events may belong to, and what is missing."""
    again = limits().hours_counted_again * HOUR
    running = Grain.HOUR.floor(now)
    return _hours(now, last=running, again_from=running - again, settled_after=again, with_gaps=True)


def missing_hours(now: datetime) -> list[datetime]:
    """The newest first: the running hour, one that ended just now, and those not counted since they ended."""
    running = Grain.HOUR.floor(now)
    again_from = running - HOUR if now - running < ENDED_JUST_NOW else running
    return _hours(now, last=running, again_from=again_from, settled_after=HOUR, with_gaps=False)


def hours_to_seal(now: datetime, *, before: datetime) -> list[datetime]:
    """The oldest first: all that began before this hour and are not final, whether they were counted or not."""
    every = {"again_from": oldest_day(now, limits()), "settled_after": HOUR, "with_gaps": True}
    return _hours(now, last=before - HOUR, **every)[::-1]


def days_to_count(now: datetime) -> list[datetime]:
    """The newest first: every day that is not final and says less than its hours do, today's among them."""
    given = {
        "running": Grain.HOUR.floor(now),
        "oldest": oldest_day(now, limits()),
        "surely_seen": SURELY_SEEN,
    }
    return _starts(DAYS, given)


def _hours(now: datetime, **given: Any) -> list[datetime]:
    return _starts(HOURS, {"first": first_hour(now), **given})


def first_hour(now: datetime) -> datetime:
    """Where history begins, at the beginning of a day, so that no day lacks hours; no earlier than it is kept.

    An hour of earlier is known only for an event that came months late, and says nothing of those between. Events
    that are older than everything counted are looked for only while history is younger than that: from then on,
    what the index on their times remembers of events long gone would have all of them read.
    """
    oldest = oldest_day(now, limits())
    kept = Period.objects.filter(period_type=PeriodType.HOUR, period_start__gte=oldest)
    counted = kept.aggregate(first=Min("period_start"))["first"]
    if counted and counted < oldest + DAY:
        return oldest
    events = PipelineEvent.objects.filter(timestamp__gte=oldest, timestamp__lt=counted or now)
    begins = events.aggregate(first=Min("timestamp"))["first"] or counted
    begins = begins or Organization.objects.aggregate(first=Min("created_at"))["first"] or now
    return max(oldest, Grain.DAY.floor(min(begins, now)))


def _starts(statement: str, given: dict[str, Any]) -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [start for (start,) in cursor.fetchall()]
