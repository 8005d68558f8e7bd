"""What history says of a span of time: sums, and the rates and averages that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from metrics.models import CounterType

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

F = TypeVar("F", bound="DataclassInstance")


def safe_divide(part: float | Decimal, whole: float) -> float | None:
    """A rate over nothing is not known."""
    return float(part) / float(whole) if whole else None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The sums of `MetricsSnapshot` over a span, by the same names."""

    artifacts_received: int = 0
    artifacts_completed: int = 0
    artifacts_failed: int = 0
    artifacts_no_speech: int = 0
    transcript_confidence: float = 0
    transcripts_with_confidence: int = 0
    claim_confidence: float = 0
    notes_with_claim_confidence: int = 0
    claims: int = 0
    notes_with_claim_count: int = 0
    claims_unsupported: int = 0
    entities: int = 0
    entities_auto_resolved: int = 0
    entities_user_resolved: int = 0
    entities_unresolved: int = 0
    disambiguations: int = 0
    drafts: int = 0
    drafts_automatic: int = 0
    drafts_confirmed: int = 0
    drafts_rejected: int = 0
    drafts_undone: int = 0
    retries: int = 0
    retries_succeeded: int = 0
    retries_failed: int = 0
    ai_cost: Decimal = Decimal(0)
    ai_calls: int = 0
    ai_calls_unpriced: int = 0
    has_gaps: bool = False

    @property
    def failure_rate(self) -> float | None:
        return safe_divide(self.artifacts_failed, self.artifacts_completed + self.artifacts_failed)

    @property
    def average_transcript_confidence(self) -> float | None:
        return safe_divide(self.transcript_confidence, self.transcripts_with_confidence)

    @property
    def average_claim_confidence(self) -> float | None:
        return safe_divide(self.claim_confidence, self.notes_with_claim_confidence)

    @property
    def claims_per_note(self) -> float | None:
        return safe_divide(self.claims, self.notes_with_claim_count)

    @property
    def unsupported_rate(self) -> float | None:
        return safe_divide(self.claims_unsupported, self.claims)

    @property
    def auto_resolution_rate(self) -> float | None:
        return safe_divide(self.entities_auto_resolved, self.entities)

    @property
    def disambiguation_rate(self) -> float | None:
        return safe_divide(self.disambiguations, self.entities)

    @property
    def retry_success_rate(self) -> float | None:
        return safe_divide(self.retries_succeeded, self.retries_succeeded + self.retries_failed)

    @property
    def ai_cost_per_note(self) -> float | None:
        return safe_divide(self.ai_cost, self.artifacts_completed)


@dataclass(frozen=True, kw_only=True)
class StageFigures:
    """The sums of `StageSnapshot` over a span, and the percentiles of all its durations together."""

    stage: str
    attempts: int = 0
    completed: int = 0
    failed: int = 0
    timed: int = 0
    total_ms: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None

    @property
    def average_ms(self) -> float | None:
        return safe_divide(self.total_ms, self.timed)

    @property
    def failure_rate(self) -> float | None:
        """Of what ended for good; tries that will be repeated are not among the failures."""
        return safe_divide(self.failed, self.completed + self.failed)


@dataclass(frozen=True, kw_only=True)
class SourceFigures:
    """The sums of `SourceSnapshot` over a span."""

    source_channel: str
    artifacts_received: int = 0
    artifacts_completed: int = 0
    artifacts_failed: int = 0
    artifacts_no_speech: int = 0
    timed: int = 0
    total_ms: int = 0

    @property
    def average_ms(self) -> float | None:
        return safe_divide(self.total_ms, self.timed)

    @property
    def failure_rate(self) -> float | None:
        return safe_divide(self.artifacts_failed, self.artifacts_completed + self.artifacts_failed)


@dataclass(frozen=True, kw_only=True)
class PromptFigures:
    """The sums of `PromptSnapshot` over a span."""

    prompt_version: str
    completed: int = 0
    failed: int = 0
    claims: int = 0
    notes_with_claim_count: int = 0
    claims_unsupported: int = 0
    claim_confidence: float = 0
    notes_with_claim_confidence: int = 0
    drafts_confirmed: int = 0
    drafts_confirmed_automatically: int = 0
    drafts_rejected: int = 0
    drafts_undone: int = 0
    ai_cost: Decimal = Decimal(0)
    ai_calls: int = 0
    ai_calls_unpriced: int = 0

    @property
    def claims_per_note(self) -> float | None:
        return safe_divide(self.claims, self.notes_with_claim_count)

    @property
    def unsupported_rate(self) -> float | None:
        return safe_divide(self.claims_unsupported, self.claims)

    @property
    def average_claim_confidence(self) -> float | None:
        return safe_divide(self.claim_confidence, self.notes_with_claim_confidence)

    @property
    def rejection_rate(self) -> float | None:
        return safe_divide(self.drafts_rejected, self.drafts_confirmed + self.drafts_rejected)

    @property
    def ai_cost_per_note(self) -> float | None:
        return safe_divide(self.ai_cost, self.completed)


@dataclass(frozen=True, kw_only=True)
class ClubFigures:
    """One line of the table of clubs; the last one is what belongs to no club."""

    organization_id: int | None
    name: str
    figures: Figures
    end_to_end: StageFigures


@dataclass(frozen=True, kw_only=True)
class Point:
    """One hour or day of a chart."""

    start: datetime
    figures: Figures
    stages: Mapping[str, StageFigures] = field(default_factory=dict)  # by stage, END_TO_END among them
    is_running: bool = False  # it is not over
    is_missing: bool = False  # nothing of it has been counted: a gap, not zero
    is_incomplete: bool = False  # some of what is over of it has not been counted


@dataclass(frozen=True, kw_only=True)
class History:
    """A span in its hours or days, and all of it together."""

    period_type: str
    start: datetime
    end: datetime
    points: Sequence[Point]
    total: Figures
    is_partial: bool  # its last period is not over, or an hour or day of it has not been counted

    @property
    def known_from(self) -> datetime | None:
        """Where the first hour or day begins of which something is known."""
        return next((point.start for point in self.points if not point.is_missing), None)


@dataclass(frozen=True, kw_only=True)
class LiveMetrics:
    """The 60 whole minutes that end now; what nobody counted is 0."""

    start: datetime
    end: datetime
    values: Mapping[CounterType, Decimal]

    def __getitem__(self, counter_type: CounterType) -> Decimal:
        return self.values.get(counter_type, Decimal(0))


@dataclass(frozen=True, kw_only=True)
class MinutePoint:
    """One minute of a chart of live figures; what nobody counted is 0."""

    start: datetime
    values: Mapping[CounterType, Decimal]

    def __getitem__(self, counter_type: CounterType) -> Decimal:
        return self.values.get(counter_type, Decimal(0))


def figures_of(kind: type[F], row: Mapping[str, Any]) -> F:
    """These figures of a row, the defaults for what it lacks and for what is NULL."""
    return kind(**{each.name: row[each.name] for each in fields(kind) if row.get(each.name) is not None})
