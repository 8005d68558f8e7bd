"""What the plan of an import is made of: the roster as it is, and what each line of the file would do to it."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class KnownPlayer:
    """A player as the roster has them."""

    id: int
    first: str
    last: str
    number: str
    team_id: int | None
    active: bool
    merged_into: int | None = None

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()


@dataclass(frozen=True, slots=True)
class KnownTeam:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class TeamOf:
    """A player's team; one without an id is not there yet."""

    name: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """A player as a line wants them."""

    first: str
    last: str
    number: str
    team: TeamOf | None
    active: bool

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()


class Field(StrEnum):
    FIRST = "first name"
    LAST = "last name"
    TEAM = "team"
    NUMBER = "club's own number"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a player that changes."""

    field: Field
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class New:
    """A line that adds a player."""

    line: int
    state: State


@dataclass(frozen=True, slots=True)
class Update:
    """A line about a player who is there; without differences it changes nothing."""

    line: int
    player: int
    name: str
    state: State
    differences: tuple[Difference, ...]

    @property
    def activity(self) -> Difference | None:
        return next((one for one in self.differences if one.field is Field.ACTIVE), None)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is left out, and what to do about it."""

    line: int
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who a line may be about: a player whom no other line is about, or else another line."""

    name: str
    team: str
    number: str
    why: str
    active: bool = True
    line: int | None = None
    update: Update | None = None


@dataclass(frozen=True, slots=True)
class Freed:
    """A player off the roster whose number a line has: whoever else is given it, this player has it no more."""

    player: int
    name: str
    number: str
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A line that is applied only once a person has said who it is about."""

    line: int
    state: State
    candidates: tuple[Candidate, ...]
    may_add: bool = True
    frees: Freed | None = None

    def frees_by(self, update: Update | None) -> Freed | None:
        """Who loses their number when the line is about this player, or about somebody new."""
        if self.frees is None or update is None:
            return self.frees
        keeps = update.player == self.frees.player or update.state.number != self.state.number
        return None if keeps else self.frees


@dataclass(frozen=True, slots=True)
class Missing:
    """A player who is not on the list."""

    player: int
    name: str
    team: str
    number: str


@dataclass(frozen=True)
class Plan:
    """All that an import would do, line by line in the order of the file."""

    refused: tuple[Refused, ...] = ()
    questions: tuple[Question, ...] = ()
    added: tuple[New, ...] = ()
    updates: tuple[Update, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def changed(self) -> tuple[Update, ...]:
        return tuple(one for one in self.updates if one.differences and not one.activity)

    @property
    def reactivated(self) -> tuple[Update, ...]:
        return tuple(one for one in self.updates if one.activity and one.state.active)

    @property
    def deactivated(self) -> tuple[Update, ...]:
        return tuple(one for one in self.updates if one.activity and not one.state.active)

    @property
    def unchanged(self) -> tuple[Update, ...]:
        return tuple(one for one in self.updates if not one.differences)

    @property
    def new_teams(self) -> dict[str, int]:
        """Teams that the lines need and the club does not have, and of how many players."""
        return new_teams([*(one.state for one in self.added), *(one.state for one in self.updates)])

    @property
    def changes_something(self) -> bool:
        return bool(self.added or self.missing or any(one.differences for one in self.updates))

    def counts(self) -> dict[str, int]:
        groups = {
            "refused": self.refused,
            "questions": self.questions,
            "new_teams": self.new_teams,
            "added": self.added,
            "changed": self.changed,
            "reactivated": self.reactivated,
            "deactivated": self.deactivated,
            "missing": self.missing,
            "unchanged": self.unchanged,
        }
        return {name: len(group) for name, group in groups.items()}

    def digest(self) -> str:
        """The same for plans that do the same."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def new_teams(states: list[State]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in states:
        if state.team is not None and state.team.id is None:
            counts[state.team.name] = counts.get(state.team.name, 0) + 1
    return counts
