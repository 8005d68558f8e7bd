"""What a list of players would do to a roster, decided on plain values."""

import subprocess
import sys
from pathlib import Path

import pytest

from voicepipeline.policies.roster_file import Line, read_list
from voicepipeline.policies.roster_parts import KnownPlayer, KnownTeam
from voicepipeline.policies.roster_plan import plan_import
from voicepipeline.policies.roster_settling import UnknownAnswer, settle

CHECKOUT = Path(__file__).resolve().parent.parent.parent
TEAMS = (KnownTeam(1, "Under 14"), KnownTeam(2, "Minors"))


def known(name, number="", team=1, pk=10, active=True, merged_into=None):
    first, _, last = name.partition(" ")
    return KnownPlayer(pk, first, last, number, team, active, merged_into)


def line(name, number="", team="Under 14", active="", at=2, **fields):
    first, _, last = name.partition(" ")
    return Line(at, first, last, team, number, active, **fields)


def plan(lines, players=(), *, deactivate=False, teams=TEAMS):
    return plan_import(lines, players, teams, deactivate_missing=deactivate)


def groups(made):
    """How many lines each group has, without those that have none."""
    return {name: count for name, count in made.counts().items() if count}


def changes(update):
    return [(str(one.field), one.old, one.new) for one in update.differences]


def test_whoever_is_not_there_is_added():
    made = plan([line("Niamh Kelly", "12")])
    assert groups(made) == {"added": 1}
    assert (made.added[0].state.name, made.added[0].state.number) == ("Niamh Kelly", "12")


def test_a_number_finds_its_player_whatever_else_changed():
    made = plan([line("Niamh Burke", "12", "Minors")], [known("Niamh Kelly", "12")])
    assert changes(made.changed[0]) == [("last name", "Kelly", "Burke"), ("team", "Under 14", "Minors")]


def test_a_number_with_quite_another_name_is_asked_about():
    made = plan([line("Tom Hennessy", "12")], [known("Niamh Kelly", "12")])
    assert groups(made) == {"questions": 1}
    assert not made.questions[0].may_add
    assert settle(made, {2: "same-10"}).updates[0].state.name == "Tom Hennessy"


def test_without_a_number_the_name_in_the_team_decides_and_the_number_is_kept():
    made = plan([line("niamh o brien")], [known("Niamh O'Brien", "12")])
    assert changes(made.changed[0]) == [("first name", "Niamh", "niamh"), ("last name", "O'Brien", "o brien")]
    assert made.changed[0].state.number == "12"


def test_a_player_without_a_number_is_given_the_lists():
    made = plan([line("Niamh Kelly", "12")], [known("Niamh Kelly")])
    assert changes(made.changed[0]) == [("club's own number", "", "12")]


@pytest.mark.parametrize(
    ("given", "player", "why"),
    [
        (line("Niamh Kelly", "", "Minors"), known("Niamh Kelly"), "the same name in another team"),
        (line("Niamh Kelly", "13"), known("Niamh Kelly", "12"), "the same name"),
        (line("Neve Kelly", "13"), known("Niamh Kelly"), "a known spelling of the first name; the same last name"),
        (line("Kelly Niamh"), known("Niamh Kelly"), "the same name, last name first"),
        (line("Niamh Kelly", team=""), known("Niamh Kelly"), "the same name in another team"),
        (line("Grzegorz Kowalzcyk"), known("Grzegorz Kowalczyk"), "the same first name; a last name spelt alike"),
    ],
    ids=["other team", "other number", "spelling", "swapped", "no team", "slip"],
)
def test_who_looks_like_somebody_is_asked_about_and_left_alone(given, player, why):
    made = plan([given], [player])
    assert groups(made) == {"questions": 1}
    assert [one.why for one in made.questions[0].candidates] == [why]
    assert settle(made, {}).updates == settle(made, {}).added == ()


@pytest.mark.parametrize(
    "name", ["Neasa Kelly", "Niamh Kelleher", "Niall Kelly", "Niamh Murphy"], ids=lambda name: name.replace(" ", "-")
)
def test_brothers_sisters_and_other_families_are_no_question(name):
    assert groups(plan([line(name)], [known("Niamh Kelly", "12")])) == {"added": 1}


def test_a_similar_name_in_another_team_is_another_person():
    assert groups(plan([line("Neve Kelly", team="Minors")], [known("Niamh Kelly")])) == {"added": 1}


def test_the_same_new_name_twice_in_the_list_is_asked_about_once():
    made = plan([line("Niamh Kelly", "12"), line("Neve Kelly", "13", at=3)])
    assert groups(made) == {"added": 1, "questions": 1}
    assert [(one.line, one.update) for one in made.questions[0].candidates] == [(2, None)]


