"""What came of a voice note, as its page shows it: transcript, statements, who is meant, suggested entries."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voicepipeline.admin import note_waiting
from voicepipeline.admin.name_queue import Question, question_url
from voicepipeline.admin.note_transcript import UNKNOWN, TranscriptView, percent, transcript_view
from voicepipeline.admin.words import State, moment
from voicepipeline.explanations import Run
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, Claim, EntityResolution, InsightDraft, StageName, Transcript, User
from voicepipeline.models.people import MentionKind
from voicepipeline.policies import drafts

# Far more than a note ever holds: one that holds more still opens.
MOST_STATEMENTS = 200
MOST_MATCHES = 1_000
MOST_ENTRIES = 500
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Candidate:
    name: str
    score: str
    reason: str


@dataclass(frozen=True)
class Match:
    """One name in a statement, and who is meant by it."""

    key: str
    raw_text: str
    state: State
    icon: str
    who: str
    how: str
    reason: str
    candidates: list[Candidate]
    ai_said: str  # whom the AI had named, where it was somebody else
    settle_url: str  # where somebody says who is meant; empty for a group, which is nobody in particular

    @property
    def has_more(self) -> bool:
        return bool(self.reason or self.candidates)

    @property
    def is_open(self) -> bool:
        return self.state == MATCH_STATES[EntityResolution.Status.NEEDS_DISAMBIGUATION][0]


@dataclass(frozen=True)
class Said:
    """What a statement or an entry says; of what is hidden no more than its topic, which stands for its title."""

    title: str
    description: str = ""
    quote: str = ""
    recommended_action: str = ""
    time_reference: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class StatementView:
    """Pages take its words from `said` alone."""

    claim: Claim
    said: Said
    severity: State | None
    tags: list[str]
    confidence: str
    matches: list[Match]
    unmatched: list[str]  # names that nothing has been matched with yet


@dataclass(frozen=True)
class EntryView:
    """Pages take its words from `said` alone."""

    entry: InsightDraft
    said: Said
    number: int | None  # of the statement that it was made of
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


@dataclass(frozen=True)
class Content:
    """All of it, and what is said in place of what is missing."""

    transcript: TranscriptView | None
    statements: list[StatementView]
    entries: list[EntryView]
    typed: str = ""  # by the coach, until there is a transcript
    nothing: dict[str, str] = field(default_factory=dict)
    open_names: int = 0
    cut: bool = False

    @property
    def flagged(self) -> bool:
        """Whether somebody should listen to it, and nobody has."""
        if self.transcript is None or self.transcript.transcript.reviewed_at is not None:
            return False
        return self.transcript.transcript.verdict == Transcript.Verdict.FLAGGED

    @property
    def unsupported(self) -> int:
        return sum(not each.claim.is_supported for each in self.statements)

    @property
    def to_confirm(self) -> int:
        return sum(each.entry.status == InsightDraft.Status.PENDING for each in self.entries)


SEVERITY_KEYS = {"low": "plain", "medium": "review", "high": "failed", "critical": "failed"}
MATCH_STATES = {
    EntityResolution.Status.AUTO_RESOLVED: (State("matched", "matched automatically"), "check"),
    EntityResolution.Status.USER_RESOLVED: (State("chosen", "chosen by a person"), "how_to_reg"),
    EntityResolution.Status.NEEDS_DISAMBIGUATION: (State("review", "name unclear"), "help"),
    EntityResolution.Status.UNRESOLVED: (State("plain", "not on the roster"), "person_off"),
}
GROUP = (State("group", "a group, nobody to find"), "groups")
ENTRY_STATES = {
    InsightDraft.Status.PENDING: ("waiting", "pending_actions"),
    InsightDraft.Status.CONFIRMED: ("completed", "check"),
    InsightDraft.Status.APPLIED: ("completed", "done_all"),
    InsightDraft.Status.REJECTED: ("plain", "close"),
    InsightDraft.Status.EXPIRED: ("plain", "timer_off"),
}


def content_of(artifact: Artifact, run: Run | None, eyes: Eyes) -> Content:
    """Four queries, however much there is; `run` is the try that waits or runs now, `eyes` are whose page it is for."""
    transcript = Transcript.objects.filter(artifact=artifact).select_related("reviewed_by").first()
    claims = list(Claim.objects.filter(artifact=artifact).order_by("number")[: MOST_STATEMENTS + 1])
    of_note = EntityResolution.objects.filter(artifact=artifact).order_by("claim__number", "mention_number")
    matches = list(
        of_note.select_related("player", "team", "coach_meant", "model_player", "resolved_by")[:MOST_MATCHES]
    )
    entries = InsightDraft.objects.filter(artifact=artifact).order_by("display_order", "id")
    made = list(entries.select_related("player", "team", "decided_by")[: MOST_ENTRIES + 1])
    numbers = {claim.pk: claim.number for claim in claims}
    of_claim: dict[int, list[EntityResolution]] = defaultdict(list)
    for match in matches:
        of_claim[match.claim_id].append(match)
    return Content(
        transcript=transcript_view(transcript, claims, eyes) if transcript else None,
        statements=[
            _statement(claim, of_claim[claim.pk], artifact.artifact_id, eyes) for claim in claims[:MOST_STATEMENTS]
        ],
        entries=[_entry(each, numbers.get(each.claim_id or 0), artifact, eyes) for each in made[:MOST_ENTRIES]],
        typed=eyes.text(artifact.voice_note.text if artifact.voice_note else ""),
        nothing={stage.value: note_waiting.nothing_yet(stage, artifact, run) for stage in StageName},
        open_names=open_names(matches),
        cut=len(claims) > MOST_STATEMENTS or len(made) > MOST_ENTRIES,
    )


def open_names(matches: Iterable[EntityResolution]) -> int:
    """How many questions are open: the same name is one, however often it was said."""
    unclear = EntityResolution.Status.NEEDS_DISAMBIGUATION
    return len({(match.kind, match.name_key) for match in matches if match.status == unclear})


# --- Statements -------------------------------------------------------------------------------------------------------
def _statement(claim: Claim, matches: Sequence[EntityResolution], artifact_id: uuid.UUID, eyes: Eyes) -> StatementView:
    return StatementView(
        claim=claim,
        said=_said(claim, eyes),
        severity=_severity(claim),
        tags=list(_tags(claim, eyes)),
        confidence=percent(claim.confidence),
        matches=[_match(match, artifact_id, eyes) for match in matches],
        unmatched=[] if matches else list(_raw_names(claim, eyes)),
    )


def _said(words: Claim | InsightDraft, eyes: Eyes) -> Said:
    if not eyes.read:
        return Said(words.get_topic_display(), hidden=True)
    return Said(words.title, words.description, words.quote, words.recommended_action, words.time_reference)


def _severity(said: Claim | InsightDraft) -> State | None:
    if not said.severity:
        return None
    return State(SEVERITY_KEYS.get(said.severity, "plain"), f"{said.get_severity_display()} severity")


def _tags(said: Claim | InsightDraft, eyes: Eyes) -> Iterable[str]:
    """What else it says of itself: which skill, how well, in what mood."""
    if eyes.read and (said.skill_name or said.skill_rating):
        rating = f"{said.skill_rating} of 5" if said.skill_rating else ""
        yield ": ".join(filter(None, (said.skill_name, rating)))
    if said.sentiment:
        yield said.get_sentiment_display()


def _raw_names(claim: Claim, eyes: Eyes) -> Iterable[str]:
    for mention in claim.mentions if isinstance(claim.mentions, list) else []:
        if isinstance(mention, dict) and isinstance(mention.get("raw_text"), str):
            yield _spoken(mention["raw_text"], mention.get("kind"), eyes)


def _spoken(raw_text: str, kind: Any, eyes: Eyes) -> str:
    """A name as it was said; the initials of a group's would tell nothing."""
    if eyes.read or kind in (MentionKind.PLAYER_NAME, MentionKind.COACH_NAME):
        return eyes.name(raw_text)
    return MentionKind(kind).label if kind in MentionKind.values else eyes.text(raw_text)


