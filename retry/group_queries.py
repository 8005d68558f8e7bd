"""Problems with their figures: voice notes and clubs now, a day's failures by the hour, and what was decided."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, DateTimeField, F, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncHour

from retry.models import FailureGroup, FailureMark
from retry.problem_words import codes_like
from voicepipeline.models import Artifact, StageRun

HOUR = timedelta(hours=1)
HOURS_SHOWN = 24
ON_A_PAGE = 50
MOST_AFFECTED = 20
MOST_MARKS = 50


class Tab(StrEnum):
    """Which problems are looked at."""

    OPEN = "open"
    CAME_BACK = "came-back"
    ASIDE = "aside"
    FIXED = "fixed"
    ALL = "all"


@dataclass(frozen=True)
class Asked:
    """What the list of problems shows."""

    tab: Tab = Tab.OPEN
    stage: str = ""
    code: str = ""
    page: int = 1


@dataclass(frozen=True)
class Problem:
    """One of them: its row, the notes that fail with it now, the clubs that they are of, and its last 24 hours."""

    group: FailureGroup
    notes: int
    clubs: int
    trend: tuple[int, ...]

    @property
    def of_today(self) -> int:
        return sum(self.trend)


@dataclass(frozen=True)
class Problems:
    """A page of the list; how many each tab has, by the same filters."""

    shown: list[Problem]
    counts: dict[Tab, int]
    page: int
    pages: int


@dataclass(frozen=True)
class Affected:
    """A club or a coach, and how many of their notes fail with this problem now; without a key, of those not known."""

    pk: int | None
    name: str
    notes: int
    club: str = ""


@dataclass(frozen=True)
class AffectedRow:
    """A line of the file of those affected."""

    club: str
    coach: str
    notes: int
    first_failed_at: datetime
    last_failed_at: datetime


def day_shown(now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the first hour until the end of the one that runs."""
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    return end - HOURS_SHOWN * HOUR, end


