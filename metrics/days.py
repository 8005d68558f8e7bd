"""One UTC day of the history, added up from its hours."""

from datetime import datetime

from metrics.periods import Aggregated


def aggregate_daily_metrics(day: datetime) -> Aggregated:
    """Add up this UTC day's hours into the rows of the platform and of every club, instead of what they said."""
    raise NotImplementedError
