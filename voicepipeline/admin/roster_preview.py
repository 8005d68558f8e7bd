"""The plan of an import as its page shows it: what needs somebody first, and no table without an end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from voicepipeline.policies.roster_parts import Candidate, Freed, Missing, New, Plan, Question, Refused, State, Update
from voicepipeline.policies.roster_settling import ANOTHER, LEAVE, answers_to, same

MOST_SHOWN = 200
# As the figures on top name the groups.
PREVIEWED = {
    "refused": "Lines to correct",
    "questions": "To be answered",
    "added": "To be added",
    "changed": "To be changed",
    "reactivated": "Active again",
    "deactivated": "No longer active",
    "new_teams": "New teams",
    "unchanged": "Unchanged",
}
APPLIED = {
    "added": "Added",
    "changed": "Changed",
    "reactivated": "Active again",
    "deactivated": "No longer active",
    "new_teams": "New teams",
    "left_out": "Lines left out",
}
EMPTY = "none"

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cell:
    """One cell: text, perhaps with a link, an earlier text that it replaces, or a label beside it."""

    text: str = ""
    player: int | None = None
    changes: tuple[tuple[str, str, str], ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Group:
    """One table of the preview."""

    key: str
    title: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    count: int
    trouble: bool = False

    @property
    def counted(self) -> str:
        return f"{self.count:,}"

    @property
    def more(self) -> str:
        """How many are not shown, if any."""
        more = self.count - len(self.rows)
        return f"{more:,}" if more else ""

    @property
    def lines(self) -> list[list[tuple[str, Cell]]]:
        """The rows with the column of each cell, which a narrow window shows beside it."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Choice:
    """One answer that can be given about a line."""

    value: str
    words: str
    why: str = ""
    chosen: bool = False


@dataclass(frozen=True)
class Asked:
    """A line that a person has to say something about."""

    line: int
    name: str
    facts: str
    # Other lines that it looks like: nothing to choose, they are applied for themselves.
    like: tuple[str, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Questions:
    shown: tuple[Asked, ...]
    count: int

    @property
    def counted(self) -> str:
        return f"{self.count:,}"

    @property
    def more(self) -> str:
        more = self.count - len(self.shown)
        return f"{more:,}" if more else ""


def figures(counts: Mapping[str, int], words: Mapping[str, str] = PREVIEWED) -> list[tuple[str, str]]:
    """Words and number of each group; who is not on the list counts with those who are no longer active."""
    found = {**counts, "deactivated": counts.get("deactivated", 0) + counts.get("missing", 0)}
    return [(title, f"{found.get(key, 0):,}") for key, title in words.items()]


def groups(plan: Plan) -> list[Group]:
    """The tables that have a row, those first that need somebody."""
    found = [
        _group("refused", "Lines to correct", plan.refused, _refused, ("Line", "Name", "What to do"), trouble=True),
        _group("new_teams", "New teams", list(plan.new_teams.items()), _team, ("Team", "Players")),
        _group("added", "To be added", plan.added, _new, ("Line", "Name", "Team", "Number")),
        _group("changed", "To be changed", plan.changed, _changed, ("Line", "Player", "What changes")),
        _group("reactivated", "Active again", plan.reactivated, _changed, ("Line", "Player", "What changes")),
        _group("deactivated", "No longer active", plan.deactivated, _changed, ("Line", "Player", "What changes")),
        _group("missing", "Not on the list", plan.missing, _missing, ("Player", "Team", "Number")),
    ]
    return [group for group in found if group.count]


WORDS = {
    "refused": "They are left out. Correct them in the file and hand it in again, now or afterwards.",
    "new_teams": "The club has no teams of these names yet; they are made with the import.",
    "deactivated": "The list says that they are not active.",
    "missing": "They are taken off the roster, as you asked: they stay known, and can be made active again.",
    "reactivated": "They were off the roster, and the list has them.",
}


def _group(
    key: str,
    title: str,
    rows: Sequence[Row],
    cells: Callable[[Row], tuple[Cell, ...]],
    columns: tuple[str, ...],
    *,
    trouble: bool = False,
) -> Group:
    shown = tuple(cells(row) for row in rows[:MOST_SHOWN])
    return Group(key, title, WORDS.get(key, ""), columns, shown, len(rows), trouble)


def _refused(row: Refused) -> tuple[Cell, ...]:
    return Cell(str(row.line)), Cell(row.name or "No name"), Cell(row.problem)


def _team(row: tuple[str, int]) -> tuple[Cell, ...]:
    return Cell(row[0]), Cell(f"{row[1]:,}")


def _new(row: New) -> tuple[Cell, ...]:
    state = row.state
    new = "new" if state.team and state.team.id is None else ""
    name = Cell(state.name, label="" if state.active else "not active")
    return Cell(str(row.line)), name, Cell(_team_name(state) or EMPTY, label=new), Cell(state.number or EMPTY)


def _changed(row: Update) -> tuple[Cell, ...]:
    changes = tuple((str(one.field), one.old or EMPTY, one.new or EMPTY) for one in row.differences)
    return Cell(str(row.line)), Cell(row.name, player=row.player), Cell(changes=changes)


def _missing(row: Missing) -> tuple[Cell, ...]:
    return Cell(row.name, player=row.player), Cell(row.team or EMPTY), Cell(row.number or EMPTY)


def _team_name(state: State) -> str:
    return state.team.name if state.team else ""


def questions(plan: Plan, answers: Mapping[int, str]) -> Questions:
    """The first questions with the answers given so far; the others are asked when the list is handed in again."""
    shown = tuple(_asked(question, answers.get(question.line, "")) for question in plan.questions[:MOST_SHOWN])
    return Questions(shown, len(plan.questions))


def _asked(question: Question, answer: str) -> Asked:
    chosen = answer if answer in answers_to(question) else LEAVE
    choices = [
        _same(one, one.update, question.frees_by(one.update), chosen) for one in question.candidates if one.update
    ]
    if question.may_add:
        why = f"is added to the roster{_freed(question.frees_by(None))}"
        choices.append(Choice(ANOTHER, "Another person", why, chosen == ANOTHER))
    choices.append(Choice(LEAVE, "Leave this line out", "nothing happens for now", chosen == LEAVE))
    like = tuple(
        f"Line {one.line}, {_described(one.name, one.team, one.number)}: {one.why}"
        for one in question.candidates
        if one.line
    )
    state = question.state
    facts = _described("", _team_name(state), state.number)
    return Asked(question.line, state.name, facts, like, tuple(choices))


def _freed(freed: Freed | None) -> str:
    if freed is None:
        return ""
    standing = f"was merged into {freed.merged_into}" if freed.merged_into else "is not active"
    return f"; number {freed.number} is taken from {freed.name}, who {standing}"


def _same(candidate: Candidate, update: Update, freed: Freed | None, chosen: str) -> Choice:
    who = _described(candidate.name, candidate.team, candidate.number)
    changes = ", ".join(f"{one.field} {one.old or EMPTY} → {one.new or EMPTY}" for one in update.differences)
    active = "" if candidate.active else ", not active"
    value = same(update.player)
    why = f"{candidate.why}; {f'changes {changes}' if changes else 'changes nothing'}{_freed(freed)}"
    return Choice(value, f"The same person as {who}{active}", why, chosen == value)


def _described(name: str, team: str, number: str) -> str:
    return ", ".join(part for part in (name, team, f"number {number}" if number else "") if part)
