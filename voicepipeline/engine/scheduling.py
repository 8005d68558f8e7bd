"""Putting a stage on the queue."""

from dataclasses import dataclass

from voicepipeline.engine.changes import Budgets, Change, insert_run, move_artifact
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, StageName, StageRun
from voicepipeline.stages import IN_ORDER, STAGES, Stage


@dataclass(frozen=True)
class Scheduling:
    """The run that was added, or why none was."""

    run: StageRun | None
    refusal: str = ""


@engine_transaction
def schedule_stage(artifact_pk: int, stage_name: StageName) -> Scheduling:
    """Queue a stage of a note that is on its way; refused when it is already queued or its input is missing."""
    artifact = lock_artifact(artifact_pk)
    change = Change(artifact, database_now())
    scheduling = schedule_locked(change, STAGES[stage_name])
    change.flush()
    return scheduling


def schedule_locked(change: Change, stage: Stage, budgets: Budgets | None = None) -> Scheduling:
    """The same for an artifact whose lock is held; adds to the change and flushes nothing."""
    artifact = change.artifact
    if not artifact.is_active:
        return Scheduling(None, f"This voice note is {artifact.get_status_display().lower()}. Retry it instead.")
    refusal = missing_for(artifact, stage)
    if refusal:
        return Scheduling(None, refusal)
    run = insert_run(change, stage, budgets or Budgets())
    move_artifact(change, of=f"run/{run.pk}", current_stage=stage.name)
    return Scheduling(run)


def missing_for(artifact: Artifact, stage: Stage) -> str:
    """Why this stage cannot be queued now, in words; empty when it can."""
    active = StageRun.objects.filter(artifact=artifact).active().first()
    if active:
        return f"{active.get_stage_display()} is already {active.get_status_display().lower()} for this voice note."
    if stage.previous is None:
        return input_missing(artifact)
    if not has_result(artifact, stage.previous):
        return f"There is no result of the stage before, {stage.previous.name.label}."
    return ""


def input_missing(artifact: Artifact) -> str:
    if artifact.voice_note is None:
        return "This voice note has no recording linked to it, so there is nothing to transcribe."
    if not artifact.voice_note.has_input:
        return "The recording holds neither audio nor typed text."
    return ""


def has_result(artifact: Artifact, stage: Stage) -> bool:
    return StageRun.objects.filter(artifact=artifact, stage=stage.name, effective=True).exists()


def next_due(artifact: Artifact) -> Stage | None:
    """The first stage without a result in use; None when every stage has one."""
    done = set(StageRun.objects.filter(artifact=artifact, effective=True).values_list("stage", flat=True))
    return next((stage for stage in IN_ORDER if stage.name not in done), None)
