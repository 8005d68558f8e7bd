"""Suggested entries as cards: what each says and of whom, where it stands, and what can be done about it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import QuerySet
from django.urls import reverse

from voicepipeline.admin.note_content import ENTRY_STATES, SEVERITY_KEYS, person
from voicepipeline.admin.note_transcript import percent
from voicepipeline.admin.words import State, moment
from voicepipeline.masking import Eyes
from voicepipeline.models import EntryDecision, InsightDraft
from voicepipeline.operations.entry_decisions import MAY_BE_UNDONE
from voicepipeline.operations.entry_edits import seen_of
from voicepipeline.policies import drafts

Status = InsightDraft.Status
NOTE_PAGE = "admin:voicepipeline_insightdraft_note"
DEED = "admin:voicepipeline_insightdraft_deed"
# Joined they are few enough for the database to plan in no time; nine took it 100 ms.
JOINED = ("player", "team", "sender", "organization", "artifact")
FETCHED = ("decided_by", "held_by")


@dataclass(frozen=True)
class Verb:
    """One thing to do about an entry: a button that does it, or a link to the page that asks first."""

    key: str
    words: str
    icon: str
    letter: str  # on the keyboard
    at_once: bool = False


CONFIRM = Verb("confirm", "Confirm", "check", "c", at_once=True)
EDIT = Verb("edit", "Edit", "edit", "e")
REJECT = Verb("reject", "Reject", "close", "r")
HOLD = Verb("hold", "Hold", "pause", "h")
RELEASE = Verb("release", "Take off hold", "play_arrow", "h", at_once=True)
UNDO = Verb("undo", "Take back", "undo", "u")
VERBS = {verb.key: verb for verb in (CONFIRM, EDIT, REJECT, HOLD, RELEASE, UNDO)}


@dataclass(frozen=True)
class Remembered:
    """One decision about an entry, as its history tells it."""

    what: str
    who: str
    when: str
    why: str
    words: list[tuple[str, str]]  # what somebody had made of it, by field


@dataclass(frozen=True)
class EntryRow:
    """Pages take its words from here alone."""

    entry: InsightDraft
    title: str
    description: str
    quote: str
    facts: list[tuple[str, str]]
    whom: str
    whom_icon: str
    severity: State | None
    tags: list[str]
    state: State
    icon: str
    decision: str
    reason: str
    why_a_person: str
    confidence: str
    parts: str
    verbs: list[Verb]
    seen: str
    note_url: str
    next_pk: int | None = None
    hear_from: float | None = None
    history: list[Remembered] = field(default_factory=list)

    @property
    def is_waiting(self) -> bool:
        return self.entry.status == Status.PENDING and self.entry.held_at is None


def with_related(entries: QuerySet[InsightDraft]) -> QuerySet[InsightDraft]:
    """With everything that a card tells of them."""
    return entries.select_related(*JOINED).prefetch_related(*FETCHED)


def rows_of(entries: Sequence[InsightDraft], eyes: Eyes, *, may_decide: bool) -> list[EntryRow]:
    """In this order; each knows which open one follows, for whoever goes from one to the next."""
    rows = [row_of(entry, eyes, may_decide=may_decide) for entry in entries]
    following: int | None = None
    made: list[EntryRow] = []
    for row in reversed(rows):
        made.append(replace(row, next_pk=following))
        following = row.entry.pk if row.entry.status == Status.PENDING else following
    return made[::-1]


def row_of(entry: InsightDraft, eyes: Eyes, *, may_decide: bool) -> EntryRow:
    whom, whom_icon = _whom(entry, eyes)
    pending = entry.status == Status.PENDING
    held = entry.held_at is not None
    key, icon = ("on_hold", "pause") if held else ENTRY_STATES[Status(entry.status)]
    facts = [("To do", entry.recommended_action), ("When", entry.time_reference)]
    why = entry.person_needed_because if pending else ""
    return EntryRow(
        entry=entry,
        title=entry.title if eyes.read else entry.get_topic_display(),
        description=entry.description if eyes.read else "",
        quote=eyes.text(entry.quote),
        facts=[(name, said) for name, said in facts if said and eyes.read],
        whom=whom,
        whom_icon=whom_icon,
        severity=_severity(entry),
        tags=list(_tags(entry, eyes)),
        state=State(key, _state_words(entry)),
        icon=icon,
        decision=_decision(entry),
        reason=eyes.text(entry.held_reason if held else entry.decision_reason),
        why_a_person=drafts.WORDS.get(why, why),
        confidence=percent(entry.overall_confidence),
        parts=f"AI {percent(entry.ai_confidence)}, match {percent(entry.resolution_confidence)}",
        verbs=verbs_for(entry) if may_decide else [],
        seen=seen_of(entry) if may_decide else "",
        note_url=reverse(NOTE_PAGE, args=[entry.artifact.artifact_id]),
    )


def verbs_for(entry: InsightDraft) -> list[Verb]:
    """What makes sense now."""
    if entry.status in MAY_BE_UNDONE:
        return [UNDO]
    return [CONFIRM, EDIT, REJECT, RELEASE if entry.held_at else HOLD]


def _state_words(entry: InsightDraft) -> str:
    if entry.held_at:
        return "On hold"
    by_rule = entry.automatic and entry.status == Status.CONFIRMED
    return "Confirmed automatically" if by_rule else str(entry.get_status_display())


def _decision(entry: InsightDraft) -> str:
    """By whom and when it was decided, or until when somebody can."""
    if entry.held_at and entry.held_by:
        return f"by {person(entry.held_by)}, {moment(entry.held_at)}"
    if entry.status == Status.PENDING:
        return f"until {moment(entry.expires_at).partition(',')[0]}"
    by = f"by {person(entry.decided_by)}, " if entry.decided_by else ""
    return f"{by}{moment(entry.decided_at)}"


def _whom(entry: InsightDraft, eyes: Eyes) -> tuple[str, str]:
    if entry.player:
        return eyes.name(entry.player), "person"
    if entry.team:
        return str(entry.team), "groups"
    return (f"{entry.sender}, the coach" if entry.sender else "The coach"), "sports"


def _severity(entry: InsightDraft) -> State | None:
    if not entry.severity:
        return None
    return State(SEVERITY_KEYS.get(entry.severity, "plain"), f"{entry.get_severity_display()} severity")


def _tags(entry: InsightDraft, eyes: Eyes) -> Iterable[str]:
    if eyes.read:
        yield entry.get_topic_display()
    if eyes.read and (entry.skill_name or entry.skill_rating):
        rating = f"{entry.skill_rating} of 5" if entry.skill_rating else ""
        yield ": ".join(filter(None, (entry.skill_name, rating)))
    if entry.sentiment:
        yield str(entry.get_sentiment_display())


# --- History ----------------------------------------------------------------------------------------------------------
def history_of(
    decisions: Iterable[EntryDecision], eyes: Eyes, todays_keys: Mapping[str, str]
) -> dict[str, list[Remembered]]:
    """What people decided, newest first, by the key that the entry has today."""
    found: dict[str, list[Remembered]] = defaultdict(list)
    for each in decisions:
        found[todays_keys.get(each.draft_key, each.draft_key)].append(_remembered(each, eyes))
    return found


def _remembered(decision: EntryDecision, eyes: Eyes) -> Remembered:
    words = decision.edited if eyes.read and isinstance(decision.edited, dict) else {}
    return Remembered(
        what=_what(decision),
        who=person(decision.by),
        when=moment(decision.decided_at),
        why=eyes.text(decision.reason),
        words=[(str(name).replace("_", " ").capitalize(), str(said or "empty")) for name, said in words.items()],
    )


def _what(decision: EntryDecision) -> str:
    what = str(decision.get_kind_display())
    if decision.kind == EntryDecision.Kind.UNDONE:
        was = "confirmed automatically" if decision.undone_automatic else decision.undone_status
        what = f"{what}: it was {was}"
    return f"{what}, with others" if decision.bulk_id else what
