"""The pipeline as a picture: where every box and arrow stands, wide and narrow, and what each box says.

Coordinates are those of the drawing's own viewBox; the template draws them, and adds nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from django.urls import reverse

from voicepipeline.admin.lists import span_text
from voicepipeline.durations import in_words, to_two_digits
from voicepipeline.models import AIService, Pause, StageName
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.health import BACKLOG_AFTER
from voicepipeline.overview.parts import Figure, FlowTimes, Level, StageTimes
from voicepipeline.overview.pulse import Pulse
from voicepipeline.pipeline_status import StageLoad
from voicepipeline.stages import stages_of

RUNS, NOTES = "admin:voicepipeline_stagerun_changelist", "admin:voicepipeline_artifact_changelist"
NAMES, ENTRIES = "admin:voicepipeline_entityresolution_changelist", "admin:voicepipeline_insightdraft_changelist"
PIPELINE = "admin:pipeline"
UNKNOWN = "\N{EN DASH}"
THINNEST, WIDEST = 2.0, 18.0


class Size(NamedTuple):
    """A drawing: its boxes stand in a row, or beneath each other."""

    is_wide: bool
    box_width: int
    box_height: int
    gap: int
    columns: int  # of figures in a box


WIDE = Size(True, 172, 204, 30, 1)
NARROW = Size(False, 320, 142, 34, 2)
MARGIN, TITLE_HEIGHT, LINE_HEIGHT = 12, 70, 20
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
    times: tuple[str, ...]
    url: str
    passed: int  # how many went on from here in the last 60 minutes: as wide is the arrow


class Written(NamedTuple):
    """Words at their place; those of a figure end at `end`."""

    x: int
    y: int
    end: int
    words: str
    line: Line | None = None


@dataclass(frozen=True)
class Box:
    station: Station
    x: int
    y: int
    size: Size

    @property
    def symbol(self) -> str:
        """For those to whom colours say nothing."""
        return SYMBOLS.get(self.station.level, NO_SYMBOL)

    @property
    def lines(self) -> list[Written]:
        width = self.size.box_width // self.size.columns
        return [
            Written(
                place % self.size.columns * width + MARGIN,
                TITLE_HEIGHT + place // self.size.columns * LINE_HEIGHT,
                (place % self.size.columns + 1) * width - MARGIN,
                line.label,
                line,
            )
            for place, line in enumerate(self.station.lines)
        ]

    @property
    def times(self) -> list[Written]:
        """Beneath the figures, where they always stand, whatever there are."""
        told = self.station.times if self.size.is_wide else (", ".join(self.station.times),)
        first = self.size.box_height - MARGIN - (len(told) - 1) * (LINE_HEIGHT - 4)
        return [Written(MARGIN, first + place * (LINE_HEIGHT - 4), 0, words) for place, words in enumerate(told)]


@dataclass(frozen=True)
class Arrow:
    """From one box to the next."""

    x1: int
    y1: int
    x2: int
    y2: int
    width: float
    words: str


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
    window: str


def flow_of(pulse: Pulse, times: FlowTimes | None) -> Flow:
    """`times` is what history knows; without it the picture says what is now."""
    stations = tuple(_stations(pulse, times))
    window = "Done and failed: the last 60 minutes."
    if times is not None and times.times_since is not None:
        window += f" Times: since {times.times_since:%H:%M} UTC."
    return Flow(stations, (_draw("wide", WIDE, stations), _draw("narrow", NARROW, stations)), window)


# --- What the boxes say ---------------------------------------------------------------------------------------------
def _stations(pulse: Pulse, times: FlowTimes | None) -> Iterator[Station]:
    received = times.received if times else Figure(UNKNOWN)
    yield Station(
        key="received",
        title="Received",
        level=Level.GOOD if times and times.received_count else Level.QUIET,
        state="Voice notes come in" if times and times.received_count else "None in the last hour",
        lines=(Line("Last hour", received),),
        times=(),
        url=received.url or reverse(NOTES),
        passed=times.received_count if times else 0,
    )
    for load in pulse.loads:
        stage = StageName(load.stage)
        yield _stage(pulse, load, times.stages.get(stage) if times else None)
    yield _review(pulse, times)


def _stage(pulse: Pulse, load: StageLoad, times: StageTimes | None) -> Station:
    failed = pulse.failed.get(load.stage, 0)
    level, state = _standing(load, failed, stops=_why_stopped(pulse, load))
    runs = f"{reverse(RUNS)}?stage__exact={load.stage}"
    lines = [
        Line("Waiting", Figure(bounded(load.due + load.later), f"{runs}&status__exact=queued&hold=no")),
        Line("Running", Figure(bounded(load.running), f"{runs}&status__exact=running")),
        Line("On hold", Figure(bounded(load.on_hold), f"{runs}&hold=any"), Level.NOTICE if load.on_hold else level),
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
        url=f"{reverse(PIPELINE)}?stage={load.stage}",
        passed=times.done_count if times else 0,
    )


def _standing(load: StageLoad, failed: int, *, stops: str) -> tuple[Level, str]:
    """The worst that is to be said of a stage."""
    if stops:
        return Level.TROUBLE, stops
    if load.oldest_for is not None and load.oldest_for >= BACKLOG_AFTER:
        return Level.NOTICE, f"Notes wait for {in_words(load.oldest_for)}"
    if failed:
        return Level.NOTICE, f"{bounded(failed)} failed"
    if load.on_hold:
        return Level.NOTICE, "Being let go"
    if load.running or load.due:
        return Level.GOOD, "Flowing"
    return Level.QUIET, "Nothing to do"


def _why_stopped(pulse: Pulse, load: StageLoad) -> str:
    """Why none of its work begins: nobody works, its service is down, or people have paused it for all clubs."""
    if not pulse.clusters_working:
        return "No workers"
    for each in pulse.standstills:
        stops_it = each.subject in (Pause.Subject.EVERYTHING, load.stage) and each.club is None
        if each.service and load.stage in {stage.name for stage in stages_of(AIService(each.service))}:
            return "On hold"
        if each.subject and stops_it:
            return "Paused by people"
    return ""


def _times(times: StageTimes | None) -> tuple[str, ...]:
    if times is None or times.typical_ms is None or times.slowest_ms is None:
        return ()
    return (f"typical {to_two_digits(times.typical_ms)}", f"slowest 1 in 20 {to_two_digits(times.slowest_ms)}")


def _review(pulse: Pulse, times: FlowTimes | None) -> Station:
    waits = pulse.entries_open or pulse.names_open
    return Station(
        key="review",
        title="Review",
        level=Level.QUIET,
        state="Waits for people" if waits else "Nothing to decide",
        lines=(
            Line("Ready", times.ready if times else Figure(UNKNOWN)),
            Line("Entries to confirm", Figure(bounded(pulse.entries_open), reverse(ENTRIES))),
            Line("Names to check", Figure(bounded(pulse.names_open), reverse(NAMES))),
        ),
        times=(),
        url=reverse(ENTRIES),
        passed=0,
    )


# --- Where it stands ------------------------------------------------------------------------------------------------
def _draw(name: str, size: Size, stations: Sequence[Station]) -> Drawing:
    boxes = tuple(_box(size, place, station) for place, station in enumerate(stations))
    most = max((station.passed for station in stations), default=0)
    arrows = tuple(_arrow(size, one, other, most) for one, other in pairwise(boxes))
    last = boxes[-1]
    return Drawing(name, last.x + size.box_width, last.y + size.box_height, boxes, arrows)


def _box(size: Size, place: int, station: Station) -> Box:
    x = place * (size.box_width + size.gap) if size.is_wide else 0
    y = 0 if size.is_wide else place * (size.box_height + size.gap)
    return Box(station, x, y, size)


def _arrow(size: Size, one: Box, other: Box, most: int) -> Arrow:
    passed = one.station.passed
    width = THINNEST + (WIDEST - THINNEST) * (passed / most if most else 0)
    words = f"{passed:,} in the last hour"
    if size.is_wide:
        middle = size.box_height // 2
        return Arrow(one.x + size.box_width, middle, other.x, middle, round(width, 1), words)
    middle = size.box_width // 2
    return Arrow(middle, one.y + size.box_height, middle, other.y, round(width, 1), words)
