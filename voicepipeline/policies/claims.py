"""What of a model's answer about a note may be kept: each claim is held against what was said and who was offered."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voicepipeline.ai.quotes import Span, Spoken, normalised
from voicepipeline.ai.schemas import ClaimShape, ClaimsShape, MentionShape
from voicepipeline.matching.deciding import Kind, decide
from voicepipeline.matching.deciding import Mention as NameSaid
from voicepipeline.matching.roster import Person, Roster
from voicepipeline.policies.unspoken import Unspoken, blank_names
from voicepipeline.text import safe_text

WITH_SEVERITY = frozenset({"injury", "wellbeing"})
PLAYER = "player_name"
LINES = frozenset({"title", "time_reference", "skill_name"})
TEXTS = (*sorted(LINES), "description", "recommended_action", "quote")
# People whose names stand in a statement without being spoken: more are not there by another spelling.
MOST_COMPARED = 5
MAX_LINE = 200
MAX_PARAGRAPH = 3_000
# Control characters mean nothing to a reader; those of direction make a page show other words than there are.
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class CheckedMention:
    """A name that was spoken, where, and the player whom the model took it for, if the name may be theirs.

    It is kept as JSON under the names of these fields.
    """

    kind: str
    raw_text: str
    position: int
    player_id: int | None


@dataclass(frozen=True)
class CheckedClaim:
    """A claim that may be kept. Without a place its quote is not in the transcript. The title may be empty.

    Where the model named somebody whom nobody spoke of, how sure it says it is says nothing: that is unknown then, so
    that a person looks at what is made of it.
    """

    key: str
    topic: str
    title: str
    description: str
    quote: str
    place: Span | None
    mentions: tuple[CheckedMention, ...]
    confidence: float | None
    recommended_action: str
    time_reference: str
    severity: str
    sentiment: str
    skill_name: str
    skill_rating: int | None


@dataclass(frozen=True)
class Checked:
    """The claims to keep, in the model's order, and how often the model was not believed."""

    claims: tuple[CheckedClaim, ...] = ()
    dropped_claims: int = 0  # said the same as an earlier one, or nothing
    dropped_ids: int = 0  # roster ids that were not offered
    dropped_mentions: int = 0  # names that nobody spoke
    cleared_links: int = 0  # players whose name was not what was spoken

    @property
    def unsupported_quotes(self) -> int:
        return sum(claim.place is None for claim in self.claims)

    @property
    def mention_count(self) -> int:
        return sum(len(claim.mentions) for claim in self.claims)


def check(answer: ClaimsShape, *, transcript: str, offered: Mapping[str, Person]) -> Checked:
    """Keep what the transcript bears out. `offered` are the players of the request, each under its id there."""
    checking = _Checking(Spoken(transcript), offered)
    claims: dict[str, CheckedClaim] = {}
    for given in answer.claims:
        claim = checking.claim(given)
        if claim is not None:
            claims.setdefault(claim.key, claim)
    return Checked(
        claims=tuple(claims.values()),
        dropped_claims=len(answer.claims) - len(claims),
        dropped_ids=checking.counts["ids"],
        dropped_mentions=checking.counts["mentions"],
        cleared_links=checking.counts["links"],
    )


