"""What people decide about suggested entries: confirm, reject, put on hold, take back; one entry, or all of a note.

No entry is decided about that is no longer as the person saw it, and none is confirmed that was made of old data.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from voicepipeline.engine.changes import Change
from voicepipeline.engine.rebuilding import ENTRIES, note_new_input
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.scheduling import has_result
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact, EntryDecision, InsightDraft, User
from voicepipeline.operations.ai_service import clock, name_of
from voicepipeline.operations.entry_edits import EDITABLE, checked_edits, seen_of, seen_of_all
from voicepipeline.operations.entry_steps import (
    BEING_REMADE,
    CHANGED,
    OFF_HOLD,
    Deed,
    Kind,
    Status,
    decide,
    deciding,
    is_out_of_date,
    locked,
    open_note,
    remember,
    require,
    verify_decider,
    waiting_of,
)
from voicepipeline.policies.drafts import LIFETIME, display_order
from voicepipeline.stages import drafts as entries_stage
from voicepipeline.text import safe_text

MAX_REASON = 500
GONE = "This entry is not there any more: its voice note has been worked on again since. Look at what it says now."
NO_REASON = "Say why: the reason is kept with the entry."
NO_NOTE = "There is no voice note with this id."
TAKEN_UP = "taken_up_by_a_person"

MAY_BE_UNDONE = tuple(status for status in Status if Status.PENDING in InsightDraft.TRANSITIONS[status])


# --- One entry --------------------------------------------------------------------------------------------------------
@deciding
def confirm_entry(draft_id: int, *, by: User, seen: str, edits: Mapping[str, Any] | None = None) -> str:
    """Confirm what an entry says, or what the person makes of it; the machine's words are kept beside theirs."""
    verify_decider(by)
    change, draft = _open(draft_id)
    _verify_pending(change, draft, seen)
    if is_out_of_date(change, [draft]):
        raise InvalidTransition(BEING_REMADE)
    edited = checked_edits(draft, edits or {})
    decide(change, [draft], Deed(Kind.EDITED if edited else Kind.CONFIRMED, by), edited)
    change.flush()
    return "Edited and confirmed." if edited else "Confirmed."


@deciding
def reject_entry(draft_id: int, *, by: User, reason: str, seen: str) -> str:
    """Reject an entry for good, or until somebody takes that back."""
    verify_decider(by)
    reason = _given(reason)
    change, draft = _open(draft_id)
    _verify_pending(change, draft, seen)
    decide(change, [draft], Deed(Kind.REJECTED, by, reason))
    change.flush()
    return "Rejected. It is not suggested again."


@deciding
def hold_entry(draft_id: int, *, by: User, seen: str, reason: str = "") -> str:
    """Let an entry wait for as long as it takes: it does not expire and nobody confirms it among many."""
    verify_decider(by)
    change, draft = _open(draft_id)
    if draft.held_by is not None:
        raise InvalidTransition(f"{_who_held(change, draft)} already.")
    _verify_pending(change, draft, seen)
    decide(change, [draft], Deed(Kind.HELD, by, safe_text(reason.strip(), MAX_REASON)))
    note_new_input(change)
    change.flush()
    return "Put on hold. It waits until somebody decides about it or takes it off hold."


@deciding
def release_entry(draft_id: int, *, by: User, seen: str) -> str:
    """Take an entry off hold; it then waits for as long as a new one does."""
    verify_decider(by)
    change, draft = _open(draft_id)
    if draft.status == Status.PENDING and draft.held_at is None:
        raise InvalidTransition("It is not on hold any more." + _last_word(draft, Kind.RELEASED, change.now))
    _verify_pending(change, draft, seen)
    moved = InsightDraft.objects.filter(pk=draft.pk, status=Status.PENDING, held_at__isnull=False)
    require(moved.update(**OFF_HOLD, expires_at=change.now + LIFETIME), 1)
    remember(change, [draft], Deed(Kind.RELEASED, by))
    note_new_input(change)
    change.flush()
    return "Off hold. It is to be confirmed again."


def _open(draft_id: int) -> tuple[Change, InsightDraft]:
    """The entry under its note's lock and its own."""
    artifact_pk = InsightDraft.objects.filter(pk=draft_id).values_list("artifact_id", flat=True).first()
    if artifact_pk is None:
        raise InvalidTransition(GONE)
    change = open_note(artifact_pk)
    draft = locked(change).filter(pk=draft_id).select_related("decided_by", "held_by").first()
    if draft is None:
        raise InvalidTransition(GONE)
    return change, draft


def _verify_pending(change: Change, draft: InsightDraft, seen: str) -> None:
    """That nobody has decided about it, and that it is still what this person saw."""
    if draft.status != Status.PENDING:
        raise InvalidTransition(who_decided(draft, now=change.now))
    if seen_of(draft) != seen:
        held = f" {_who_held(change, draft)}." if draft.held_by else ""
        raise InvalidTransition(CHANGED + held)