def test_a_candidate_who_has_a_line_already_is_shown_as_that_line():
    made = plan([line("Niamh Kelly", "12"), line("Neve Kelly", "13", at=3)], [known("Niamh Kelly", "12")])
    assert groups(made) == {"unchanged": 1, "questions": 1}
    assert [(one.line, one.update) for one in made.questions[0].candidates] == [(2, None)]


def test_two_players_of_one_name_in_one_team_are_never_guessed():
    players = [known("Niamh Kelly", "12", pk=10), known("Niamh Kelly", "13", pk=11)]
    made = plan([line("Niamh Kelly", active="no")], players)
    assert [one.update.player for one in made.questions[0].candidates] == [10, 11]


def test_two_players_of_one_name_are_themselves_when_the_list_has_both():
    players = [known("Niamh Kelly", pk=10), known("Niamh Kelly", pk=11)]
    assert groups(plan([line("Niamh Kelly"), line("Niamh Kelly", at=3)], players)) == {"unchanged": 2}
    assert groups(plan([line("Niamh Kelly")], players)) == {"questions": 1}


def test_the_same_line_twice_counts_once():
    made = plan([line("Niamh Kelly", "12"), line("Niamh Kelly", "12", at=3)])
    assert groups(made) == {"refused": 1, "added": 1}
    assert (made.refused[0].line, made.refused[0].problem) == (3, "It is the same as line 2. Remove one of them.")


def test_a_number_given_to_two_is_given_to_neither():
    made = plan([line("Niamh Kelly", "12"), line("Tom Burke", "12", at=3)], [known("Niamh Kelly", "12")])
    assert [(one.line, one.problem.split(".")[0]) for one in made.refused] == [
        (2, "Number 12 is also on line 3"),
        (3, "Number 12 is also on line 2"),
    ]
    assert groups(made) == {"refused": 2}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Line(2, "", "Kelly"), "The first name is missing"),
        (Line(2, "", "", whole=True), "There is no name"),
        (line("Niamh Kelly", active="maybe"), "“maybe” does not say whether this player is active. Write yes or no."),
        (line("Niamh Kelly", problem="Too long."), "Too long."),
    ],
    ids=["first name", "name", "active", "as read"],
)
def test_a_line_that_cannot_be_used_says_what_to_do(given, words):
    made = plan([given])
    assert groups(made) == {"refused": 1}
    assert made.refused[0].problem.startswith(words)


@pytest.mark.parametrize("yes", ["yes", "Y", "TRUE", "1", "active", ""])
def test_active_is_said_in_several_ways(yes):
    assert plan([line("Niamh Kelly", active=yes)]).added[0].state.active


def test_who_is_on_the_list_is_active_again():
    made = plan([line("Niamh Kelly")], [known("Niamh Kelly", active=False)])
    assert changes(made.reactivated[0]) == [("active", "no", "yes")]


def test_who_the_list_says_is_not_active_is_deactivated_also_without_the_option():
    assert groups(plan([line("Niamh Kelly", active="No")], [known("Niamh Kelly")])) == {"deactivated": 1}


def test_who_is_not_on_the_list_is_deactivated_only_when_asked_for():
    players = [known("Niamh Kelly"), known("Tom Burke", pk=11), known("Left Already", pk=12, active=False)]
    assert groups(plan([line("Niamh Kelly")], players)) == {"unchanged": 1}
    made = plan([line("Niamh Kelly")], players, deactivate=True)
    assert [one.player for one in made.missing] == [11]


def test_players_merged_away_are_left_alone():
    players = [known("Niamh Kelly", "12"), known("Neve Kelly", "99", pk=11, active=False, merged_into=10)]
    made = plan([line("Niamh Kelly", "12")], players, deactivate=True)
    assert groups(made) == {"unchanged": 1}


def test_the_number_of_a_player_merged_away_is_the_survivors():
    players = [known("Niamh Kelly", "12"), known("Neve Kelly", "99", pk=11, active=False, merged_into=10)]
    made = plan([line("Niamh Kelly", "99", "Minors")], players)
    assert [(one.player, changes(one)) for one in made.changed] == [(10, [("team", "Under 14", "Minors")])]
    both = plan([line("Niamh Kelly", "99"), line("Niamh Kelly", "12", at=3)], players)
    assert groups(both) == {"unchanged": 1, "refused": 1}


