"""Where a voice note stands, in the words that people see: on pages and in the API."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When

from voicepipeline.durations import in_words
from voicepipeline.engine.limits import limits
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import Artifact, StageRun
from voicepipeline.policies.stalling import is_stalled, last_progress
from voicepipeline.queries import open_names


class NoteState(NamedTuple):
    """A state in words, with a key for it."""

    key: str
    words: str


def note_state(
    artifact: Artifact, *, held_by: str | None, stalled_for: timedelta | None, open_names: int = 0
) -> NoteState:
    """Where a note stands, in a few words; `held_by` is the reason why its run is on hold, if it is."""
    if artifact.closed_at:
        return NoteState("closed", "Closed, won't fix")
    if artifact.status == Artifact.Status.COMPLETED and artifact.outcome:
        return NoteState("no_speech", artifact.get_outcome_display())
    if artifact.status == Artifact.Status.COMPLETED and open_names:
        names = "name" if open_names == 1 else "names"
        return NoteState("to_check", f"Ready, {open_names} {names} to check")
    if artifact.status in Artifact.ENDS:
        return NoteState(artifact.status, artifact.get_status_display())
    if held_by:
        return hold_state(held_by)
    if stalled_for is not None:
        return NoteState("stalled", f"No progress for {in_words(stalled_for)}")
    key = "waiting" if artifact.status == Artifact.Status.RECEIVED else "running"
    return NoteState(key, artifact.get_status_display())


def hold_state(reason: str) -> NoteState:
    return NoteState("on_hold", f"On hold: {HOLD_REASONS.get(reason, 'the AI service is in trouble')}")


def with_standing(notes: QuerySet[Any]) -> QuerySet[Any]:
    """Notes with all that `state_of_row` asks of them."""
    active = StageRun.objects.filter(artifact=OuterRef("pk")).active()
    moved = active.annotate(moved=Case(When(status="running", then=F("started_at")), default=F("not_before")))
    annotated: QuerySet[Any] = notes.annotate(
        held_by=Subquery(active.values("parked_reason")[:1]),
        run_moved_at=Subquery(moved.values("moved")[:1]),
        open_names=open_names(),
    )
    return annotated


def state_of_row(artifact: Any, now: datetime) -> NoteState:
    """The state of a note that came with its standing."""
    moved = last_progress(artifact.updated_at, artifact.run_moved_at)
    stalled = is_stalled(moved, now, limits().stalled_after(artifact.current_stage))
    return note_state(
        artifact,
        held_by=artifact.held_by,
        stalled_for=now - moved if stalled else None,
        open_names=artifact.open_names or 0,
    )
