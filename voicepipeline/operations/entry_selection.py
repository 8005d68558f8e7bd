"""Which suggested entries are meant, of many notes: by club, coach, category, time and prompt version."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from voicepipeline.models import BulkWork, InsightDraft
from voicepipeline.policies.drafts import ALWAYS_A_PERSON

Status = InsightDraft.Status
# A child's health is never confirmed unread.
IS_CAREFUL = Q(topic__in=ALWAYS_A_PERSON) | ~Q(severity="")


@dataclass(frozen=True)
class Filters:
    """Which entries are meant, as plain values; the days are those on which they were suggested, in UTC."""

    club: int | None = None
    coach: int | None = None
    topic: str = ""
    prompt_version: str = ""
    since: str = ""
    until: str = ""

    def apply(self, entries: QuerySet[InsightDraft]) -> QuerySet[InsightDraft]:
        columns = {
            "organization": self.club,
            "sender": self.coach,
            "topic": self.topic,
            "prompt_version": self.prompt_version,
            "created_at__gte": _midnight(self.since),
            "created_at__lt": _midnight(self.until, days=1),
        }
        return entries.filter(**{name: value for name, value in columns.items() if value})


def _midnight(day: str, *, days: int = 0) -> datetime | None:
    """When this day begins, or so many days later; nothing is bounded by what lies beyond the calendar's end."""
    if not day:
        return None
    try:
        begins = date.fromisoformat(day) + timedelta(days=days)
    except OverflowError:
        return None
    return datetime.combine(begins, time(), timezone.get_default_timezone())


@dataclass(frozen=True)
class Preview:
    """What it would come to; with which entries the rest is left to whoever comes later."""

    selection: dict[str, Any]
    total: int
    held: int
    careful: int

    @property
    def expected(self) -> int:
        return self.total - self.held - self.careful


def preview(kind: str, filters: Filters, *, now: datetime) -> Preview:
    """Count what waits now and what of it would be left out, in one query."""
    held = Q(held_at__isnull=False)
    careful = IS_CAREFUL & ~held if kind == BulkWork.Kind.CONFIRM_ENTRIES else Q(pk__isnull=True)
    counts = {"total": Count("pk"), "held": Count("pk", filter=held), "careful": Count("pk", filter=careful)}
    found = filters.apply(pending()).aggregate(**counts, last=Max("pk"))
    selection = {**asdict(filters), "last": found.pop("last") or 0, "previewed_at": now.isoformat()}
    return Preview(selection, **found)


def sample(kind: str, selection: dict[str, Any], most: int) -> list[InsightDraft]:
    """The first of those that it would be done to."""
    rows = meant(selection).filter(held_at__isnull=True)
    if kind == BulkWork.Kind.CONFIRM_ENTRIES:
        rows = rows.exclude(IS_CAREFUL)
    return list(rows.order_by("pk").select_related("player", "team", "sender", "organization", "artifact")[:most])


def pending() -> QuerySet[InsightDraft]:
    return InsightDraft.objects.filter(status=Status.PENDING)


def meant(selection: dict[str, Any]) -> QuerySet[InsightDraft]:
    """The entries of a selection that wait; those that were suggested after its preview are not among them."""
    filters = {name: value for name, value in selection.items() if name not in ("last", "previewed_at")}
    return Filters(**filters).apply(pending()).filter(pk__lte=selection["last"])
