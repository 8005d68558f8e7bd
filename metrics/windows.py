"""The windows of time that figures are shown for, in UTC, and what each is compared with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from metrics.limits import DAY, HOUR, MINUTE, Limits

CUSTOM = "custom"
DEFAULT = "24h"
# Longer windows are shown in days.
MOST_IN_HOURS = timedelta(days=7)

When = date | str | None  # a datetime is a date, too


class Grain(StrEnum):
    """What a window is divided into; the names are those of `PeriodType`, but for the live figures' minutes."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def length(self) -> timedelta:
        return {Grain.MINUTE: MINUTE, Grain.HOUR: HOUR, Grain.DAY: DAY}[self]

    def floor(self, moment: datetime) -> datetime:
        """The beginning of the one in which this moment lies."""
        whole = moment.astimezone(UTC).replace(second=0, microsecond=0)
        if self is Grain.MINUTE:
            return whole
        return whole.replace(minute=0) if self is Grain.HOUR else whole.replace(hour=0, minute=0)

    def ceiling(self, moment: datetime) -> datetime:
        """The end of the one in which this moment lies, or the moment itself where it divides two."""
        floor = self.floor(moment)
        return floor if floor == moment else floor + self.length


# How many of what, the running one included.
RANGES: dict[str, tuple[int, Grain]] = {
    "1h": (60, Grain.MINUTE),
    "6h": (6, Grain.HOUR),
    "24h": (24, Grain.HOUR),
    "7d": (7, Grain.DAY),
    "30d": (30, Grain.DAY),
    "90d": (90, Grain.DAY),
}
KEYS = (*RANGES, CUSTOM)


