"""How a claimed run leaves its worker: closed or back in the queue, under its token, and what is said of it."""

from datetime import datetime
from typing import Any

from voicepipeline.engine.changes import Budgets, Change, fact
from voicepipeline.engine.claiming import Claim
from voicepipeline.engine.transactions import database_now, lock_artifact
from voicepipeline.engine.usage import keepable, together, usage_columns, usage_metadata
from voicepipeline.models import EventType, StageRun
from voicepipeline.stages import STAGES
from voicepipeline.stages.contract import NO_USAGE, Usage


def open_change(claim: Claim) -> Change:
    return Change(lock_artifact(claim.artifact_pk), database_now())


def close(change: Change, claim: Claim, *, usage: Usage, **values: Any) -> StageRun | None:
    """End the run if it is still this claim's; otherwise say that the result came too late."""
    mine = StageRun.objects.mine(claim.run_id, claim.token)
    used = usage_columns(together(claim.used_before, keepable(usage)))
    closed = mine.update(lease_until=None, finished_at=change.now, **used, **values)
    return _fresh_or_discarded(change, claim, usage, bool(closed))


def back_to_queue(
    change: Change, claim: Claim, *, not_before: datetime, usage: Usage = NO_USAGE, **values: Any
) -> StageRun | None:
    """Put the run back if it is still this claim's; otherwise say that the result came too late."""
    mine = StageRun.objects.mine(claim.run_id, claim.token)
    moved = mine.update(
        status=StageRun.Status.QUEUED,
        lease_until=None,
        not_before=not_before,
        rung_at=None,
        ring_count=0,
        **usage_columns(together(claim.used_before, keepable(usage))),
        **values,
    )
    return _fresh_or_discarded(change, claim, usage, bool(moved))


def _fresh_or_discarded(change: Change, claim: Claim, usage: Usage, written: bool) -> StageRun | None:
    run = StageRun.objects.get(pk=claim.run_id)
    if written:
        return run
    say_discarded(change, run, claim, usage, reason=run.status)
    return None


def say_discarded(change: Change, run: StageRun, claim: Claim, usage: Usage, *, reason: str) -> None:
    change.say(
        EventType.STAGE_RESULT_DISCARDED,
        of=f"run/{claim.run_id}/{claim.token}",
        stage=run.stage,
        stage_started_at=claim.started_at,
        stage_completed_at=change.now,
        metadata={"reason": reason, "attempt": run.attempt, **usage_metadata(usage)},
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
        metadata={"will_retry": will_retry, "attempt": run.attempt, **usage_metadata(usage)},
    )


def same_budgets(run: StageRun, *, transient_no: int | None = None, crash_no: int | None = None) -> Budgets:
    return Budgets(
        origin=run.origin,
        requested_by_id=run.requested_by_id,
        transient_no=run.transient_no if transient_no is None else transient_no,
        crash_no=run.crash_no if crash_no is None else crash_no,
        provider_failed_at=run.provider_failed_at,
    )
