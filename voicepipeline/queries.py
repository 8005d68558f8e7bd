"""The questions that pages, commands and other apps ask of the log and of the notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.utils import timezone

from voicepipeline.engine.limits import limits
from voicepipeline.models import Artifact, EntityResolution, PipelineEvent, StageName, StageRun, Transcript
from voicepipeline.querysets import ACTIVE_STATUSES

MAX_PAGE = 500
MAX_TIMELINE = 2_000
# A club's events lie scattered over the whole log: without a bound the search for them would be one, too.
CLUB_HORIZON = timedelta(hours=48)


@dataclass(frozen=True)
class EventPage:
    """Events, newest first, and where the next page starts (None: there is no next page)."""

    events: Sequence[PipelineEvent]
    next_before_id: int | None


def get_recent_events(
    *,
    event_type: str | None = None,
    stage: str | None = None,
    organization_id: int | None = None,
    artifact: Artifact | None = None,
    errors_only: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    page_size: int = 50,
) -> EventPage:
    """The newest events that fit, a page at a time; the next page begins before the last id of this one."""
    events = PipelineEvent.objects.select_related("artifact", "organization", "coach", "actor").order_by("-id")
    if organization_id is not None and since is None:
        since = timezone.now() - CLUB_HORIZON
    equal = {
        "event_type": event_type,
        "pipeline_stage": stage,
        "organization_id": organization_id,
        "artifact": artifact,
        "timestamp__gte": since,
        "timestamp__lt": until,
        "id__lt": before_id,
    }
    events = events.filter(**{name: value for name, value in equal.items() if value is not None})
    if errors_only:
        events = events.exclude(error_code="")
    size = min(max(page_size, 1), MAX_PAGE)
    found = list(events[: size + 1])
    page = found[:size]
    return EventPage(page, page[-1].pk if len(found) > size else None)


def get_event_timeline(artifact: Artifact) -> list[PipelineEvent]:
    """Everything the log still has of one note, oldest first; of an endless story, the newest part."""
    newest = PipelineEvent.objects.filter(artifact=artifact).select_related("actor").order_by("-id")[:MAX_TIMELINE]
    return list(reversed(newest))


def get_active_artifacts() -> QuerySet[Artifact]:
    """Notes on their way, the longest waiting first."""
    return Artifact.objects.active().select_related("organization", "sender").order_by("received_at", "id")


def get_failed_artifacts(*, since: datetime | None = None) -> QuerySet[Artifact]:
    """Failed notes that nobody has closed, newest first, as far back as `since` by when they failed."""
    failed = Artifact.objects.failed().select_related("organization", "sender").order_by("-updated_at", "-id")
    return failed if since is None else failed.filter(updated_at__gte=since)


def failed_since(notes: QuerySet[Any], since: datetime | Combinable) -> QuerySet[Any]:
    """Those that are failed now and not closed, and whose last try ended since then."""
    ended = StageRun.objects.filter(terminal=True, status=StageRun.Status.FAILED, finished_at__gte=since)
    return notes.filter(status=Artifact.Status.FAILED, closed_at__isnull=True, pk__in=ended.values("artifact"))


def open_names() -> Subquery:
    """How many names of each note wait for a person; NULL for none. The same name is one, however often it was said."""
    unclear = EntityResolution.objects.filter(
        artifact=OuterRef("pk"), status=EntityResolution.Status.NEEDS_DISAMBIGUATION
    )
    names = Count(Concat("kind", "name_key"), distinct=True)
    return Subquery(unclear.order_by().values("artifact").annotate(names=names).values("names")[:1])


def transcripts_to_review(*verdicts: str) -> QuerySet[Transcript]:
    """Those of which somebody should hear the recording and nobody has: doubtful ones, and without any speech."""
    doubts = verdicts or (Transcript.Verdict.FLAGGED, Transcript.Verdict.NO_SPEECH)
    return Transcript.objects.filter(verdict__in=doubts, reviewed_at__isnull=True)


def stalled_notes(notes: QuerySet[Any]) -> QuerySet[Any]:
    """On their way, but without progress for longer than their stage may take.

    Not those on hold, due later or just taken up.
    """
    now, how = timezone.now(), limits()
    still = Q()
    for stage in ("", *StageName.values):
        still |= Q(current_stage=stage, updated_at__lt=now - how.stalled_after(stage))
    shortest = min(how.stalled_after(stage) for stage in StageName.values)
    meant_to_wait = Q(status="queued") & (Q(not_before__gt=now - shortest) | Q(parked_since__isnull=False))
    # A claim that changes nothing of the note, after a hold or a failed try, does not write when it changed either.
    at_work = Q(status="running", started_at__gt=now - shortest)
    fine = StageRun.objects.filter(meant_to_wait | at_work, artifact=OuterRef("pk"))
    return notes.filter(still, ~Exists(fine), status__in=ACTIVE_STATUSES)
