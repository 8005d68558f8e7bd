"""What needs somebody: notes that stand still, clubs whose names are unclear, notes without a home."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, DateTimeField, IntegerField, OuterRef, Q, Subquery
from django.db.models.expressions import BaseExpression
from django.urls import reverse

from voicepipeline.models import EntityResolution, MentionKind
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.health import stalled_notes
from voicepipeline.overview.parts import Concern, Level
from voicepipeline.overview.pulse import A_NAME, MOST_COUNTED, OLDEST_READ, Pulse
from voicepipeline.text import one_line

NOTES = "admin:voicepipeline_artifact_changelist"
NAMES = "admin:voicepipeline_entityresolution_changelist"
# What those do who may do no more.
LOOK = "Look"
LONGEST_NAME = 60
CLUBS_SHOWN = 3
# Whose clubs are looked at: a club with many unclear names has some among them.
NEWEST_READ = 1_000
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


class CountOfTheClub(OfTheClub):
    """How many rows there are."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class LeastOfTheClub(OfTheClub):
    """The least of their only column."""

    template = "(SELECT min(found.created_at) FROM (%(subquery)s) found)"
    output_field = DateTimeField()


class Home(NamedTuple):
    """Notes that wait for one thing: what they are called, where they are listed, and what is to be done there."""

    one: str
    many: str
    url: str
    deed: str = LOOK


def in_order(concerns: Iterable[Concern]) -> list[Concern]:
    """Trouble first, and of the same weight what touches most clubs."""
    return sorted(concerns, key=lambda each: (LEVELS.index(each.level), -each.clubs, -each.notes, each.key))


def own_concerns(pulse: Pulse, homes: Mapping[str, Home], *, may_settle: bool) -> Iterator[Concern]:
    """`homes` by the keys under which the pulse has counted their notes."""
    if pulse.stalled:
        yield _stalled(pulse)
    yield from _unclear_names(pulse, "Settle them" if may_settle else LOOK)
    for key, home in homes.items():
        number = pulse.more.get(key, 0)
        if number:
            words = f"{bounded(number)} {home.one if number == 1 else home.many}"
            yield Concern(f"home-{key}", "inbox", Level.NOTICE, words, url=home.url, deed=home.deed, notes=number)


def _stalled(pulse: Pulse) -> Concern:
    return Concern(
        key="stalled",
        icon="hourglass_disabled",
        level=Level.TROUBLE,
        sentence=f"{stalled_notes(pulse)} without progress",
        detail="They are on their way, but nothing has happened for longer than their stage may take.",
        url=f"{reverse(NOTES)}?status=stalled",
        deed="See why",
        notes=pulse.stalled,
    )


def _unclear_names(pulse: Pulse, deed: str) -> Iterator[Concern]:
    others = pulse.names_open
    for row in _clubs_with_unclear_names(pulse.now):
        others -= row["names"]
        share = row["asked"] / row["matched"] if row["matched"] else 0
        mostly = share >= MOSTLY and row["matched"] >= ENOUGH
        club = one_line(row["organization__name"], LONGEST_NAME)
        waiting = f"{bounded(row['names'])} {'name is' if row['names'] == 1 else 'names are'} unclear"
        yield Concern(
            key=f"names-{row['organization']}",
            icon="person_search",
            level=Level.NOTICE,
            sentence=f"{club}: {share * 100:.0f} % of its names unclear since yesterday"
            if mostly
            else f"{club}: {waiting}",
            detail=f"{waiting[0].upper()}{waiting[1:]}. Its roster may be missing players." if mostly else "",
            since=row["oldest"],
            url=f"{reverse(NAMES)}?club={row['organization']}",
            deed=deed,
            clubs=1,
            notes=row["names"],
        )
    if others > 0 or pulse.names_open > MOST_COUNTED:
        words = "More names are unclear in other clubs"
        yield Concern("names-more", "person_search", Level.QUIET, words, url=reverse(NAMES), deed="See all")


def _clubs_with_unclear_names(now: datetime) -> Any:
    """The clubs of most of the newest, in one query: how many each has, since when, and of how many names lately."""
    newest = EntityResolution.objects.filter(UNCLEAR, organization__isnull=False).order_by("-artifact_id")
    of_club = EntityResolution.objects.filter(organization=OuterRef("organization")).order_by()
    unclear = of_club.filter(UNCLEAR)
    lately = of_club.filter(created_at__gte=now - LATELY).exclude(kind=MentionKind.GROUP_REFERENCE)
    matched = lately.values("organization")
    return (
        EntityResolution.objects.filter(pk__in=newest.values("pk")[:NEWEST_READ])
        .order_by()
        .values("organization", "organization__name")
        .annotate(
            found=Count("pk"),
            names=CountOfTheClub(unclear.values(*A_NAME).distinct()[: MOST_COUNTED + 1]),
            oldest=LeastOfTheClub(unclear.order_by("artifact_id").values("created_at")[:OLDEST_READ]),
            matched=OfTheClub(matched.annotate(n=Count("kind")).values("n")),
            asked=OfTheClub(matched.annotate(n=Count("kind", filter=ASKED)).values("n")),
        )
        .order_by("-found", "organization")[:CLUBS_SHOWN]
    )
