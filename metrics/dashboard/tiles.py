"""The figures at the top of the page: each with its window, its rows, and what became of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metrics.dashboard import words
from metrics.dashboard.loading import Loaded, Whole
from metrics.dashboard.words import Unit
from metrics.links import Link, counter_link, figure_link
from metrics.models import CounterType

LIVE = {
    "artifacts_received": CounterType.ARTIFACTS_RECEIVED,
    "artifacts_completed": CounterType.ARTIFACTS_COMPLETED,
    "artifacts_failed": CounterType.ARTIFACTS_FAILED,
    "retries": CounterType.RETRIES,
    "ai_cost": CounterType.AI_COST,
}


@dataclass(frozen=True)
class Number:
    """One figure, and where what it counts is listed."""

    words: str
    label: str = ""
    link: Link | None = None


@dataclass(frozen=True)
class Tile:
    title: str
    main: Number
    more: tuple[Number, ...] = ()
    change: tuple[str, ...] = ()
    window: str = ""
    caution: str = ""


def tiles_of(loaded: Loaded) -> list[Tile]:
    make = _Maker(loaded)
    return [
        make.received(),
        make.ready(),
        make.failed(),
        make.end_to_end(),
        make.cost(),
        make.names(),
        make.entries(),
        make.retries(),
    ]


@dataclass(frozen=True)
class _Maker:
    """What is counted by the minute is taken from there, all else from history."""

    loaded: Loaded

    def received(self) -> Tile:
        received = self._counted("artifacts_received")
        return self._tile("Received", received, change=self._changes("", words.NUMBER, "artifacts_received"))

    def ready(self) -> Tile:
        more = (self._of_history("artifacts_no_speech", "without speech"),) if not self.loaded.is_live else ()
        changes = self._changes("", words.NUMBER, "artifacts_completed")
        return self._tile("Ready", self._counted("artifacts_completed"), *more, change=changes)

    def failed(self) -> Tile:
        share = Number(words.rate(self.loaded.counted.failure_rate), "of those that ended")
        changes = self._changes("", words.NUMBER, "artifacts_failed")
        rates = self._changes("Share", words.SHARE, "failure_rate")
        return self._tile("Failed", self._counted("artifacts_failed"), share, change=(*changes, *rates))

    def end_to_end(self) -> Tile:
        times = self.loaded.end_to_end
        link = self._link("artifacts_completed") if times.timed else None
        typical = Number(words.duration(times.p50_ms), "typical", link)
        slowest = Number(words.duration(times.p95_ms), "slowest 1 in 20", link)
        changes = (*self._times("Typical", "p50_ms"), *self._times("Slowest", "p95_ms"))
        return self._tile("From receipt to ready", typical, slowest, change=changes, is_history=True)

    def cost(self) -> Tile:
        counted, history = self.loaded.counted, self.loaded.history
        total = Number(words.money(counted.ai_cost), "", self._counted_link("ai_cost"))
        per_note = Number(words.money(counted.ai_cost_per_note), "for each that became ready")
        changes = self._changes("", words.MONEY, "ai_cost")
        since = f"{_capital(self.loaded.span_words)}: " if self.loaded.is_live and history.ai_calls_unpriced else ""
        caution = f"{since}{words.unpriced(history.ai_calls_unpriced)}"
        return self._tile("AI cost", total, per_note, change=changes, caution=caution)

    def names(self) -> Tile:
        history = self.loaded.history
        matched = Number(
            words.rate(history.auto_resolution_rate), "matched automatically", self._link("entities", history.entities)
        )
        unclear = Number(
            words.rate(history.disambiguation_rate), "unclear", self._link("disambiguations", history.entities)
        )
        changes = (
            *self._changes("Matched", words.SHARE, "auto_resolution_rate", is_live=False),
            *self._changes("Unclear", words.SHARE, "disambiguation_rate", is_live=False),
        )
        return self._tile("Names", matched, unclear, change=changes, is_history=True)

    def entries(self) -> Tile:
        confirmed, rejected, undone = (
            self._of_history(name, label)
            for name, label in (
                ("drafts_confirmed", "confirmed"),
                ("drafts_rejected", "rejected"),
                ("drafts_undone", "taken back"),
            )
        )
        changes = self._changes("Confirmed", words.NUMBER, "drafts_confirmed", is_live=False)
        return self._tile("Suggested entries", confirmed, rejected, undone, change=changes, is_history=True)

    def retries(self) -> Tile:
        history = self.loaded.history
        since = f", {self.loaded.span_words}" if self.loaded.is_live else ""
        share = Number(words.rate(history.retry_success_rate), f"of those that ended were successful{since}")
        changes = self._changes("", words.NUMBER, "retries")
        return self._tile("Retries", self._counted("retries"), share, change=changes)

    # --- What tiles are made of ------------------------------------------------------------------------------------
    def _tile(self, title: str, main: Number, *more: Number, is_history: bool = False, **rest: Any) -> Tile:
        window = self.loaded.span_words if is_history else self.loaded.asked.short_words
        return Tile(title, main, more, window=window, **rest)

    def _counted(self, name: str) -> Number:
        return Number(words.count(getattr(self.loaded.counted, name)), "", self._counted_link(name))

    def _of_history(self, name: str, label: str) -> Number:
        value: int = getattr(self.loaded.history, name)
        return Number(words.count(value), label, self._link(name, value))

    def _counted_link(self, name: str) -> Link | None:
        if not getattr(self.loaded.counted, name):
            return None
        window = self.loaded.asked.window
        if self.loaded.is_live:
            return counter_link(LIVE[name], window.start, window.end, club=self._club)
        return self._link(name)

    def _link(self, name: str, value: float | Decimal = 1) -> Link | None:
        span = self.loaded.span
        if not value:
            return None
        return figure_link(name, span.start, span.end, now=self.loaded.asked.now, club=self._club)

    @property
    def _club(self) -> int | None:
        return self.loaded.asked.club.pk if self.loaded.asked.club else None

    def _changes(self, label: str, unit: Unit, name: str, *, is_live: bool = True) -> tuple[str, ...]:
        """What of the window is over against the time before it; live figures tell only what they count."""
        pair = self._pair() if is_live or not self.loaded.is_live else None
        if pair is None:
            return ()
        now, before = (_number(getattr(whole.figures, name)) for whole in pair)
        return (_told(label, words.change(unit, now, before)),)

    def _times(self, label: str, name: str) -> tuple[str, ...]:
        pair = self._pair()
        if pair is None or pair[0].end_to_end is None or pair[1].end_to_end is None:
            return ()
        return (_told(label, words.change(words.TIME, *(getattr(whole.end_to_end, name) for whole in pair))),)

    def _pair(self) -> tuple[Whole, Whole] | None:
        change = self.loaded.change
        return (change.part, change.before) if change and change.part and change.before else None


def _number(value: Decimal | float | None) -> float | None:
    return None if value is None else float(value)


def _told(label: str, change: str) -> str:
    return f"{label}: {change}" if label else _capital(change)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
