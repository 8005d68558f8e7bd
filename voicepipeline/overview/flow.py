"""The pipeline as a picture: where every box and arrow stands, wide and narrow, and what each box says.

Coordinates are those of the drawing's own viewBox; the template draws them, and adds nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from django.urls import reverse

from voicepipeline.ai_notices import Standstill
from voicepipeline.durations import in_words, to_two_digits
from voicepipeline.models import AIService, Pause, StageName
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.health import BACKLOG_AFTER
from voicepipeline.overview.parts import Figure, FlowTimes, Level, StageTimes
from voicepipeline.overview.pulse import Pulse
from voicepipeline.pipeline_status import StageLoad
from voicepipeline.spans import span_text
from voicepipeline.stages import stages_of

RUNS, NOTES = "admin:voicepipeline_stagerun_changelist", "admin:voicepipeline_artifact_changelist"
NAMES, ENTRIES = "admin:voicepipeline_entityresolution_changelist", "admin:voicepipeline_insightdraft_changelist"
PIPELINE = "admin:pipeline"
UNKNOWN = "\N{EN DASH}"
THINNEST, WIDEST = 2.0, 18.0
# How many figures and times a stage has; its times keep their room while there are none.
STAGE_LINES, TIMES = 5, 2


class Size(NamedTuple):
    """A drawing: its boxes stand in a row, or beneath each other."""

    is_wide: bool
    box_width: int
    gap: int
    columns: int  # of figures in a box
    line: int  # how high one is; a finger needs more than a pointer


WIDE = Size(True, 152, 18, 1, 19)
NARROW = Size(False, 320, 26, 2, 26)
MARGIN, TITLE_HEIGHT = 12, 66
# Between a box's figures and its times, and beneath its last line.
TIMES_GAP, BOTTOM = 6, 12
# An arrow's head is so long, and stands out on each side by so much.
HEAD, BARB = 9, 4
SYMBOLS = {
    Level.GOOD: "\N{BLACK CIRCLE}",
    Level.NOTICE: "\N{BLACK UP-POINTING TRIANGLE}",
    Level.TROUBLE: "\N{HEAVY MULTIPLICATION X}",
}
NO_SYMBOL = "\N{WHITE CIRCLE}"


class Line(NamedTuple):
    """One figure of a box: what it is, and how much."""

    label: str
    figure: Figure
    level: Level = Level.QUIET


@dataclass(frozen=True)
class Station:
    """A box of the picture: receiving, one of the stages, or review."""

    key: str
    title: str
    level: Level
    state: str  # the level in words
    lines: tuple[Line, ...]
    times: tuple[Line, ...]
    url: str
    passed: int  # how many went on from here in the last 60 minutes: as wide is the arrow
    is_chosen: bool = False


class Written(NamedTuple):
    """Words at their place; those of a figure end at `end`."""

    x: int
    y: int
    end: int
    words: str
    line: Line
    height: int

    @property
    def left(self) -> int:
        """Of all that can be clicked."""
        return self.x - MARGIN // 2

    @property
    def top(self) -> int:
        return self.y - self.height // 2 - 4

    @property
    def width(self) -> int:
        return self.end - self.x + MARGIN


@dataclass(frozen=True)
class Box:
    station: Station
    x: int
    y: int
    size: Size
    height: int

    @property
    def symbol(self) -> str:
        """For those to whom colours say nothing."""
        return SYMBOLS.get(self.station.level, NO_SYMBOL)

    @property
    def lines(self) -> list[Written]:
        return self._written(self.station.lines, TITLE_HEIGHT)

    @property
    def times(self) -> list[Written]:
        """Beneath the figures, where they always stand, whatever there are."""
        rows = ceil(STAGE_LINES / self.size.columns)
        return self._written(self.station.times, TITLE_HEIGHT + rows * self.size.line + TIMES_GAP)

    def _written(self, lines: Sequence[Line], top: int) -> list[Written]:
        columns, width = self.size.columns, self.size.box_width // self.size.columns
        return [
            Written(
                place % columns * width + MARGIN,
                top + place // columns * self.size.line,
                (place % columns + 1) * width - MARGIN,
                line.label,
                line,
                self.size.line,
            )
            for place, line in enumerate(lines)
        ]


@dataclass(frozen=True)
class Arrow:
    """From one box to the next, along the x or the y axis."""

    start: int
    end: int
    middle: int
    is_wide: bool
    width: float
    words: str

    @property
    def points(self) -> str:
        """Its outline: a bar, and a head that ends at the next box."""
        half, neck = self.width / 2, self.end - HEAD
        outline = [(self.start, -half), (neck, -half), (neck, -half - BARB), (self.end, 0)]
        outline += [(along, -across) for along, across in reversed(outline[:-1])]
        placed = [(along, round(self.middle + across, 1)) for along, across in outline]
        return " ".join(f"{x},{y}" for x, y in (placed if self.is_wide else [(y, x) for x, y in placed]))


@dataclass(frozen=True)
class Drawing:
    name: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class Flow:
    stations: tuple[Station, ...]
    drawings: tuple[Drawing, ...]
    times_since: datetime | None  # of what the times are, where there are any


def flow_of(
    pulse: Pulse, times: FlowTimes | None, *, addresses: Mapping[str, str] | None = None, chosen: str = ""
) -> Flow:
    """`times` is what history knows; without it the picture says what is now. `addresses` are those of the stages."""
    addresses = addresses or {stage.value: f"{reverse(PIPELINE)}?stage={stage}#at-stage" for stage in StageName}
    stations = tuple(replace(each, is_chosen=each.key == chosen) for each in _stations(pulse, times, addresses))
    drawings = _draw("wide", WIDE, stations), _draw("narrow", NARROW, stations)
    return Flow(stations, drawings, times.times_since if times else None)


# --- What the boxes say ---------------------------------------------------------------------------------------------
def _stations(pulse: Pulse, times: FlowTimes | None, addresses: Mapping[str, str]) -> Iterator[Station]:
    received = times.received if times else Figure(UNKNOWN)
    yield Station(
        key="received",
        title="Received",
        level=Level.GOOD if times and times.received_count else Level.QUIET,
        state="Notes come in" if times and times.received_count else "None for an hour",
        lines=(Line("Last hour", received),),
        times=(),
        url=received.url or reverse(NOTES),
        passed=times.received_count if times else 0,
    )
    for load in pulse.loads:
        stage = StageName(load.stage)
        yield _stage(pulse, load, times.stages.get(stage) if times else None, addresses[load.stage])
    yield _review(pulse, times)


def _stage(pulse: Pulse, load: StageLoad, times: StageTimes | None, address: str) -> Station:
    failed = pulse.failed.get(load.stage, 0)
    level, state = _standing(pulse, load, failed, stops=_why_stopped(pulse, load))
    runs = f"{reverse(RUNS)}?stage__exact={load.stage}"
    lines = [
        Line("Waiting", Figure(f"{load.due + load.later:,}", f"{runs}&status__exact=queued&hold=no")),
        Line("Running", Figure(f"{load.running:,}", f"{runs}&status__exact=running")),
        Line("On hold", Figure(f"{load.on_hold:,}", f"{runs}&hold=any"), Level.NOTICE if load.on_hold else Level.QUIET),
        Line("Done", times.done if times else Figure(UNKNOWN)),
        Line(
            "Failed",
            Figure(bounded(failed), f"{runs}&status__exact=failed&last=yes&ended_in={span_text(*pulse.hour)}"),
            Level.TROUBLE if failed else Level.QUIET,
        ),
    ]
    return Station(
        key=load.stage,
        title=load.label,
        level=level,
        state=state,
        lines=tuple(lines),
        times=_times(times),
        url=address,
        passed=times.done_count if times else 0,
    )


def _standing(pulse: Pulse, load: StageLoad, failed: int, *, stops: str) -> tuple[Level, str]:
    """The worst that is to be said of a stage, in words that a box has room for."""
    if stops:
        return Level.TROUBLE, stops
    if load.oldest_for is not None and load.oldest_for >= BACKLOG_AFTER:
        return Level.NOTICE, f"Wait {in_words(load.oldest_for)}"
    if failed:
        return Level.NOTICE, f"{bounded(failed)} failed"
    if load.on_hold:
        return Level.NOTICE, _whose_pause(pulse, load) or "Resuming"
    if load.running or load.due:
        return Level.GOOD, "Flowing"
    return Level.QUIET, "Nothing to do"


def _why_stopped(pulse: Pulse, load: StageLoad) -> str:
    """Why none of its work begins: nobody works, its service is down, or people have paused it for all clubs."""
    if not pulse.clusters_working:
        return "No workers"
    services = {AIService(each.service) for each in pulse.standstills if each.service}
    if load.stage in {stage.name for service in services for stage in stages_of(service)}:
        return "On hold"
    if any(_pauses(each, load) and each.club is None for each in pulse.standstills):
        return "Paused by people"
    return ""


def _whose_pause(pulse: Pulse, load: StageLoad) -> str:
    """Of how many clubs alone people have paused it."""
    clubs = len({each.club for each in pulse.standstills if _pauses(each, load) and each.club is not None})
    if not clubs:
        return ""
    return "Paused for one club" if clubs == 1 else f"Paused for {clubs} clubs"


def _pauses(each: Standstill, load: StageLoad) -> bool:
    return each.subject in (Pause.Subject.EVERYTHING, load.stage)


def _times(times: StageTimes | None) -> tuple[Line, ...]:
    if times is None or times.typical_ms is None or times.slowest_ms is None:
        return ()
    told = {"Typical": times.typical_ms, "Slowest": times.slowest_ms}
    return tuple(Line(label, Figure(to_two_digits(milliseconds))) for label, milliseconds in told.items())


def _review(pulse: Pulse, times: FlowTimes | None) -> Station:
    waits = pulse.entries_open or pulse.names_open
    return Station(
        key="review",
        title="Review",
        level=Level.QUIET,
        state="Waits for people" if waits else "Nothing to decide",
        lines=(
            Line("Ready", times.ready if times else Figure(UNKNOWN)),
            Line("Entries", Figure(bounded(pulse.entries_open), reverse(ENTRIES), "Suggested entries to confirm")),
            Line("Names", Figure(bounded(pulse.names_open), reverse(NAMES), "Names to check")),
        ),
        times=(),
        url=reverse(ENTRIES),
        passed=0,
    )


# --- Where it stands ------------------------------------------------------------------------------------------------
def _draw(name: str, size: Size, stations: Sequence[Station]) -> Drawing:
    boxes = tuple(_boxes(size, stations))
    most = max((station.passed for station in stations), default=0)
    arrows = tuple(_arrow(size, one, other, most) for one, other in pairwise(boxes))
    last = boxes[-1]
    return Drawing(name, last.x + size.box_width, last.y + last.height, boxes, arrows)


def _boxes(size: Size, stations: Sequence[Station]) -> Iterator[Box]:
    x = y = 0
    for station in stations:
        box = Box(station, x, y, size, _height(size, station))
        yield box
        if size.is_wide:
            x += size.box_width + size.gap
        else:
            y += box.height + size.gap


def _height(size: Size, station: Station) -> int:
    """The same whatever is to be said: in a row all boxes are alike, beneath each other each is as high as it needs."""
    is_stage = size.is_wide or station.key in StageName
    lines = STAGE_LINES if is_stage else len(station.lines)
    last = TITLE_HEIGHT + (ceil(lines / size.columns) - 1) * size.line
    if is_stage:
        last += TIMES_GAP + ceil(TIMES / size.columns) * size.line
    return last + BOTTOM


def _arrow(size: Size, one: Box, other: Box, most: int) -> Arrow:
    passed = one.station.passed
    width = round(THINNEST + (WIDEST - THINNEST) * (passed / most if most else 0), 1)
    words = f"{passed:,} in the last hour"
    if size.is_wide:
        return Arrow(one.x + size.box_width, other.x, one.height // 2, size.is_wide, width, words)
    return Arrow(one.y + one.height, other.y, size.box_width // 2, size.is_wide, width, words)
