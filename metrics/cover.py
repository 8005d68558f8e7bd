"""Which hours and days of the history stand for a span of time: each moment of it at most once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from metrics.limits import DAY, HOUR
from metrics.models import PeriodType
from metrics.windows import MOST_IN_HOURS, Grain

HOURS_OF_A_DAY = 24


@dataclass(frozen=True)
class Counted:
    """An hour or a day that history has."""

    period_type: PeriodType
    start: datetime
    aggregated_at: datetime
    hours: int | None = None  # of a day: of how many of its hours
    is_final: bool = False
    has_gap: bool = False  # something that was asked for could not be counted


@dataclass(frozen=True)
class Part:
    """An hour or day to show, and the rows that stand for it: one of its own, or those of its hours."""

    start: datetime
    rows: Sequence[Counted]
    is_running: bool
    is_incomplete: bool  # what is over of it has not all been counted

    @property
    def is_missing(self) -> bool:
        return not self.rows


@dataclass(frozen=True)
class Cover:
    """The hours or days of a span in order, those without any row included."""

    period_type: PeriodType
    parts: Sequence[Part]

    @property
    def is_partial(self) -> bool:
        return any(part.is_running or part.is_incomplete for part in self.parts)


def cover(
    counted: Sequence[Counted],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    hours_kept: timedelta,
    period_type: PeriodType | None = None,
    as_one: bool = False,
) -> Cover:
    """Hours for up to 7 days and days beyond, unless it is said which.

    A day stands for itself once it holds all that its hours do; else, and while it is running, its hours do. Hours
    that are asked for and no longer kept become days. What is wanted `as_one` is made of as few rows as say the same.
    """
    start, end = Grain.HOUR.floor(start), min(Grain.HOUR.ceiling(end), Grain.HOUR.floor(now) + HOUR)
    known = _Known(counted, start, end, now)
    if (period_type or _by_length(end - start)) == PeriodType.HOUR:
        gone = (day for day in known.days() if day < now - hours_kept and known.day_knows_more(day))
        if next(gone, None) is None:
            if as_one:
                return Cover(PeriodType.DAY, [known.part_of_day(day, with_hours_alone=True) for day in known.days()])
            return Cover(PeriodType.HOUR, [known.part_of_hour(hour) for hour in _steps(start, end, HOUR)])
    return Cover(PeriodType.DAY, [known.part_of_day(day) for day in known.days()])


def _by_length(length: timedelta) -> PeriodType:
    return PeriodType.HOUR if length <= MOST_IN_HOURS else PeriodType.DAY


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += step


class _Known:
    """What history has of a span that ends by now."""

    def __init__(self, counted: Sequence[Counted], start: datetime, end: datetime, now: datetime) -> None:
        self.start, self.end, self.now = start, end, now
        self._days = {row.start: row for row in counted if row.period_type == PeriodType.DAY}
        self._hours = {row.start: row for row in counted if row.period_type == PeriodType.HOUR}

    def days(self) -> Iterator[datetime]:
        """Every day of the span, the first and the last maybe in part."""
        return _steps(Grain.DAY.floor(self.start), self.end, DAY)

    def part_of_hour(self, hour: datetime) -> Part:
        row = self._hours.get(hour)
        is_running = self.now < hour + HOUR
        return Part(hour, [row] if row else [], is_running, row.has_gap if row else not is_running)

    def part_of_day(self, day: datetime, *, with_hours_alone: bool = False) -> Part:
        """`with_hours_alone`: of what its hours say, and no more."""
        is_running = self.now < day + DAY
        row, hours = self._row_of_day(day), self._hours_of(day)
        if with_hours_alone and row and row.hours != len(hours):
            row = None
        if row and not (is_running and hours):
            return Part(day, [row], is_running, row.has_gap or row.hours != HOURS_OF_A_DAY)
        lacks_one = any(hour not in self._hours and hour + HOUR <= self.now for hour in self._wanted_hours(day))
        return Part(day, hours, is_running, lacks_one or any(hour.has_gap for hour in hours))

    def day_knows_more(self, day: datetime) -> bool:
        row = self._row_of_day(day)
        return row is not None and (row.hours or 0) > len(self._hours_of(day))

    def _row_of_day(self, day: datetime) -> Counted | None:
        """The day's own row if it may stand for it: the whole day is asked for, and no hour was counted since."""
        row = self._days.get(day)
        if row is None or day < self.start or (self.end < day + DAY and self.now >= day + DAY):
            return None
        hours = self._hours_of(day)
        if row.is_final or (row.hours or 0) > len(hours):
            return row
        is_newest = all(hour.aggregated_at <= row.aggregated_at for hour in hours)
        return row if is_newest and (row.hours or 0) == len(hours) else None

    def _hours_of(self, day: datetime) -> list[Counted]:
        return [self._hours[hour] for hour in self._wanted_hours(day) if hour in self._hours]

    def _wanted_hours(self, day: datetime) -> Iterator[datetime]:
        return _steps(max(day, self.start), min(day + DAY, self.end), HOUR)
