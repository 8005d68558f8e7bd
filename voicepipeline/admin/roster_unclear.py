"""How often a club's names had to be asked about: of those matched lately, the share that no machine could settle."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from voicepipeline.admin.lists import BoundedList
from voicepipeline.admin.words import NOTHING
from voicepipeline.models import EntityResolution, MentionKind

WINDOW = timedelta(days=30)
NAMES = "admin:voicepipeline_entityresolution_changelist"
# Asked of a person, whether they have answered or not; a group is nobody, and nobody is asked who it is.
ASKED = Q(status=EntityResolution.Status.NEEDS_DISAMBIGUATION) | Q(resolved_by__isnull=False)


@dataclass(frozen=True)
class Unclear:
    """Of so many names that were matched in the window, so many had to be asked about, and so many still are."""

    matched: int = 0
    asked: int = 0
    waiting: int = 0

    @property
    def words(self) -> str:
        if not self.matched:
            return NOTHING
        share = 100 * self.asked / self.matched
        return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %"

    @property
    def sentence(self) -> str:
        if not self.matched:
            return "No name was matched"
        return f"{self.asked:,} of {self.matched:,} mentions that were matched had to be asked about"


def unclear_of(club_pks: Iterable[int], *, now: datetime) -> dict[int, Unclear]:
    """The figures of these clubs, in one query."""
    rows = EntityResolution.objects.filter(organization_id__in=list(club_pks), created_at__gte=now - WINDOW)
    # What is counted is always there, and in the index: the rows themselves need not be fetched.
    counted = (
        rows.exclude(kind=MentionKind.GROUP_REFERENCE)
        .order_by()
        .values_list("organization_id")
        .annotate(
            matched=Count("kind"),
            asked=Count("kind", filter=ASKED),
            waiting=Count("kind", filter=Q(status=EntityResolution.Status.NEEDS_DISAMBIGUATION)),
        )
    )
    return {club: Unclear(*counts) for club, *counts in counted if club is not None}


def names_url(club_pk: int) -> str:
    """Where the open questions of this club are; empty while there is no such page."""
    try:
        return f"{reverse(NAMES)}?club={club_pk}"
    except NoReverseMatch:
        return ""


class ClubList(BoundedList):
    """Clubs with how unclear their names were, asked for all rows of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        clubs: list[Any] = list(self.result_list)
        figures = unclear_of([club.pk for club in clubs], now=timezone.now())
        for club in clubs:
            club.unclear = figures.get(club.pk, Unclear())
        self.result_list: Any = clubs