def list_problems(asked: Asked, *, now: datetime) -> Problems:
    """A page of them, those of most clubs first; three queries, whatever there is."""
    found = FailureGroup.objects.filter(**{"stage": asked.stage} if asked.stage else {})
    if asked.code:
        found = found.filter(Q(error_code__icontains=asked.code) | Q(error_code__in=codes_like(asked.code)))
    counts = found.aggregate(**{tab.name: Count("pk", filter=in_tab(tab, now)) for tab in Tab})
    pages = max(1, -(-counts[asked.tab.name] // ON_A_PAGE))
    page = min(max(asked.page, 1), pages)
    rows = _with_figures(found.filter(in_tab(asked.tab, now))).order_by("-clubs", "-notes", "-last_seen_at", "-pk")
    shown = _problems(rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE], now)
    return Problems(shown, {tab: counts[tab.name] for tab in Tab}, page, pages)


def get_problem(fingerprint: str, *, now: datetime) -> Problem | None:
    """One of them with its figures, or None when nothing ever failed so."""
    return next(iter(_problems(_with_figures(FailureGroup.objects.filter(fingerprint=fingerprint)), now)), None)


def marks_of(group: FailureGroup) -> list[FailureMark]:
    """What was decided about it, newest first."""
    return list(group.marks.select_related("by")[:MOST_MARKS])


def failed_now(fingerprint: str) -> QuerySet[Artifact]:
    """The voice notes that have this problem: failed, and not closed."""
    notes: QuerySet[Artifact] = Artifact.objects.failed().filter(fingerprint=fingerprint)
    return notes


def affected_clubs(fingerprint: str, *, most: int = MOST_AFFECTED) -> list[Affected]:
    """Clubs by how many of their notes fail so now."""
    rows = failed_now(fingerprint).order_by().values_list("organization_id", "organization__name")
    counted = rows.annotate(notes=Count("*")).order_by("-notes", F("organization__name").asc(nulls_last=True))
    return [Affected(pk, name or "", notes) for pk, name, notes in counted[:most]]


def affected_coaches(fingerprint: str, *, most: int = MOST_AFFECTED) -> list[Affected]:
    """Coaches by how many of their notes fail so now."""
    rows = failed_now(fingerprint).order_by().values_list("sender_id", *SENDER, "sender__organization__name")
    counted = rows.annotate(notes=Count("*")).order_by("-notes", F("sender_id").asc(nulls_last=True))
    return [Affected(pk, _full_name(first, last), notes, club or "") for pk, first, last, club, notes in counted[:most]]


def affected_rows(fingerprint: str) -> Iterator[AffectedRow]:
    """All of them, club by club and coach by coach, with when their notes failed."""
    ended = StageRun.objects.filter(artifact=OuterRef("pk"), terminal=True).order_by("-finished_at")
    failed_at = Coalesce(Subquery(ended.values("finished_at")[:1]), "updated_at", output_field=DateTimeField())
    rows = failed_now(fingerprint).order_by().annotate(failed_at=failed_at)
    counted = (
        rows.values_list("organization_id", "organization__name", "sender_id", *SENDER)
        .annotate(notes=Count("*"), first=Min("failed_at"), last=Max("failed_at"))
        .order_by(F("organization__name").asc(nulls_last=True), "organization_id", "-notes", "sender_id")
    )
    for _, club, _, first, last, notes, first_at, last_at in counted.iterator(chunk_size=2_000):
        yield AffectedRow(club or "", _full_name(first, last), notes, first_at, last_at)


SENDER = ("sender__first_name", "sender__last_name")


def _full_name(first: str | None, last: str | None) -> str:
    return f"{first or ''} {last or ''}".strip()


def in_tab(tab: Tab, now: datetime) -> Q:
    """A problem that was put aside is open again once its time is over; nothing has to happen for that."""
    aside = Q(status=FailureGroup.Status.SNOOZED, snoozed_until__gt=now)
    fixed = Q(status=FailureGroup.Status.FIXED)
    match tab:
        case Tab.OPEN:
            return ~aside & ~fixed
        case Tab.CAME_BACK:
            return ~aside & ~fixed & Q(came_back_at__isnull=False)
        case Tab.ASIDE:
            return aside
        case Tab.FIXED:
            return fixed
        case Tab.ALL:
            return Q()


def _with_figures(groups: QuerySet[FailureGroup]) -> QuerySet[Any]:
    """With the numbers of notes and clubs, both read from the index of open failures alike."""
    failed = Artifact.objects.failed().filter(fingerprint=OuterRef("fingerprint")).order_by().values("fingerprint")
    return groups.select_related("example").annotate(
        notes=Coalesce(Subquery(failed.annotate(number=Count("*")).values("number")), 0),
        clubs=Coalesce(Subquery(failed.annotate(number=Count("organization", distinct=True)).values("number")), 0),
    )


def _problems(rows: QuerySet[Any], now: datetime) -> list[Problem]:
    groups = list(rows)
    trends = _trends([group.fingerprint for group in groups], now) if groups else {}
    nothing = (0,) * HOURS_SHOWN
    return [Problem(group, group.notes, group.clubs, trends.get(group.fingerprint, nothing)) for group in groups]


def _trends(fingerprints: Sequence[str], now: datetime) -> dict[str, tuple[int, ...]]:
    """Of each problem the tries that ended notes, by the hour, oldest first."""
    start, end = day_shown(now)
    ended = StageRun.objects.filter(
        terminal=True,
        status=StageRun.Status.FAILED,
        finished_at__gte=start,
        finished_at__lt=end,
        fingerprint__in=fingerprints,
    )
    counted = (
        ended.order_by()
        .annotate(hour=TruncHour("finished_at", tzinfo=UTC))
        .values_list("fingerprint", "hour")
        .annotate(number=Count("*"))
    )
    hours: dict[str, list[int]] = {}
    for problem, hour, number in counted:
        hours.setdefault(problem, [0] * HOURS_SHOWN)[int((hour - start) / HOUR)] = number
    return {problem: tuple(numbers) for problem, numbers in hours.items()}
