"""The steps that decisions about suggested entries are made of; each expects the note's lock to be held."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.changes import Change
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact, BulkWork, EntryDecision, EventType, InsightDraft, StageName, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.policies.drafts import display_order

P = ParamSpec("P")

PERMISSION = "voicepipeline.decide_draft"
CHANGED = "It has changed since you looked, so nothing was done. Look again."
BEING_REMADE = (
    "What it was made of is no longer in use: its voice note has been begun again. "
    "Wait until that is done and decide about the new entries."
)

Kind = EntryDecision.Kind
Status = InsightDraft.Status
CONFIRMING = frozenset({Kind.CONFIRMED, Kind.EDITED})
OFF_HOLD: Mapping[str, Any] = {"held_at": None, "held_by": None, "held_reason": ""}
EVENTS = {
    Kind.CONFIRMED: EventType.DRAFT_CONFIRMED,
    Kind.EDITED: EventType.DRAFT_CONFIRMED,
    Kind.REJECTED: EventType.DRAFT_REJECTED,
    Kind.UNDONE: EventType.DRAFT_UNDONE,
}


@dataclass(frozen=True)
class Deed:
    """Who decides what, and why; for many notes at once, by which request."""

    kind: EntryDecision.Kind
    by: User
    reason: str = ""
    bulk: BulkWork | None = None


def deciding(operation: Callable[P, str]) -> Callable[P, Outcome]:
    """One transaction of its own, of which nothing is left when it is refused; done or refused, in words."""
    in_transaction = engine_transaction(operation)

    @functools.wraps(operation)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Outcome:
        try:
            return Outcome(True, in_transaction(*args, **kwargs))
        except InvalidTransition as refusal:
            return Outcome(False, str(refusal))

    return wrapper


def verify_decider(user: User) -> None:
    """Raise PermissionDenied unless this person may decide about entries, and read what they say."""
    verify_platform_staff(user, PERMISSION)
    verify_reader(user)


def open_note(artifact_pk: int) -> Change:
    return Change(lock_artifact(artifact_pk), database_now())


def locked(change: Change) -> Any:
    """The note's entries, each locked as it is read."""
    return InsightDraft.objects.select_for_update(no_key=True, of=("self",)).filter(artifact=change.artifact)


def waiting_of(change: Change) -> list[InsightDraft]:
    """The entries that wait for a person and are not on hold."""
    return list(locked(change).filter(status=Status.PENDING, held_at__isnull=True).order_by("pk"))


def is_out_of_date(change: Change, drafts: Sequence[InsightDraft]) -> bool:
    """Whether any of them was made of what is no longer in use.

    What waits is made again with everything that it is made of; but an entry that a person had decided about outlives
    that, and may have been taken back since.
    """
    artifact = change.artifact
    if any(draft.claim_id is None for draft in drafts) or artifact.status == Artifact.Status.FAILED:
        return True
    return active_run(artifact) is not None


def decide(change: Change, drafts: Sequence[InsightDraft], deed: Deed, edited: Mapping[str, Any] | None = None) -> None:
    """Write one decision about entries that wait, with its history and its events."""
    values: dict[str, Any]
    if deed.kind == Kind.HELD:
        values = {"held_at": change.now, "held_by": deed.by, "held_reason": deed.reason}
    else:
        status = Status.CONFIRMED if deed.kind in CONFIRMING else Status.REJECTED
        values = {"status": status, "decided_by": deed.by, "decided_at": change.now, "decision_reason": deed.reason}
        values |= OFF_HOLD
    if edited:
        (draft,) = drafts
        values |= edited
        values["suggested"] = {name: getattr(draft, name) for name in edited}
        order = {name: edited.get(name, getattr(draft, name)) for name in ("topic", "severity")}
        values["display_order"] = display_order(**order)
    still = InsightDraft.objects.filter(pk__in=[draft.pk for draft in drafts], status=Status.PENDING)
    require(still.update(**values), len(drafts))
    remember(change, drafts, deed, edited)


def remember(
    change: Change, drafts: Sequence[InsightDraft], deed: Deed, edited: Mapping[str, Any] | None = None, **more: Any
) -> None:
    """Keep who decided what and why, entry by entry, and say so."""
    rows = EntryDecision.objects.bulk_create(
        EntryDecision(
            artifact=change.artifact,
            draft_key=draft.key,
            kind=deed.kind,
            by=deed.by,
            reason=deed.reason,
            edited=dict(edited or {}),
            bulk=deed.bulk,
            decided_at=change.now,
            **more,
        )
        for draft in drafts
    )
    for draft, row in zip(drafts, rows, strict=True):
        if deed.kind in EVENTS:
            change.say(
                EVENTS[deed.kind],
                of=event_name(row),
                stage=StageName.DRAFT_GENERATION,
                actor_id=deed.by.pk,
                metadata=event_metadata(draft, row),
            )


def event_name(row: EntryDecision) -> str:
    """What names a decision in its event: an entry may be confirmed, taken back and confirmed again."""
    return f"entry_decision/{row.pk}"


def event_metadata(draft: InsightDraft, row: EntryDecision) -> dict[str, Any]:
    said = {
        "automatic": row.undone_automatic,
        "topic": draft.topic,
        "confidence_score": draft.overall_confidence,
        "prompt_version": draft.prompt_version or None,
    }
    return {**said, "outcome": row.undone_status} if row.kind == Kind.UNDONE else said


def require(moved: int, expected: int) -> None:
    """Whoever writes without the note's lock is not overwritten."""
    if moved != expected:
        raise InvalidTransition(CHANGED)
