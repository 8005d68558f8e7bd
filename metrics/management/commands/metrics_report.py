import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metrics.dashboard import clubs
from metrics.dashboard.asked import Asked
from metrics.dashboard.loading import Loaded
from metrics.dashboard.tables import TABLES, Column
from metrics.dashboard.words import AVERAGE, MONEY, NUMBER, SHARE, TIME, Unit
from metrics.limits import limits
from metrics.models import END_TO_END
from metrics.windows import RANGES, standing_window
from voicepipeline.models import Organization
from voicepipeline.text import safe_text

DEFAULT = "7d"
MOST_SHOWN = 40  # characters of a name
MOST_CLUBS = 50
Line = tuple[str, Unit, str]

LIVE: tuple[Line, ...] = (
    ("Received", NUMBER, "artifacts_received"),
    ("Ready", NUMBER, "artifacts_completed"),
    ("Failed", NUMBER, "artifacts_failed"),
    ("Failure rate", SHARE, "failure_rate"),
    ("Retries", NUMBER, "retries"),
    ("AI cost", MONEY, "ai_cost"),
)
VOLUME: tuple[Line, ...] = (
    *LIVE[:4],
    ("Ready, without speech", NUMBER, "artifacts_no_speech"),
    ("Statements", NUMBER, "claims"),
    ("Names mentioned", NUMBER, "entities"),
    ("Suggested entries", NUMBER, "drafts"),
    ("Retries", NUMBER, "retries"),
    ("Retries that succeeded", SHARE, "retry_success_rate"),
)
WHOLE_WAY: tuple[Line, ...] = (
    ("Typical", TIME, "p50_ms"),
    ("Slowest 1 in 20", TIME, "p95_ms"),
    ("Average", TIME, "average_ms"),
)
QUALITY: tuple[Line, ...] = (
    ("Confidence in transcripts", SHARE, "average_transcript_confidence"),
    ("Confidence in statements", SHARE, "average_claim_confidence"),
    ("Statements per note", AVERAGE, "claims_per_note"),
    ("Quotes not in the transcript", SHARE, "unsupported_rate"),
    ("Names matched automatically", SHARE, "auto_resolution_rate"),
    ("Names unclear", SHARE, "disambiguation_rate"),
    ("Entries confirmed", NUMBER, "drafts_confirmed"),
    ("Entries rejected", NUMBER, "drafts_rejected"),
    ("Decisions taken back", NUMBER, "drafts_undone"),
)
COST: tuple[Line, ...] = (
    ("In all", MONEY, "ai_cost"),
    ("Per ready note", MONEY, "ai_cost_per_note"),
    ("Calls", NUMBER, "ai_calls"),
    ("Calls that told no cost", NUMBER, "ai_calls_unpriced"),
)


class Command(BaseCommand):
    help = (
        "Tells how many voice notes came, how long they took, what failed and what it cost, as the page Metrics does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--range", choices=RANGES, default=DEFAULT, help=f"how far back; by default {DEFAULT}")
        parser.add_argument("--organization", metavar="SLUG", help="of this club alone")
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        window = standing_window(options["range"], now, limits())
        loaded = Loaded(Asked(window=window, now=now, club=_club(options["organization"])))
        if options["json"]:
            self.stdout.write(json.dumps(as_dict(loaded), default=float))
            return
        for line in report(loaded):
            self.stdout.write(line)


def _club(slug: str | None) -> Organization | None:
    if slug is None:
        return None
    club = Organization.objects.filter(slug=safe_text(slug, MOST_SHOWN * 2)).first()
    if club is None:
        raise CommandError(f"There is no club with the slug {_printable(slug)!r}.")
    return club


def report(loaded: Loaded) -> Iterator[str]:
    """The page in lines of text."""
    whose = _printable(loaded.asked.club.name) if loaded.asked.club else "all clubs"
    yield f"Metrics of {whose}, {loaded.asked.words}"
    yield from cautions(loaded)
    if loaded.is_live:
        yield from _section("Counted by the minute", LIVE, loaded.counted)
        yield f"\nAll that follows is {loaded.span_words}."
    yield from _section("Volume", VOLUME, loaded.history)
    yield from _section("From receipt to ready", WHOLE_WAY, loaded.end_to_end)
    yield from _stages(loaded)
    yield from _section("Quality", QUALITY, loaded.history)
    yield from _section("AI cost", COST, loaded.history)
    for key in ("sources", "prompts"):
        table = TABLES[key]
        yield from _table(table.title, table.first, table.columns, list(table.rows(loaded)), table.none)
    if not loaded.asked.club:
        yield from _clubs(loaded)


