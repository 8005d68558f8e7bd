"""A club of thousands and a list of its players in which one line in thirty is wrong: made up, with what is expected.

What is expected is worked out here from what was done to each player, and never asked of the code that is tested.
First names are so unlike each other that only what is done on purpose makes two players look alike.
"""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from voicepipeline.models import Player, Team

FIRST = (
    *("Niamh", "Tomasz", "Saoirse", "Wojciech", "Aoife", "Bartholomew", "Clíodhna", "Declan", "Éabha", "Fergus"),
    *("Gráinne", "Hugo", "Iarlaith", "Jakub", "Krzysztof", "Lorcan", "Muireann", "Naoise", "Oisín", "Philippa"),
    *("Quentin", "Ruairí", "Sadhbh", "Tadhg", "Ultan", "Vytautas", "Wilhelmina", "Xavier", "Yusuf", "Zofia"),
)
SYLLABLES = ("Bra", "Cor", "Dun", "Fen", "Gol", "Hal", "Jer", "Kin", "Lom", "Mur", "Nav", "Per", "Quil", "Rath", "Sten")
ENDINGS = ("bach", "crest", "doran", "field", "gawl", "hurst", "jarvis", "kett", "lane", "moss", "nock", "pool")
LAST = tuple(f"{start}{end}" for start in SYLLABLES for end in ENDINGS)
HEADER = ("First name", "Last name", "Team", "Club's own number", "Active")


@dataclass
class Expected:
    """The preview, group by group: the lines, and what they say."""

    refused: dict[int, str] = field(default_factory=dict)  # line → the beginning of the problem
    questions: dict[int, tuple] = field(default_factory=dict)  # line → ids of the players it may be about
    added: dict[int, str] = field(default_factory=dict)
    changed: dict[int, list] = field(default_factory=dict)
    reactivated: dict[int, int] = field(default_factory=dict)
    deactivated: dict[int, int] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    new_teams: Counter = field(default_factory=Counter)


