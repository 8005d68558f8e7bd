"""Writing history: one hour from its events, one day from its hours, each in one transaction."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Aggregated:
    """What was written; `busy`: somebody else is at this period, `refused`: it is final."""

    period_start: datetime
    events: int = 0
    rows: int = 0
    hours: int | None = None  # of a day: of how many of its hours
    gaps: list[int] = field(default_factory=list)  # clubs that could not be counted; Period.NO_CLUB for none
    busy: bool = False
    refused: bool = False


def aggregate_hourly_metrics(hour: datetime, *, seal: bool = False) -> Aggregated:
    """Count this UTC hour's events into the rows of the platform and of every club, instead of what they said."""
    raise NotImplementedError


def aggregate_daily_metrics(day: datetime) -> Aggregated:
    """Add up this UTC day's hours into the rows of the platform and of every club, instead of what they said."""
    raise NotImplementedError