LEFT = known("Neve Kelly", "99", pk=11, active=False)
MERGED = known("Neve Kelly", "99", pk=11, active=False, merged_into=10)
STAYS = known("Niamh Kelly", "12")


@pytest.mark.parametrize("with_survivor", ["no line of hers", "her line before", "her line after"])
@pytest.mark.parametrize("holder", [LEFT, MERGED], ids=["left", "merged"])
def test_the_number_of_somebody_off_the_roster_can_be_given_to_another_person(holder, with_survivor):
    at = {"her line before": 2, "her line after": 4}.get(with_survivor)
    hers = [line("Niamh Kelly", "12", at=at)] if at else []
    made = plan([*hers, line("Tom Hennessy", "99", at=3)], [STAYS, holder])
    assert not made.refused
    (question,) = made.questions
    assert (question.may_add, question.frees.player, question.frees.number) == (True, 11, "99")
    settled = settle(made, {3: "another"})
    assert ([new.state.number for new in settled.added], settled.freed) == (["99"], (11,))
    assert settle(made, {}).freed == ()


def test_who_is_the_old_player_after_all_frees_no_number():
    left = plan([line("Tom Hennessy", "99")], [LEFT])
    assert settle(left, {2: "same-11"}).freed == ()
    merged = plan([line("Tom Hennessy", "99")], [STAYS, MERGED])
    settled = settle(merged, {2: "same-10"})
    assert (settled.updates[0].state.number, settled.freed) == ("12", ())


def test_who_has_a_line_of_their_own_is_not_offered_for_an_old_number():
    made = plan([line("Tom Hennessy", "99"), line("Niamh Kelly", "12", at=3)], [STAYS, MERGED])
    assert made.questions[0].candidates == ()


def test_a_freed_number_goes_to_a_player_who_is_there_already():
    made = plan([line("Tom Hennessy", "99")], [LEFT, known("Tom Hennessy", pk=12)])
    assert groups(made) == {"questions": 1}
    assert [one.update.player for one in made.questions[0].candidates] == [11, 12]
    settled = settle(made, {2: "same-12"})
    assert ([one.state.number for one in settled.updates], settled.freed) == (["99"], (11,))


def test_somebody_who_comes_back_without_a_number_loses_the_one_that_is_given_to_another():
    made = plan([line("Neve Kelly"), line("Tom Hennessy", "99", at=3)], [LEFT])
    assert settle(made, {}).updates[0].state.number == "99"
    (back,) = settle(made, {3: "another"}).updates
    assert changes(back) == [("active", "no", "yes"), ("club's own number", "99", "")]


def test_the_old_name_of_a_merged_player_is_never_another_person():
    merged = known("Grace Twomey", "99", pk=11, active=False, merged_into=10)
    assert not plan([line("Grace Twomey", "99")], [STAYS, merged]).questions[0].may_add
    both = plan([line("Niamh Kelly", "12"), line("Grace Twomey", "99", at=3)], [STAYS, merged])
    assert both.refused[0].problem == "It is the same player as line 2, by an old number. Remove it."


def test_the_number_of_an_active_player_who_has_a_line_of_their_own_is_refused():
    made = plan([line("Neve Kelly", "99"), line("Tom Hennessy", "12", at=3)], [STAYS, MERGED])
    assert made.refused[0].problem == (
        "Number 12 is that of Niamh Kelly, who is on line 2. Give every player a number of their own."
    )


def test_whose_number_is_taken_is_part_of_what_was_seen():
    told = {plan([line("Tom Hennessy", "99")], [STAYS, one]).digest() for one in (LEFT, MERGED)}
    assert len(told) == 2


@pytest.mark.parametrize(
    "given",
    [line("", "12"), line("Niamh Kelly", "", active="maybe"), line("Neve Kelly", "13"), line("Tom Hennessy", "12")],
    ids=["no name", "bad value", "question", "renamed"],
)
def test_whoever_a_line_may_be_about_is_not_deactivated(given):
    made = plan([given, line("Tom Burke", at=9)], [known("Niamh Kelly", "12")], deactivate=True)
    assert made.missing == ()


def test_new_teams_are_named_once_however_they_are_written():
    made = plan(
        [line("Niamh Kelly", team="U12"), line("Tom Burke", team="under 12s", at=3), line("A B", team="U14", at=4)]
    )
    assert made.new_teams == {"U12": 2}
    assert made.added[2].state.team.id == 1


def test_a_team_that_could_be_two_is_refused():
    made = plan([line("Niamh Kelly", team="U14s")], teams=(KnownTeam(1, "Under 14"), KnownTeam(2, "U14")))
    assert "could be several teams" in made.refused[0].problem


