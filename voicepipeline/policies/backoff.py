"""How long to wait before a stage is tried again, and how often."""

from collections.abc import Callable
from datetime import timedelta

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=15)
# A provider that asks for more than this is not believed.
LONGEST_RETRY_AFTER = timedelta(hours=24)
JITTER = 0.25


def retry_delay(
    failures: int,
    *,
    retry_after: timedelta | None,
    jitter: Callable[[float, float], float],
    first: timedelta = FIRST_DELAY,
    longest: timedelta = LONGEST_DELAY,
) -> timedelta:
    """The pause after this many failures in a row: doubling, spread, and never shorter than the provider asked."""
    doubled = min(first * (1 << min(failures - 1, 20)), longest)
    spread = min(doubled * (1 + jitter(-JITTER, JITTER)), longest)
    return max(spread, min(retry_after or timedelta(), LONGEST_RETRY_AFTER))
