"""All that the page shows, asked for once: as many queries for 500 clubs as for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from metrics import queries
from metrics.dashboard.asked import Asked
from metrics.figures import ClubFigures, Figures, History, MinutePoint, PromptFigures, SourceFigures, StageFigures
from metrics.limits import HOUR, MINUTE, limits
from metrics.models import END_TO_END, CounterType
from metrics.windows import Grain, Span, moment_words

LIVE_MINUTES = 60


@dataclass(frozen=True)
class Step:
    """One minute, hour or day of the charts; without figures nobody has counted it."""

    start: datetime
    end: datetime
    is_running: bool = False
    is_incomplete: bool = False
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
    grain: Grain  # of the steps
    counted: Figures
    steps: Sequence[Step]
    span: Span  # of history
    history: Figures
    known_from: datetime | None
    stages: Sequence[StageFigures]
    sources: Sequence[SourceFigures]
    prompts: Sequence[PromptFigures]
    clubs: Sequence[ClubFigures]
    change: Change | None

    @property
    def is_live(self) -> bool:
        return self.grain is Grain.MINUTE

    @property
    def span_words(self) -> str:
        return f"since {moment_words(self.span.start, self.asked.now)}" if self.is_live else self.asked.short_words

    @property
    def begins_late(self) -> str:
        """From when on something is known, where that is not from the beginning."""
        if self.is_live or self.known_from is None or self.known_from <= self.span.start:
            return ""
        return moment_words(self.known_from, self.asked.now)

    @property
    def end_to_end(self) -> StageFigures:
        return _whole_way(self.stages)

    @property
    def is_empty(self) -> bool:
        """Nothing was received, ended or cost anything in all of this time."""
        nothing = (self.counted, self.history) == (Figures(), Figures(has_gaps=self.history.has_gaps))
        return nothing and not any(each.attempts or each.completed for each in self.stages)


def load(asked: Asked) -> Loaded:
    span, club, now = span_of_history(asked), asked.club, asked.now
    history = queries.get_historical_metrics(None, span.start, span.end, club, now=now)
    stages = queries.get_stage_breakdown(span.start, span.end, club, now=now)
    is_live = asked.window.grain is Grain.MINUTE
    minutes = _minutes(asked) if is_live else []
    return Loaded(
        asked=asked,
        grain=Grain.MINUTE if is_live else Grain(history.period_type),
        counted=_counted(minutes[-LIVE_MINUTES:]) if is_live else history.total,
        steps=_steps_of_minutes(minutes[-LIVE_MINUTES:], now) if is_live else _steps(history),
        span=span,
        history=history.total,
        known_from=history.known_from,
        stages=stages,
        sources=queries.get_source_breakdown(span.start, span.end, club, now=now),
        prompts=queries.get_prompt_breakdown(span.start, span.end, club, now=now),
        clubs=() if club else queries.get_org_breakdown(span.start, span.end, now=now),
        change=_change(asked, minutes, history) if asked.compares else None,
    )


def span_of_history(asked: Asked) -> Span:
    """The window, or for live figures the hours that it lies in."""
    window = asked.window
    if window.grain is not Grain.MINUTE:
        return window
    return Span(Grain.HOUR.floor(window.start), Grain.HOUR.floor(asked.now) + HOUR)


def _minutes(asked: Asked) -> Sequence[MinutePoint]:
    """Those of the window, and those before it where they are asked for, from one query."""
    start = asked.window.start - asked.window.length if asked.compares else asked.window.start
    return queries.get_minute_metrics(start, asked.window.end, asked.club)


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


def _steps_of_minutes(minutes: Sequence[MinutePoint], now: datetime) -> list[Step]:
    return [
        Step(each.start, each.start + MINUTE, is_running=each.start + MINUTE > now, figures=_counted([each]))
        for each in minutes
    ]


def _steps(history: History) -> list[Step]:
    length = Grain(history.period_type).length
    return [
        Step(
            point.start,
            point.start + length,
            is_running=point.is_running,
            is_incomplete=point.is_incomplete,
            figures=None if point.is_missing else point.figures,
            stages=point.stages,
        )
        for point in history.points
    ]


def _change(asked: Asked, minutes: Sequence[MinutePoint], history: History) -> Change:
    comparison = asked.window.comparison(asked.now, limits())
    part, before = comparison.complete_part, comparison.before
    if part is None or before is None:
        return Change(comparison.words)
    if minutes:
        pair = Whole(_counted(minutes[-LIVE_MINUTES:])), Whole(_counted(minutes[:-LIVE_MINUTES]))
        return Change(comparison.words, *pair)
    total = queries.get_historical_metrics(None, before.start, before.end, asked.club, now=asked.now).total
    return Change(
        comparison.words,
        Whole(
            _added([each.figures for each in history.points if part.start <= each.start < part.end]), _way(part, asked)
        ),
        Whole(total, _way(before, asked)),
    )


def _added(figures: Sequence[Figures]) -> Figures:
    numbers = [field.name for field in fields(Figures) if field.name != "has_gaps"]
    return Figures(**{name: sum(getattr(each, name) for each in figures) for name in numbers})


def _way(span: Span, asked: Asked) -> StageFigures:
    return _whole_way(queries.get_stage_breakdown(span.start, span.end, asked.club, now=asked.now))


def _whole_way(stages: Sequence[StageFigures]) -> StageFigures:
    return next((each for each in stages if each.stage == END_TO_END), StageFigures(stage=END_TO_END))
