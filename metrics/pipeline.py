"""What history says on the page Pipeline: how notes fared by source channel and by club, and where that is unusual."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from metrics.dashboard import words
from metrics.figures import ClubFigures, Figures, SourceFigures
from metrics.limits import HOUR
from metrics.links import NO_CLUB, Link, figure_link
from metrics.queries import get_org_breakdown, get_source_breakdown
from metrics.windows import Grain
from voicepipeline.models import SourceChannel

METRICS = "admin:metrics_dashboard"
LATELY, USUALLY = timedelta(hours=24), timedelta(days=7)
# Of fewer notes nothing is unusual.
ENOUGH = 5
SLOWER, MORE_FAILURES, LEAST_FAILURE_RATE = 1.5, 2, 0.05
MOST_CLUBS = 50


@dataclass(frozen=True)
class Counted:
    """A number in words, and the rows that it counts where there are any."""

    words: str
    link: Link | None


@dataclass(frozen=True)
class ClubRow:
    name: str
    received: Counted
    failed: Counted
    failure_rate: str
    typical: str
    usual: str
    marks: tuple[str, ...]


def by_source(request: HttpRequest, now: datetime) -> dict[str, Any]:
    start, end = _span(now)
    return {"rows": [_source(row, (start, end), now) for row in get_source_breakdown(start, end, now=now)]}


def by_club(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Those that are unusual first, then by volume."""
    start, end = _span(now)
    usual = {each.organization_id: each for each in get_org_breakdown(start - USUALLY, start, now=now)}
    active = [each for each in get_org_breakdown(start, end, now=now) if _had_any(each.figures)]
    rows = [_club(each, usual.get(each.organization_id), (start, end), now) for each in active]
    rows.sort(key=lambda row: not row.marks)
    shown = max(MOST_CLUBS, sum(bool(row.marks) for row in rows))
    return {"rows": rows[:shown], "more": len(rows) - shown, "metrics_url": reverse(METRICS)}


def _had_any(figures: Figures) -> bool:
    return bool(figures.artifacts_received or figures.artifacts_failed)


def _span(now: datetime) -> tuple[datetime, datetime]:
    """24 whole hours, the running one among them."""
    end = Grain.HOUR.floor(now) + HOUR
    return end - LATELY, end


def _source(row: SourceFigures, span: tuple[datetime, datetime], now: datetime) -> dict[str, Any]:
    channel = row.source_channel

    def counted(name: str) -> Counted:
        return _counted(getattr(row, name), figure_link(name, *span, now=now, channel=channel))

    return {
        "name": SourceChannel(channel).label if channel in SourceChannel.values else channel,
        "received": counted("artifacts_received"),
        "ready": counted("artifacts_completed"),
        "failed": counted("artifacts_failed"),
        "failure_rate": words.rate(row.failure_rate),
        "average": words.duration(row.average_ms),
    }


def _club(lately: ClubFigures, usual: ClubFigures | None, span: tuple[datetime, datetime], now: datetime) -> ClubRow:
    club, figures = lately.organization_id or NO_CLUB, lately.figures

    def counted(name: str) -> Counted:
        return _counted(getattr(figures, name), figure_link(name, *span, now=now, club=club))

    return ClubRow(
        name=lately.name,
        received=counted("artifacts_received"),
        failed=counted("artifacts_failed"),
        failure_rate=words.rate(figures.failure_rate),
        typical=words.duration(lately.end_to_end.p50_ms),
        usual=words.duration(usual.end_to_end.p50_ms if usual else None),
        marks=tuple(marks_of(lately, usual)),
    )


def _counted(number: int, link: Link | None) -> Counted:
    return Counted(words.count(number), link if number else None)


def marks_of(lately: ClubFigures, usual: ClubFigures | None) -> Iterator[str]:
    """Where it is worse than in the week before, by more than chance."""
    if usual is None:
        return
    times = (lately.end_to_end, usual.end_to_end)
    if all(each.timed >= ENOUGH for each in times) and _share(times[0].p50_ms, times[1].p50_ms) >= SLOWER:
        yield "slower than usual"
    now, before = (each.figures.failure_rate or 0 for each in (lately, usual))
    ended = lately.figures.artifacts_completed + lately.figures.artifacts_failed
    if ended >= ENOUGH and now >= LEAST_FAILURE_RATE and now >= MORE_FAILURES * before:
        yield "fails more than usual"


def _share(now: float | None, before: float | None) -> float:
    return now / before if now and before else 0