def _match(match: EntityResolution, artifact_id: uuid.UUID, eyes: Eyes) -> Match:
    status = EntityResolution.Status(match.status)
    person = match.player or match.coach_meant
    state, icon = MATCH_STATES[status]
    if status == EntityResolution.Status.AUTO_RESOLVED and not (person or match.team):
        state, icon = GROUP
    ai_said = match.model_player if match.model_player_id and match.model_player != match.player else None
    return Match(
        key=f"match-{match.pk}",
        raw_text=_spoken(match.raw_text, match.kind, eyes),
        state=state,
        icon=icon,
        who=eyes.name(person) if person else str(match.team or ""),
        how=_how(match, state),
        reason=match.reason if eyes.read else "",
        candidates=list(_candidates(match.candidates, eyes)),
        ai_said=eyes.name(ai_said).rstrip(".") if ai_said else "",  # in the page a full stop follows
        settle_url="" if (state, icon) == GROUP else question_url(Question.of(match), artifact_id),
    )


def _how(match: EntityResolution, state: State) -> str:
    """In words, how it is known who is meant, or why it is not."""
    statuses = EntityResolution.Status
    if match.status == statuses.USER_RESOLVED and match.resolved_by:
        return f"chosen by {person(match.resolved_by)}"
    if match.status == statuses.UNRESOLVED and match.resolved_by:
        return f"not on the roster, says {person(match.resolved_by)}"
    score = "" if match.score is None or match.status != statuses.AUTO_RESOLVED else f" {_score(match.score)}"
    return f"{state.words}{score}"


