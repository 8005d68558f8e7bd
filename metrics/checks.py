"""System checks: limits under which figures would be lost."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error

from metrics.limits import DAY, HOUR, limits

# Who writes an event of the last three hours asks nobody whether its hour is final (migration 0004), so none of them
# may be by far; and hours are counted again for some time.
SHORTEST_EVENTS = 6 * HOUR
SHORTEST_HOURS = 2 * DAY


def check_limits(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Limits that contradict each other or that nobody knows."""
    try:
        how = limits()
    except (TypeError, ValueError, OverflowError) as error:
        return [Error(str(error), hint="See metrics/limits.py for the names.", id="metrics.E001")]
    wrong = []
    if how.events_kept < max(SHORTEST_EVENTS, (how.hours_counted_again + 1) * HOUR):
        wrong.append("events_kept must be 6 hours or more, and longer than hours_counted_again.")
    if how.hours_kept < max(SHORTEST_HOURS, how.events_kept + DAY):
        wrong.append("hours_kept must be 2 days or more, and a day longer than events_kept.")
    if how.days_kept < how.hours_kept:
        wrong.append("days_kept must be as long as hours_kept or longer.")
    if how.hours_counted_again < 1 or how.deleted_at_once < 1:
        wrong.append("hours_counted_again and deleted_at_once must be 1 or more.")
    if min(how.job_runs_kept, how.counters_folded_after) < timedelta(0):
        wrong.append("job_runs_kept and counters_folded_after cannot be negative.")
    return [Error(text, hint="Change METRICS in the settings.", id="metrics.E002") for text in wrong]
