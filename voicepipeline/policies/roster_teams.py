"""The teams of a club, found by whatever way a list writes their names."""

from collections import defaultdict
from collections.abc import Iterable

from voicepipeline.policies.roster_names import team_key_of, tidy
from voicepipeline.policies.roster_parts import KnownTeam, TeamOf


class ClubTeams:
    """Those of the club, and those that lines of the list would add."""

    def __init__(self, teams: Iterable[KnownTeam]) -> None:
        self._by_id = {team.id: TeamOf(team.name, team.id) for team in teams}
        self._by_name: dict[str, list[TeamOf]] = defaultdict(list)
        self._by_key: dict[str, list[TeamOf]] = defaultdict(list)
        self._new: dict[str, TeamOf] = {}
        self._found: dict[str, TeamOf | None] = {}
        for team in self._by_id.values():
            self._by_name[tidy(team.name).casefold()].append(team)
            self._by_key[team_key_of(team.name)].append(team)

    def of(self, team_id: int | None) -> TeamOf | None:
        return self._by_id[team_id] if team_id is not None else None

    def name(self, team_id: int | None) -> str:
        return self._by_id[team_id].name if team_id is not None else ""

    def key(self, team_id: int | None) -> str:
        """What players of one team have in common; empty for no team."""
        return f"#{team_id}" if team_id is not None else ""

    def key_of(self, team: TeamOf | None) -> str:
        if team is None:
            return ""
        return team_key_of(team.name) if team.id is None else self.key(team.id)

    def find(self, name: str) -> TeamOf | None:
        """The team of this name, a new one where there is none; None where it could be several."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> TeamOf | None:
        same = self._by_name.get(name.casefold()) or self._by_key.get(team_key_of(name), [])
        if len(same) > 1:
            same = [team for team in same if tidy(team.name) == name]
            return same[0] if len(same) == 1 else None
        return same[0] if same else self._new.setdefault(team_key_of(name), TeamOf(name))
