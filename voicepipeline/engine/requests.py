"""What people ask of the engine: start over, run again from a stage, cancel, give a stalled run back.

All expect the artifact's lock to be held by the operation that calls them.
"""

from collections import Counter

from django.db.models import F

from voicepipeline.engine.changes import (
    CLEAN,
    Budgets,
    Change,
    announce_end,
    fact,
    fail_artifact,
    insert_run,
    move_artifact,
)
from voicepipeline.engine.scheduling import has_result, input_missing
from voicepipeline.engine.transactions import check_keys_now
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages import FIRST, IN_ORDER, Stage

CANCELLED = "cancelled"
REOPENED = {"closed_at": None, "closed_by": None, "closed_reason": ""}


def active_run(artifact: Artifact) -> StageRun | None:
    return StageRun.objects.filter(artifact=artifact).active().first()


def start_over(change: Change, budgets: Budgets) -> dict[str, int]:
    """Begin a new round: supersede what runs, delete what was made, queue the first stage; say what was deleted.

    Confirmed and applied entries go too: whether somebody agrees to that is the caller's question.
    """
    artifact = change.artifact
    missing = input_missing(artifact)
    if missing:
        raise InvalidTransition(missing)
    run = active_run(artifact)
    if run is not None:
        _end_active(change, run, StageRun.Status.SUPERSEDED)
    deleted = _remove_results(change, IN_ORDER, decided_too=True)
    move_artifact(
        change,
        of=f"round/{artifact.pk}/{artifact.generation + 1}",
        status=Artifact.Status.RECEIVED,
        current_stage=FIRST.name,
        generation=artifact.generation + 1,
        completed_at=None,
        **CLEAN,
        **REOPENED,
    )
    insert_run(change, FIRST, budgets)
    return deleted


def run_again_from(change: Change, stage: Stage, budgets: Budgets) -> dict[str, int]:
    """Queue this stage anew on the result before it; its and all later machine-made results make way."""
    artifact = change.artifact
    run = active_run(artifact)
    if run is not None:
        raise InvalidTransition(f"{run.get_stage_display()} is still {run.get_status_display().lower()}.")
    if stage.previous is None:
        missing = input_missing(artifact)
        if missing:
            raise InvalidTransition(missing)
    elif not has_result(artifact, stage.previous):
        raise InvalidTransition(f"There is no result of {stage.previous.name.label} to go on from.")
    deleted = _remove_results(change, tuple(reversed(stage.from_here)))
    before = stage.previous.status_when_done if stage.previous else stage.status_while_running
    run = insert_run(change, stage, budgets)
    move_artifact(
        change, of=f"run/{run.pk}", status=before, current_stage=stage.name, completed_at=None, **CLEAN, **REOPENED
    )
    return deleted


def cancel(change: Change, *, message: str) -> None:
    """End a waiting run, and with it the note's way, because a person said so."""
    run = active_run(change.artifact)
    if run is None or run.status != StageRun.Status.QUEUED:
        raise InvalidTransition("Only a voice note that waits for a worker can be cancelled.")
    _end_active(change, run, StageRun.Status.CANCELLED, terminal=True)
    mark = fingerprint(run.stage, CANCELLED, "")
    fail_artifact(change, run.stage, of=fact(run), code=CANCELLED, message=message, fingerprint=mark)


def give_back_stalled(change: Change, run: StageRun) -> None:
    """Take a run from the worker that holds it, uncharged, or make a waiting one due at once."""
    before = fact(run)
    moved = StageRun.objects.filter(pk=run.pk, status=run.status, lease_token=run.lease_token).update(
        status=StageRun.Status.QUEUED,
        # The next token: whatever its old holder still writes comes too late.
        lease_token=F("lease_token") + (1 if run.status == StageRun.Status.RUNNING else 0),
        lease_until=None,
        not_before=change.now,
        parked_reason="",
        parked_since=None,
        rung_at=None,
        ring_count=0,
    )
    if not moved:
        raise InvalidTransition("It has just moved on by itself.")
    move_artifact(change, of=before)


def _end_active(change: Change, run: StageRun, status: StageRun.Status, *, terminal: bool = False) -> None:
    StageRun.objects.filter(pk=run.pk).active().update(
        status=status,
        terminal=terminal,
        lease_until=None,
        finished_at=change.now,
        parked_reason="",
        parked_since=None,
    )
    run.refresh_from_db()
    if status == StageRun.Status.SUPERSEDED:
        change.say(
            EventType.STAGE_RESULT_DISCARDED,
            of=f"superseded/{run.pk}",
            stage=run.stage,
            metadata={"reason": "superseded"},
        )
    announce_end(change, run, terminal=True)


def _remove_results(change: Change, stages: tuple[Stage, ...], *, decided_too: bool = False) -> dict[str, int]:
    """In this order; the database looks at the keys among these rows when all are gone."""
    deleted: Counter[str] = Counter()
    for stage in stages:
        deleted.update(stage.code.remove(change.artifact, decided_too=decided_too))
    names = [stage.name for stage in stages]
    StageRun.objects.filter(artifact=change.artifact, stage__in=names, effective=True).update(effective=False)
    check_keys_now()
    return dict(deleted)