class BigList:
    """So many players, a list of nearly all of them, and of thirty lines one that is wrong or says something new."""

    def __init__(self, club, size, *, dirt=0.03, seed=5):
        self.choose = Random(seed)
        self.rows = [HEADER]
        self.expected = Expected()
        self.numbers = iter(range(900_001, 999_999))
        self.fresh = iter(f"{end.title()}v{start.lower()}" for start in SYLLABLES for end in ENDINGS)
        self.players = self._make_players(club, size)
        dirty = set(self.choose.sample(range(size), round(size * dirt)))
        kinds = sorted(name for name in dir(self) if name.startswith("_dirt_"))
        for at, player in enumerate(self.players):
            if at in dirty:
                getattr(self, kinds[sum(self.kinds_used.values()) % len(kinds)])(player)
                self.kinds_used[kinds[sum(self.kinds_used.values()) % len(kinds)]] += 1
            else:
                self.expected.unchanged.add(self._write(player))

    def _make_players(self, club, size):
        self.kinds_used = Counter()
        per_team = len(FIRST)
        teams = Team.objects.bulk_create(
            Team(organization=club, name=f"Squad {chr(65 + at // 26)}{chr(65 + at % 26)}")
            for at in range(size // per_team + 1)
        )
        return Player.objects.bulk_create(
            Player(
                organization=club,
                # A team has every first name once, and one last name: nobody is alike by accident.
                first_name=FIRST[at % per_team],
                last_name=LAST[at // per_team % len(LAST)],
                team=teams[at // per_team],
                external_id=f"P{at:05}",
            )
            for at in range(size)
        )

    def _write(self, player=None, **cells):
        """Append a line about this player with these cells instead; returns its number."""
        own = {
            "first": player.first_name if player else "",
            "last": player.last_name if player else "",
            "team": player.team.name if player else "",
            "number": player.external_id if player else "",
            "active": "yes",
        }
        given = {**own, **cells}
        self.rows.append([given[name] for name in ("first", "last", "team", "number", "active")])
        return len(self.rows)

    def content(self):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(self.rows)
        return text.getvalue().encode()

    # What is done to a line, and what is to come of it.

    def _dirt_spaces(self, player):
        line = self._write(player, first=f"  {player.first_name} ", last=f"{player.last_name}\u00a0")
        self.expected.unchanged.add(line)

    def _dirt_blank_lines(self, player):
        self.rows.append(["", "", " ", "", ""])
        self.expected.unchanged.add(self._write(player))

    def _dirt_no_number(self, player):
        self.expected.unchanged.add(self._write(player, number=""))

    def _dirt_capitals(self, player):
        line = self._write(player, last=player.last_name.upper())
        self.expected.changed[line] = [("last name", player.last_name, player.last_name.upper())]

    def _dirt_new_last_name(self, player):
        last = next(self.fresh)
        self.expected.changed[self._write(player, last=last)] = [("last name", player.last_name, last)]

    def _dirt_new_team(self, player):
        name = f"Brand New {self.choose.randrange(3)} Squad"
        self.expected.changed[self._write(player, team=name)] = [("team", player.team.name, name)]
        self.expected.new_teams[name] += 1

    def _dirt_team_written_differently(self, player):
        self.expected.unchanged.add(self._write(player, team=f"  the {player.team.name.upper()} team"))

    def _dirt_left(self, player):
        self.expected.deactivated[self._write(player, active="No")] = player.pk

    def _dirt_back(self, player):
        Player.objects.filter(pk=player.pk).update(is_active=False)
        self.expected.reactivated[self._write(player)] = player.pk

    def _dirt_not_on_the_list(self, player):
        self.expected.missing.add(player.pk)

    def _dirt_no_first_name(self, player):
        self.expected.refused[self._write(player, first="")] = "The first name is missing"

    def _dirt_unknown_active(self, player):
        self.expected.refused[self._write(player, active="perhaps")] = "“perhaps” does not say"

    def _dirt_too_long(self, player):
        self.expected.refused[self._write(player, first="N" * 81)] = "In it, the first name is longer"

    def _dirt_same_line_twice(self, player):
        first = self._write(player)
        self.expected.unchanged.add(first)
        self.expected.refused[self._write(player)] = f"It is the same as line {first}."

    def _dirt_number_of_two(self, player):
        one = self._write(player)
        other = self._write(player, first="Somebody", last=next(self.fresh))
        self.expected.refused[one] = f"Number {player.external_id} is also on line {other}."
        self.expected.refused[other] = f"Number {player.external_id} is also on line {one}."

    def _dirt_somebody_new(self, player):
        self.expected.unchanged.add(self._write(player))
        last, number = next(self.fresh), str(next(self.numbers))
        self.expected.added[self._write(player, last=last, number=number)] = f"{player.first_name} {last}"

    def _dirt_a_formula(self, player):
        self.expected.unchanged.add(self._write(player))
        last = next(self.fresh)
        line = self._write(player, first="'=Cara()", last=last, number=str(next(self.numbers)))
        self.expected.added[line] = f"=Cara() {last}"

    def _dirt_spelt_otherwise_without_a_number(self, player):
        line = self._write(player, last=player.last_name[:-1], number="")
        self.expected.questions[line] = (player.pk,)

    def _dirt_another_number(self, player):
        self.expected.questions[self._write(player, number=str(next(self.numbers)))] = (player.pk,)

    def _dirt_another_persons_number(self, player):
        self.expected.questions[self._write(player, first="Chukwuemeka", last=next(self.fresh))] = (player.pk,)

    def _dirt_twice_with_a_slip(self, player):
        self.expected.unchanged.add(self._write(player))
        line = self._write(player, last=f"{player.last_name}h", number=str(next(self.numbers)))
        self.expected.questions[line] = ()
