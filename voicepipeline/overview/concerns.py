"""What needs somebody: notes that stand still, clubs whose names are unclear, notes without a home."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.expressions import BaseExpression
from django.urls import reverse

from voicepipeline.models import EntityResolution, MentionKind
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.health import notes
from voicepipeline.overview.parts import Concern, Level
from voicepipeline.overview.pulse import Pulse

NOTES = "admin:voicepipeline_artifact_changelist"
NAMES = "admin:voicepipeline_entityresolution_changelist"
CLUBS_SHOWN = 3
LATELY = timedelta(hours=24)
# From here on it is no longer this or that name: the roster is missing or an old one.
MOSTLY, ENOUGH = 0.5, 10
LEVELS = (Level.TROUBLE, Level.NOTICE, Level.QUIET, Level.GOOD)
UNCLEAR = Q(status=EntityResolution.Status.NEEDS_DISAMBIGUATION)
ASKED = UNCLEAR | Q(resolved_by__isnull=False)


class OfTheClub(Subquery):
    """Worked out once a club: by itself Django groups by it as well, and it would be worked out for every row."""

    def get_group_by_cols(self) -> list[BaseExpression]:
        return []


class Home(NamedTuple):
    """Notes that wait for one thing: what they are called, and where they are listed."""

    one: str
    many: str
    url: str


def in_order(concerns: Iterable[Concern]) -> list[Concern]:
    """Trouble first, and of the same weight what touches most clubs."""
    return sorted(concerns, key=lambda each: (LEVELS.index(each.level), -each.clubs, -each.notes, each.key))


def own_concerns(pulse: Pulse, homes: Mapping[str, Home]) -> Iterator[Concern]:
    """`homes` by the keys under which the pulse has counted their notes."""
    if pulse.stalled:
        yield _stalled(pulse)
    yield from _unclear_names(pulse.now)
    for key, home in homes.items():
        number = pulse.more.get(key, 0)
        if number:
            words = f"{bounded(number)} {home.one if number == 1 else home.many}"
            yield Concern(f"home-{key}", "inbox", Level.NOTICE, words, url=home.url, deed="Sort out", notes=number)


def _stalled(pulse: Pulse) -> Concern:
    return Concern(
        key="stalled",
        icon="hourglass_disabled",
        level=Level.TROUBLE,
        sentence=f"{notes(pulse.stalled)} without progress",
        detail="They are on their way, but nothing has happened for longer than their stage may take.",
        url=f"{reverse(NOTES)}?status=stalled",
        deed="See why",
        notes=pulse.stalled,
    )


def _unclear_names(now: datetime) -> Iterator[Concern]:
    for row in _clubs_with_unclear_names(now):
        share = row["asked"] / row["matched"] if row["matched"] else 0
        mostly = share >= MOSTLY and row["matched"] >= ENOUGH
        club = row["organization__name"] or "No club"
        waiting = f"{row['mentions']:,} {'name is' if row['mentions'] == 1 else 'names are'} unclear"
        yield Concern(
            key=f"names-{row['organization']}",
            icon="person_search",
            level=Level.NOTICE,
            sentence=f"{club}: {share * 100:.0f} % of its names unclear since yesterday"
            if mostly
            else f"{club}: {waiting}",
            detail=f"{waiting[0].upper()}{waiting[1:]}. Its roster may be missing players." if mostly else "",
            since=row["oldest"],
            url=f"{reverse(NAMES)}?club={row['organization']}" if row["organization"] else reverse(NAMES),
            deed="Settle them",
            clubs=1,
            notes=row["mentions"],
        )


def _clubs_with_unclear_names(now: datetime) -> Any:
    """Those with most of them, in one query: how many, since when the oldest waits, and of how many lately."""
    of_club = EntityResolution.objects.filter(organization=OuterRef("organization")).order_by()
    matched = of_club.filter(created_at__gte=now - LATELY).exclude(kind=MentionKind.GROUP_REFERENCE)
    lately = matched.values("organization")
    return (
        EntityResolution.objects.filter(UNCLEAR)
        .order_by()
        .values("organization", "organization__name")
        .annotate(
            mentions=Count("*"),
            oldest=OfTheClub(of_club.filter(UNCLEAR).order_by("artifact", "kind", "name_key").values("created_at")[:1]),
            matched=OfTheClub(lately.annotate(n=Count("kind")).values("n")),
            asked=OfTheClub(lately.annotate(n=Count("kind", filter=ASKED)).values("n")),
        )
        .order_by("-mentions")[:CLUBS_SHOWN]
    )
