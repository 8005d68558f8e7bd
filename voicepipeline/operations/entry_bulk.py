"""Deciding about the entries of many notes at once: which are meant, which are left out and why, note by note."""

from collections import Counter
from datetime import datetime

from django.core.exceptions import PermissionDenied

from voicepipeline.engine.changes import Change
from voicepipeline.engine.rebuilding import note_new_input
from voicepipeline.engine.transactions import engine_transaction
from voicepipeline.models import BulkWork, EntryDecision, InsightDraft, Organization, User
from voicepipeline.operations.bulk_work import Handled, register, start_bulk_work
from voicepipeline.operations.entry_selection import Preview, meant
from voicepipeline.operations.entry_steps import (
    Deed,
    Kind,
    decide,
    is_out_of_date,
    open_note,
    verify_decider,
)
from voicepipeline.policies.drafts import ALWAYS_A_PERSON
from voicepipeline.stages.merged import todays_keys

KINDS = {
    BulkWork.Kind.CONFIRM_ENTRIES: Kind.CONFIRMED,
    BulkWork.Kind.REJECT_ENTRIES: Kind.REJECTED,
    BulkWork.Kind.HOLD_ENTRIES: Kind.HELD,
}
CAREFUL = "Injury, wellbeing, recovery or with a severity: each is confirmed by itself"
ON_HOLD = "On hold"
TAKEN_UP = "Somebody has taken it back or off hold since the preview"
REMADE = "Its voice note is being worked on again"
DECIDED = "Somebody has decided about it since the preview, or it is no longer suggested"
NOT_ALLOWED = "Whoever asked for it may no longer decide about entries"


def decide_in_bulk(kind: BulkWork.Kind, *, by: User, reason: str, shown: Preview) -> BulkWork:
    """Have it done in the background to what a preview has shown; InvalidTransition says what is missing."""
    verify_decider(by)
    club = shown.selection["club"]
    return start_bulk_work(
        BulkWork.Kind(kind),
        by=by,
        reason=reason,
        selection=shown.selection,
        organization=Organization.objects.filter(pk=club).first() if club else None,
        expected=shown.expected,
    )


def find(work: BulkWork, cursor: int, most: int) -> list[int]:
    """The next notes with entries that are meant."""
    rows = meant(work.selection).filter(artifact_id__gt=cursor).order_by("artifact_id")
    return list(rows.values_list("artifact_id", flat=True).distinct()[:most])


@engine_transaction
def handle(work: BulkWork, artifact_pk: int) -> Handled:
    """Decide about the entries of one note that are meant, and say why about the others."""
    deed = Deed(KINDS[BulkWork.Kind(work.kind)], work.requested_by, work.reason, work)
    change = open_note(artifact_pk)
    here = meant(work.selection).filter(artifact=change.artifact)
    found = list(here.select_for_update(no_key=True).order_by("pk"))
    if not found:
        return Handled(0, 0, {DECIDED: 1})
    try:
        verify_decider(deed.by)
    except PermissionDenied:
        return Handled(0, len(found), {NOT_ALLOWED: len(found)})
    left = _left_out(change, work, found)
    chosen = [draft for draft in found if draft.pk not in left]
    if chosen:
        decide(change, chosen, deed)
        if deed.kind == Kind.HELD:
            note_new_input(change)
    change.flush()
    return Handled(len(chosen), len(left), dict(Counter(left.values())))


def _left_out(change: Change, work: BulkWork, drafts: list[InsightDraft]) -> dict[int, str]:
    """Why which of them are left to a person who looks at each."""
    confirming = work.kind == BulkWork.Kind.CONFIRM_ENTRIES
    later = EntryDecision.objects.filter(
        artifact=change.artifact,
        kind__in=[Kind.UNDONE, Kind.RELEASED],
        decided_at__gt=datetime.fromisoformat(work.selection["previewed_at"]),
    )
    taken_up = set(later.values_list("draft_key", flat=True))
    if taken_up:
        taken_up |= {now for before, now in todays_keys(drafts).items() if before in taken_up}
    remade = confirming and is_out_of_date(change, [])
    left: dict[int, str] = {}
    for draft in drafts:
        if draft.held_at is not None:
            left[draft.pk] = ON_HOLD
        elif draft.key in taken_up:
            left[draft.pk] = TAKEN_UP
        elif confirming and (draft.topic in ALWAYS_A_PERSON or draft.severity):
            left[draft.pk] = CAREFUL
        elif remade or (confirming and draft.claim_id is None):
            left[draft.pk] = REMADE
    return left


for _kind in KINDS:
    register(_kind, find=find, handle=handle)
