"""The charts: what each draws. Its picture, its table and its CSV come from the same lines."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from metrics.dashboard import words
from metrics.dashboard.loading import Loaded, Step
from metrics.dashboard.words import Unit
from metrics.models import END_TO_END
from metrics.windows import Grain
from voicepipeline.models import StageName

SO_FAR, INCOMPLETE = "so far", "incomplete"
TO = "\N{EN DASH}"
ENOUGH = 5  # tries; of fewer, one that failed would stand out as a peak
Value = float | None


@dataclass(frozen=True)
class Line:
    """One figure over time; `look` names its colour, dash and marker in the stylesheet and the script."""

    label: str
    look: str
    of: Callable[[Step], Value]
    is_drawn: Callable[[Step], bool] = lambda _: True

    def drawn(self, step: Step) -> Value:
        """What the picture shows; the table and CSV tell it in any case."""
        return self.of(step) if self.is_drawn(step) else None


@dataclass(frozen=True)
class Plot:
    """One picture: lines, and bars that are stacked, on one axis."""

    title: str
    unit: Unit
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Chart:
    """A picture or several alike, with one table beneath them."""

    key: str
    title: str
    lead: str
    none: str  # what stands in place of an empty picture
    plots: tuple[Plot, ...]
    is_live: bool = False  # whether minutes have it

    def columns(self) -> Iterator[tuple[Plot, Line]]:
        for plot in self.plots:
            for line in plot.lines:
                yield plot, line

    def heading(self, plot: Plot, line: Line) -> str:
        return f"{plot.title}: {line.label.lower()}" if len(self.plots) > 1 else line.label


def _figure(name: str) -> Callable[[Step], Value]:
    def of(step: Step) -> Value:
        return None if step.figures is None else float(getattr(step.figures, name))

    return of


def _stage(stage: str, name: str) -> Callable[[Step], Value]:
    def of(step: Step) -> Value:
        found = step.stage(stage)
        value = getattr(found, name) if found else None
        return None if value is None else float(value)

    return of


def _has_enough(stage: str) -> Callable[[Step], bool]:
    def has(step: Step) -> bool:
        found = step.stage(stage)
        return found is not None and found.completed + found.failed >= ENOUGH

    return has


def _times(stage: str, title: str) -> Plot:
    typical = Line("Typical", "typical", _stage(stage, "p50_ms"))
    slowest = Line("Slowest 1 in 20", "slowest", _stage(stage, "p95_ms"))
    return Plot(title, words.TIME, (typical, slowest))


CHARTS = {
    chart.key: chart
    for chart in (
        Chart(
            "throughput",
            "Voice notes",
            "How many were received, became ready and failed.",
            "No voice note was received, became ready or failed in this time.",
            (
                Plot(
                    "Voice notes",
                    words.NUMBER,
                    (
                        Line("Received", "received", _figure("artifacts_received")),
                        Line("Ready", "ready", _figure("artifacts_completed")),
                        Line("Failed", "failed", _figure("artifacts_failed")),
                    ),
                ),
            ),
            is_live=True,
        ),
        Chart(
            "end-to-end",
            "From receipt to ready",
            "How long notes took that became ready: half were quicker than the typical time.",
            "No voice note became ready in this time.",
            (_times(END_TO_END, "From receipt to ready"),),
        ),
        Chart(
            "cost",
            "AI cost",
            "What the AI service charged, in US dollars, as far as prices are known.",
            "Nothing was charged in this time, as far as prices are known.",
            (Plot("AI cost", words.MONEY, (Line("AI cost", "cost", _figure("ai_cost")),)),),
            is_live=True,
        ),
        Chart(
            "stage-times",
            "Time at each stage",
            "How long tries took that succeeded.",
            "No try succeeded in this time.",
            tuple(_times(stage, stage.label) for stage in StageName),
        ),
        Chart(
            "failure-rates",
            "Failures at each stage",
            "Of the tries that ended for good, how many failed. Tries that are repeated do not count. "
            f"Where fewer than {ENOUGH} ended, only the table tells.",
            "Too few tries ended in this time to be drawn.",
            (
                Plot(
                    "Failure rate",
                    words.SHARE,
                    tuple(
                        Line(stage.label, stage, _stage(stage, "failure_rate"), _has_enough(stage))
                        for stage in StageName
                    ),
                ),
            ),
        ),
    )
}


def charts_of(loaded: Loaded) -> list[Chart]:
    return [chart for chart in CHARTS.values() if chart.is_live or not loaded.is_live]


def drawn(chart: Chart, loaded: Loaded) -> dict[str, Any]:
    """For the template: its plots with their legends, and its table."""
    columns = list(chart.columns())
    values = [[line.of(step) for _, line in columns] for step in loaded.steps]
    return {
        "key": chart.key,
        "title": chart.title,
        "lead": chart.lead,
        "plots": chart.plots,
        "is_one": len(chart.plots) == 1,
        "legend": chart.plots[0].lines if len(chart.plots[0].lines) > 1 else (),
        "none": chart.none,
        "is_empty": _is_empty(chart, [[line.drawn(step) for _, line in columns] for step in loaded.steps]),
        "headings": [chart.heading(plot, line) for plot, line in columns],
        "rows": [
            (_when(step, loaded.grain), [plot.unit.write(value) for (plot, _), value in zip(columns, row, strict=True)])
            for step, row in zip(loaded.steps, values, strict=True)
        ],
        "csv": loaded.asked.address(chart=chart.key),
    }


def _is_empty(chart: Chart, values: Sequence[Sequence[Value]]) -> bool:
    """Nothing is known; or, of what is counted, there was nothing. That nothing failed is something."""
    is_counted = chart.plots[0].unit in (words.NUMBER, words.MONEY)
    return all(value is None or (is_counted and not value) for row in values for value in row)


def payload(loaded: Loaded) -> dict[str, Any]:
    """What the script draws from; what it writes beside the pointer it takes from the tables."""
    return {
        "grain": loaded.grain,
        "starts": [int(step.start.timestamp() * 1000) for step in loaded.steps],
        "running": [step.is_running for step in loaded.steps],
        "counted": [step.figures is not None for step in loaded.steps],
        "charts": {
            chart.key: [
                {
                    "unit": plot.unit.key,
                    "lines": [
                        {"label": line.label, "look": line.look, "values": [line.drawn(step) for step in loaded.steps]}
                        for line in plot.lines
                    ],
                }
                for plot in chart.plots
            ]
            for chart in charts_of(loaded)
        },
    }


def csv_of(chart: Chart, loaded: Loaded) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Numbers that a spreadsheet can reckon with, an empty cell for what is not known."""
    columns = list(chart.columns())
    header = [f"{chart.heading(plot, line)}{plot.unit.suffix}" for plot, line in columns]
    rows = (
        (
            _plain(step.start),
            _plain(step.end),
            _note(step),
            *(plot.unit.number(line.of(step)) for plot, line in columns),
        )
        for step in loaded.steps
    )
    return ["From (UTC)", "Until (UTC)", "", *header], rows


def _when(step: Step, grain: Grain) -> str:
    """The period in words, that it is not over or not all there, and of today that it is the UTC day."""
    start = step.start
    if grain is Grain.DAY:
        told = f"{start:%a} {start.day} {start:%b}{', today (UTC)' if step.is_running else ''}"
    elif grain is Grain.HOUR:
        told = f"{start.day} {start:%b}, {start:%H:%M}{TO}{step.end:%H:%M}"
    else:
        told = f"{start:%H:%M}"
    return f"{told}, {note}" if (note := _note(step)) else told


def _note(step: Step) -> str:
    if step.is_running:
        return SO_FAR
    return INCOMPLETE if step.is_incomplete and step.figures else ""


def _plain(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
