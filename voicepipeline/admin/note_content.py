"""What came of a voice note, as its page shows it: transcript, statements, who is meant, suggested entries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf.locale import LANG_INFO

from voicepipeline.admin import note_waiting
from voicepipeline.admin.note_marks import Paragraph, Quote, clock, paragraphs
from voicepipeline.admin.words import State, moment
from voicepipeline.explanations import Run
from voicepipeline.models import Artifact, Claim, EntityResolution, InsightDraft, StageName, Transcript, User
from voicepipeline.policies import drafts, quality

# Far more than a note ever holds: one that holds more still opens.
MOST_STATEMENTS = 200
MOST_MATCHES = 1_000
MOST_ENTRIES = 500
MOST_CANDIDATES = 5
LONG_TEXT = 900  # characters; beyond, the transcript is folded
UNKNOWN = "unknown"


@dataclass(frozen=True)
class TranscriptView:
    transcript: Transcript
    paragraphs: list[Paragraph]
    facts: list[tuple[str, str]]
    reasons: list[str]
    is_long: bool

    @property
    def verdict(self) -> State:
        return VERDICTS[Transcript.Verdict(self.transcript.verdict)]


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

    @property
    def has_more(self) -> bool:
        return bool(self.reason or self.candidates)


@dataclass(frozen=True)
class StatementView:
    claim: Claim
    severity: State | None
    tags: list[str]
    confidence: str
    matches: list[Match]
    unmatched: list[str]  # names that nothing has been matched with yet


@dataclass(frozen=True)
class EntryView:
    entry: InsightDraft
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
    nothing: dict[str, str] = field(default_factory=dict)
    open_names: int = 0
    cut: bool = False

    @property
    def flagged(self) -> bool:
        return self.transcript is not None and self.transcript.transcript.verdict == Transcript.Verdict.FLAGGED

    @property
    def unsupported(self) -> int:
        return sum(not each.claim.is_supported for each in self.statements)

    @property
    def to_confirm(self) -> int:
        return sum(each.entry.status == InsightDraft.Status.PENDING for each in self.entries)


VERDICTS = {
    Transcript.Verdict.GOOD: State("completed", "Good"),
    Transcript.Verdict.FLAGGED: State("review", "To be reviewed"),
    Transcript.Verdict.NO_SPEECH: State("no_speech", "No speech"),
}
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


def content_of(artifact: Artifact, run: Run | None) -> Content:
    """Four queries, however much there is; `run` is the try that waits or runs now."""
    transcript = Transcript.objects.filter(artifact=artifact).first()
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
        transcript=_transcript(transcript, claims) if transcript else None,
        statements=[_statement(claim, of_claim[claim.pk]) for claim in claims[:MOST_STATEMENTS]],
        entries=[_entry(each, numbers.get(each.claim_id or 0), artifact) for each in made[:MOST_ENTRIES]],
        nothing={stage.value: note_waiting.nothing_yet(stage, artifact, run) for stage in StageName},
        open_names=open_names(matches),
        cut=len(claims) > MOST_STATEMENTS or len(made) > MOST_ENTRIES,
    )


def open_names(matches: Iterable[EntityResolution]) -> int:
    """How many questions are open: the same name is one, however often it was said."""
    unclear = EntityResolution.Status.NEEDS_DISAMBIGUATION
    return len({(match.kind, match.name_key) for match in matches if match.status == unclear})


# --- The transcript ---------------------------------------------------------------------------------------------------
def _transcript(transcript: Transcript, claims: Sequence[Claim]) -> TranscriptView:
    quotes = [Quote(each.number, each.quote_start or 0, each.quote_end or 0) for each in claims if each.is_supported]
    segments = transcript.segments if isinstance(transcript.segments, list) else []
    return TranscriptView(
        transcript=transcript,
        paragraphs=paragraphs(transcript.text, quotes, segments),
        facts=_transcript_facts(transcript),
        reasons=[quality.REASONS.get(code, code) for code in transcript.verdict_reasons],
        is_long=len(transcript.text) > LONG_TEXT,
    )


def _transcript_facts(transcript: Transcript) -> list[tuple[str, str]]:
    languages = ", ".join(map(language_name, transcript.languages)) or UNKNOWN
    if transcript.is_typed:
        return [("Language", languages)] if transcript.languages else []
    seconds = transcript.duration_seconds
    return [
        ("Language", languages),
        ("Duration", UNKNOWN if seconds is None else clock(float(seconds))),
        ("Model", transcript.ai_model or UNKNOWN),
        ("Confidence", percent(transcript.confidence)),
    ]


def language_name(code: str) -> str:
    """What a language is called; providers give codes or names."""
    return str(LANG_INFO.get(code.lower(), {}).get("name", code.capitalize() if len(code) > 3 else code))


def percent(share: float | None) -> str:
    """A confidence from 0 to 1; never rounded up to certainty."""
    if share is None:
        return UNKNOWN
    return f"{100 if share >= 1 else min(99, round(100 * share))} %"


# --- Statements -------------------------------------------------------------------------------------------------------
def _statement(claim: Claim, matches: Sequence[EntityResolution]) -> StatementView:
    return StatementView(
        claim=claim,
        severity=_severity(claim),
        tags=list(_tags(claim)),
        confidence=percent(claim.confidence),
        matches=[_match(match) for match in matches],
        unmatched=[] if matches else list(_raw_names(claim)),
    )


def _severity(said: Claim | InsightDraft) -> State | None:
    if not said.severity:
        return None
    return State(SEVERITY_KEYS.get(said.severity, "plain"), f"{said.get_severity_display()} severity")


def _tags(said: Claim | InsightDraft) -> Iterable[str]:
    """What else it says of itself: which skill, how well, in what mood."""
    if said.skill_name or said.skill_rating:
        rating = f"{said.skill_rating} of 5" if said.skill_rating else ""
        yield ": ".join(filter(None, (said.skill_name, rating)))
    if said.sentiment:
        yield said.get_sentiment_display()


def _raw_names(claim: Claim) -> Iterable[str]:
    for mention in claim.mentions if isinstance(claim.mentions, list) else []:
        if isinstance(mention, dict) and isinstance(mention.get("raw_text"), str):
            yield mention["raw_text"]


def _match(match: EntityResolution) -> Match:
    status = EntityResolution.Status(match.status)
    meant = match.player or match.team or match.coach_meant
    state, icon = MATCH_STATES[status]
    if status == EntityResolution.Status.AUTO_RESOLVED and meant is None:
        state, icon = GROUP
    ai_said = match.model_player if match.model_player_id and match.model_player != match.player else None
    return Match(
        key=f"match-{match.pk}",
        raw_text=match.raw_text,
        state=state,
        icon=icon,
        who="" if meant is None else str(meant),
        how=_how(match, state),
        reason=match.reason,
        candidates=list(_candidates(match.candidates)),
        ai_said="" if ai_said is None else str(ai_said),
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


def _candidates(given: Any) -> Iterable[Candidate]:
    for each in given[:MOST_CANDIDATES] if isinstance(given, list) else []:
        if isinstance(each, dict):
            reason = each.get("reason")
            yield Candidate(str(each.get("name") or UNKNOWN), _score(each.get("score")), str(reason or ""))


def _score(value: Any) -> str:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    return f"{value:.0f}" if known else UNKNOWN


def person(user: User) -> str:
    return user.get_full_name() or user.get_username()


# --- Suggested entries ------------------------------------------------------------------------------------------------
def _entry(entry: InsightDraft, number: int | None, artifact: Artifact) -> EntryView:
    key, icon = ENTRY_STATES[InsightDraft.Status(entry.status)]
    whom, whom_icon = _whom(entry, artifact)
    pending = entry.status == InsightDraft.Status.PENDING
    by_rule = entry.automatic and entry.status == InsightDraft.Status.CONFIRMED
    why = entry.person_needed_because if pending else ""
    return EntryView(
        entry=entry,
        number=number,
        whom=whom,
        whom_icon=whom_icon,
        severity=_severity(entry),
        tags=list(_tags(entry)),
        state=State(key, "Confirmed automatically" if by_rule else entry.get_status_display()),
        icon=icon,
        decision=_decision(entry),
        reason=entry.decision_reason,
        why_a_person=drafts.WORDS.get(why, why),
        confidence=percent(entry.overall_confidence),
        parts=f"AI {percent(entry.ai_confidence)}, match {percent(entry.resolution_confidence)}",
    )


def _whom(entry: InsightDraft, artifact: Artifact) -> tuple[str, str]:
    if entry.player:
        return str(entry.player), "person"
    if entry.team:
        return str(entry.team), "groups"
    return (f"{artifact.sender}, the coach" if artifact.sender else "The coach"), "sports"


def _decision(entry: InsightDraft) -> str:
    """By whom and when it was decided, or until when somebody can."""
    if entry.status == InsightDraft.Status.PENDING:
        return f"until {moment(entry.expires_at).partition(',')[0]}"
    by = f"by {person(entry.decided_by)}, " if entry.decided_by else ""
    return f"{by}{moment(entry.decided_at)}"