@dataclass(frozen=True)
class Span:
    """From a moment to just before another one."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class Comparison:
    """What of a window is over, and as much time directly before it; without spans the words say why there is none."""

    words: str
    complete_part: Span | None = None
    before: Span | None = None


@dataclass(frozen=True)
class Window(Span):
    """A span to show, in minutes, hours or days; it may end after now, with the period that is running."""

    start: datetime
    end: datetime
    key: str
    grain: Grain

    def is_running(self, now: datetime) -> bool:
        return now < self.end

    def label(self, now: datetime) -> str:
        """In words: since 15 Nov 00:00 UTC (7 days)."""
        if self.grain is Grain.MINUTE:
            return "last 60 minutes"
        if self.is_running(now):
            return f"since {moment_words(self.start, now)} ({self._length_words()})"
        start, end = moment_words(self.start, now), moment_words(self.end, now)
        return f"from {start} to {end} ({self._length_words()})"

    def comparison(self, now: datetime, how: Limits) -> Comparison:
        """Like with like: the whole hours or days of it, and the same number of them before."""
        if self.grain is Grain.MINUTE:
            before = Span(self.start - self.length, self.start)
            return Comparison("60 minutes against the 60 before", self, before)
        step = self._compared_by(now, how)
        part = self.complete_part(now, step)
        count = part.length // step.length if part.end > part.start else 0
        if not count:
            return Comparison(f"Not compared with the time before: no whole {step} of it is over.")
        before = Span(part.start - part.length, part.start)
        if before.start < oldest_day(now, how):
            return Comparison(f"Not compared with the {_numbered(count, step)} before: they are no longer kept.")
        return Comparison(f"{_numbered(count, step, 'whole ')} against the {count} before", part, before)

    def complete_part(self, now: datetime, step: Grain) -> Span:
        """From its first whole hour or day to the last one that is over."""
        return Span(step.ceiling(self.start), min(step.floor(self.end), step.floor(now)))

    def _compared_by(self, now: datetime, how: Limits) -> Grain:
        """Hours as long as those before it are kept; for long windows days."""
        keeps_hours = self.start - self.length >= now - how.hours_kept
        return Grain.HOUR if self.grain is Grain.HOUR and keeps_hours else Grain.DAY

    def _length_words(self) -> str:
        in_days = self.length > DAY and all(Grain.DAY.floor(edge) == edge for edge in (self.start, self.end))
        step = Grain.DAY if in_days or self.grain is Grain.DAY else Grain.HOUR
        return _numbered(self.length // step.length, step)


def standing_window(key: str, now: datetime, how: Limits) -> Window:
    """One of RANGES, ending with the minute, hour or day that is running, as far as history is kept."""
    count, unit = RANGES[key]
    end = unit.floor(now) + unit.length
    days_in_hours = unit is Grain.DAY and count * DAY <= min(MOST_IN_HOURS, how.hours_kept)
    start = max(end - count * unit.length, oldest_day(now, how))
    return Window(start, end, key, Grain.HOUR if days_in_hours else unit)


def parse_window(
    key: str | None, start: When = None, end: When = None, *, now: datetime, how: Limits
) -> tuple[Window, str]:
    """What somebody asked for, or 24 hours; and where it is not what they asked for, what they can do."""
    window, message = None, ""
    if key in RANGES:
        window = standing_window(key, now, how)
        count, unit = RANGES[key]
        message = _kept_since(how, window.start) if window.length < count * unit.length else ""
    elif key == CUSTOM:
        window, message = _custom_window(start, end, now, how)
    elif key:
        message = f"There is no such range. Choose one of {', '.join(KEYS)}."
    if window:
        return window, message
    return standing_window(DEFAULT, now, how), f"{message} Until then: 24 hours." if message else ""


def oldest_day(now: datetime, how: Limits) -> datetime:
    """The first of the days that are kept, the running one included; days_kept may be no whole number of days."""
    return Grain.DAY.floor(Grain.DAY.floor(now) - how.days_kept) + DAY


def moment_words(moment: datetime, now: datetime) -> str:
    """A moment as people say it who know the date."""
    day = Grain.DAY.floor(moment)
    today = Grain.DAY.floor(now)
    if day in (today, today - DAY):
        return f"{moment:%H:%M} UTC {'today' if day == today else 'yesterday'}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M} UTC"


def _custom_window(start: When, end: When, now: datetime, how: Limits) -> tuple[Window | None, str]:
    try:
        begins, ends = _moment(start), _moment(end, is_end=True) if end else now
    except (ValueError, OverflowError):
        return None, "Give both as dates, such as 2026-03-31, or with a time, 2026-03-31 14:00 (UTC)."
    if begins > now:
        return None, "It begins in the future. Choose a beginning before now."
    if ends <= begins:
        return None, "It ends before it begins. Choose an end after the beginning."
    oldest = oldest_day(now, how)
    if ends <= oldest:
        return None, f"That is no longer kept. Choose an end after {oldest:%Y-%m-%d}."
    said = []
    if begins < oldest:
        said.append(_kept_since(how, oldest))
    if ends > Grain.DAY.floor(now) + DAY:
        said.append("It ends in the future: shown until now.")
    begins, ends = max(begins, oldest), min(ends, Grain.DAY.floor(now) + DAY)
    window, in_days = _aligned(begins, ends, now, how)
    if in_days:
        said.append(f"Hours are kept for {how.hours_kept // DAY} days: shown in whole days.")
    return window, " ".join(said)


def _aligned(begins: datetime, ends: datetime, now: datetime, how: Limits) -> tuple[Window, bool]:
    """Whole hours or days around both; and whether it is days only because its hours are no longer kept."""
    hours = Span(Grain.HOUR.floor(begins), min(Grain.HOUR.ceiling(ends), Grain.HOUR.floor(now) + HOUR))
    if hours.length > MOST_IN_HOURS:
        return _whole_days(begins, ends), False
    if hours.start < now - how.hours_kept:
        days = _whole_days(begins, ends)
        return days, (days.start, days.end) != (begins, ends)
    return Window(hours.start, hours.end, CUSTOM, Grain.HOUR), False


def _whole_days(begins: datetime, ends: datetime) -> Window:
    return Window(Grain.DAY.floor(begins), Grain.DAY.ceiling(ends), CUSTOM, Grain.DAY)


def _moment(given: When, *, is_end: bool = False) -> datetime:
    """A date means its beginning in UTC, as an end that of the day after; a time without a zone is UTC."""
    if isinstance(given, str):
        given = _read(given.strip())
    if isinstance(given, datetime):
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    if given is None:
        raise ValueError("no date was given")
    return datetime.combine(given + DAY if is_end else given, time(), UTC)


def _read(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


def _kept_since(how: Limits, start: datetime) -> str:
    return f"History is kept for {how.days_kept // DAY} days: shown from {start:%Y-%m-%d}."


def _numbered(count: int, step: Grain, adjective: str = "") -> str:
    return f"{count} {adjective}{step}{'' if count == 1 else 's'}"