def _candidates(given: Any, eyes: Eyes) -> Iterable[Candidate]:
    for each in given[:MOST_CANDIDATES] if isinstance(given, list) else []:
        if isinstance(each, dict):
            reason = str(each.get("reason") or "") if eyes.read else ""
            yield Candidate(eyes.name(each.get("name") or UNKNOWN), _score(each.get("score")), reason)


def _score(value: Any) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    return f"{value:.0f}" if known else UNKNOWN


def person(user: User) -> str:
    return user.get_full_name() or user.get_username()


# --- Suggested entries ------------------------------------------------------------------------------------------------
def _entry(entry: InsightDraft, number: int | None, artifact: Artifact, eyes: Eyes) -> EntryView:
    key, icon = ENTRY_STATES[InsightDraft.Status(entry.status)]
    whom, whom_icon = _whom(entry, artifact, eyes)
    pending = entry.status == InsightDraft.Status.PENDING
    by_rule = entry.automatic and entry.status == InsightDraft.Status.CONFIRMED
    why = entry.person_needed_because if pending else ""
    return EntryView(
        entry=entry,
        said=_said(entry, eyes),
        number=number,
        whom=whom,
        whom_icon=whom_icon,
        severity=_severity(entry),
        tags=list(_tags(entry, eyes)),
        state=State(key, "Confirmed automatically" if by_rule else entry.get_status_display()),
        icon=icon,
        decision=_decision(entry),
        reason=eyes.text(entry.decision_reason),
        why_a_person=drafts.WORDS.get(why, why),
        confidence=percent(entry.overall_confidence),
        parts=f"AI {percent(entry.ai_confidence)}, match {percent(entry.resolution_confidence)}",
    )


def _whom(entry: InsightDraft, artifact: Artifact, eyes: Eyes) -> tuple[str, str]:
    if entry.player:
        return eyes.name(entry.player), "person"
    if entry.team:
        return str(entry.team), "groups"
    return (f"{artifact.sender}, the coach" if artifact.sender else "The coach"), "sports"


def _decision(entry: InsightDraft) -> str:
    """By whom and when it was decided, or until when somebody can."""
    if entry.status == InsightDraft.Status.PENDING:
        return f"until {moment(entry.expires_at).partition(',')[0]}"
    by = f"by {person(entry.decided_by)}, " if entry.decided_by else ""
    return f"{by}{moment(entry.decided_at)}"
