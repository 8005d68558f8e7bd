"""Whether a mention is linked to somebody, asked about, or left alone.

The machine links by itself only where a person who knows the roster would not hesitate. Everything else is a
question, and its answer becomes an alias, so that it is asked once.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

from voicepipeline.matching.normalise import MAX_CHARACTERS, MAX_WORDS, words
from voicepipeline.matching.ranking import Candidate, Ranking
from voicepipeline.matching.roster import Entry, Person, Roster
from voicepipeline.matching.scoring import SAME, VARIANT, word

LINK_FROM = 90.0
LINK_AHEAD = 8.0
ASK_FROM = 70.0
OFFERED = 5

SEVERAL_NAMES = re.compile(r"\s+(?:and|agus|or)\s+|[&+/;,\n]", re.IGNORECASE)


class Kind(StrEnum):
    LINK = "link"
    ASK = "ask"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Mention:
    """A name as a note has it; `teams` are those that the speaker coaches, empty when that is not known."""

    text: str
    teams: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a mention; `person` only where it is a link."""

    kind: Kind
    reason: str
    person: Person | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def runner_up(self) -> Candidate | None:
        return self.candidates[1] if len(self.candidates) > 1 else None


def decide(mention: Mention, roster: Roster) -> Decision:
    """Who is meant, if that is certain; else the best five to ask about, or nobody."""
    if len(mention.text) > MAX_CHARACTERS:
        return Decision(Kind.NONE, "too long to be a name")
    if len(names_in(mention.text)) > 1:
        return _several(mention, roster)
    said = words(mention.text)
    if not said:
        number = any(letter.isdigit() for letter in mention.text)
        return Decision(Kind.NONE, "a shirt number, which no roster holds" if number else "there is no name in it")
    if len(said) > MAX_WORDS:
        return Decision(Kind.NONE, "too many words to be a name")
    ranked = Ranking(said, at_least=ASK_FROM).of(roster)
    aliased, target_gone = roster.aliased(said)
    if aliased:
        return _by_alias(mention, aliased, ranked)
    return _by_score(mention, ranked, target_gone=target_gone)


def _by_score(mention: Mention, ranked: list[Candidate], *, target_gone: bool) -> Decision:
    if not ranked:
        return Decision(Kind.NONE, _gone() if target_gone else "nobody on the roster has a name like it")
    best = ranked[0]
    doubt = _gone() if target_gone else _doubt(best, ranked[1:])
    doubt = doubt or _unfit(best.person, mention)
    if doubt:
        return Decision(Kind.ASK, doubt, candidates=tuple(ranked[:OFFERED]))
    return Decision(Kind.LINK, best.reason, best.person, tuple(ranked[:OFFERED]))


def _doubt(best: Candidate, others: list[Candidate]) -> str:
    """Why the best candidate is not good enough, or nothing."""
    if best.score < LINK_FROM:
        return f"not alike enough: {best.reason}"
    if not best.sure:
        return f"not certain enough: {best.reason}"
    rivals = [other for other in others if other.score > best.score - LINK_AHEAD or _sounds_the_same(best, other)]
    if not rivals:
        return ""
    if all(rival.score == best.score for rival in rivals):
        return f"{len(rivals) + 1} people fit equally well"
    return f"{len(rivals) + 1} people fit almost equally well"


def _sounds_the_same(best: Candidate, other: Candidate) -> bool:
    """Eoin and Eoghan are one name to the ear, whichever of the two the spelling happens to be nearer to."""
    if best.given is None or abs((best.surname or 0) - (other.surname or 0)) >= LINK_AHEAD:
        return False
    mine, theirs = (word("".join(words(one.person.first_name))) for one in (best, other))
    return not mine.given_names.isdisjoint(theirs.given_names)


def _by_alias(mention: Mention, aliased: list[Entry], ranked: list[Candidate]) -> Decision:
    """A taught name wins over every likeness, but not over somebody else who bears that very name."""
    known = {entry.person.id for entry in aliased}
    taught = tuple(_taught(entry) for entry in aliased)
    namesakes = [one for one in ranked if one.score >= VARIANT and one.person.id not in known]
    others = [one for one in ranked if one.person.id not in known]
    offered = (*taught, *others)[:OFFERED]
    doubt = _unfit(aliased[0].person, mention)
    if len(aliased) > 1:
        doubt = f"{len(aliased)} people have been called this"
    elif namesakes:
        doubt = f"called this before, but {namesakes[0].person.name} bears the name too"
    if doubt:
        return Decision(Kind.ASK, doubt, candidates=offered)
    return Decision(Kind.LINK, taught[0].reason, aliased[0].person, offered)


def _several(mention: Mention, roster: Roster) -> Decision:
    """More than one name, or last name, comma, first name: the best of each in turn, for a person to look at."""
    names = [words(name) for name in names_in(mention.text)[:OFFERED]]
    if len(names) == 2 and "," in mention.text:
        names.insert(0, (*names[1], *names[0]))
    fitting = [Ranking(name, at_least=ASK_FROM).of(roster)[:OFFERED] for name in names if len(name) <= MAX_WORDS]
    in_turn = (one for rank in zip_longest(*fitting) for one in rank if one is not None)
    offered = tuple({one.person.id: one for one in in_turn}.values())[:OFFERED]
    if not offered:
        return Decision(Kind.NONE, "several names, and nobody on the roster has one like them")
    return Decision(Kind.ASK, "several names in one", candidates=offered)


def names_in(text: str) -> list[str]:
    """The names that are strung together in one mention; one, as a rule."""
    return [part for part in SEVERAL_NAMES.split(text) if words(part)]


def _unfit(person: Person, mention: Mention) -> str:
    """Why somebody is never linked without being asked about, however well the name fits."""
    if not person.active:
        return f"{person.name} is no longer active"
    if mention.teams and person.team is not None and person.team not in mention.teams:
        return f"{person.name} plays for another team: {person.team}"
    return ""


def _taught(entry: Entry) -> Candidate:
    return Candidate(entry.person, SAME, None, None, "called this before by the club")


def _gone() -> str:
    return "called this before, but whoever it was is no longer on the roster"