def test_an_empty_cell_changes_nothing():
    made = plan([Line(2, "Niamh", "", "", "12", "")], [known("Niamh Kelly", "12")])
    assert groups(made) == {"unchanged": 1}


def test_a_list_without_teams_goes_by_the_name_alone():
    given = Line(2, "Niamh", "Kelly")
    assert groups(plan([given], [known("Niamh Kelly")])) == {"unchanged": 1}
    twice = [known("Niamh Kelly"), known("Niamh Kelly", pk=11, team=2)]
    assert groups(plan([given], twice)) == {"questions": 1}


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("Niamh Kelly", "Niamh", "Kelly"),
        ("Kelly, Niamh", "Niamh", "Kelly"),
        ("Niamh Ní Bhriain", "Niamh", "Ní Bhriain"),
        ("Mary Ann de la Cruz", "Mary Ann", "de la Cruz"),
        ("Ó Briain, Seán Óg", "Seán Óg", "Ó Briain"),
        ("Pelé", "Pelé", ""),
        ("Van Morrison", "Van", "Morrison"),
    ],
    ids=["plain", "comma", "particle", "particles", "comma particle", "one word", "particle first"],
)
def test_a_whole_name_is_cut_where_its_last_name_begins(cell, first, last):
    read = read_list(f'Name\n"{cell}"\n'.encode()).lines[0]
    assert (read.first, read.last) == (first, last)


def test_a_whole_name_that_the_roster_cuts_elsewhere_is_no_change():
    read = read_list(b"Name\nAnna Maria Kelly Burke\n").lines
    player = KnownPlayer(10, "Anna Maria", "Kelly Burke", "", 1, True)
    assert groups(plan(read, [player])) == {"unchanged": 1}


def test_answers_decide_about_questions():
    made = plan([line("Neve Kelly", "13")], [known("Niamh Kelly")])
    update = settle(made, {2: "same-10"}).updates[0]
    assert changes(update) == [("first name", "Niamh", "Neve"), ("club's own number", "", "13")]
    assert [new.state.name for new in settle(made, {2: "another"}).added] == ["Neve Kelly"]
    assert settle(made, {2: "leave"}) == settle(made, {})


@pytest.mark.parametrize("answer", ["same-11", "same-", "yes", ""])
def test_an_answer_that_was_not_offered_is_refused(answer):
    made = plan([line("Neve Kelly", "13")], [known("Niamh Kelly")])
    with pytest.raises(UnknownAnswer, match="line 2"):
        settle(made, {2: answer})


def test_two_lines_cannot_be_the_same_player():
    lines = [line("Neve Kelly", "13"), line("Neev Kelly", "14", at=3)]
    made = plan(lines, [known("Niamh Kelly")])
    with pytest.raises(UnknownAnswer, match="Lines 2 and 3 are both said to be Niamh Kelly"):
        settle(made, {2: "same-10", 3: "same-10"})


def test_an_answer_cannot_make_a_line_somebody_who_has_a_line_already():
    made = plan([line("Tom Hennessy", "12"), line("Niamh Kelly", at=3)], [known("Niamh Kelly", "12")])
    with pytest.raises(UnknownAnswer, match="Lines 2 and 3 are both said to be Niamh Kelly"):
        settle(made, {2: "same-10"})


def test_plans_that_do_the_same_have_one_digest():
    players = [known("Niamh Kelly", "12")]
    one, again = (plan([line("Niamh Burke", "12")], players) for _ in range(2))
    assert one.digest() == again.digest() != plan([line("Niamh Burke", "12")], [known("Niamh Kelly", "12", 2)]).digest()


PROCESS = """
from tests.rosters.test_import_plan import known, line, plan
names = ("Niamh", "Neeve", "Niav", "Neave", "Nieve", "Neve")
players = [known(f"{first} Kelly", str(at), pk=at) for at, first in enumerate(names, 1)]
made = plan([line("Neev Kelly", "11", at=7), line("Niave Kelly", "12", at=8)], players)
print(made.digest(), len(made.questions[0].candidates))
"""


def test_every_process_comes_to_the_same_digest():
    """Who looks at a preview and who applies it are answered by different ones."""
    told = {
        subprocess.run(
            [sys.executable, "-c", PROCESS],
            env={"PYTHONHASHSEED": seed},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1
    assert told.pop().endswith(" 3\n")


def test_everybody_of_one_name_is_quick():
    lines = [line("Niamh Kelly", str(number), at=number) for number in range(2, 3_000)]
    assert groups(plan(lines)) == {"added": 1, "questions": 2_997}
