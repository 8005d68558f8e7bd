"""What people do about a bulk retry that is under way: pause it, let it go on, stop it, put its notice away."""

from uuid import UUID

from django.core.exceptions import PermissionDenied

from retry.bulk.judging import ended_since
from retry.bulk.moves import move
from retry.bulk.rights import permission_of, why_its_starter_may_not
from retry.facts import name_of
from retry.kinds import RETRY_ARTIFACT
from retry.limits import limits
from retry.models import BulkRetry
from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import User
from voicepipeline.operations.outcome import Outcome

State = BulkRetry.State
UNKNOWN = "There is no such bulk retry."
MEANWHILE = "Somebody else changed it at the same moment. Look again."
NOT_THE_STARTER = "It is told to whoever started it, who alone can put it away."


@engine_transaction
def pause(bulk_id: UUID, *, by: User) -> Outcome:
    """Begin nothing more for now. Everybody who retries may: it harms nothing, and may be urgent."""
    verify_platform_staff(by, RETRY_ARTIFACT)
    bulk = _found(bulk_id)
    if bulk is None:
        return Outcome(False, UNKNOWN)
    if bulk.state not in BulkRetry.MOVING:
        return Outcome(False, _as_it_is(bulk))
    if not move(bulk, State.PAUSED, now=database_now(), why=f"Paused by {name_of(by)}."):
        return Outcome(False, MEANWHILE)
    return Outcome(True, "Paused. What is under way goes on to its end; nothing more is begun.")


@engine_transaction
def resume(bulk_id: UUID, *, by: User, tries_first: bool | None = None) -> Outcome:
    """Let it go on, with a few first again if it had stopped by itself, unless the person says otherwise."""
    verify_platform_staff(by, RETRY_ARTIFACT)
    bulk = _found(bulk_id)
    if bulk is None:
        return Outcome(False, UNKNOWN)
    verify_platform_staff(by, permission_of(bulk.kind))
    if bulk.state not in (State.PAUSED, State.HALTED):
        return Outcome(False, _as_it_is(bulk))
    lost = why_its_starter_may_not(bulk)
    if lost:
        return Outcome(False, f"{lost} Make a preview of your own for the voice notes that are left.")
    to = State.TRYING if _tries_first(bulk, tries_first) else State.RUNNING
    now = database_now()
    if not move(bulk, to, now=now, tries_first=bulk.tries_first if tries_first is None else tries_first, seen_at=None):
        return Outcome(False, MEANWHILE)
    few = f" {limits().tried_first} are tried before the rest." if to == State.TRYING else ""
    return Outcome(True, f"It goes on.{few}")


@engine_transaction
def stop(bulk_id: UUID, *, by: User) -> Outcome:
    """End it for good: what has not begun stays as it is."""
    verify_platform_staff(by, RETRY_ARTIFACT)
    bulk = _found(bulk_id)
    if bulk is None:
        return Outcome(False, UNKNOWN)
    verify_platform_staff(by, permission_of(bulk.kind))
    if bulk.state not in BulkRetry.UNFINISHED:
        return Outcome(False, _as_it_is(bulk))
    now = database_now()
    # Whoever stops what they started themselves need not be told that it has stopped.
    seen_at = now if bulk.requested_by_id == by.pk else None
    if not move(bulk, State.STOPPED, now=now, why=f"Stopped by {name_of(by)}.", seen_at=seen_at):
        return Outcome(False, MEANWHILE)
    return Outcome(True, "Stopped. What is under way goes on to its end; the others stay as they are.")


@engine_transaction
def put_away(bulk_id: UUID, *, by: User) -> Outcome:
    """The starter has seen how it ended, or that it halted."""
    verify_platform_staff(by)
    bulk = _found(bulk_id)
    if bulk is None:
        return Outcome(False, UNKNOWN)
    if bulk.requested_by_id != by.pk:
        raise PermissionDenied(NOT_THE_STARTER)
    told = BulkRetry.objects.filter(pk=bulk.pk, state__in=TOLD, seen_at=None).update(seen_at=database_now())
    return Outcome(bool(told), "Put away." if told else "There is nothing to put away.")


TOLD = (State.FINISHED, State.HALTED, State.STOPPED)
"""The states of which its starter is told."""


def _found(bulk_id: UUID) -> BulkRetry | None:
    return BulkRetry.objects.select_related("requested_by").filter(bulk_id=bulk_id).first()


def _tries_first(bulk: BulkRetry, wanted: bool | None) -> bool:
    if wanted is not None:
        return wanted
    # One that was paused before the first few had ended has to try them still.
    return bulk.tries_first and (bulk.state == State.HALTED or len(ended_since(bulk)) < limits().tried_first)


def _as_it_is(bulk: BulkRetry) -> str:
    if bulk.state == State.PREVIEW:
        return "It has not been started."
    return f"It is in another state already: {bulk.get_state_display().lower()}."
