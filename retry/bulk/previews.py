"""The preview of a bulk retry: which voice notes, frozen by their ids, and the start of what was counted."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Sum

from retry.bulk.moves import move
from retry.bulk.rights import permission_of
from retry.facts import name_of
from retry.limits import limits
from retry.models import BulkRetry, BulkRetryItem
from retry.queries import Preview, preview_retry
from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)

State, ItemState = BulkRetry.State, BulkRetryItem.State
MAX_REASON, MAX_CHOSEN_BY = 500, 300
ITEMS_AT_ONCE = 1_000
MOST_DELETED_AT_ONCE = 20
# So long its page can say that it has expired, and offers to make it anew.
EXPIRED_KEPT_FOR = timedelta(days=1)
NO_NOTES = "Choose at least one voice note."
GONE = "This preview is no longer there. Make a new one."
EXPIRED = "This preview has expired: the voice notes may have changed since. Make a new one."
NOTHING_POSSIBLE = "None of these voice notes can be retried, so there is nothing to start."
NEEDS_REASON = "Say why: the reason is kept with each retry."


def make_preview(artifact_pks: Sequence[int], kind: str, *, by: User, chosen_by: str) -> BulkRetry:
    """Count what this retry would do with these voice notes, and freeze them as they are now."""
    verify_platform_staff(by, permission_of(kind))
    pks, most = list(dict.fromkeys(artifact_pks)), limits().most_in_bulk
    if not pks:
        raise InvalidTransition(NO_NOTES)
    if len(pks) > most:
        raise InvalidTransition(f"These are {len(pks):,} voice notes; {most:,} are the most at once. Choose fewer.")
    return _keep(preview_retry(pks, kind, by=by, bulk=True), by, safe_text(chosen_by, MAX_CHOSEN_BY))


@engine_transaction
def _keep(preview: Preview, by: User, chosen_by: str) -> BulkRetry:
    now = database_now()
    bulk = BulkRetry.objects.create(
        kind=preview.asked_for,
        chosen_by=chosen_by,
        requested_by=by,
        expected=preview.possible,
        expected_runs=preview.runs,
        expected_calls=preview.calls,
        expected_cost_usd=preview.cost_usd,
        without_expected_cost=preview.without_cost,
        details=_details(preview),
        created_at=preview.as_of,
    )
    BulkRetryItem.objects.bulk_create(_items(bulk, preview, now), batch_size=ITEMS_AT_ONCE)
    return bulk


def _items(bulk: BulkRetry, preview: Preview, now: datetime) -> Iterator[BulkRetryItem]:
    for position, note in enumerate(preview.notes, start=1):
        refusal = note.verdict.refusal
        yield BulkRetryItem(
            bulk=bulk,
            artifact_id=note.artifact_pk,
            position=position,
            kind=note.kind,
            generation=note.generation,
            agreed_to=0 if refusal else note.verdict.confirmed,
            problem_before=note.problem_before,
            state=ItemState.REFUSED if refusal else ItemState.WAITING,
            refusal_group=safe_text(refusal.group, MAX_REASON) if refusal else "",
            message=safe_text(refusal.message, MAX_REASON) if refusal else "",
            settled_at=now if refusal else None,
        )


def _details(preview: Preview) -> dict[str, Any]:
    """What its page shows beside the columns."""
    return {
        "refusals": [list(each) for each in preview.refusals],
        "kinds": dict(preview.kinds),
        "deleted": dict(preview.deleted),
        "on_hold": [list(each) for each in preview.on_hold],
        "needs_reason": preview.needs_reason,
        "takes_s": None if preview.takes is None else round(preview.takes.total_seconds()),
        "confirmed": preview.confirmed,
        "with_confirmed": preview.with_confirmed,
    }


def expires_at(bulk: BulkRetry) -> datetime:
    return bulk.created_at + limits().preview_valid_for


def is_expired(bulk: BulkRetry, now: datetime) -> bool:
    """Whether a preview that nobody has started is too old to be started."""
    return bulk.state == State.PREVIEW and expires_at(bulk) <= now


@engine_transaction
def start_bulk(bulk_id: UUID, *, by: User, reason: str, tries_first: bool = True, agreed: bool = False) -> Outcome:
    """Let a preview become work, once; what is done is what it counted."""
    bulk = BulkRetry.objects.select_related("requested_by").filter(bulk_id=bulk_id).first()
    if bulk is None:
        verify_platform_staff(by)
        return Outcome(False, GONE)
    verify_platform_staff(by, permission_of(bulk.kind))
    if bulk.requested_by_id != by.pk:
        raise PermissionDenied(f"Only {name_of(bulk.requested_by)}, whose preview it is, may start it.")
    reason, now = safe_text(reason.strip(), MAX_REASON), database_now()
    refusal = _why_not(bulk, reason, agreed=agreed, now=now)
    if refusal:
        return Outcome(False, refusal)
    state = State.TRYING if tries_first else State.RUNNING
    if not move(bulk, state, now=now, started_at=now, reason=reason, tries_first=tries_first):
        return Outcome(False, _not_there_any_more(bulk))
    logger.info("a bulk retry was started", extra={"bulk_retry": str(bulk_id), "voice_notes": bulk.expected})
    notes = "1 voice note" if bulk.expected == 1 else f"{bulk.expected:,} voice notes"
    few = limits().tried_first
    first = f" The first {few} are tried before the rest." if tries_first and bulk.expected > few else ""
    return Outcome(True, f"Started: {notes} will be retried, little by little.{first}")


def _why_not(bulk: BulkRetry, reason: str, *, agreed: bool, now: datetime) -> str:
    """What stands against starting it, in words; empty when nothing does."""
    if bulk.state != State.PREVIEW:
        return _not_there_any_more(bulk)
    if is_expired(bulk, now):
        return EXPIRED
    if not bulk.expected:
        return NOTHING_POSSIBLE
    if not reason:
        return NEEDS_REASON
    return "" if agreed else _needs_agreement(bulk)


def _not_there_any_more(bulk: BulkRetry) -> str:
    started = BulkRetry.objects.filter(pk=bulk.pk).exclude(state=State.PREVIEW).exists()
    return "It was already started; its page says how far it is." if started else GONE


def _needs_agreement(bulk: BulkRetry) -> str:
    entries = bulk.items.filter(state=ItemState.WAITING).aggregate(n=Sum("agreed_to"))["n"] or 0
    if not entries:
        return ""
    depend = "1 confirmed entry depends" if entries == 1 else f"{entries:,} confirmed entries depend"
    return f"{depend} on these voice notes. Say that you agree to that, or choose fewer."


@engine_transaction
def delete_old_previews() -> None:
    """Remove what expired a while ago, a bounded number at once; what was started stays for ever."""
    expired_by = database_now() - limits().preview_valid_for - EXPIRED_KEPT_FOR
    old = BulkRetry.objects.filter(state=State.PREVIEW, created_at__lte=expired_by)
    # Under their locks, and looked at again once these are held: one that is started at this moment is not old.
    locked = old.select_for_update(skip_locked=True).order_by("created_at").values_list("pk", flat=True)
    pks = list(locked[:MOST_DELETED_AT_ONCE])
    if pks:
        BulkRetryItem.objects.filter(bulk__in=pks).delete()
        BulkRetry.objects.filter(pk__in=pks).delete()
