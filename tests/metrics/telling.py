"""What the tests of jobs, commands and retention share: a history to work on, and what keeps it from being counted."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from metrics.models import MetricsSnapshot, Period
from tests.metrics.factories import hour, make_snapshot
from voicepipeline.events import NewEvent, log_events

# A moment in the middle of an hour and of a day, long ago.
NOW = datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def tell(*moments, event_type="artifact_received", **fields):
    return log_events([NewEvent(event_type=event_type, timestamp=moment, **fields) for moment in moments], strict=True)


def break_the_counting_of(*starts):
    """As if the database could not do it; who counts them gets an error."""
    moments = ", ".join(f"'{start:%Y-%m-%d %H:%M}+00'" for start in starts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE metrics_period ADD CONSTRAINT broken CHECK (period_start NOT IN ({moments})) NOT VALID"
        )


def break_the_counting_of_five():
    """As if there were numbers too large for the database, at a club with five notes in an hour."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or the table cannot be changed
        cursor.execute("ALTER TABLE metrics_metricssnapshot ADD CONSTRAINT broken CHECK (artifacts_received < 5)")


def figures():
    """All that history says, without when it was written."""
    columns = ("period_type", "period_start", "organization", "artifacts_received")
    return sorted(MetricsSnapshot.objects.values_list(*columns), key=str)


def make_hours(first, end, **fields):
    """Empty hours of the platform, all counted."""
    starts = [first + number * HOUR for number in range((end - first) // HOUR)]
    fields = {"period_type": "hour", "aggregated_at": timezone.now(), "events": 0, **fields}
    Period.objects.bulk_create(Period(period_start=start, **fields) for start in starts)
    MetricsSnapshot.objects.bulk_create(MetricsSnapshot(period_type="hour", period_start=start) for start in starts)


def history_until(now):
    """A history of since yesterday that lacks nothing but what is running, so that a run is a short one."""
    today = hour(now).replace(hour=0)
    make_hours(today - DAY, hour(now))
    make_snapshot("day", today - DAY)
