"""Which of a club's teams is meant: Under 14s, U14 and the under-fourteens are one name, everything else a question."""

import re
from dataclasses import dataclass, field

from voicepipeline.matching.deciding import OFFERED, Decision, Kind
from voicepipeline.matching.normalise import APOSTROPHE, MAX_CHARACTERS, fold
from voicepipeline.matching.ranking import Candidate
from voicepipeline.matching.roster import Alias, Person
from voicepipeline.matching.scoring import SAME
from voicepipeline.matching.similarity import jaro_winkler

PIECE = re.compile(r"[^\W\d_]+|\d+")
# Said around a team's name, and by themselves of the team that one trains.
FILLING = frozenset({"the", "our", "my", "team", "squad", "panel", "side", "lot"})
THE_TEAM = frozenset({"team", "squad", "panel", "side"})
ONES = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
NUMBERS = {word: str(number) for number, word in enumerate(f"{ONES} eighteen nineteen twenty".split(), start=1)}
ORDINALS = {"first": "1", "second": "2", "third": "3", "fourth": "4"}
AFTER_NUMBERS = dict.fromkeys(("s", "st", "nd", "rd", "th"), "")
READ = NUMBERS | ORDINALS | AFTER_NUMBERS
SHORTEST_PLURAL = 4

A_PART = 85.0
ALIKE_FROM = 90.0


def team_words(text: str) -> tuple[str, ...]:
    """A team's name as names are compared: u14, girl, a."""
    pieces = [_singular(piece) for piece in _pieces(text)]
    read = [number for piece in pieces if (number := READ.get(piece, piece))]
    joined: list[str] = []
    for piece in read:
        if piece.isdigit() and joined and joined[-1] in ("u", "under"):
            joined[-1] = f"u{piece}"
        else:
            joined.append(piece)
    return tuple(piece for piece in joined if piece not in FILLING)


def _pieces(text: str) -> list[str]:
    return PIECE.findall(fold(APOSTROPHE.sub("", text[: MAX_CHARACTERS + 1])))


def _singular(piece: str) -> str:
    plural = len(piece) >= SHORTEST_PLURAL and piece.endswith("s") and not piece.endswith("ss")
    return piece[:-1] if plural else piece


@dataclass(frozen=True)
class Teams:
    """A club's teams, what they have been called, and which of them the speaker trains."""

    teams: tuple[Person, ...]
    aliases: tuple[Alias, ...] = ()
    own: frozenset[int | str] = field(default_factory=frozenset)


def decide_team(text: str, teams: Teams) -> Decision:
    """Which team is meant, if that is certain; else those to ask about, or none."""
    if len(text) > MAX_CHARACTERS:
        return Decision(Kind.NONE, "too long to be a name")
    said = team_words(text)
    aliased = _aliased(text, said, teams)
    if aliased is not None:
        return aliased
    if not said:
        return _the_team(text, teams)
    return _by_name(said, teams)


def _by_name(said: tuple[str, ...], teams: Teams) -> Decision:
    ranked = sorted(
        (one for team in teams.teams if (one := _fit(said, team))),
        key=lambda one: (-one.score, one.person.id not in teams.own),
    )
    if not ranked:
        return Decision(Kind.NONE, "the club has no team with a name like it")
    same = [one for one in ranked if one.score == SAME]
    offered = tuple(ranked[:OFFERED])
    if len(same) == 1 and same[0].person.active:
        return Decision(Kind.LINK, same[0].reason, same[0].person, offered)
    if len(same) == 1:
        return Decision(Kind.ASK, f"{same[0].person.name} is no longer active", candidates=offered)
    if same:
        return Decision(Kind.ASK, f"{len(same)} teams fit equally well", candidates=offered)
    return Decision(Kind.ASK, f"not certain enough: {ranked[0].reason}", candidates=offered)


def _fit(said: tuple[str, ...], team: Person) -> Candidate | None:
    name = team_words(team.name)
    if sorted(said) == sorted(name):
        return _candidate(team, SAME, "the same name")
    # "The fourteens" are an age, and perhaps one of several teams of it.
    ages = {f"u{piece}" if piece.isdigit() else piece for piece in said}
    if set(said) < set(name) or ages <= set(name) or (name and set(name) < set(said)):
        return _candidate(team, A_PART, "a part of the name")
    if _numbers(said) != _numbers(name):
        return None  # U14 and U16 look alike and are not
    score = jaro_winkler("".join(said), "".join(name))
    return _candidate(team, min(score, ALIKE_FROM), "a name that looks alike") if score >= ALIKE_FROM else None


def _numbers(pieces: tuple[str, ...]) -> list[str]:
    return sorted(piece for piece in pieces if any(letter.isdigit() for letter in piece))


def _the_team(text: str, teams: Teams) -> Decision:
    """ "The team" is the one that the speaker trains, if there is only one."""
    if THE_TEAM.isdisjoint(_pieces(text)):
        return Decision(Kind.NONE, "there is no name in it")
    active = [team for team in teams.teams if team.active]
    own = [team for team in active if team.id in teams.own]
    whose, meant = ("coach", own) if own else ("club", active)
    offered = tuple(_candidate(team, A_PART, f"a team of the {whose}") for team in meant[:OFFERED])
    if not meant:
        return Decision(Kind.NONE, "the club has no team")
    if len(meant) == 1:
        why = f"the only team of the {whose}"
        return Decision(Kind.LINK, why, meant[0], (_candidate(meant[0], SAME, why),))
    if own:
        return Decision(Kind.ASK, f"the coach has {len(own)} teams", candidates=offered)
    return Decision(Kind.ASK, "it is not known which team the coach trains", candidates=offered)


def _aliased(text: str, said: tuple[str, ...], teams: Teams) -> Decision | None:
    key = team_key(text)
    targets = {alias.person_id for alias in teams.aliases if team_key(alias.text) == key}
    if not targets:
        return None
    present = [team for team in teams.teams if team.id in targets]
    if not present:
        ranked = _by_name(said, teams) if said else _the_team(text, teams)
        gone = "called this before, but that team is no longer there"
        return Decision(Kind.ASK if ranked.candidates else Kind.NONE, gone, candidates=ranked.candidates)
    taught = tuple(_candidate(team, SAME, "called this before by the club") for team in present[:OFFERED])
    bearer = next(
        (team for team in teams.teams if team not in present and said and team_words(team.name) == said), None
    )
    doubt = ""
    if len(present) > 1:
        doubt = f"{len(present)} teams have been called this"
    elif bearer is not None:
        doubt = f"called this before, but {bearer.name} bears the name too"
        taught = (*taught, _candidate(bearer, SAME, "the same name"))
    elif not present[0].active:
        doubt = f"{present[0].name} is no longer active"
    if doubt:
        return Decision(Kind.ASK, doubt, candidates=taught)
    return Decision(Kind.LINK, taught[0].reason, present[0], taught)


def team_key(text: str) -> str:
    """The same for all ways to write a team's name; empty only where there is not a letter in it."""
    return " ".join(sorted(team_words(text)) or _pieces(text))


def _candidate(team: Person, score: float, reason: str) -> Candidate:
    return Candidate(team, score, None, None, reason)
