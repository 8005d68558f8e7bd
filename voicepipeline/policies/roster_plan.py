"""What a list of players would do to a club's roster: decided once for the preview, and again when it is applied.

A line is about the player with its number; else about the one player of its name in its team. Where that is not
certain, it becomes a question, and nothing happens until a person has answered it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from voicepipeline.policies.roster_file import Line
from voicepipeline.policies.roster_likeness import Index, Likeness, alike_at_all, somebody
from voicepipeline.policies.roster_lines import Checked, check_lines
from voicepipeline.policies.roster_names import name_parts, tidy
from voicepipeline.policies.roster_parts import (
    Candidate,
    Difference,
    Field,
    Freed,
    KnownPlayer,
    KnownTeam,
    Missing,
    New,
    Plan,
    Question,
    Refused,
    State,
    TeamOf,
    Update,
)
from voicepipeline.policies.roster_teams import ClubTeams

MOST_HOPS = 50
RENAMED = "the same number, but another name"
AMBIGUOUS = "the same name"
# Of people who share a name.
MOST_NAMESAKES = 200
MOST_OFFERED = 5


def plan_import(
    lines: Sequence[Line], players: Iterable[KnownPlayer], teams: Iterable[KnownTeam], *, deactivate_missing: bool
) -> Plan:
    """What this list would do to this roster."""
    return _Planner(tuple(players), ClubTeams(teams)).plan(lines, deactivate_missing=deactivate_missing)


class _Planner:
    def __init__(self, players: tuple[KnownPlayer, ...], teams: ClubTeams) -> None:
        self.teams = teams
        self.all = {player.id: player for player in players}
        self.roster = [player for player in players if player.merged_into is None]
        self.numbers: dict[str, KnownPlayer | None] = {}
        for player in players:
            number = tidy(player.number)
            if number:
                # Two numbers that differ in nothing one can see belong to nobody.
                self.numbers[number] = None if number in self.numbers else player
        self.by_name: dict[str, list[KnownPlayer]] = defaultdict(list)
        for player in self.roster:
            self.by_name[_together(player.first, player.last)].append(player)
        self.claimed: dict[int, Update] = {}
        self.by_line: dict[int, Update] = {}
        self.mentioned: set[int] = set()
        # Lines with the number of somebody off the roster, and another name.
        self.reused: dict[int, KnownPlayer] = {}
        self.refused: list[Refused] = []
        self.questions: list[Question] = []
        self.added: list[New] = []

    def plan(self, lines: Sequence[Line], *, deactivate_missing: bool) -> Plan:
        sound, self.refused = check_lines(lines, self.teams, self._twins)
        rest, reused = self._match_by_number(sound)
        self._add_or_ask(sorted([*self._match_by_name(rest), *reused], key=lambda line: line.line))
        if deactivate_missing:
            self._mention(lines)
        return Plan(
            refused=tuple(sorted(self.refused, key=lambda one: one.line)),
            questions=tuple(sorted(self.questions, key=lambda one: one.line)),
            added=tuple(self.added),
            updates=tuple(sorted(self.claimed.values(), key=lambda one: one.line)),
            missing=tuple(self._missing()) if deactivate_missing else (),
        )

    def _claim(self, update: Update) -> None:
        self.claimed[update.player] = self.by_line[update.line] = update

    def _twins(self, line: Checked) -> int:
        """How many players there are for whom this same line may stand more than once."""
        return sum(self._fits(line, player) for player in self.by_name[_together(line.first, line.last)])

    # By number.

    def _match_by_number(self, lines: list[Checked]) -> tuple[list[Checked], list[Checked]]:
        """Give each line its player by the number; left are lines without one, and those of somebody off the roster."""
        rest, unlike, reused = [], [], []
        for line in lines:
            holder = self.numbers.get(line.number or "")
            player = self._survivor(holder) if holder else None
            if holder is None or player is None:
                rest.append(line)
            elif not _alike(line, player):
                unlike.append((line, holder, player))
            elif player.id in self.claimed:
                self._refuse_claimed(line, holder, player)
            else:
                self._claim(self._update(line, player, keep_number=player is not holder))
        for line, holder, player in unlike:
            if not holder.active and not _alike(line, holder):
                self.reused[line.line] = holder
                reused.append(line)
            elif player.id in self.claimed:
                self._refuse_claimed(line, holder, player)
            else:
                update = self._update(line, player, keep_number=player is not holder)
                self._ask(line, [self._candidate(player, RENAMED, update)], may_add=False)
        return rest, reused

    def _refuse_claimed(self, line: Checked, holder: KnownPlayer, player: KnownPlayer) -> None:
        other = self.claimed[player.id].line
        if holder is player and not _alike(line, player):
            told = f"Number {line.number} is that of {player.name}, who is on line {other}"
            problem = f"{told}. Give every player a number of their own."
        else:
            problem = f"It is the same player as line {other}, by an old number. Remove it."
        self.refused.append(Refused(line.line, line.name, problem))

    def _survivor(self, player: KnownPlayer) -> KnownPlayer | None:
        """Whose this number is now, after whatever was merged."""
        for _ in range(MOST_HOPS):
            if player.merged_into is None:
                return player
            player = self.all[player.merged_into]
        return None

    # By name and team.

    def _match_by_name(self, lines: list[Checked]) -> list[Checked]:
        """Give each line the one player of its name in its team; lines that fit several become questions."""
        groups: dict[tuple[str, str | None], list[Checked]] = defaultdict(list)
        for line in lines:
            groups[_together(line.first, line.last), line.team_key].append(line)
        rest = []
        for (together, _), same in groups.items():
            namesakes = self.by_name.get(together, [])[:MOST_NAMESAKES]
            free = [player for player in namesakes if player.id not in self.claimed]
            rest += self._match_group(same, [one for one in free if any(self._fits(line, one) for line in same)])
        return sorted(rest, key=lambda line: line.line)

    def _match_group(self, lines: list[Checked], players: list[KnownPlayer]) -> list[Checked]:
        lines, players = self._match_exactly(lines, players)
        if len(lines) == len(players) == 1:
            self._claim(self._update(lines[0], players[0]))
            return []
        if not players:
            return lines
        offered = players[:MOST_OFFERED]
        for line in lines:
            self._ask(line, [self._candidate(one, AMBIGUOUS, self._update(line, one)) for one in offered])
        return []

    def _match_exactly(
        self, lines: list[Checked], players: list[KnownPlayer]
    ) -> tuple[list[Checked], list[KnownPlayer]]:
        """Take out the lines that say exactly what the roster says, where there are as many of one as of the other."""
        if not players or len(lines) == len(players) == 1:
            return lines, players
        by_players: dict[tuple[int, ...], list[Checked]] = defaultdict(list)
        for line in lines:
            exact = tuple(one.id for one in players if not self._update(line, one).differences)
            by_players[exact].append(line)
        for ids, same in by_players.items():
            if ids and len(ids) == len(same):
                for line, player in zip(same, ids, strict=True):
                    self._claim(self._update(line, self.all[player]))
        return (
            [line for line in lines if line.line not in self.by_line],
            [one for one in players if one.id not in self.claimed],
        )

    def _fits(self, line: Checked, player: KnownPlayer) -> bool:
        """Whether a player of this name is in the line's team, and has no other number."""
        same_team = line.team_key is None or line.team_key == self.teams.key(player.team_id)
        return same_team and not (line.number and tidy(player.number) and line.number != tidy(player.number))

    # Whoever is left is new, or looks like somebody.

    def _add_or_ask(self, lines: list[Checked]) -> None:
        if not lines:
            return
        index = Index(any_team=any(not line.team_key for line in lines))
        for player in self.roster:
            index.add(somebody(player.first, player.last, self.teams.key(player.team_id) or None, player=player.id))
        for update in self.claimed.values():
            if any(one.field in (Field.FIRST, Field.LAST, Field.TEAM) for one in update.differences):
                team = self.teams.key_of(update.state.team) or None
                index.add(somebody(update.state.first, update.state.last, team, line=update.line))
        states = {line.line: self._new(line) for line in lines}
        for line in lines:
            one = somebody(line.first, line.last, line.team_key or None, line=line.line)
            candidates = self._candidates(line, index.like(one), states)
            if line.line in self.reused:
                self._ask_whose_number(line, self.reused[line.line], candidates)
            elif candidates:
                self._ask(line, candidates)
            else:
                self.added.append(New(line.line, states[line.line]))
            index.add(one)

    def _candidates(self, line: Checked, like: list[Likeness], states: dict[int, State]) -> list[Candidate]:
        found: dict[tuple[int | None, int | None], Candidate] = {}
        for likeness in like:
            player = likeness.who.player
            claim = self.claimed.get(player) if player is not None else None
            other = claim.line if claim else likeness.who.line
            if player is not None and claim is None:
                known = self.all[player]
                found[player, None] = self._candidate(known, likeness.why, self._update(line, known))
            elif other is not None:
                state = claim.state if claim else states.get(other) or self.by_line[other].state
                found[None, other] = Candidate(
                    state.name, state.team.name if state.team else "", state.number, likeness.why, state.active, other
                )
        return list(found.values())

    def _ask_whose_number(self, line: Checked, holder: KnownPlayer, like: list[Candidate]) -> None:
        """Clubs give the numbers of those who left to others: the old player under a new name, or somebody else?"""
        player = self._survivor(holder)
        if player is None or player.id in self.claimed:
            old = []
        else:
            update = self._update(line, player, keep_number=player is not holder)
            old = [self._candidate(player, RENAMED, update)]
            like = [one for one in like if one.update is None or one.update.player != player.id]
        merged_into = player.name if player is not None and player is not holder else ""
        frees = Freed(holder.id, holder.name, holder.number, merged_into)
        self._ask(line, [*old, *like], frees=frees)

    def _ask(
        self, line: Checked, candidates: list[Candidate], *, may_add: bool = True, frees: Freed | None = None
    ) -> None:
        self.questions.append(Question(line.line, self._new(line), tuple(candidates), may_add, frees))
        self.mentioned |= {one.update.player for one in candidates if one.update}

    def _candidate(self, player: KnownPlayer, why: str, update: Update) -> Candidate:
        team = self.teams.name(player.team_id)
        return Candidate(player.name, team, player.number, why, player.active, update=update)

    # What a line makes of a player.

    def _new(self, line: Checked) -> State:
        return State(line.first, line.last, line.number or "", line.team, line.active)

    def _update(self, line: Checked, player: KnownPlayer, *, keep_number: bool = False) -> Update:
        first, last = line.cut_like(player.first, player.last)
        old = State(player.first, player.last, player.number, self.teams.of(player.team_id), player.active)
        state = State(
            first=_kept(player.first, first),
            last=_kept(player.last, last),
            number=player.number if keep_number else _kept(player.number, line.number or ""),
            team=line.team or old.team,
            active=line.active,
        )
        return Update(line.line, player.id, player.name, state, _differences(old, state))

    # Who is not on the list.

    def _mention(self, lines: Sequence[Line]) -> None:
        """Whoever a line may be about is on the list, even where the line cannot be used."""
        left_out = {one.line for one in self.refused} | {one.line for one in self.questions}
        for line in lines:
            if line.line in left_out:
                holder = self.numbers.get(line.number or "")
                survivor = self._survivor(holder) if holder else None
                self.mentioned |= {survivor.id} if survivor else set()
                self.mentioned |= {one.id for one in self.by_name.get(_together(line.first, line.last), [])}

    def _missing(self) -> Iterable[Missing]:
        for player in self.roster:
            if player.active and player.id not in self.claimed and player.id not in self.mentioned:
                yield Missing(player.id, player.name, self.teams.name(player.team_id), player.number)


def _alike(line: Checked, player: KnownPlayer) -> bool:
    return alike_at_all((line.first, line.last), (player.first, player.last))


def _together(first: str, last: str) -> str:
    return "".join(name_parts(first, last))


def _kept(old: str, new: str) -> str:
    """The new text; the old one where there is none, or where it differs in nothing that one can see."""
    return old if not new or tidy(old) == new else new


def _differences(old: State, new: State) -> tuple[Difference, ...]:
    def told(team: TeamOf | None) -> str:
        return team.name if team else ""

    pairs = (
        (Field.FIRST, old.first, new.first),
        (Field.LAST, old.last, new.last),
        (Field.TEAM, told(old.team), told(new.team)) if old.team != new.team else (Field.TEAM, "", ""),
        (Field.NUMBER, old.number, new.number),
        (Field.ACTIVE, _yes(old.active), _yes(new.active)),
    )
    return tuple(Difference(field, before, after) for field, before, after in pairs if before != after)


def _yes(active: bool) -> str:
    return "yes" if active else "no"
