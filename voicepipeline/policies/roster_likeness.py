"""Who of a list may be somebody who is there already: quick to ask of thousands, by looking only where it may be so.

Two names are compared by the same measures as a name that was spoken; only those that share a key of their first and
one of their last name are compared at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from voicepipeline.matching.scoring import Fit, given_fit, surname_fit, word
from voicepipeline.policies.roster_names import name_parts

# What matching would link by itself or ask about first; a mere other name of the family stays below.
ALIKE_FROM = 90.0
SAME_NAME = 100.0
# Of people with one key: a list in which everybody has the same name stays quick.
MOST_COMPARED = 40
MOST_TOLD = 3
BEGINNING = 3

# A team is its key; None is an unknown one, which may be any.
Team = str | None


@dataclass(frozen=True, slots=True)
class Somebody:
    """A player of the roster, or a line of the file, with the name as names are compared."""

    first: str
    last: str
    team: Team
    player: int | None = None
    line: int | None = None

    @property
    def together(self) -> str:
        return self.first + self.last


def somebody(first: str, last: str, team: Team, *, player: int | None = None, line: int | None = None) -> Somebody:
    return Somebody(*name_parts(first, last), team, player, line)


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody there already, how alike the names are, and why in plain words."""

    who: Somebody
    score: float
    why: str


class Index:
    """Everybody there is, found by the keys of their names."""

    def __init__(self, people: Iterable[Somebody] = (), *, any_team: bool = True) -> None:
        """Without `any_team` nobody is asked about whose team is not known."""
        self._any_team = any_team
        self._by_name: dict[str, list[Somebody]] = {}
        # By the hash of team and keys, and a list only where several share them: there are dozens for each person.
        self._by_keys: dict[int, Somebody | list[Somebody]] = {}
        for one in people:
            self.add(one)

    def add(self, one: Somebody) -> None:
        self._by_name.setdefault(one.together, []).append(one)
        for keys in _keys(one.first, one.last):
            self._put(hash((one.team, *keys)), one)
            if self._any_team:
                self._put(hash((ANY_TEAM, *keys)), one)

    def _put(self, key: int, one: Somebody) -> None:
        held = self._by_keys.setdefault(key, one)
        if isinstance(held, list):
            held.append(one)
        elif held is not one:
            self._by_keys[key] = [held, one]

    def _sharing(self, team: object, keys: tuple[str, str]) -> list[Somebody]:
        held = self._by_keys.get(hash((team, *keys)), [])
        return held[:MOST_COMPARED] if isinstance(held, list) else [held]

    def like(self, one: Somebody) -> list[Likeness]:
        """Those of the same name in any team, and of a similar one in the same team; the most alike first."""
        found = [Likeness(other, SAME_NAME, _same_name(one, other)) for other in self._namesakes(one.together)]
        swapped = self._namesakes(one.last + one.first) if one.last and one.first != one.last else []
        found += [Likeness(other, SAME_NAME, "the same name, last name first") for other in swapped]
        known = {id(likeness.who) for likeness in found}
        found += [one for one in self._similar(one) if id(one.who) not in known]
        # To the last detail: every process has to tell them in the same order.
        found.sort(key=lambda each: (-each.score, each.who.team != one.team, each.who.player or 0, each.who.line or 0))
        return found[:MOST_TOLD]

    def _namesakes(self, together: str) -> list[Somebody]:
        return self._by_name.get(together, [])[:MOST_COMPARED]

    def _similar(self, one: Somebody) -> list[Likeness]:
        teams: tuple[object, ...] = (ANY_TEAM,) if one.team is None else (one.team, None)
        seen: dict[int, Likeness] = {}
        for keys in _keys(one.first, one.last):
            for team in teams:
                for other in self._sharing(team, keys):
                    if id(other) not in seen and (likeness := _compared(one, other)):
                        seen[id(other)] = likeness
        return list(seen.values())


ANY_TEAM = object()


def alike_at_all(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether the first or the last name of one is like the other's: enough for one person who changed a name."""
    (first, last), (other_first, other_last) = name_parts(*one), name_parts(*other)
    if {first, last} & {other_first, other_last} - {""}:
        return True
    given = bool(first and other_first) and _given(first, other_first).score >= ALIKE_FROM
    return given or (bool(last and other_last) and _surname(last, other_last).score >= ALIKE_FROM)


def _same_name(one: Somebody, other: Somebody) -> str:
    return "the same name" if one.team == other.team else "the same name in another team"


def _compared(one: Somebody, other: Somebody) -> Likeness | None:
    if bool(one.last) != bool(other.last) or not (one.first and other.first):
        return None
    given = _given(one.first, other.first)
    if given.score < ALIKE_FROM:
        return None
    if not one.last:
        return Likeness(other, given.score, given.why)
    surname = _surname(one.last, other.last)
    if surname.score < ALIKE_FROM:
        return None
    return Likeness(other, (given.score + surname.score) / 2, f"{given.why}; {surname.why}")


@lru_cache(maxsize=65_536)
def _given(one: str, other: str) -> Fit:
    return given_fit(word(one), word(other))


@lru_cache(maxsize=65_536)
def _surname(one: str, other: str) -> Fit:
    return surname_fit(word(one), word(other))


def _keys(first: str, last: str) -> list[tuple[str, str]]:
    return [(given, surname) for given in _given_keys(first) for surname in _surname_keys(last)] if first else []


@lru_cache(maxsize=65_536)
def _given_keys(text: str) -> tuple[str, ...]:
    """Known names by their family, others by how they begin, as written or as heard, or by their letters."""
    found = word(text)
    families = {f"family {number}" for number in (*found.given_names, *found.short_for)}
    begins = {_beginning(spelling) for spelling in (text, found.heard, found.irish)}
    return tuple(sorted({*families, *begins, _letters(text)}))


@lru_cache(maxsize=65_536)
def _surname_keys(text: str) -> tuple[str, ...]:
    if not text:
        return ("",)
    found = word(text)
    families = {f"family {number}" for number in found.surnames}
    sounds = {f"sound {sound}" for sound in found.sounds}
    return tuple(sorted({*families, *sounds, _beginning(text), _beginning(found.without_o), _letters(text)}))


def _letters(text: str) -> str:
    """The same for letters in another order, which is the most usual slip at the beginning of a name."""
    return f"letters {''.join(sorted(text))}"


def _beginning(text: str) -> str:
    return f"begins {text[:BEGINNING]}"
