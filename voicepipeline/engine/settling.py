"""What a worker writes when its work is over: finished, failed, put on hold, or given back."""

import logging
import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError

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
from voicepipeline.engine.endings import (
    back_to_queue,
    close,
    open_change,
    same_budgets,
    say_discarded,
    say_stage_failed,
)
from voicepipeline.engine.health import SLOW_DOWN, is_the_notes_own, learn_from_answer, learn_from_trouble
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import check_keys_now, engine_transaction
from voicepipeline.engine.usage import usage_metadata
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.policies.backoff import retry_delay
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages.contract import (
    PermanentFault,
    ProviderFault,
    Remark,
    StageFault,
    StageOutput,
    TransientFault,
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
            settle_provider_fault(claim, outcome)
        case StageFault():
            fail(claim, outcome)
        case NotDone():
            give_back(claim, reason=outcome.reason)


@engine_transaction
def finish(claim: Claim, output: StageOutput) -> None:
    """Keep the result, then queue the next stage or complete the note."""
    change = open_change(claim)
    if claim.stage.uses_choices and claim.input_version < change.artifact.input_version:
        _run_again_on_newer_input(change, claim, output)
    else:
        _keep_result(change, claim, output)
    change.flush()


def _keep_result(change: Change, claim: Claim, output: StageOutput) -> None:
    run = close(change, claim, status=StageRun.Status.SUCCEEDED, effective=True, usage=output.usage)
    if run is None:
        return
    remarks = _store(change.artifact, claim, output)
    learn_from_answer(change, claim, output.usage)
    change.say(
        claim.stage.completed,
        of=fact(run),
        stage=run.stage,
        stage_started_at=run.started_at,
        stage_completed_at=change.now,
        metadata={**output.metadata, **usage_metadata(output.usage), "attempt": run.attempt},
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
        check_keys_now()
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
        stage_started_at=_in_our_hands_since(artifact),
        stage_completed_at=change.now,
        new_status=Artifact.Status.COMPLETED,
        metadata={
            "repeat": repeat,
            "generation": artifact.generation,
            "source_channel": artifact.source_channel,
            "outcome": artifact.outcome or None,
        },
    )


def _in_our_hands_since(artifact: Artifact) -> datetime:
    """`received_at` may be what a sender said: a recording of last week that was handed in today."""
    return artifact.voice_note.created_at if artifact.voice_note else artifact.received_at


def _run_again_on_newer_input(change: Change, claim: Claim, output: StageOutput) -> None:
    """Somebody chose a name meanwhile: this result is from before, so it makes way for a run that knows."""
    run = close(change, claim, status=StageRun.Status.SUPERSEDED, usage=output.usage)
    if run is None:
        return
    say_discarded(change, run, claim, output.usage, reason="newer_input")
    insert_run(change, claim.stage, same_budgets(run))
    announce_end(change, run, terminal=False)


@engine_transaction
def fail(claim: Claim, fault: StageFault) -> None:
    """Close the run; queue a successor while the fault may pass and the budget lasts, else fail the note."""
    change = open_change(claim)
    run = _fail(change, claim, fault)
    if run is not None:
        learn_from_answer(change, claim, fault.usage, code=fault.code)
    change.flush()


def _fail(change: Change, claim: Claim, fault: StageFault, **of_successor: Any) -> StageRun | None:
    run = StageRun.objects.get(pk=claim.run_id)
    again = isinstance(fault, TransientFault) and run.transient_no + 1 < limits().transient_budget
    message = safe_text(fault.message, 500)
    mark = fingerprint(run.stage, fault.code, message)
    closed = close(
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
        return None
    say_stage_failed(change, closed, will_retry=again, usage=fault.usage)
    if again and isinstance(fault, TransientFault):
        budgets = replace(same_budgets(run, transient_no=run.transient_no + 1), **of_successor)
        insert_run(change, claim.stage, budgets, not_before=change.now + _pause(run, fault))
        move_artifact(change, of=fact(run))
    else:
        fail_artifact(change, closed.stage, of=fact(closed), code=fault.code, message=message, fingerprint=mark)
    announce_end(change, closed, terminal=not again)
    return closed


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
def settle_provider_fault(claim: Claim, fault: ProviderFault) -> None:
    """The provider failed: the note waits on hold, charged nothing, unless the provider fails for it alone."""
    change = open_change(claim)
    own = is_the_notes_own(claim, StageRun.objects.get(pk=claim.run_id), fault)
    run = _fail(change, claim, fault, provider_failed_at=change.now) if own else _put_on_hold(change, claim, fault)
    if run is not None:
        if fault.code == SLOW_DOWN:
            said = {"endpoint": claim.stage.service, "reason": fault.code}
            change.say(EventType.RATE_LIMIT_HIT, of=fact(run), stage=run.stage, metadata=said)
        learn_from_trouble(change, claim, fault, charged=own)
    change.flush()


def _put_on_hold(change: Change, claim: Claim, fault: ProviderFault) -> StageRun | None:
    code = safe_text(fault.code, 60)
    run = back_to_queue(
        change,
        claim,
        not_before=change.now + _hold_pause(fault),
        parked_reason=code,
        parked_since=change.now,
        provider_failed_at=change.now,
        usage=fault.usage,
    )
    if run is not None:
        metadata = {"reason": code, **usage_metadata(fault.usage)}
        change.say(EventType.STAGE_PARKED, of=fact(run), stage=run.stage, metadata=metadata)
    return run


def _hold_pause(fault: ProviderFault) -> timedelta:
    """Spread, so that those who failed at once do not come back at once."""
    pause = limits().provider_pause
    return retry_delay(1, retry_after=fault.retry_after, jitter=random.uniform, first=pause, longest=2 * pause)


@engine_transaction
def give_back(claim: Claim, *, reason: str = "worker_stopping") -> None:
    """Back to the queue, charged nothing: the work was not done, through no fault of the note."""
    change = open_change(claim)
    run = back_to_queue(change, claim, not_before=change.now)
    if run is not None:
        change.say(EventType.STAGE_RELEASED, of=fact(run), stage=run.stage, metadata={"reason": reason})
    change.flush()
