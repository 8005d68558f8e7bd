"""What becomes of suggested entries that nobody decides about."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from voicepipeline.engine.changes import Change
from voicepipeline.engine.transactions import engine_transaction, lock_artifact
from voicepipeline.models import EventType, InsightDraft, StageName

# A run of the job; what is left is due an hour later.
MOST_NOTES_AT_ONCE = 2_000


@dataclass(frozen=True)
class Expired:
    """How many entries ran out, and of how many notes."""

    entries: int
    notes: int


def expire_entries(*, now: datetime) -> Expired:
    """Close the entries whose time is over, note by note, so that nobody who works on one waits for all."""
    due = _due(now)
    notes = due.order_by("artifact_id").values_list("artifact_id", flat=True).distinct()[:MOST_NOTES_AT_ONCE]
    counts = [expire_entries_of(artifact_pk, now=now) for artifact_pk in list(notes)]
    return Expired(entries=sum(counts), notes=sum(count > 0 for count in counts))


def _due(now: datetime) -> QuerySet[InsightDraft]:
    """Not those that somebody put on hold: they wait for a person, however long."""
    return InsightDraft.objects.filter(status=InsightDraft.Status.PENDING, held_at__isnull=True, expires_at__lte=now)


@engine_transaction
def expire_entries_of(artifact_pk: int, *, now: datetime) -> int:
    """Close those of one note; one that a person has just decided about stays as they left it."""
    change = Change(lock_artifact(artifact_pk), now)
    due = _due(now).filter(artifact_id=artifact_pk)
    # Locked and looked at again, so that each event tells of an entry that really ran out.
    found = list(due.select_for_update(no_key=True).order_by("pk").values_list("pk", "topic"))
    expired = InsightDraft.objects.filter(pk__in=[pk for pk, _ in found], status=InsightDraft.Status.PENDING).update(
        status=InsightDraft.Status.EXPIRED, decided_at=now
    )
    for pk, topic in found:
        of = f"draft/{pk}/{now.isoformat()}"
        change.say(EventType.DRAFT_EXPIRED, of=of, stage=StageName.DRAFT_GENERATION, metadata={"topic": topic})
    change.flush()
    return expired
