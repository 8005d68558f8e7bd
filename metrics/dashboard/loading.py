"""All that the page shows, asked for once: as many queries for 500 clubs as for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from metrics import queries
from metrics.dashboard.asked import Asked
from metrics.figures import ClubFigures, Figures, History, MinutePoint, PromptFigures, SourceFigures, StageFigures
from metrics.history_rows import Known
from metrics.limits import HOUR, MINUTE, limits
from metrics.models import END_TO_END, CounterType
from metrics.windows import Comparison, Grain, Span, moment_words
from voicepipeline.models import Organization

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
    """Each part is asked for when it is first needed, and once.

    Live figures know only how many and what it cost: then `history` is of a longer span than `counted`.
    """

    asked: Asked

    @cached_property
    def span(self) -> Span:
        """Of history: the window, or for live figures the hours that it lies in."""
        window = self.asked.window
        if not self.is_live:
            return window
        return Span(Grain.HOUR.floor(window.start), Grain.HOUR.floor(self.asked.now) + HOUR)

    @property
    def is_live(self) -> bool:
        return self.asked.window.grain is Grain.MINUTE

    @property
    def grain(self) -> Grain:
        """Of the steps."""
        return Grain.MINUTE if self.is_live else Grain(self._history.period_type)

    @property
    def counted(self) -> Figures:
        return _counted(self._minutes[-LIVE_MINUTES:]) if self.is_live else self.history

    @cached_property
    def steps(self) -> Sequence[Step]:
        if self.is_live:
            return _steps_of_minutes(self._minutes[-LIVE_MINUTES:], self.asked.now)
        return _steps(self._history)

    @property
    def history(self) -> Figures:
        return self._history.total

    @property
    def known_from(self) -> datetime | None:
        return self._history.known_from

    @cached_property
    def stages(self) -> Sequence[StageFigures]:
        return queries.get_stage_breakdown(*self._whose, known=self._known)

    @cached_property
    def sources(self) -> Sequence[SourceFigures]:
        return queries.get_source_breakdown(*self._whose, known=self._known)

    @cached_property
    def prompts(self) -> Sequence[PromptFigures]:
        return queries.get_prompt_breakdown(*self._whose, known=self._known)

    @cached_property
    def clubs(self) -> Sequence[ClubFigures]:
        """By far the dearest: of 500 clubs and 90 days 45,000 histograms."""
        if self.asked.club:
            return ()
        return queries.get_org_breakdown(self.span.start, self.span.end, known=self._known)

    @cached_property
    def change(self) -> Change | None:
        """What of the window is over against the time before it, where that is asked for."""
        if self._comparison is None:
            return None
        words, part, before = self._comparison.words, self._comparison.complete_part, self._comparison.before
        if part is None or before is None:
            return Change(words)
        if self.is_live:
            now, then = _counted(self._minutes[-LIVE_MINUTES:]), _counted(self._minutes[:-LIVE_MINUTES])
            return Change(words, Whole(now), Whole(then))
        points = [each.figures for each in self._history.points if part.start <= each.start < part.end]
        total = queries.get_total(before.start, before.end, self.asked.club, known=self._known)
        return Change(words, Whole(_added(points), self._way(part)), Whole(total, self._way(before)))

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

    @property
    def _whose(self) -> tuple[datetime, datetime, Organization | None]:
        return self.span.start, self.span.end, self.asked.club

    @cached_property
    def _comparison(self) -> Comparison | None:
        return self.asked.window.comparison(self.asked.now, limits()) if self.asked.compares else None

    @cached_property
    def _known(self) -> Known:
        """Of the time before, too, where it is compared."""
        before = self._comparison.before if self._comparison and not self.is_live else None
        start = before.start if before else self.span.start
        return Known.of(start, self.span.end, self.asked.club, now=self.asked.now)

    @cached_property
    def _history(self) -> History:
        return queries.get_historical_metrics(None, *self._whose, known=self._known)

    @cached_property
    def _minutes(self) -> Sequence[MinutePoint]:
        """Those of the window, and those before it where they are asked for, from one query."""
        window = self.asked.window
        start = window.start - window.length if self.asked.compares else window.start
        return queries.get_minute_metrics(start, window.end, self.asked.club)

    def _way(self, span: Span) -> StageFigures:
        return _whole_way(queries.get_stage_breakdown(span.start, span.end, self.asked.club, known=self._known))


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


def _added(figures: Sequence[Figures]) -> Figures:
    numbers = [field.name for field in fields(Figures) if field.name != "has_gaps"]
    return Figures(**{name: sum(getattr(each, name) for each in figures) for name in numbers})


def _whole_way(stages: Sequence[StageFigures]) -> StageFigures:
    return next((each for each in stages if each.stage == END_TO_END), StageFigures(stage=END_TO_END))
