"""System checks: limits under which retries would never begin, or a bulk retry would never stop by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error

from retry.limits import Limits, limits
from voicepipeline.durations import in_words

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DURATIONS = {
    # Who makes a preview reads it first; one that is older says nothing of now.
    "preview_valid_for": (MINUTE, 30 * DAY),
    # A watchdog that does nothing else for longer lets what is dead lie about.
    "longest_step": (timedelta(milliseconds=100), MINUTE),
}
MOST = 1_000_000


def check_limits(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Limits that contradict each other, that nobody knows or that no date can be reckoned with."""
    try:
        how = limits()
    except (TypeError, ValueError, OverflowError) as error:
        return [Error(str(error), hint="See retry/limits.py for the names.", id="retry.E001")]
    wrong = [*_out_of_bounds(how)] or [*_contradictions(how)]
    return [Error(text, hint="Change RETRY in the settings.", id="retry.E002") for text in wrong]


def _out_of_bounds(how: Limits) -> Iterator[str]:
    for name, value in asdict(how).items():
        if isinstance(value, timedelta):
            shortest, longest = DURATIONS[name]
            if not shortest <= value <= longest:
                yield f"{name} must be {in_words(shortest)} or more, and {in_words(longest)} at most."
        elif name.endswith("_percent"):
            if not 1 <= value <= 100:
                yield f"{name} must be from 1 to 100."
        elif not 1 <= value <= MOST:
            yield f"{name} must be 1 or more, and {MOST:,} at most."


def _contradictions(how: Limits) -> Iterator[str]:
    if how.looked_back_at < how.tried_first:
        yield "looked_back_at must be as large as tried_first or larger: those that were tried first are looked at."
