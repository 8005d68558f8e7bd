"""One voice note of a bulk retry: its retry is requested and its row written in one transaction, or neither is."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError

from retry.bulk.moves import as_read
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt
from retry.operations import RetryResult, retry
from retry.policies import CHANGED
from voicepipeline.engine.transactions import database_now, ending_with, engine_transaction
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)

State = BulkRetryItem.State
MAX_WORDS = 500
UNEXPECTED = "Something went wrong with this voice note, so nothing was changed. Retry it by itself to see more."


class MovedOn(Exception):
    """The bulk retry or the item is no longer as it was read: somebody paused it, or has seen to this voice note."""


class _NotAsPreviewed(Exception):
    """What would be retried is another thing than what was counted."""


def request(bulk: BulkRetry, item: BulkRetryItem) -> RetryAttempt | None:
    """The retry that was begun, or None when the note was refused: its row then says why."""
    kept: list[RetryResult] = []

    def keep(result: RetryResult) -> None:
        _keep(bulk, item, result)
        kept[:] = [result]

    try:
        with ending_with(keep):
            result = retry(
                bulk.kind,
                item.artifact.artifact_id,
                by=bulk.requested_by,
                reason=bulk.reason,
                idempotency_key=f"bulk/{bulk.bulk_id}/{item.position}",
                expected_generation=item.generation,
                agreed_to=item.agreed_to,
                as_of=bulk.created_at,
                bulk=True,
            )
    except (OperationalError, InterfaceError, PermissionDenied, MovedOn):
        raise
    except _NotAsPreviewed:
        _refuse(bulk, item, CHANGED)
        return None
    except Exception:
        logger.exception("a retry in bulk broke", extra={"bulk_retry": str(bulk.bulk_id), "item": item.position})
        _refuse(bulk, item, UNEXPECTED)
        return None
    if kept != [result]:  # the database refused it before or at the commit: nothing of it was kept
        _refuse(bulk, item, UNEXPECTED)
        return None
    return result.retry_attempt if result.success else None


def _keep(bulk: BulkRetry, item: BulkRetryItem, result: RetryResult) -> None:
    """Last in the transaction of the retry: all of it is undone when this cannot be written."""
    if not result.success or result.retry_attempt is None:
        _write(bulk, item, **_refused(result.message, result.refused_for))
        return
    attempt = result.retry_attempt
    as_previewed = (attempt.kind, attempt.problem_before) == (item.kind, item.problem_before)
    # One that has ended already was made by another form with the key of this item: it never ends again.
    if not as_previewed or attempt.outcome != RetryAttempt.Outcome.UNDER_WAY:
        raise _NotAsPreviewed
    _write(bulk, item, state=State.REQUESTED, attempt=attempt)


@engine_transaction
def _refuse(bulk: BulkRetry, item: BulkRetryItem, why: str) -> None:
    _write(bulk, item, **_refused(why))


def _refused(why: str, group: str = "") -> dict[str, Any]:
    return {
        "state": State.REFUSED,
        "refusal_group": safe_text(group or why, MAX_WORDS),
        "message": safe_text(why, MAX_WORDS),
        "settled_at": database_now(),
    }


def _write(bulk: BulkRetry, item: BulkRetryItem, **values: Any) -> None:
    # Under its lock: whoever pauses it waits for this one, and nothing is begun after they were told that it is paused.
    if not BulkRetry.objects.select_for_update(no_key=True).filter(**as_read(bulk)).exists():
        raise MovedOn
    if not BulkRetryItem.objects.filter(pk=item.pk, state=State.WAITING).update(**values):
        raise MovedOn
