from metrics.models.counters import Counter, CounterType
from metrics.models.jobs import JobRun
from metrics.models.periods import Period, PeriodType, RefusedEvent
from metrics.models.snapshots import END_TO_END, MetricsSnapshot, PromptSnapshot, SourceSnapshot, StageSnapshot

__all__ = [
    "END_TO_END",
    "Counter",
    "CounterType",
    "JobRun",
    "MetricsSnapshot",
    "Period",
    "PeriodType",
    "PromptSnapshot",
    "RefusedEvent",
    "SourceSnapshot",
    "StageSnapshot",
]
