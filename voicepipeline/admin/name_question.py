"""One open name as its page shows it: where it was said, who may be meant, and what people have answered."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.urls import reverse

from voicepipeline.admin.name_queue import MOST_OFFERED, Question, score_of
from voicepipeline.admin.note_marks import Heard, clock, locate
from voicepipeline.masking import Eyes
from voicepipeline.matching.keys import name_key
from voicepipeline.matching.normalise import APOSTROPHE, fold
from voicepipeline.matching.roster import Person
from voicepipeline.models import (
    Artifact,
    Claim,
    Coach,
    EntityResolution,
    MentionKind,
    NameChoice,
    Player,
    Team,
    Transcript,
)
from voicepipeline.operations.aliases import coaches_of, players_of, teams_of
from voicepipeline.operations.names import FIELDS

MOST_PLACES = 50
MOST_FOUND = 20
NOT_ACTIVE = "no longer active"
ROSTERS = {
    MentionKind.PLAYER_NAME: players_of,
    MentionKind.TEAM_NAME: teams_of,
    MentionKind.COACH_NAME: coaches_of,
}


class Piece(NamedTuple):
    text: str
    is_name: bool


@dataclass(frozen=True)
class Place:
    """One statement that says the name."""

    number: int
    claim_key: str
    title: str
    pieces: list[Piece]
    is_supported: bool
    seconds: str  # when it was said, as a player wants it; empty when that is not known
    clock: str
    statement_url: str


@dataclass(frozen=True)
class Offer:
    """Somebody to choose."""

    value: str
    name: str
    about: str  # their team, and that they have left
    score: str
    reason: str
    shortcut: str = ""


@dataclass(frozen=True)
class Asked:
    """Everything about the question, for eyes that may see it."""

    question: Question
    raw_text: str
    spoken: str
    kind: str
    is_group: bool
    places: list[Place]
    more_places: int
    is_open: bool
    is_matched: bool
    reason: str
    offers: list[Offer]
    answers: list[NameChoice]

    @property
    def seen(self) -> int | str:
        """The newest answer that this page shows."""
        return self.answers[0].pk if self.answers else ""

    @property
    def starts_at(self) -> str:
        return next((place.seconds for place in self.places if place.seconds), "")


def find(artifact: Artifact, kind: str, mark: str) -> Question | None:
    """The name of this note that the address stands for, if the note says it still or somebody answered about it."""
    said = Claim.objects.filter(artifact=artifact).values_list("mentions", flat=True)
    keys = {name_key(kind, each["raw_text"]) for mentions in said for each in mentions if each["kind"] == kind}
    questions = (Question(artifact.pk, kind, key) for key in keys)
    return next((question for question in questions if question.mark == mark), None)


def load(artifact: Artifact, question: Question, eyes: Eyes) -> Asked:
    """Six queries, however often the name is said."""
    claims = [each for each in Claim.objects.filter(artifact=artifact).order_by("number") if _says(each, question)]
    rows = EntityResolution.objects.filter(artifact=artifact, kind=question.kind, name_key=question.key)
    matches = list(rows.order_by("claim__number", "mention_number"))
    transcript = Transcript.objects.filter(artifact=artifact).only("text", "segments").first()
    heard = locate(transcript.text, transcript.segments) if transcript and isinstance(transcript.segments, list) else []
    unclear = [match for match in matches if match.status == EntityResolution.Status.NEEDS_DISAMBIGUATION]
    told = next(iter(unclear or matches), None)
    raw_text = _raw_text(claims, question)
    answers = NameChoice.objects.filter(
        artifact=artifact, kind=question.kind, name_key=question.key, undone_at__isnull=True
    )
    related = ("artifact__organization", "artifact__sender", "chosen_by", "player", "team", "coach_meant", "undone_by")
    places = [_place(claim, artifact, raw_text, _position(matches, claim), heard, eyes) for claim in claims]
    return Asked(
        question=question,
        raw_text=raw_text,
        spoken=eyes.name(raw_text),
        kind=MentionKind(question.kind).label,
        is_group=question.kind == MentionKind.GROUP_REFERENCE,
        places=places[:MOST_PLACES],
        more_places=max(0, len(places) - MOST_PLACES),
        is_open=bool(unclear),
        is_matched=bool(matches),
        reason=told.reason if told and eyes.read else "",
        offers=list(_offers(artifact, question, told, eyes)),
        answers=list(answers.select_related(*related).order_by("-pk")),
    )


def search(artifact: Artifact, kind: str, asked: str) -> tuple[list[Offer], bool]:
    """Everybody on the roster with a name whose words begin like those asked for, and whether there are more."""
    words = _words(asked)
    roster = ROSTERS.get(MentionKind(kind))
    if not words or roster is None or artifact.organization_id is None:
        return [], False
    found = [person for person in roster(artifact.organization_id) if _fits(person, words)]
    found.sort(key=lambda person: (not person.active, _words(person.name)))
    field = FIELDS[MentionKind(kind)]
    return [Offer(f"{field}:{each.id}", each.name, _about(each), "", "") for each in found[:MOST_FOUND]], (
        len(found) > MOST_FOUND
    )


def _fits(person: Person, asked: Sequence[str]) -> bool:
    names = _words(person.name)
    return all(any(name.startswith(word) for name in names) for word in asked)


def _words(text: str) -> list[str]:
    """As people type them: without capitals, accents and apostrophes."""
    return fold(APOSTROPHE.sub("", text)).split()


def _about(person: Person) -> str:
    return ", ".join(filter(None, (person.team, "" if person.active else NOT_ACTIVE)))


def _says(claim: Claim, question: Question) -> bool:
    return any(True for _ in _mentions(claim, question))


def _mentions(claim: Claim, question: Question) -> Iterator[str]:
    for each in claim.mentions:
        if each["kind"] == question.kind and name_key(question.kind, each["raw_text"]) == question.key:
            yield each["raw_text"]


def _raw_text(claims: Sequence[Claim], question: Question) -> str:
    return next((text for claim in claims for text in _mentions(claim, question)), question.key)


def _position(matches: Sequence[EntityResolution], claim: Claim) -> int | None:
    """Where the transcript says the name, or what the statement quotes."""
    said = (match.position for match in matches if match.claim_id == claim.pk and match.position is not None)
    return next(said, claim.quote_start)


def _place(
    claim: Claim, artifact: Artifact, raw_text: str, position: int | None, heard: Sequence[Heard], eyes: Eyes
) -> Place:
    begins = [each.begins for each in heard if position is not None and each.start <= position]
    note = reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])
    return Place(
        number=claim.number,
        claim_key=claim.key,
        title=claim.title if eyes.read else "",
        pieces=cut(claim.quote, raw_text) if eyes.read else [Piece(eyes.text(claim.quote), False)],
        is_supported=claim.is_supported,
        seconds=f"{begins[-1]:.2f}" if begins else "",
        clock=clock(begins[-1]) if begins else "",
        statement_url=f"{note}#statement-{claim.number}",
    )


def cut(quote: str, name: str) -> list[Piece]:
    """The quote, cut wherever it says the name."""
    pieces: list[Piece] = []
    at = 0
    for found in re.finditer(re.escape(name), quote, re.IGNORECASE) if name else ():
        pieces += [Piece(quote[at : found.start()], False), Piece(found.group(), True)]
        at = found.end()
    return [piece for piece in [*pieces, Piece(quote[at:], False)] if piece.text]


def _offers(artifact: Artifact, question: Question, told: EntityResolution | None, eyes: Eyes) -> Iterator[Offer]:
    """Whom the matching thought of, as the roster has them now; who is not on it any more is left out."""
    given = told.candidates if told and isinstance(told.candidates, list) else []
    candidates = [each for each in given if isinstance(each, dict) and isinstance(each.get("id"), int)][:MOST_OFFERED]
    present = _present(artifact, question.kind, [each["id"] for each in candidates])
    offered = [each for each in candidates if each["id"] in present]
    for number, each in enumerate(offered, start=1):
        person, about = present[each["id"]]
        yield Offer(
            value=f"{FIELDS[MentionKind(question.kind)]}:{each['id']}",
            name=eyes.name(person) if question.kind != MentionKind.TEAM_NAME else person,
            about=about,
            score=score_of(each),
            reason=str(each.get("reason") or "") if eyes.read else "",
            shortcut=str(number),
        )


def _present(artifact: Artifact, kind: str, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Names, and what tells namesakes apart."""
    club: dict[str, Any] = {"pk__in": ids, "organization": artifact.organization_id}
    if not ids or artifact.organization_id is None:
        return {}
    if kind == MentionKind.PLAYER_NAME:
        players = Player.objects.filter(**club, merged_into__isnull=True).select_related("team")
        return {each.pk: (str(each), _told(each.team.name if each.team else "", each.is_active)) for each in players}
    model: type[Team] | type[Coach] = Team if kind == MentionKind.TEAM_NAME else Coach
    return {each.pk: (str(each), _told("", each.is_active)) for each in model._default_manager.filter(**club)}


def _told(team: str, active: bool) -> str:
    return ", ".join(filter(None, (team, "" if active else NOT_ACTIVE)))
