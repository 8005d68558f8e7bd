"""All that the page shows, asked for once: as many queries for 500 clubs as for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metrics import queries
from metrics.dashboard.asked import Asked
from metrics.figures import ClubFigures, Figures, MinutePoint, Point, PromptFigures, SourceFigures, StageFigures
from metrics.limits import HOUR, MINUTE, limits
from metrics.models import END_TO_END, CounterType
from metrics.windows import Grain, Span, moment_words
from voicepipeline.models import Organization

LIVE_MINUTES = 60


@dataclass(frozen=True)
class Step:
    """One minute, hour or day of the charts; without figures nobody has counted it."""

    start: datetime
    end: datetime
    is_running: bool = False
    figures: Figures | None = None
    stages: Mapping[str, StageFigures] | None = None

    def stage(self, name: str) -> StageFigures | None:
        return (self.stages or {}).get(name)


@dataclass(frozen=True)
class Whole:
    """A span as one: its sums, and its times from receipt to ready where they are known."""

    figures: Figures
    end_to_end: StageFigures | None = None


@dataclass(frozen=True)
class Change:
    """What of the window is over and the time before it; without them the words say why there is no comparison."""

    words: str
    part: Whole | None = None
    before: Whole | None = None


@dataclass(frozen=True)
class Loaded:
    """Live figures know only how many and what it cost: then `history` is of a longer span than `counted`."""

    asked: Asked
    counted: Figures
    steps: Sequence[Step]
    span: Span  # of history
    history: Figures
    stages: Sequence[StageFigures]
    sources: Sequence[SourceFigures]
    prompts: Sequence[PromptFigures]
    clubs: Sequence[ClubFigures]
    change: Change | None

    @property
    def is_live(self) -> bool:
        return self.asked.window.grain is Grain.MINUTE

    @property
    def span_words(self) -> str:
        return f"since {moment_words(self.span.start, self.asked.now)}" if self.is_live else self.asked.words

    @property
    def end_to_end(self) -> StageFigures:
        return _whole_way(self.stages)

    @property
    def is_empty(self) -> bool:
        """Nothing was received, ended or cost anything in all of this time."""
        nothing = (self.counted, self.history) == (Figures(), Figures(has_gaps=self.history.has_gaps))
        return nothing and not any(each.attempts or each.completed for each in self.stages)


def load(asked: Asked) -> Loaded:
    span, club = span_of_history(asked), asked.club
    history = queries.get_historical_metrics(None, span.start, span.end, club)
    if asked.window.grain is Grain.MINUTE:
        counted, steps, change = _live(asked)
    else:
        counted, steps, change = history.total, _steps(asked, history.points), _change(asked)
    return Loaded(
        asked=asked,
        counted=counted,
        steps=steps,
        span=span,
        history=history.total,
        stages=queries.get_stage_breakdown(span.start, span.end, club),
        sources=queries.get_source_breakdown(span.start, span.end, club),
        prompts=queries.get_prompt_breakdown(span.start, span.end, club),
        clubs=() if club else queries.get_org_breakdown(span.start, span.end),
        change=change if asked.compares else None,
    )


def span_of_history(asked: Asked) -> Span:
    """The window, or for live figures the hours that it lies in."""
    window = asked.window
    if window.grain is not Grain.MINUTE:
        return window
    return Span(Grain.HOUR.floor(window.start), Grain.HOUR.floor(asked.now) + HOUR)


def _live(asked: Asked) -> tuple[Figures, list[Step], Change | None]:
    """The last 60 minutes, and those before them from the same query."""
    window, now = asked.window, asked.now
    comparison = window.comparison(now, limits())
    start = comparison.before.start if asked.compares and comparison.before else window.start
    minutes = queries.get_minute_metrics(start, window.end, asked.club)
    before, last = minutes[:-LIVE_MINUTES], minutes[-LIVE_MINUTES:]
    counted = _counted(last)
    change = Change(comparison.words, Whole(counted), Whole(_counted(before))) if before else None
    steps = [
        Step(each.start, each.start + MINUTE, is_running=each.start + MINUTE > now, figures=_counted([each]))
        for each in last
    ]
    return counted, steps, change


def _counted(minutes: Sequence[MinutePoint]) -> Figures:
    def total(counter_type: CounterType) -> Decimal:
        return sum((minute[counter_type] for minute in minutes), Decimal(0))

    return Figures(
        artifacts_received=int(total(CounterType.ARTIFACTS_RECEIVED)),
        artifacts_completed=int(total(CounterType.ARTIFACTS_COMPLETED)),
        artifacts_failed=int(total(CounterType.ARTIFACTS_FAILED)),
        retries=int(total(CounterType.RETRIES)),
        ai_cost=total(CounterType.AI_COST),
    )


def _steps(asked: Asked, points: Sequence[Point]) -> list[Step]:
    """Every hour or day of the window up to now; those that history does not have are holes."""
    window, known = asked.window, {point.start: point for point in points}
    steps, start, length = [], window.start, window.grain.length
    while start < min(window.end, asked.now):
        point, end = known.get(start), start + length
        running = start <= asked.now < end
        steps.append(
            Step(start, end, running, point.figures, point.stages) if point else Step(start, end, is_running=running)
        )
        start = end
    return steps


def _change(asked: Asked) -> Change | None:
    if not asked.compares:
        return None
    comparison = asked.window.comparison(asked.now, limits())
    if comparison.complete_part is None or comparison.before is None:
        return Change(comparison.words)
    return Change(comparison.words, _whole(comparison.complete_part, asked.club), _whole(comparison.before, asked.club))


def _whole(span: Span, club: Organization | None) -> Whole:
    total = queries.get_historical_metrics(None, span.start, span.end, club).total
    return Whole(total, _whole_way(queries.get_stage_breakdown(span.start, span.end, club)))


def _whole_way(stages: Sequence[StageFigures]) -> StageFigures:
    return next((each for each in stages if each.stage == END_TO_END), StageFigures(stage=END_TO_END))
