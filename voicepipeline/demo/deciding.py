"""What people of the history decided about suggested entries, as the operations would have written it."""

from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from voicepipeline.models import EntryDecision, InsightDraft, Topic, User
from voicepipeline.operations.entry_decisions import TAKEN_UP
from voicepipeline.policies.drafts import LIFETIME

if TYPE_CHECKING:
    from voicepipeline.demo.history import Story
    from voicepipeline.demo.people import People

Status = InsightDraft.Status
Kind = EntryDecision.Kind
CONFIRMED, REJECTED = 0.6, 0.12
CONFIRMED_TODAY, REJECTED_TODAY, HELD_TODAY = 0.2, 0.04, 0.06
EDITED = 0.1
APPLIED = 0.5
TAKEN_BACK = 0.1
# It waits for a week again, and that is not over yet.
STILL_OPEN = timedelta(days=6)
REJECTED_BECAUSE = (
    "Said in passing, nothing to keep.",
    "It was another match.",
    "The coach took it back on the phone.",
    "Already entered.",
)
HELD_BECAUSE = ("Ask the coach which evening.", "The parents are to hear it first.", "")
TAKEN_BACK_BECAUSE = ("It was another player.", "The coach meant it as a joke.")
EDITED_TO_DO = "Look at it again in two weeks."


def decide(people: "People", story: "Story", draft: InsightDraft) -> None:
    """Confirm it, reject it, let it wait, or let it lie until its time is over; what is confirmed may be applied."""
    is_old = people.is_old(story.artifact)
    choose = people.choose
    if draft.status == Status.PENDING:
        chance = choose.random()
        confirmed, rejected = (CONFIRMED, REJECTED) if is_old else (CONFIRMED_TODAY, REJECTED_TODAY)
        if chance < confirmed:
            _confirm(people, story, draft)
        elif chance < confirmed + rejected:
            _settle(people, story, draft, Kind.REJECTED, choose.choice(REJECTED_BECAUSE))
        elif not is_old and chance < confirmed + rejected + HELD_TODAY:
            _hold(people, story, draft)
        elif draft.expires_at < people.now:
            draft.status, draft.decided_at = Status.EXPIRED, draft.expires_at
    elif people.now - draft.created_at < STILL_OPEN and choose.random() < TAKEN_BACK:
        _take_back(people, story, draft)
    if draft.status == Status.CONFIRMED and is_old and choose.random() < APPLIED:
        draft.status = Status.APPLIED


def _confirm(people: "People", story: "Story", draft: InsightDraft) -> None:
    edited = {"recommended_action": EDITED_TO_DO} if _has_more_to_do(people.choose, draft) else {}
    _settle(people, story, draft, Kind.EDITED if edited else Kind.CONFIRMED)
    for name, words in edited.items():
        draft.suggested[name] = getattr(draft, name)
        setattr(draft, name, words)
    story.results.decisions[-1].edited = edited


def _has_more_to_do(choose: Random, draft: InsightDraft) -> bool:
    return draft.topic != Topic.ATTENDANCE and choose.random() < EDITED


def _settle(people: "People", story: "Story", draft: InsightDraft, kind: EntryDecision.Kind, reason: str = "") -> None:
    by, at = people.choose.choice(people.staff), people.since(draft.created_at)
    draft.status = Status.REJECTED if kind == Kind.REJECTED else Status.CONFIRMED
    draft.decided_by, draft.decided_at, draft.decision_reason = by, at, reason
    _remember(story, draft, kind, by, at, reason)


def _hold(people: "People", story: "Story", draft: InsightDraft) -> None:
    by, at = people.choose.choice(people.staff), people.since(draft.created_at)
    draft.held_by, draft.held_at, draft.held_reason = by, at, people.choose.choice(HELD_BECAUSE)
    _remember(story, draft, Kind.HELD, by, at, draft.held_reason)
    story.artifact.input_version += 1


def _take_back(people: "People", story: "Story", draft: InsightDraft) -> None:
    """A machine's confirmation, which a person did not like."""
    by, at = people.choose.choice(people.staff), people.since(draft.created_at)
    reason = people.choose.choice(TAKEN_BACK_BECAUSE)
    row = _remember(story, draft, Kind.UNDONE, by, at, reason)
    row.undone_status, row.undone_automatic = draft.status, draft.automatic
    draft.status, draft.automatic, draft.decided_at = Status.PENDING, False, None
    draft.person_needed_because, draft.expires_at = TAKEN_UP, at + LIFETIME
    story.artifact.input_version += 1


def _remember(
    story: "Story", draft: InsightDraft, kind: EntryDecision.Kind, by: User, at: datetime, reason: str
) -> EntryDecision:
    row = EntryDecision(artifact=story.artifact, draft_key=draft.key, kind=kind, by=by, reason=reason, decided_at=at)
    story.results.decisions.append(row)
    return row
