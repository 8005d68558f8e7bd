"""The table of clubs: sorted as the address says, those without a club last, all together beneath it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.dashboard import words
from metrics.dashboard.asked import ALL, DEFAULT_SORT
from metrics.dashboard.loading import Loaded
from metrics.dashboard.tables import Cell, Column, Value
from metrics.figures import ClubFigures
from metrics.links import NO_CLUB, Link, figure_link, notes_link

KEY = "clubs"
FIRST_SHOWN = 50
NAME = "name"
TOGETHER = "All together"


def _figure(label: str, unit: words.Unit, name: str, *, counts: str = "") -> Column:
    def of(club: ClubFigures) -> Value:
        value = getattr(club.figures, name)
        return None if value is None else float(value)

    return Column(label, unit, of, counts or name)


def _time(label: str, name: str) -> Column:
    return Column(label, words.TIME, lambda club: getattr(club.end_to_end, name), "artifacts_completed")


# By what the address calls them.
COLUMNS = {
    "received": _figure("Received", words.NUMBER, "artifacts_received"),
    "ready": _figure("Ready", words.NUMBER, "artifacts_completed"),
    "failed": _figure("Failed", words.NUMBER, "artifacts_failed"),
    "failure_rate": _figure("Failure rate", words.SHARE, "failure_rate", counts="artifacts_failed"),
    "typical": _time("Typical time", "p50_ms"),
    "slowest": _time("Slowest 1 in 20", "p95_ms"),
    "unclear": _figure("Names unclear", words.SHARE, "disambiguation_rate", counts="disambiguations"),
    "cost": _figure("AI cost", words.MONEY, "ai_cost"),
    "cost_per_note": _figure("Cost per note", words.MONEY, "ai_cost_per_note", counts="ai_cost"),
}


@dataclass(frozen=True)
class Heading:
    key: str
    label: str
    url: str
    order: str  # as aria-sort has it, empty where the table is not sorted by it


@dataclass(frozen=True)
class ClubRow:
    name: str
    link: Link | None
    cells: Sequence[Cell]


def shown(loaded: Loaded) -> dict[str, Any]:
    """For the template: the first clubs of the order, or all of them."""
    clubs, without = in_order(loaded)
    first = clubs if loaded.asked.shows_all_clubs else clubs[:FIRST_SHOWN]
    headings = [_heading(loaded, NAME, "Club"), *(_heading(loaded, key, c.label) for key, c in COLUMNS.items())]
    (order,) = [f"{each.label}, {each.order}" for each in headings if each.order]
    return {
        "headings": headings,
        "said": f"{len(first)} of {len(clubs)} clubs, by {order}",  # to screen readers, once it is there
        "rows": [_row(loaded, club) for club in first],
        "without": _row(loaded, without) if without else None,
        "together_words": TOGETHER,
        "together": [_cell(loaded, column, _together(loaded), None) for column in COLUMNS.values()],
        "has_unpriced": loaded.history.ai_calls_unpriced > 0,
        "number": len(clubs),
        "is_cut": len(first) < len(clubs),
        "first": FIRST_SHOWN,
        "all_url": loaded.asked.address(clubs=ALL),
    }


def csv_of(loaded: Loaded) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """Every club, however many the page shows."""
    clubs, without = in_order(loaded)
    header = ["Club", *(f"{column.label}{column.unit.suffix}" for column in COLUMNS.values())]
    everything = [*clubs, *([without] if without else []), _together(loaded)]
    rows = ((club.name, *(c.unit.number(c.of(club)) for c in COLUMNS.values())) for club in everything)
    return header, rows


def in_order(loaded: Loaded) -> tuple[list[ClubFigures], ClubFigures | None]:
    """The clubs, and apart from them what belongs to none; what is not known comes last, whichever way round."""
    clubs = [each for each in loaded.clubs if each.organization_id is not None]
    without = next((each for each in loaded.clubs if each.organization_id is None), None)
    sort = loaded.asked.sort
    backwards, key = sort.startswith("-"), sort.removeprefix("-")
    clubs.sort(key=lambda club: (club.name.casefold(), club.organization_id or 0))
    if key == NAME:
        return clubs[::-1] if backwards else clubs, without
    of = COLUMNS[key].of
    known = [club for club in clubs if of(club) is not None]
    known.sort(key=lambda club: of(club) or 0, reverse=backwards)
    return [*known, *(club for club in clubs if of(club) is None)], without


def _together(loaded: Loaded) -> ClubFigures:
    return ClubFigures(organization_id=None, name=TOGETHER, figures=loaded.history, end_to_end=loaded.end_to_end)


def _heading(loaded: Loaded, key: str, label: str) -> Heading:
    """Names begin at A, figures with the largest; another press turns it round."""
    now = loaded.asked.sort
    first, other = (NAME, f"-{NAME}") if key == NAME else (f"-{key}", key)
    wanted = other if now == first else first
    order = "" if now.removeprefix("-") != key else "descending" if now.startswith("-") else "ascending"
    return Heading(key, label, loaded.asked.address(sort="" if wanted == DEFAULT_SORT else wanted), order)


def _row(loaded: Loaded, club: ClubFigures) -> ClubRow:
    pk = NO_CLUB if club.organization_id is None else club.organization_id
    link = notes_link(loaded.span.start, loaded.span.end, club=pk)
    return ClubRow(club.name, link, [_cell(loaded, column, club, pk) for column in COLUMNS.values()])


def _cell(loaded: Loaded, column: Column, club: ClubFigures, pk: int | None) -> Cell:
    note = words.unpriced(club.figures.ai_calls_unpriced) if column is COLUMNS["cost"] else ""
    value, span = column.of(club), loaded.span
    link = figure_link(column.counts, span.start, span.end, now=loaded.asked.now, club=pk) if value else None
    return Cell(column.unit.write(value), link, note)
