"""Every interval and limit of the metrics, as the settings have them."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from voicepipeline.configuration import changed_limits

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# The page compares the last hour with the one before.
COUNTERS_KEPT = 2 * HOUR


@dataclass(frozen=True)
class Limits:
    # An event may commit after its hour: so many of the last hours are counted again by each run.
    hours_counted_again: int = 3
    events_kept: timedelta = timedelta(hours=48)
    hours_kept: timedelta = timedelta(days=7)
    days_kept: timedelta = timedelta(days=90)
    job_runs_kept: timedelta = timedelta(days=14)
    # Minutes older than this have their live figures added up into one row each.
    counters_folded_after: timedelta = timedelta(minutes=5)
    deleted_at_once: int = 5_000


def limits() -> Limits:
    """The limits now: the defaults above, changed where METRICS in the settings says so, durations in seconds."""
    return changed_limits("METRICS", Limits, settings.METRICS)
