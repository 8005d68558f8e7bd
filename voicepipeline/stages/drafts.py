"""Suggested entries: what is made of each statement, for every player that it is about, for a team, or for the coach.

A statement about somebody who is not known yet has no entry until a person has said who it is; it is counted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils import timezone

from voicepipeline.matching.deciding import names_in
from voicepipeline.models import (
    Artifact,
    Claim,
    Coach,
    EntityResolution,
    EventType,
    InsightDraft,
    MentionKind,
    Pause,
    Topic,
    Transcript,
)
from voicepipeline.operations.aliases import teams_of_coach
from voicepipeline.policies.drafts import (
    DEFAULT_THRESHOLD,
    LIFETIME,
    Confirmation,
    bears_out,
    decide_confirmation,
    display_order,
    overall_confidence,
)
from voicepipeline.policies.names import PRONOUNS, Correction, correct_names
from voicepipeline.stages.begun import holds_of, taken_up
from voicepipeline.stages.contract import Remark, StageOutput
from voicepipeline.stages.merged import entry_key, for_those_who_stay, move_entries
from voicepipeline.text import safe_text

Status = InsightDraft.Status
Matched = EntityResolution.Status

# Somebody has to do them, whoever they are about.
FOR_THE_COACH = frozenset({Topic.TODO, Topic.SESSION_PLAN})
# These make sense of no one player; all others need somebody whom they are about.
ABOUT_NO_PLAYER = FOR_THE_COACH | {Topic.TEAM_CULTURE, Topic.TACTICAL}
COPIED = ("topic", "quote", "time_reference", "severity", "sentiment", "skill_name", "skill_rating", "prompt_version")
# What an entry that waits keeps when it is made again: its id, for whoever has it before their eyes, its age, and that
# somebody has put it on hold.
KEPT = ("id", "created_at", "expires_at", "held_at", "held_by_id", "held_reason")
LONGEST_TITLE = 200
LONGEST_TEXT = 3_000


@dataclass(frozen=True)
class Name:
    """Who is meant by one mention, as far as it is known."""

    kind: str
    raw_text: str
    status: str
    by_person: bool
    player: int | None = None
    team: int | None = None
    right_name: str = ""  # of a player or a coach
    score: float | None = None

    @property
    def confidence(self) -> float:
        """How sure it is; what a person chose is."""
        return 1.0 if self.score is None else self.score / 100

    @property
    def is_open(self) -> bool:
        """Whether somebody may still say who it is."""
        unknown = self.status == Matched.UNRESOLVED and self.kind == MentionKind.PLAYER_NAME and not self.by_person
        return unknown or self.status == Matched.NEEDS_DISAMBIGUATION


@dataclass(frozen=True)
class Read:
    """One statement, with its names."""

    id: int
    key: str
    confidence: float | None
    supported: bool
    title: str
    description: str
    recommended_action: str
    copied: dict[str, Any]
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Rule:
    """What automatic confirmation of this note's entries hangs on."""

    trust_level: int = 0
    threshold: Decimal = DEFAULT_THRESHOLD
    switched_off: bool = False
    flagged: bool = False


@dataclass(frozen=True)
class Given:
    claims: tuple[Read, ...]
    rule: Rule
    own_team: int | None = None  # the only one that the coach trains
    taken_up: frozenset[str] = frozenset()  # keys of entries that a person has taken back or put on hold


@dataclass(frozen=True)
class Target:
    """Whom an entry is for, and how sure that is."""

    player: int | None = None
    team: int | None = None
    confidence: float = 1.0


@dataclass(frozen=True)
class Entry:
    """An entry to be suggested, and whether it needs a person."""

    key: str
    claim_key: str
    claim_id: int
    target: Target
    ai_confidence: float | None
    overall: float | None
    confirmation: Confirmation
    fields: dict[str, Any]


