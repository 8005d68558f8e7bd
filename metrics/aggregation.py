"""Writing history: one hour from its events, one day from its hours, each in one transaction."""

from metrics.days import aggregate_daily_metrics
from metrics.hours import aggregate_hourly_metrics
from metrics.periods import Aggregated

__all__ = ["Aggregated", "aggregate_daily_metrics", "aggregate_hourly_metrics"]
