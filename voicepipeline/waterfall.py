"""The tries of one voice note as bars on a common time line, drawn from stage runs: it outlives the events.

Plain values in, percentages out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A pause between tries longer than this share of all the rest is cut, so that the tries stay visible.
LONGEST_PAUSE = 0.4
CUT_PAUSE = 0.06
SHORTEST_PAUSE_TO_CUT = timedelta(seconds=60)


@dataclass(frozen=True)
class Try:
    """One stage run; `started_at` and `finished_at` are None for what has not happened yet."""

    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class Bar:
    """Where one try stands on the line, in per cent of its width."""

    wait_left: float
    wait_width: float
    work_left: float
    work_width: float


@dataclass(frozen=True)
class Cut:
    """A pause that is drawn shorter than it was."""

    left: float
    length: timedelta


@dataclass(frozen=True)
class Line:
    bars: list[Bar]
    cuts: list[Cut]
    start: datetime
    end: datetime


def draw(tries: Sequence[Try], now: datetime) -> Line | None:
    """Lay the tries out on one line from the first queued to the last ended, long pauses cut."""
    if not tries:
        return None
    spans = [(each.queued_at, _end(each, now)) for each in tries]
    scale = _Scale(spans)
    return Line([_bar(each, scale, now) for each in tries], scale.cuts, scale.start, scale.end)


def _end(each: Try, now: datetime) -> datetime:
    return max(each.queued_at, each.finished_at or now)


def _bar(each: Try, scale: "_Scale", now: datetime) -> Bar:
    end = _end(each, now)
    turn = min(max(each.started_at or end, each.queued_at), end)
    left, middle, right = scale.place(each.queued_at), scale.place(turn), scale.place(end)
    return Bar(left, middle - left, middle, right - middle)


class _Scale:
    """Maps moments to per cent: time in which something waited or ran at full length, long pauses cut."""

    def __init__(self, spans: Sequence[tuple[datetime, datetime]]) -> None:
        self.stretches = _joined(spans)
        self.start, self.end = self.stretches[0][0], self.stretches[-1][1]
        busy = sum(((end - start).total_seconds() for start, end in self.stretches), 0.0) or 1.0
        self.drawn: list[tuple[datetime, datetime, float, float]] = []  # from, to, drawn from, drawn to
        cuts: list[tuple[float, timedelta]] = []
        position = 0.0
        for number, (start, end) in enumerate(self.stretches):
            if number:
                before = self.stretches[number - 1][1]
                pause = (start - before).total_seconds()
                if pause > busy * LONGEST_PAUSE and start - before > SHORTEST_PAUSE_TO_CUT:
                    pause = busy * CUT_PAUSE
                    cuts.append((position + pause / 2, start - before))
                self.drawn.append((before, start, position, position + pause))
                position += pause
            length = (end - start).total_seconds()
            self.drawn.append((start, end, position, position + length))
            position += length
        self.whole = position or 1.0
        self.cuts = [Cut(100 * at / self.whole, length) for at, length in cuts]

    def place(self, moment: datetime) -> float:
        for start, end, drawn_from, drawn_to in self.drawn:
            if moment <= end:
                length = (end - start).total_seconds()
                share = (moment - start).total_seconds() / length if length else 0.0
                return 100 * (drawn_from + share * (drawn_to - drawn_from)) / self.whole
        return 100.0


def _joined(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Overlapping stretches of time made one, in order."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
