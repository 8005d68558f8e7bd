"""A worker takes up a run, under a lease."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from voicepipeline.engine.changes import Change, fact, move_artifact
from voicepipeline.engine.gate import pass_gate
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import ClockTimestamp, engine_transaction, lock_artifact
from voicepipeline.engine.usage import used_by
from voicepipeline.models import Artifact, StageRun
from voicepipeline.stages import STAGES, Stage
from voicepipeline.stages.contract import NO_USAGE, Usage


@dataclass(frozen=True)
class Claim:
    """A run in the hands of one worker; the token fences everything it writes."""

    run_id: int
    artifact_pk: int
    token: int
    stage: Stage
    input_version: int
    started_at: datetime
    # As it was read under the lock, for the stage to read from.
    artifact: Artifact | None = field(default=None, compare=False, repr=False)
    # By tries of this run that ended on hold.
    used_before: Usage = field(default=NO_USAGE, compare=False, repr=False)


def claim_of(run: StageRun) -> Claim:
    """The claim under which this run is running."""
    assert run.started_at is not None  # noqa: S101 — claiming writes it
    stage = STAGES[run.stage]
    return Claim(
        run.pk, run.artifact_id, run.lease_token, stage, run.input_version, run.started_at, used_before=used_by(run)
    )


@engine_transaction
def claim(run_id: int, *, worker: str, artifact_pk: int | None = None) -> Claim | None:
    """Take up a waiting run that is due; None when there is nothing to take up, or it has to wait: that is no fault."""
    if artifact_pk is None:
        waiting = StageRun.objects.filter(pk=run_id, status=StageRun.Status.QUEUED)
        artifact_pk = waiting.values_list("artifact_id", flat=True).first()
    if artifact_pk is None:
        return None
    artifact = lock_artifact(artifact_pk)
    run = _lock_run(run_id, artifact)
    change = Change(artifact, run.read_at)
    stage = STAGES[run.stage]
    if not _may_start(run, artifact, change.now) or not pass_gate(change, run, stage):
        return None
    how = limits()
    deadline = change.now + how.longest_run
    run.lease_token += 1
    StageRun.objects.filter(pk=run_id, status=StageRun.Status.QUEUED, parked_since=None).update(
        status=StageRun.Status.RUNNING,
        lease_token=run.lease_token,
        lease_until=min(change.now + how.lease, deadline),
        hard_deadline=deadline,
        input_version=artifact.input_version,
        worker=worker,
        started_at=change.now,
    )
    _say_started(change, run, stage)
    change.flush()
    return Claim(
        run.pk, artifact.pk, run.lease_token, stage, artifact.input_version, change.now, artifact, used_by(run)
    )


def _lock_run(run_id: int, artifact: Artifact) -> Any:
    """The run with the moment at which it was read: after the artifact's lock, which is the one that is waited for."""
    runs = StageRun.objects.annotate(read_at=ClockTimestamp()).filter(artifact=artifact)
    return runs.select_for_update(no_key=True, of=("self",)).get(pk=run_id)


def _may_start(run: StageRun, artifact: Artifact, now: datetime) -> bool:
    """Asked under the row's lock. What is on hold is the watchdog's to let go, however often it is rung for."""
    waits = run.status == StageRun.Status.QUEUED and run.parked_since is None
    return waits and run.generation == artifact.generation and run.not_before <= now


def _say_started(change: Change, run: StageRun, stage: Stage) -> None:
    move_artifact(change, of=fact(run), status=stage.status_while_running, current_stage=stage.name)
    change.say(
        stage.started,
        of=fact(run),
        stage=stage.name,
        stage_started_at=change.now,
        metadata={"attempt": run.attempt, "generation": run.generation},
    )
