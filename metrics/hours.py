"""One hour of the history, counted from its events."""

from datetime import datetime

from metrics.periods import Aggregated


def aggregate_hourly_metrics(hour: datetime, *, seal: bool = False) -> Aggregated:
    """Count this UTC hour's events into the rows of the platform and of every club, instead of what they said."""
    raise NotImplementedError
