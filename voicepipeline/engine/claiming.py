"""A worker takes up a run, under a lease."""

from dataclasses import dataclass
from datetime import datetime

from voicepipeline.engine.changes import Change, fact, move_artifact
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import EventType, StageRun
from voicepipeline.stages import STAGES, Stage


@dataclass(frozen=True)
class Claim:
    """A run in the hands of one worker; the token fences everything it writes."""

    run_id: int
    artifact_pk: int
    token: int
    stage: Stage
    input_version: int
    started_at: datetime


def claim_of(run: StageRun) -> Claim:
    """The claim under which this run is running."""
    assert run.started_at is not None  # noqa: S101 — claiming writes it
    return Claim(run.pk, run.artifact_id, run.lease_token, STAGES[run.stage], run.input_version, run.started_at)


@engine_transaction
def claim(run_id: int, *, worker: str) -> Claim | None:
    """Take up a waiting run that is due; None when there is nothing to take up, which is no fault."""
    artifact_pk = StageRun.objects.filter(pk=run_id, status=StageRun.Status.QUEUED).values_list("artifact_id").first()
    if artifact_pk is None:
        return None
    artifact = lock_artifact(artifact_pk[0])
    change = Change(artifact, database_now())
    run = StageRun.objects.get(pk=run_id)
    how = limits()
    deadline = change.now + how.longest_run
    taken = StageRun.objects.filter(
        pk=run_id,
        status=StageRun.Status.QUEUED,
        generation=artifact.generation,
        not_before__lte=change.now,
    ).update(
        status=StageRun.Status.RUNNING,
        lease_token=run.lease_token + 1,
        lease_until=min(change.now + how.lease, deadline),
        hard_deadline=deadline,
        input_version=artifact.input_version,
        worker=worker,
        started_at=change.now,
        parked_reason="",
        parked_since=None,
    )
    if not taken:
        return None
    run.lease_token += 1
    _say_started(change, run)
    change.flush()
    return Claim(run.pk, artifact.pk, run.lease_token, STAGES[run.stage], artifact.input_version, change.now)


def _say_started(change: Change, run: StageRun) -> None:
    stage = STAGES[run.stage]
    if run.parked_since:
        # Its own name: a worker that gives the run back says "released" of the same claim.
        held = f"held/{fact(run)}"
        change.say(EventType.STAGE_RELEASED, of=held, stage=stage.name, metadata={"reason": run.parked_reason})
    move_artifact(change, of=fact(run), status=stage.status_while_running, current_stage=stage.name)
    change.say(
        stage.started,
        of=fact(run),
        stage=stage.name,
        stage_started_at=change.now,
        metadata={"attempt": run.attempt, "generation": run.generation},
    )
