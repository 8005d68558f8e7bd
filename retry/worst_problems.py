"""The problems that touch most clubs now, for pages that ask every few seconds: counted no further than is told."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, Func, IntegerField, OuterRef, QuerySet, Subquery

from retry.group_queries import Tab, in_tab
from retry.models import FailureGroup
from voicepipeline.models import Artifact

# Beyond these "500+ voice notes of 20+ clubs" tells as much.
MOST_NOTES, MOST_CLUBS = 500, 20
# Of the problems that notes fail with now, so many of those last seen are compared.
MOST_COMPARED = 100
OPEN_FAILURES = "voicepipeline_artifact WHERE fingerprint = %(expressions)s AND status = 'failed' AND closed_at IS NULL"


class CountOfNotes(Subquery):
    """How many rows there are."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class CountOfClubs(Func):
    """Of how many clubs notes fail with this fingerprint now, to one beyond the most.

    From one club to the next in the index of open failures, however many notes each of them has.
    """

    template = f"""(
        WITH RECURSIVE club (id, place) AS (
            (SELECT organization_id, 1 FROM {OPEN_FAILURES} AND organization_id IS NOT NULL
             ORDER BY organization_id LIMIT 1)
            UNION ALL
            SELECT later.id, place + 1 FROM club CROSS JOIN LATERAL (
                SELECT organization_id FROM {OPEN_FAILURES} AND organization_id > club.id
                ORDER BY organization_id LIMIT 1
            ) later (id) WHERE place <= {MOST_CLUBS}
        )
        SELECT count(*) FROM club
    )"""  # noqa: S608 — every name in it is our own
    output_field = IntegerField()


def worst_problems(most: int, *, now: datetime, stage: str = "", seen_since: datetime | None = None) -> list[Any]:
    """The open ones that notes fail with now, with how many and of how many clubs; one query."""
    wanted = {"stage": stage or None, "last_seen_at__gte": seen_since}
    found = FailureGroup.objects.filter(in_tab(Tab.OPEN, now), **{name: each for name, each in wanted.items() if each})
    compared = found.filter(Exists(_failed_now())).order_by("-last_seen_at", "-pk")[:MOST_COMPARED]
    # In the order of the index, so that it alone is read.
    counted = _failed_now().order_by("organization").values("organization")[: MOST_NOTES + 1]
    figures = FailureGroup.objects.filter(pk__in=compared.values("pk")).annotate(
        notes=CountOfNotes(counted), clubs=CountOfClubs("fingerprint")
    )
    return list(figures.order_by("-clubs", "-notes", "-last_seen_at", "-pk")[:most])


def whose(group: Any) -> str:
    """How many notes of how many clubs one of the worst problems touches."""
    told = f"{_bounded(group.notes, MOST_NOTES)} {'voice note' if group.notes == 1 else 'voice notes'}"
    clubs = f"{_bounded(group.clubs, MOST_CLUBS)} {'club' if group.clubs == 1 else 'clubs'}"
    return f"{told} of {clubs}" if group.clubs else told


def _bounded(number: int, most: int) -> str:
    return f"{most:,}+" if number > most else f"{number:,}"


def _failed_now() -> QuerySet[Artifact]:
    notes: QuerySet[Artifact] = Artifact.objects.failed().filter(fingerprint=OuterRef("fingerprint"))
    return notes
