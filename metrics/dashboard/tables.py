"""The tables: stages, prompt versions, source channels, clubs. The page and CSV show the same columns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metrics.dashboard import words
from metrics.dashboard.loading import Loaded
from metrics.dashboard.words import Unit
from metrics.figures import PromptFigures, SourceFigures, StageFigures
from metrics.links import Link, figure_link, prompt_link, stage_link
from metrics.models import END_TO_END, StageSnapshot
from voicepipeline.models import SourceChannel

Value = float | None


@dataclass(frozen=True)
class Column:
    """One figure of every row; `counts` names the figure whose rows are behind it, where a list can have them."""

    label: str
    unit: Unit
    of: Callable[[Any], Value]
    counts: str = ""


@dataclass(frozen=True)
class Cell:
    words: str
    link: Link | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    label: str
    cells: Sequence[Cell]


def _column(label: str, unit: Unit, name: str, *, counts: str = "") -> Column:
    def of(figures: Any) -> Value:
        value = getattr(figures, name)
        return None if value is None else float(value)

    return Column(label, unit, of, counts)


def _of_stages(label: str, unit: Unit, name: str, *, counts: str = "") -> Column:
    """The whole way has no tries of its own: it is known of those who came to its end."""
    column = _column(label, unit, name, counts=counts)
    return replace(column, of=lambda figures: None if figures.stage == END_TO_END else column.of(figures))


STAGES = (
    _of_stages("Tries", words.NUMBER, "attempts", counts="attempts"),
    _column("Succeeded", words.NUMBER, "completed", counts="completed"),
    _of_stages("Failed for good", words.NUMBER, "failed", counts="failed"),
    _of_stages("Failure rate", words.SHARE, "failure_rate", counts="failed"),
    _column("Average", words.TIME, "average_ms", counts="timed"),
    _column("Typical", words.TIME, "p50_ms", counts="timed"),
    _column("Slowest 1 in 20", words.TIME, "p95_ms", counts="timed"),
)
SOURCES = (
    _column("Received", words.NUMBER, "artifacts_received", counts="artifacts_received"),
    _column("Ready", words.NUMBER, "artifacts_completed", counts="artifacts_completed"),
    _column("Failed", words.NUMBER, "artifacts_failed", counts="artifacts_failed"),
    _column("Failure rate", words.SHARE, "failure_rate", counts="artifacts_failed"),
    _column("Average time", words.TIME, "average_ms", counts="artifacts_completed"),
)
PROMPTS = (
    _column("Notes read", words.NUMBER, "completed", counts="completed"),
    _column("Statements per note", words.AVERAGE, "claims_per_note", counts="claims"),
    _column("Quotes not in the transcript", words.SHARE, "unsupported_rate", counts="claims_unsupported"),
    _column("Mean confidence", words.SHARE, "average_claim_confidence", counts="completed"),
    _column("Entries confirmed", words.NUMBER, "drafts_confirmed", counts="drafts_confirmed"),
    _column("Entries rejected", words.NUMBER, "drafts_rejected", counts="drafts_rejected"),
    _column("Rejected, share", words.SHARE, "rejection_rate", counts="drafts_rejected"),
    _column("AI cost per note", words.MONEY, "ai_cost_per_note", counts="ai_cost"),
)


@dataclass(frozen=True)
class Table:
    """One table: what it is of, and how its rows come from what was loaded."""

    key: str
    title: str
    lead: str
    none: str  # what stands in place of an empty table
    first: str  # heading of the first column
    columns: tuple[Column, ...]
    rows: Callable[[Loaded], Iterable[tuple[str, Any]]]
    link: Callable[[Loaded, Any, Column], Link | None]


def _stage_link(loaded: Loaded, figures: StageFigures, column: Column) -> Link | None:
    return stage_link(figures.stage, column.counts, loaded.span.start, loaded.span.end, **_whose(loaded))


def _source_link(loaded: Loaded, figures: SourceFigures, column: Column) -> Link | None:
    span, channel = loaded.span, figures.source_channel
    return figure_link(column.counts, span.start, span.end, channel=channel, **_whose(loaded))


def _prompt_link(loaded: Loaded, figures: PromptFigures, column: Column) -> Link | None:
    return prompt_link(figures.prompt_version, column.counts, loaded.span.start, loaded.span.end, **_whose(loaded))


def _whose(loaded: Loaded) -> dict[str, Any]:
    return {"now": loaded.asked.now, "club": loaded.asked.club.pk if loaded.asked.club else None}


TABLES = {
    table.key: table
    for table in (
        Table(
            "stages",
            "Stages",
            "A failure counts when it is final. Times are of tries that succeeded.",
            "No try was made in this time.",
            "Stage",
            STAGES,
            lambda loaded: ((dict(StageSnapshot.STAGES)[each.stage], each) for each in loaded.stages),
            _stage_link,
        ),
        Table(
            "sources",
            "Where notes come from",
            "By the way in which they were sent.",
            "No voice note was received in this time.",
            "Source",
            SOURCES,
            lambda loaded: ((_channel(each.source_channel), each) for each in loaded.sources),
            _source_link,
        ),
        Table(
            "prompts",
            "Quality by prompt version",
            "What each version of the instructions to the AI brought about. Entries count when they are decided about.",
            "No voice note was read in this time.",
            "Prompt version",
            PROMPTS,
            lambda loaded: ((each.prompt_version, each) for each in loaded.prompts),
            _prompt_link,
        ),
    )
}


def shown(table: Table, loaded: Loaded) -> dict[str, Any]:
    """For the template."""
    return {
        "key": table.key,
        "title": table.title,
        "lead": table.lead,
        "none": table.none,
        "first": table.first,
        "columns": [column.label for column in table.columns],
        "rows": [
            Row(label, [_cell(table, loaded, figures, column) for column in table.columns])
            for label, figures in table.rows(loaded)
        ],
        "csv": loaded.asked.address(chart=table.key),
    }


def csv_of(table: Table, loaded: Loaded) -> tuple[list[str], Iterator[Sequence[Any]]]:
    header = [table.first, *(f"{column.label}{column.unit.suffix}" for column in table.columns)]
    rows = (
        (label, *(column.unit.number(column.of(figures)) for column in table.columns))
        for label, figures in table.rows(loaded)
    )
    return header, rows


def _cell(table: Table, loaded: Loaded, figures: Any, column: Column) -> Cell:
    value = column.of(figures)
    link = table.link(loaded, figures, column) if column.counts and value else None
    return Cell(column.unit.write(value), link)


def _channel(name: str) -> str:
    return str(SourceChannel(name).label) if name in SourceChannel.values else name