def cautions(loaded: Loaded) -> Iterator[str]:
    """What of the window is not in the figures."""
    if loaded.begins_late:
        yield f"Nothing is known from before {loaded.begins_late}."
    incomplete = incomplete_periods(loaded)
    if incomplete:
        yield f"Not counted in full: {incomplete:,} of {len(loaded.steps):,} {loaded.grain}s."
    if loaded.history.has_gaps:
        yield "The events of some clubs could not be counted and are missing."


def incomplete_periods(loaded: Loaded) -> int:
    """How many hours or days are not all there, of those since something is known."""
    known = (step for step in loaded.steps if loaded.known_from and step.start >= loaded.known_from)
    return sum(step.is_incomplete for step in known)


def _section(title: str, lines: Sequence[Line], figures: Any) -> Iterator[str]:
    yield f"\n{title}"
    for label, unit, name in lines:
        yield f"  {label:<32}{unit.write(getattr(figures, name)):>16}"


def _stages(loaded: Loaded) -> Iterator[str]:
    table = TABLES["stages"]
    rows = [(label, figures) for label, figures in table.rows(loaded) if figures.stage != END_TO_END]
    yield from _table(table.title, table.first, table.columns, rows, table.none)


def _clubs(loaded: Loaded) -> Iterator[str]:
    in_order, without = clubs.in_order(loaded)
    last = [(without.name, without)] if without else []
    first = [(club.name, club) for club in in_order[:MOST_CLUBS]]
    yield from _table("Clubs", "Club", list(clubs.COLUMNS.values()), [*first, *last], "There is no club.")
    if len(in_order) > MOST_CLUBS:
        yield f"  and {len(in_order) - MOST_CLUBS:,} clubs with less volume: --json has them all"


def _table(
    title: str, first: str, columns: Sequence[Column], rows: Sequence[tuple[str, Any]], none: str
) -> Iterator[str]:
    """As wide as what stands in it."""
    yield f"\n{title}"
    if not rows:
        yield f"  {none}"
        return
    lines = [[first, *(column.label for column in columns)]]
    lines += [[_printable(label), *(column.unit.write(column.of(each)) for column in columns)] for label, each in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for name, *cells in lines:
        rest = (f"  {cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield f"  {name:<{widths[0]}}{''.join(rest)}"


def _printable(text: str) -> str:
    """Names are what somebody typed, and a terminal obeys what is not printable."""
    letters = (letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return safe_text("".join(letters), MOST_SHOWN)


def as_dict(loaded: Loaded) -> dict[str, Any]:
    """All of it, by the names of the code; what is not known is null."""
    asked = loaded.asked
    return {
        "range": asked.window.key,
        "organization": asked.club.slug if asked.club else None,
        "start": _iso(loaded.span.start),
        "end": _iso(loaded.span.end),
        "is_running": loaded.span.end > asked.now,
        "period_type": None if loaded.is_live else loaded.grain,
        "incomplete_periods": incomplete_periods(loaded),
        "known_from": _iso(loaded.known_from),
        "last_60_minutes": {name: getattr(loaded.counted, name) for _, _, name in LIVE} if loaded.is_live else None,
        "figures": _with_rates(loaded.history),
        "stages": [_with_rates(stage) for stage in loaded.stages],
        "sources": [_with_rates(source) for source in loaded.sources],
        "prompts": [_with_rates(prompt) for prompt in loaded.prompts],
        "clubs": [
            {
                "organization_id": club.organization_id,
                "name": club.name,
                "figures": _with_rates(club.figures),
                "end_to_end": _with_rates(club.end_to_end),
            }
            for club in loaded.clubs
        ],
    }


def _with_rates(figures: Any) -> dict[str, Any]:
    rates = (name for name, value in vars(type(figures)).items() if isinstance(value, property))
    return asdict(figures) | {name: getattr(figures, name) for name in rates}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