def load(artifact: Artifact) -> Given:
    """The statements with their names, and what automatic confirmation hangs on."""
    names: dict[int, list[Name]] = {}
    rows = EntityResolution.objects.filter(artifact=artifact).order_by("claim_id", "mention_number")
    for row in rows.select_related("player", "coach_meant"):
        names.setdefault(row.claim_id, []).append(_name(row))
    claims = Claim.objects.filter(artifact=artifact).order_by("number")
    transcript = Transcript.objects.filter(artifact=artifact).only("text", "verdict").first()
    said = transcript.text if transcript else ""
    read = tuple(_read(claim, tuple(names.get(claim.pk, ())), said) for claim in claims)
    if not read:
        return Given((), Rule())
    sender, club = artifact.sender, artifact.organization_id
    own = [team for team in teams_of_coach(sender.pk, club) if team.active] if sender and club else []
    own_team = int(own[0].id) if len(own) == 1 else None
    return Given(read, _rule(artifact, sender, transcript), own_team, taken_up(artifact))


def _name(row: EntityResolution) -> Name:
    person = row.player or row.coach_meant
    return Name(
        kind=row.kind,
        raw_text=row.raw_text,
        status=row.status,
        by_person=row.resolved_by_id is not None,
        player=row.player_id,
        team=row.team_id,
        right_name=str(person) if person else "",
        score=row.score,
    )


def _read(claim: Claim, names: tuple[Name, ...], said: str) -> Read:
    return Read(
        id=claim.pk,
        key=claim.key,
        confidence=claim.confidence,
        supported=bears_out(said, claim.quote_start, claim.quote_end),
        title=claim.title,
        description=claim.description,
        recommended_action=claim.recommended_action,
        copied={name: getattr(claim, name) for name in COPIED},
        names=names,
    )


def _rule(artifact: Artifact, sender: Coach | None, transcript: Transcript | None) -> Rule:
    club = artifact.organization_id
    trusted = sender is not None and sender.is_active and sender.organization_id == club
    off = Pause.objects.filter(subject=Pause.Subject.AUTOMATIC_CONFIRMATION, resumed_at__isnull=True)
    return Rule(
        trust_level=sender.trust_level if sender and trusted else 0,
        threshold=sender.confirmation_threshold if sender else DEFAULT_THRESHOLD,
        switched_off=off.filter(Q(organization=None) | Q(organization=club)).exists(),
        flagged=transcript is None or transcript.verdict != Transcript.Verdict.GOOD,
    )


def work(given: Given) -> StageOutput:
    """Make an entry of each statement for each whom it is about, and decide whether it needs a person."""
    entries: list[Entry] = []
    without = 0
    for claim in given.claims:
        targets = targets_of(claim, given.own_team)
        fields = _fields(claim) if targets else {}
        entries += [_entry(claim, target, given, fields) for target in targets]
        without += not targets
    automatic = sum(entry.confirmation.automatic for entry in entries)
    counts = {"draft_count": len(entries), "automatic_count": automatic, "without_entry": without}
    return StageOutput(tuple(entries), metadata=counts)


def targets_of(claim: Read, own_team: int | None) -> list[Target]:
    """Whom entries of this statement are for; nobody while it is about somebody who may still be named."""
    players = _least_sure((name.player, name.confidence) for name in claim.names)
    if players:
        return [Target(player=pk, confidence=sure) for pk, sure in players.items()]
    topic = claim.copied["topic"]
    if topic not in FOR_THE_COACH and any(name.is_open for name in claim.names):
        return []
    teams = _least_sure((name.team, name.confidence) for name in claim.names)
    if teams:
        return [Target(team=pk, confidence=sure) for pk, sure in teams.items()]
    if topic == Topic.TODO:
        return [Target()]
    of_group = any(name.kind == MentionKind.GROUP_REFERENCE for name in claim.names)
    about_all = (of_group and own_team is not None) or (topic in ABOUT_NO_PLAYER and (of_group or not claim.names))
    return [Target(team=own_team)] if about_all or topic in FOR_THE_COACH else []


def _least_sure(named: Iterable[tuple[int | None, float]]) -> dict[int, float]:
    """Each of those named, once, with the least sure of their mentions."""
    found: dict[int, float] = {}
    for pk, confidence in named:
        if pk is not None:
            found[pk] = min(confidence, found.get(pk, confidence))
    return found


def _entry(claim: Read, target: Target, given: Given, fields: dict[str, Any]) -> Entry:
    key, rule = entry_key(claim.key, player=target.player, team=target.team), given.rule
    overall = overall_confidence(claim.confidence, target.confidence)
    confirmation = decide_confirmation(
        topic=claim.copied["topic"],
        overall=overall,
        trust_level=rule.trust_level,
        threshold=rule.threshold,
        switched_off=rule.switched_off,
        supported=claim.supported,
        flagged=rule.flagged,
        severity=claim.copied["severity"],
        name_open=any(name.is_open for name in claim.names),
        for_somebody=target.player is not None or target.team is not None,
        taken_up=key in given.taken_up,
    )
    return Entry(key, claim.key, claim.id, target, claim.confidence, overall, confirmation, fields)


