"""What staff do to one voice note outside retries: give it back, close it, open it again."""

import uuid
from datetime import datetime

from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.changes import Change, move_artifact
from voicepipeline.engine.limits import limits
from voicepipeline.engine.requests import active_run, cancel, give_back_stalled
from voicepipeline.engine.scheduling import next_due, schedule_locked
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_note
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact, EventType, NoteDecision, StageRun, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.policies.stalling import is_stalled, last_progress
from voicepipeline.text import safe_text

MAX_REASON = 500
UNKNOWN = "There is no voice note with this id."


@engine_transaction
def release_and_requeue(artifact_id: uuid.UUID, *, by: User, reason: str = "") -> Outcome:
    """Give a note that does not move on back to the queue; nothing it has is lost, and it is charged nothing."""
    verify_platform_staff(by, "voicepipeline.release_artifact")
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    artifact = change.artifact
    run = active_run(artifact)
    if not artifact.is_active:
        return Outcome(False, f"It is {artifact.get_status_display().lower()}, so there is nothing to release.")
    if run is not None and run.parked_since is not None:
        return Outcome(False, "It is on hold, and goes on by itself once what holds it is over.")
    if not _is_stalled(change, run):
        return Outcome(False, "It is moving on by itself. Release it only when it has made no progress for a while.")
    try:
        _requeue(change, run)
    except InvalidTransition as error:
        return Outcome(False, str(error))
    change.say(
        EventType.STAGE_RELEASED,
        of=f"released/{artifact.pk}/{change.now.isoformat()}",
        stage=artifact.current_stage,
        actor_id=by.pk,
        metadata={"reason": "released_by_staff"},
    )
    _remember(change, NoteDecision.Kind.RELEASED, by, reason)
    change.flush()
    return Outcome(True, "Released. A worker will take it up in a moment.")


def _requeue(change: Change, run: StageRun | None) -> None:
    if run is not None:
        give_back_stalled(change, run)
        return
    stage = next_due(change.artifact)
    if stage is None:
        raise InvalidTransition("Every stage has its result; there is nothing to queue.")
    scheduling = schedule_locked(change, stage)
    if scheduling.run is None:
        raise InvalidTransition(scheduling.refusal)


def _is_stalled(change: Change, run: StageRun | None) -> bool:
    artifact = change.artifact
    if run is not None and run.parked_since is not None:  # it is meant to wait
        return False
    return is_stalled(_last_progress(artifact, run), change.now, limits().stalled_after(artifact.current_stage))


def _last_progress(artifact: Artifact, run: StageRun | None) -> datetime:
    if run is None:
        return artifact.updated_at
    running = run.status == StageRun.Status.RUNNING
    return last_progress(artifact.updated_at, run.started_at if running else run.not_before)


@engine_transaction
def close_artifact(artifact_id: uuid.UUID, *, by: User, reason: str) -> Outcome:
    """Settle that a note that failed or stands still will not be fixed; it can be opened again."""
    verify_platform_staff(by, "voicepipeline.close_artifact")
    reason = safe_text(reason.strip(), MAX_REASON)
    if not reason:
        return Outcome(False, "Say why: the reason is kept with the voice note.")
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    artifact = change.artifact
    if artifact.closed_at is not None:
        return Outcome(False, f"Already closed by {artifact.closed_by}.")
    if artifact.status != Artifact.Status.FAILED:
        refusal = _cancel_stalled(change)
        if refusal:
            return Outcome(False, refusal)
    move_artifact(
        change,
        of=f"closed/{artifact.pk}/{change.now.isoformat()}",
        closed_at=change.now,
        closed_by=by,
        closed_reason=reason,
    )
    _remember(change, NoteDecision.Kind.CLOSED, by, reason)
    change.flush()
    return Outcome(True, "Closed. It no longer counts as a problem.")


def _cancel_stalled(change: Change) -> str:
    """Take a note that stands still out of the queue; why not, when it cannot be."""
    artifact = change.artifact
    if not _is_stalled(change, active_run(artifact)):
        state = artifact.get_status_display().lower()
        return f"It is {state}. Only a voice note that failed, or waits without any progress, can be closed."
    try:
        cancel(change, message="Cancelled by a person.")
    except InvalidTransition as error:
        return f"{error} Release it first."
    return ""


@engine_transaction
def reopen_artifact(artifact_id: uuid.UUID, *, by: User) -> Outcome:
    """Make a closed note a failed one again, so that it can be retried."""
    verify_platform_staff(by, "voicepipeline.close_artifact")
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    if change.artifact.closed_at is None:
        return Outcome(False, "It is not closed.")
    move_artifact(change, of=f"reopened/{change.artifact.pk}", closed_at=None, closed_by=None, closed_reason="")
    _remember(change, NoteDecision.Kind.REOPENED, by)
    change.flush()
    return Outcome(True, "Open again.")


def _open(artifact_id: uuid.UUID) -> Change | None:
    artifact = lock_note(artifact_id)
    return None if artifact is None else Change(artifact, database_now())


def _remember(change: Change, kind: NoteDecision.Kind, by: User, reason: str = "") -> None:
    NoteDecision.objects.create(
        artifact=change.artifact, kind=kind, by=by, reason=safe_text(reason, MAX_REASON), decided_at=change.now
    )
