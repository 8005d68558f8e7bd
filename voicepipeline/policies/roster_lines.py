"""Which lines of a list can be used, and what is wrong with the others."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from voicepipeline.policies.roster_file import Line
from voicepipeline.policies.roster_parts import Refused, TeamOf
from voicepipeline.policies.roster_teams import ClubTeams

YES = frozenset({"", "yes", "y", "true", "t", "1", "active", "current", "on", "x"})
NO = frozenset({"no", "n", "false", "f", "0", "inactive", "not active", "left", "former", "off"})
MOST_LINES_NAMED = 3

# All that a line says.
Content = tuple[str, str | None, str | None, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """A line that can be used."""

    line: int
    first: str
    last: str
    number: str | None
    team: TeamOf | None
    # None: the list does not tell teams; empty: this player has none.
    team_key: str | None
    active: bool
    whole: bool

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()

    def cut_like(self, first: str, last: str) -> tuple[str, str]:
        """First and last name; where the list has them in one cell, cut where the roster cuts."""
        parts, at = self.name.split(), len(first.split())
        if self.whole and len(parts) == at + len(last.split()):
            return " ".join(parts[:at]), " ".join(parts[at:])
        return self.first, self.last


def check_lines(
    lines: Sequence[Line], teams: ClubTeams, twins: Callable[[Checked], int]
) -> tuple[list[Checked], list[Refused]]:
    """The lines that can be used, and those that cannot; `twins` tells how often the same line may stand there."""
    sound: list[Checked] = []
    refused: list[Refused] = []
    holders: dict[str, dict[Content, int]] = defaultdict(dict)
    for line in lines:
        if line.number:
            holders[line.number].setdefault(_content(line), line.line)
    seen: dict[Content, int] = {}
    times: Counter[Content] = Counter()
    for line in lines:
        problem = line.problem or _problem(line)
        if not problem:
            content = _content(line)
            first_line = seen.setdefault(content, line.line)
            times[content] += 1
            checked = _checked(line, teams)
            if checked is None:
                problem = (
                    f"“{line.team}” could be several teams of this club. Write the team's name as the club has it."
                )
            elif times[content] > 1 and (line.number or times[content] > twins(checked)):
                problem = f"It is the same as line {first_line}. Remove one of them."
            else:
                problem = _shared_number(line, holders)
        if problem:
            refused.append(Refused(line.line, line.name, problem))
        elif checked is not None:
            sound.append(checked)
    return sound, refused


def _problem(line: Line) -> str:
    if not line.first:
        return "There is no name. Add it." if line.whole else "The first name is missing. Add it."
    if (line.active or "").casefold() not in YES | NO:
        return f"“{line.active}” does not say whether this player is active. Write yes or no."
    return ""


def _checked(line: Line, teams: ClubTeams) -> Checked | None:
    team = teams.find(line.team) if line.team else None
    if line.team and team is None:
        return None
    key = teams.key_of(team) if line.team is not None else None
    active = (line.active or "").casefold() in YES
    return Checked(line.line, line.first, line.last, line.number, team, key, active, line.whole)


def _shared_number(line: Line, holders: dict[str, dict[Content, int]]) -> str:
    """Several players under one number; the same player twice is another mistake."""
    lines = holders.get(line.number or "", {})
    if len(lines) <= 1:
        return ""
    others = list(islice((at for content, at in lines.items() if content != _content(line)), MOST_LINES_NAMED))
    where = f"line {others[0]}" if len(others) == 1 else f"lines {', '.join(map(str, others))}"
    more = " and more" if len(lines) - 1 > MOST_LINES_NAMED else ""
    return f"Number {line.number} is also on {where}{more}. Give every player a number of their own."


def _content(line: Line) -> Content:
    return line.name, line.team, line.number, (line.active or "").casefold()