def _fields(claim: Read) -> dict[str, Any]:
    """What the entry says: the statement with its names put right, but for the quote, which is evidence."""
    corrections = [Correction(name.raw_text, name.right_name) for name in claim.names if _is_to_be_corrected(name)]
    return {
        **claim.copied,
        "title": safe_text(correct_names(claim.title, corrections), LONGEST_TITLE),
        "description": safe_text(correct_names(claim.description, corrections), LONGEST_TEXT),
        "recommended_action": safe_text(correct_names(claim.recommended_action, corrections), LONGEST_TEXT),
        "display_order": display_order(claim.copied["topic"], claim.copied["severity"]),
    }


def _is_to_be_corrected(name: Name) -> bool:
    """One name, not a word for whoever was named before, nor two names of which one is known."""
    is_name = name.raw_text.strip().casefold() not in PRONOUNS and len(names_in(name.raw_text)) == 1
    return bool(name.right_name) and is_name


def store(artifact: Artifact, data: tuple[Entry, ...], *, claims: Collection[int] | None = None) -> list[Remark]:
    """Put these entries in the place of those that nobody has decided about; one that is decided is not made again.

    With `claims`, only entries of these statements make way and are made.
    """
    data = for_those_who_stay(data, partial(taken_up, artifact))
    move_entries(artifact)
    drafts = InsightDraft.objects.filter(artifact=artifact)
    pending = drafts.filter(status=Status.PENDING)
    if claims is not None:
        pending = pending.filter(claim__in=claims)
        data = tuple(entry for entry in data if entry.claim_id in claims)
    waiting = {row.pop("key"): row for row in pending.values("key", *KEPT)}
    pending.delete()
    decided = set(drafts.values_list("key", flat=True))
    entries = [entry for entry in data if entry.key not in decided]
    now = timezone.now()
    new = {"created_at": now, "expires_at": now + LIFETIME}
    holds = holds_of(artifact) if entries else {}
    InsightDraft.objects.bulk_create(
        row_of(artifact, entry, now, claim_id=entry.claim_id, **waiting.get(entry.key, new | holds.get(entry.key, {})))
        for entry in entries
    )
    return [confirmed_automatically(entry) for entry in entries if entry.confirmation.automatic]


def confirmed_automatically(entry: Entry) -> Remark:
    """What is said of an entry that needs no person."""
    said = {
        "automatic": True,
        "topic": entry.fields["topic"],
        "confidence_score": entry.overall,
        "prompt_version": entry.fields["prompt_version"] or None,
    }
    return Remark(EventType.DRAFT_CONFIRMED, of=entry.key, metadata=said)


def row_of(artifact: Artifact, entry: Entry, now: datetime, **more: Any) -> InsightDraft:
    """The row of one entry; its claim and its age, the caller says."""
    automatic = entry.confirmation.automatic
    return InsightDraft(
        artifact=artifact,
        organization_id=artifact.organization_id,
        sender_id=artifact.sender_id,
        claim_key=entry.claim_key,
        key=entry.key,
        player_id=entry.target.player,
        team_id=entry.target.team,
        ai_confidence=entry.ai_confidence,
        resolution_confidence=entry.target.confidence,
        overall_confidence=entry.overall,
        status=Status.CONFIRMED if automatic else Status.PENDING,
        automatic=automatic,
        person_needed_because="" if automatic else entry.confirmation.reason,
        decided_at=now if automatic else None,
        **more,
        **entry.fields,
    )


def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
    """Delete what nobody has decided about: entries that wait, that the rule confirmed, or that ran out."""
    machine_made = Q(status__in=[Status.PENDING, Status.EXPIRED]) | Q(status=Status.CONFIRMED, automatic=True)
    going = ~Q(status=Status.REJECTED) if decided_too else machine_made
    deleted, _ = InsightDraft.objects.filter(going, artifact=artifact).delete()
    return {"suggested entries": deleted}
