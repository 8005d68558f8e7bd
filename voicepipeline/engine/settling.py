"""What a worker writes when its work is over: finished, failed, put on hold, or given back."""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from voicepipeline.engine.changes import (
    Budgets,
    Change,
    announce_end,
    fact,
    fail_artifact,
    insert_run,
    move_artifact,
)
from voicepipeline.engine.claiming import Claim
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.policies.backoff import retry_delay
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages import STAGES
from voicepipeline.stages.contract import (
    NO_USAGE,
    PermanentFault,
    ProviderFault,
    Remark,
    StageFault,
    StageOutput,
    TransientFault,
    Usage,
)
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)


class ResultRefused(Exception):
    """The stage's own code or the database could not keep its result."""


@dataclass(frozen=True)
class NotDone:
    """The work was not done, and for a reason that is neither the note's nor the provider's."""

    reason: str


Outcome = StageOutput | StageFault | NotDone


def settle(claim: Claim, outcome: Outcome) -> None:
    """Write what came of the work."""
    match outcome:
        case StageOutput():
            try:
                finish(claim, outcome)
            except ResultRefused:
                message = "The result could not be stored. Trying again will not help; this is a fault to report."
                fail(claim, PermanentFault("result_not_storable", message, usage=outcome.usage))
        case ProviderFault():
            put_on_hold(claim, outcome)
        case StageFault():
            fail(claim, outcome)
        case NotDone():
            give_back(claim, reason=outcome.reason)


@engine_transaction
def finish(claim: Claim, output: StageOutput) -> None:
    """Keep the result, then queue the next stage or complete the note."""
    change = _open(claim)
    if claim.stage.uses_choices and claim.input_version < change.artifact.input_version:
        _run_again_on_newer_input(change, claim, output)
    else:
        _keep_result(change, claim, output)
    change.flush()


def _keep_result(change: Change, claim: Claim, output: StageOutput) -> None:
    run = _close(change, claim, status=StageRun.Status.SUCCEEDED, effective=True, usage=output.usage)
    if run is None:
        return
    remarks = _store(change.artifact, claim, output)
    change.say(
        claim.stage.completed,
        of=fact(run),
        stage=run.stage,
        stage_started_at=run.started_at,
        stage_completed_at=change.now,
        metadata={**output.metadata, **_usage_metadata(output.usage), "attempt": run.attempt},
    )
    for remark in remarks:
        of = f"{fact(run)}/{remark.of}"
        change.say(remark.event_type, of=of, stage=run.stage, metadata=remark.metadata)
    following = claim.stage.next
    if following is None:
        complete(change, run)
    else:
        move_artifact(change, of=fact(run), status=claim.stage.status_when_done, current_stage=following.name)
        insert_run(change, following, Budgets(origin=run.origin, requested_by_id=run.requested_by_id))
    announce_end(change, run, terminal=following is None)


def _store(artifact: Artifact, claim: Claim, output: StageOutput) -> list[Remark]:
    """Let the stage keep its rows; whatever goes wrong with them is the result's fault and costs no second call."""
    try:
        remarks = list(claim.stage.code.store(artifact, output.data) or ())
        connection.check_constraints()
        return remarks
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Any error here would come again with the same result: the run fails for good instead of paying twice.
        logger.exception("a stage's result could not be stored", extra={"run": claim.run_id})
        raise ResultRefused from error


def complete(change: Change, run: StageRun) -> None:
    """The last automatic stage is committed: the note is ready."""
    artifact = change.artifact
    repeat = artifact.first_completed_at is not None
    move_artifact(
        change,
        of=fact(run),
        status=Artifact.Status.COMPLETED,
        current_stage="",
        completed_at=change.now,
        first_completed_at=artifact.first_completed_at or change.now,
    )
    change.say(
        EventType.ARTIFACT_COMPLETED,
        of=fact(run),
        stage_started_at=artifact.received_at,
        stage_completed_at=change.now,
        new_status=Artifact.Status.COMPLETED,
        metadata={"repeat": repeat, "generation": artifact.generation, "source_channel": artifact.source_channel},
    )


def _run_again_on_newer_input(change: Change, claim: Claim, output: StageOutput) -> None:
    """Somebody chose a name meanwhile: this result is from before, so it makes way for a run that knows."""
    run = _close(change, claim, status=StageRun.Status.SUPERSEDED, usage=output.usage)
    if run is None:
        return
    _say_discarded(change, run, claim, output.usage, reason="newer_input")
    insert_run(change, claim.stage, same_budgets(run))
    announce_end(change, run, terminal=False)


@engine_transaction
def fail(claim: Claim, fault: StageFault) -> None:
    """Close the run; queue a successor while the fault may pass and the budget lasts, else fail the note."""
    change = _open(claim)
    run = StageRun.objects.get(pk=claim.run_id)
    again = isinstance(fault, TransientFault) and run.transient_no + 1 < limits().transient_budget
    message = safe_text(fault.message, 500)
    mark = fingerprint(run.stage, fault.code, message)
    closed = _close(
        change,
        claim,
        status=StageRun.Status.FAILED,
        terminal=not again,
        error_code=fault.code,
        error_message=message,
        fingerprint=mark,
        usage=fault.usage,
    )
    if closed is None:
        change.flush()
        return
    say_stage_failed(change, closed, will_retry=again, usage=fault.usage)
    if again and isinstance(fault, TransientFault):
        budgets = same_budgets(run, transient_no=run.transient_no + 1)
        insert_run(change, claim.stage, budgets, not_before=change.now + _pause(run, fault))
        move_artifact(change, of=fact(run))
    else:
        fail_artifact(change, closed.stage, of=fact(closed), code=fault.code, message=message, fingerprint=mark)
    announce_end(change, closed, terminal=not again)
    change.flush()


