"""How a retry ends: with the last stage of what it caused, told by the origin that its runs carry."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from retry.models import BulkRetryItem, RetryAttempt
from voicepipeline.engine.changes import Change
from voicepipeline.engine.requests import CANCELLED
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.querysets import ACTIVE_RUN_STATUSES

logger = logging.getLogger(__name__)

Outcome = RetryAttempt.Outcome
# An attempt without a run is young for a moment; looked at again later, it is forgotten.
FORGOTTEN_AFTER = timedelta(minutes=1)
MOST_FORGOTTEN_AT_ONCE = 200
ITEM_STATES = {
    Outcome.SUCCEEDED: BulkRetryItem.State.SUCCEEDED,
    Outcome.FAILED: BulkRetryItem.State.FAILED,
    Outcome.SUPERSEDED: BulkRetryItem.State.SUPERSEDED,
}


@dataclass(frozen=True)
class Failure:
    """In what a retry has ended that did not succeed."""

    failed_stage: str = ""
    error_code: str = ""
    error_message: str = ""
    problem: str = ""


NO_FAILURE = Failure()


def on_run_finished(sender: Any, run: StageRun, terminal: bool, change: Change, **kwargs: Any) -> None:
    """Receiver of `stage_run_finished`: the transaction that ends a note's way ends the retry that it was, too."""
    if not terminal:
        return
    attempt = RetryAttempt.objects.filter(origin=run.origin, outcome=Outcome.UNDER_WAY).first()
    if attempt is None:
        return
    match run.status:
        case StageRun.Status.SUCCEEDED:
            close(change, attempt, Outcome.SUCCEEDED)
        case StageRun.Status.SUPERSEDED:
            close(change, attempt, Outcome.SUPERSEDED)
        case StageRun.Status.CANCELLED:
            close(change, attempt, Outcome.FAILED, Failure(run.stage, CANCELLED, "Cancelled by a person."))
        case _:
            failure = Failure(run.stage, run.error_code, run.error_message, run.fingerprint)
            close(change, attempt, Outcome.FAILED, failure)


def close(change: Change, attempt: RetryAttempt, outcome: Outcome, failure: Failure = NO_FAILURE) -> None:
    """Keep how this attempt ended, once, with its place in a bulk retry, and say so."""
    closed = RetryAttempt.objects.filter(pk=attempt.pk, outcome=Outcome.UNDER_WAY).update(
        outcome=outcome,
        finished_at=change.now,
        failed_stage=failure.failed_stage,
        error_code=failure.error_code,
        error_message=failure.error_message,
        problem=failure.problem,
    )
    if not closed:
        return
    if outcome in ITEM_STATES:
        items = BulkRetryItem.objects.filter(attempt=attempt, state=BulkRetryItem.State.REQUESTED)
        items.update(state=ITEM_STATES[outcome], problem=failure.problem, settled_at=change.now)
    succeeded = outcome == Outcome.SUCCEEDED
    change.say(
        EventType.RETRY_SUCCEEDED if succeeded else EventType.RETRY_FAILED,
        of=f"retry/{attempt.origin}",
        stage=failure.failed_stage,
        stage_started_at=attempt.requested_at,
        stage_completed_at=change.now,
        error_code=failure.error_code,
        error_message=failure.error_message,
        metadata={"retry_attempt": attempt.number, "kind": attempt.kind, "outcome": outcome},
    )


def sweep() -> None:
    """A tick of the watchdog."""
    close_forgotten()
    settle_forgotten()


def close_forgotten() -> int:
    """Close what nothing works on any more: its runs were lost, and the note has come to its end without them."""
    working = StageRun.objects.filter(artifact=OuterRef("artifact"), status__in=ACTIVE_RUN_STATUSES)
    old = database_now() - FORGOTTEN_AFTER
    forgotten = RetryAttempt.objects.filter(
        ~Exists(working), outcome=Outcome.UNDER_WAY, requested_at__lt=old, artifact__status__in=Artifact.ENDS
    )
    rows = list(forgotten.order_by("pk").values_list("pk", "artifact__pk")[:MOST_FORGOTTEN_AT_ONCE])
    return sum(_close_forgotten(pk, artifact_pk) for pk, artifact_pk in rows)


@engine_transaction
def _close_forgotten(attempt_pk: int, artifact_pk: int) -> bool:
    change = Change(lock_artifact(artifact_pk), database_now())
    artifact = change.artifact
    attempt = RetryAttempt.objects.filter(pk=attempt_pk, outcome=Outcome.UNDER_WAY).first()
    if attempt is None or artifact.status not in Artifact.ENDS:
        return False
    later = RetryAttempt.objects.filter(artifact=artifact, number__gt=attempt.number)
    if later.exclude(outcome=Outcome.NOT_STARTED).exists():
        close(change, attempt, Outcome.SUPERSEDED)
    elif artifact.status == Artifact.Status.COMPLETED:
        close(change, attempt, Outcome.SUCCEEDED)
    else:
        failure = Failure(artifact.failed_stage, artifact.error_code, artifact.error_message, artifact.fingerprint)
        close(change, attempt, Outcome.FAILED, failure)
    change.flush()
    logger.warning("a forgotten retry was closed", extra={"artifact": str(artifact.artifact_id)})
    return True


def settle_forgotten() -> int:
    """Settle what is under way in a bulk retry although its attempt has ended: it would keep its place for ever."""
    left = BulkRetryItem.objects.filter(state=BulkRetryItem.State.REQUESTED, attempt__outcome__in=list(ITEM_STATES))
    return sum(_settle(item) for item in left.select_related("attempt").order_by("pk")[:MOST_FORGOTTEN_AT_ONCE])


def _settle(item: BulkRetryItem) -> int:
    attempt = item.attempt
    if attempt is None:
        return 0
    logger.warning("a forgotten place in a bulk retry was settled", extra={"item": item.pk})
    under_way = BulkRetryItem.objects.filter(pk=item.pk, state=BulkRetryItem.State.REQUESTED)
    ended = ITEM_STATES[Outcome(attempt.outcome)]
    return under_way.update(state=ended, problem=attempt.problem, settled_at=attempt.finished_at)