@dataclass
class _Checking:
    spoken: Spoken
    offered: Mapping[str, Person]
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.unspoken = Unspoken(self.spoken.transcript, self.offered.values())

    def claim(self, given: ClaimShape) -> CheckedClaim | None:
        """None when it says nothing."""
        quote = _paragraph(given.quote)
        description = _paragraph(given.description) or quote
        if not normalised(description):
            return None
        place = self.spoken.find(quote)
        doubts = self.counts["mentions"], self.counts["links"]
        mentions = self.mentions(given, place)
        doubted = doubts != (self.counts["mentions"], self.counts["links"])
        checked = CheckedClaim(
            key=_key(given.topic, quote or description, mentions),
            topic=given.topic,
            title=_line(given.title),
            description=description,
            quote=quote,
            place=place,
            mentions=mentions,
            confidence=None if doubted else given.confidence,
            recommended_action=_paragraph(given.recommended_action),
            time_reference=_line(given.time_reference),
            severity=(given.severity or "") if given.topic in WITH_SEVERITY else "",
            sentiment=given.sentiment or "",
            skill_name=_line(given.skill_name),
            skill_rating=given.skill_rating,
        )
        return self.unnamed(checked, given)

    def unnamed(self, claim: CheckedClaim, given: ClaimShape) -> CheckedClaim:
        """Without the names that nobody spoke; a quote that is in the transcript has none."""
        named = [
            self.offered[each.roster_id or ""] for each in given.mentions if (each.roster_id or "") in self.offered
        ]
        linked = {each.player_id for each in claim.mentions} - {None}
        taken_for = [person for person in named if person.id not in linked]
        texts = {name: getattr(claim, name) for name in TEXTS if name != "quote" or claim.place is None}
        suspects = [*(each.raw_text for each in given.mentions), *(person.name for person in taken_for)]
        meant = [person for person in self.offered.values() if person.id in linked]
        words = self.unspoken.words("\n".join(texts.values()), suspects=suspects, meant=meant)
        words -= self.spellings(words, claim.mentions)
        if not words:
            return claim
        blanked: dict[str, Any] = {
            name: safe_text(blank_names(text, words), MAX_LINE if name in LINES else MAX_PARAGRAPH)
            for name, text in texts.items()
        }
        return replace(claim, confidence=None, **blanked)

    def spellings(self, words: set[str], mentions: tuple[CheckedMention, ...]) -> set[str]:
        """Those of the words that belong to somebody of whom a name was spoken, if in another spelling."""
        people = self.unspoken.people_of(words)
        if len(people) > MOST_COMPARED:
            return set()
        heard = [each.raw_text for each in mentions if each.kind == PLAYER]
        known = [person for person in people if any(may_name(said, person) for said in heard)]
        return set().union(*(normalised(person.name).split() for person in known))

    def mentions(self, given: ClaimShape, quote: Span | None) -> tuple[CheckedMention, ...]:
        """The names that were spoken, each once; one that is taken for two players is taken for neither."""
        kept: dict[tuple[str, str], CheckedMention] = {}
        for mention in given.mentions:
            checked = self.mention(mention, quote)
            if checked is None:
                self.counts["mentions"] += 1
                continue
            same = kept.setdefault((checked.kind, normalised(checked.raw_text)), checked)
            if same.player_id != checked.player_id:
                self.counts["links"] += 1
                kept[checked.kind, normalised(checked.raw_text)] = replace(same, player_id=None)
        return tuple(kept.values())

    def mention(self, given: MentionShape, quote: Span | None) -> CheckedMention | None:
        """As the transcript has it, whatever letters and position the model gives; None when nobody spoke it."""
        place = self.place(given.raw_text, quote)
        if place is None:
            self.player_id(given, "")
            return None
        said = _line(self.spoken.transcript[place.start : place.end])
        return CheckedMention(given.kind, said, place.start, self.player_id(given, said))

    def place(self, name: str, quote: Span | None) -> Span | None:
        """Within the quote; else the last time before it, since "she" comes after the name; else the first time."""
        if quote is None:
            return self.spoken.find(name)
        return (
            self.spoken.find(name, start=quote.start, end=quote.end)
            or self.spoken.find(name, end=quote.start, last=True)
            or self.spoken.find(name)
        )

    def player_id(self, given: MentionShape, said: str) -> int | None:
        if given.roster_id is None:
            return None
        person = self.offered.get(given.roster_id)
        if person is None:
            self.counts["ids"] += 1
        elif given.kind == PLAYER and may_name(said, person):
            return int(person.id)
        elif said:
            self.counts["links"] += 1
        return None


def may_name(said: str, person: Person) -> bool:
    """Whether these words may be this person's name, or a part, spelling or mishearing of it; a letter is no name."""
    return len(normalised(said)) > 1 and decide(NameSaid(said), Roster([person])).kind is not Kind.NONE


def _key(topic: str, quote: str, mentions: tuple[CheckedMention, ...]) -> str:
    """The same for the same statement read again: what it is about, what was said, and the names in it."""
    names = sorted(normalised(mention.raw_text) for mention in mentions)
    return hashlib.sha256("\n".join([topic, normalised(quote), *names]).encode()).hexdigest()


def _line(text: str | None) -> str:
    return safe_text(" ".join(UNSEEN.sub(" ", text or "").split()), MAX_LINE)


def _paragraph(text: str | None) -> str:
    return safe_text(UNSEEN.sub("", text or "").strip(), MAX_PARAGRAPH)