def _pause(run: StageRun, fault: TransientFault) -> timedelta:
    how = limits()
    return retry_delay(
        run.transient_no + 1,
        retry_after=fault.retry_after,
        jitter=random.uniform,
        first=how.first_pause,
        longest=how.longest_pause,
    )


@engine_transaction
def put_on_hold(claim: Claim, fault: ProviderFault) -> None:
    """Back to the queue, charged nothing: the provider is in trouble, not this note."""
    change = _open(claim)
    pause = max(limits().on_hold_pause, fault.retry_after or timedelta())
    run = _back_to_queue(
        change,
        claim,
        not_before=change.now + pause,
        parked_reason=safe_text(fault.code, 60),
        parked_since=change.now,
        usage=fault.usage,
    )
    if run is not None:
        metadata = {"reason": fault.code, **_usage_metadata(fault.usage)}
        change.say(EventType.STAGE_PARKED, of=fact(run), stage=run.stage, metadata=metadata)
    change.flush()


@engine_transaction
def give_back(claim: Claim, *, reason: str = "worker_stopping") -> None:
    """Back to the queue, charged nothing: the work was not done, through no fault of the note."""
    change = _open(claim)
    run = _back_to_queue(change, claim, not_before=change.now)
    if run is not None:
        change.say(EventType.STAGE_RELEASED, of=fact(run), stage=run.stage, metadata={"reason": reason})
    change.flush()


def _open(claim: Claim) -> Change:
    return Change(lock_artifact(claim.artifact_pk), database_now())


def _close(change: Change, claim: Claim, *, usage: Usage, **values: Any) -> StageRun | None:
    """End the run if it is still this claim's; otherwise say that the result came too late."""
    mine = StageRun.objects.mine(claim.run_id, claim.token)
    closed = mine.update(lease_until=None, finished_at=change.now, **_usage_columns(usage), **values)
    return _fresh_or_discarded(change, claim, usage, bool(closed))


def _back_to_queue(
    change: Change, claim: Claim, *, not_before: datetime, usage: Usage = NO_USAGE, **values: Any
) -> StageRun | None:
    mine = StageRun.objects.mine(claim.run_id, claim.token)
    moved = mine.update(
        status=StageRun.Status.QUEUED, lease_until=None, not_before=not_before, rung_at=None, ring_count=0, **values
    )
    return _fresh_or_discarded(change, claim, usage, bool(moved))


def _fresh_or_discarded(change: Change, claim: Claim, usage: Usage, written: bool) -> StageRun | None:
    run = StageRun.objects.get(pk=claim.run_id)
    if written:
        return run
    _say_discarded(change, run, claim, usage, reason=run.status)
    return None


def _say_discarded(change: Change, run: StageRun, claim: Claim, usage: Usage, *, reason: str) -> None:
    change.say(
        EventType.STAGE_RESULT_DISCARDED,
        of=f"run/{claim.run_id}/{claim.token}",
        stage=run.stage,
        stage_started_at=claim.started_at,
        stage_completed_at=change.now,
        metadata={"reason": reason, "attempt": run.attempt, **_usage_metadata(usage)},
    )


def say_stage_failed(change: Change, run: StageRun, *, will_retry: bool, usage: Usage = NO_USAGE) -> None:
    change.say(
        STAGES[run.stage].failed,
        of=fact(run),
        stage=run.stage,
        stage_started_at=run.started_at,
        stage_completed_at=change.now,
        error_code=run.error_code,
        error_message=run.error_message,
        metadata={"will_retry": will_retry, "attempt": run.attempt, **_usage_metadata(usage)},
    )


def same_budgets(run: StageRun, *, transient_no: int | None = None, crash_no: int | None = None) -> Budgets:
    return Budgets(
        origin=run.origin,
        requested_by_id=run.requested_by_id,
        transient_no=run.transient_no if transient_no is None else transient_no,
        crash_no=run.crash_no if crash_no is None else crash_no,
    )


def _usage_columns(usage: Usage) -> dict[str, Any]:
    return {
        "ai_model": safe_text(usage.ai_model, 80),
        "prompt_version": safe_text(usage.prompt_version, 40),
        "request_id": safe_text(usage.request_id, 120),
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "audio_seconds": usage.audio_seconds,
        "provider_ms": usage.provider_ms,
        "cost_usd": usage.cost_usd,
    }


def _usage_metadata(usage: Usage) -> dict[str, Any]:
    return {
        "ai_model": usage.ai_model or None,
        "ai_cost": usage.cost_usd,
        "prompt_version": usage.prompt_version or None,
    }