# --- All entries of a note --------------------------------------------------------------------------------------------
@deciding
def decide_note(artifact_id: uuid.UUID, verb: str, *, by: User, reason: str = "", seen: str) -> str:
    """Confirm or reject, in one go, all entries of a note that wait; those on hold are left."""
    verify_decider(by)
    kind = Kind(verb)
    if kind not in (Kind.CONFIRMED, Kind.REJECTED):
        raise ValueError(f"all entries of a note cannot be {verb}")
    why = _given(reason) if kind == Kind.REJECTED else ""
    artifact_pk = Artifact.objects.filter(artifact_id=artifact_id).values_list("pk", flat=True).first()
    if artifact_pk is None:
        raise InvalidTransition(NO_NOTE)
    change = open_note(artifact_pk)
    waiting = waiting_of(change)
    if not waiting:
        raise InvalidTransition("None of its entries waits to be confirmed any more.")
    if seen_of_all(waiting) != seen:
        raise InvalidTransition("Its entries have changed since you looked, so nothing was done. Look again.")
    if kind == Kind.CONFIRMED and is_out_of_date(change, waiting):
        raise InvalidTransition(BEING_REMADE)
    decide(change, waiting, Deed(kind, by, why))
    change.flush()
    entries = "1 entry" if len(waiting) == 1 else f"{len(waiting)} entries"
    return f"{entries} {kind.value}."


# --- Taking back ------------------------------------------------------------------------------------------------------
@deciding
def undo_entry(draft_id: int, *, by: User, reason: str, seen: str) -> str:
    """Take back what was decided about an entry, by whomever: it says what the note suggests and waits once more."""
    verify_decider(by)
    reason = _given(reason)
    change, draft = _open(draft_id)
    if draft.status not in MAY_BE_UNDONE:
        raise InvalidTransition(who_decided(draft, now=change.now))
    if seen_of(draft) != seen:
        raise InvalidTransition(f"{CHANGED} {who_decided(draft, now=change.now)}")
    moved = InsightDraft.objects.filter(pk=draft.pk, status=draft.status, automatic=draft.automatic)
    require(moved.update(**_as_before(change, draft)), 1)
    deed = Deed(Kind.UNDONE, by, reason)
    remember(change, [draft], deed, undone_status=draft.status, undone_automatic=draft.automatic)
    note_new_input(change)
    still_suggested = _suggest_again(change, draft)
    change.flush()
    if not still_suggested:
        return "Taken back. What the voice note says is read or matched differently by now, so it is not suggested."
    return "Taken back. It is to be confirmed again."


def _as_before(change: Change, draft: InsightDraft) -> dict[str, Any]:
    """Undecided, and in the machine's words where somebody had edited them; theirs stay with their decision."""
    words = {name: value for name, value in draft.suggested.items() if name in EDITABLE}
    order = {name: words.get(name, getattr(draft, name)) for name in ("topic", "severity")}
    return {
        **words,
        "display_order": display_order(**order),
        "status": Status.PENDING,
        "decided_by": None,
        "decided_at": None,
        "decision_reason": "",
        "automatic": False,
        "suggested": {},
        "person_needed_because": TAKEN_UP,
        "expires_at": change.now + LIFETIME,
    }


def _suggest_again(change: Change, draft: InsightDraft) -> bool:
    """Have it say what the note suggests by now; away with it when that is nothing any more.

    A note that is being worked on again makes its entries anew by itself.
    """
    artifact = change.artifact
    if active_run(artifact) is not None or not has_result(artifact, ENTRIES):
        return True
    suggested = entries_stage.work(entries_stage.load(artifact)).data
    entry = next((each for each in suggested if each.key == draft.key), None)
    waiting = InsightDraft.objects.filter(pk=draft.pk, status=Status.PENDING)
    if entry is None:
        require(waiting.delete()[0], 1)
        return False
    now_says = {"claim_id": entry.claim_id, "person_needed_because": entry.confirmation.reason, **entry.fields}
    require(waiting.update(**now_says), 1)
    return True


# --- In words ---------------------------------------------------------------------------------------------------------
def who_decided(draft: InsightDraft, *, now: datetime) -> str:
    """For whoever comes second: what has become of it, by whom and when."""
    if draft.status == Status.PENDING:
        return "It is to be confirmed already." + _last_word(draft, Kind.UNDONE, now)
    when = clock(draft.decided_at or now, now=now)
    became = str(draft.get_status_display()).lower()
    if draft.decided_by is not None:
        return f"{name_of(draft.decided_by)} has already {became} it, at {when}."
    return f"It was {became} automatically at {when}." if draft.automatic else f"It {became} at {when}."


def _who_held(change: Change, draft: InsightDraft) -> str:
    assert draft.held_by is not None and draft.held_at is not None  # noqa: S101, PT018 — for the type checker
    return f"{name_of(draft.held_by)} put it on hold at {clock(draft.held_at, now=change.now)}"


def _last_word(draft: InsightDraft, kind: EntryDecision.Kind, now: datetime) -> str:
    rows = EntryDecision.objects.filter(artifact=draft.artifact_id, draft_key=draft.key, kind=kind)
    row = rows.select_related("by").first()
    if row is None:
        return ""
    what = str(row.get_kind_display()).lower()
    return f" {what.capitalize()} by {name_of(row.by)} at {clock(row.decided_at, now=now)}."


def _given(reason: str) -> str:
    reason = safe_text(reason.strip(), MAX_REASON)
    if not reason:
        raise InvalidTransition(NO_REASON)
    return reason
