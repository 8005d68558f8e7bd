"""System checks: limits under which figures would be lost."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error

from metrics.limits import DAY, HOUR, Limits, limits

# Who writes an event of the last three hours asks nobody whether its hour is final (migration 0004), so none of them
# may be by far; and hours are counted again for some time.
SHORTEST_EVENTS = 6 * HOUR
SHORTEST_HOURS = 2 * DAY
# No calendar goes back by more than some thousands of years.
LONGEST = 36_500 * DAY
MOST = 1_000_000


def check_limits(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Limits that contradict each other, that nobody knows or that no date can be reckoned with."""
    try:
        how = limits()
    except (TypeError, ValueError, OverflowError) as error:
        return [Error(str(error), hint="See metrics/limits.py for the names.", id="metrics.E001")]
    wrong = [*_out_of_bounds(how)] or [*_contradictions(how)]
    return [Error(text, hint="Change METRICS in the settings.", id="metrics.E002") for text in wrong]


def _out_of_bounds(how: Limits) -> Iterator[str]:
    for name, value in asdict(how).items():
        if isinstance(value, timedelta) and not timedelta(0) <= value <= LONGEST:
            yield f"{name} cannot be negative or longer than {LONGEST // DAY:,} days."
        elif isinstance(value, int) and not 1 <= value <= MOST:
            yield f"{name} must be 1 or more, and {MOST:,} at most."


def _contradictions(how: Limits) -> Iterator[str]:
    if how.events_kept < max(SHORTEST_EVENTS, (how.hours_counted_again + 1) * HOUR):
        yield "events_kept must be 6 hours or more, and longer than hours_counted_again."
    if how.hours_kept < max(SHORTEST_HOURS, how.events_kept + DAY):
        yield "hours_kept must be 2 days or more, and a day longer than events_kept."
    if how.days_kept < how.hours_kept:
        yield "days_kept must be as long as hours_kept or longer."
