"""A roster taken away as a file is the same roster when it is handed in again."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_club, make_player, make_team
from voicepipeline.models import Player
from voicepipeline.operations.roster_import import roster_lines
from voicepipeline.policies.roster_file import EXPORTED, read_list
from voicepipeline.policies.roster_parts import KnownPlayer, KnownTeam
from voicepipeline.policies.roster_plan import plan_import
from voicepipeline.spreadsheets import FORMULA_STARTS, csv_lines, original_text, safe_cell

STARTS = ("=", "+", "-", "@", "\t", "\r", "'", '"', ",", ";", "\n", " ", "'=", "''-", "\n'@", "")
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXT = st.builds(lambda start, text: start + text, st.sampled_from(STARTS), st.text(LETTERS, max_size=12))
NAMES = TEXT.map(lambda text: f"{text}é")
TEAMS = (KnownTeam(1, "Under 14"), KnownTeam(2, "=Minors"), KnownTeam(3, "'t Veld, B"))
PEOPLE = st.lists(
    st.tuples(NAMES, st.one_of(st.just(""), NAMES), st.sampled_from([None, 1, 2, 3]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=8,
)


@given(TEXT)
def test_what_was_made_safe_is_itself_again(text):
    assert original_text(safe_cell(text)) == text
    assert not safe_cell(text).lstrip().startswith(FORMULA_STARTS)


@given(TEXT)
def test_what_was_never_made_safe_and_needs_it_not_stays_as_it_is(text):
    if safe_cell(text) == text:
        assert original_text(text) == text


def exported(players):
    names = {team.id: team.name for team in TEAMS} | {None: ""}
    rows = ((one.first, one.last, names[one.team_id], one.number, "yes" if one.active else "no") for one in players)
    return ("\ufeff" + "".join(csv_lines(EXPORTED, rows))).encode()


@given(PEOPLE)
def test_a_roster_that_is_exported_and_imported_again_changes_nothing(people):
    players = [
        KnownPlayer(at, first, last, f"={at}" if numbered else "", team, active)
        for at, (first, last, team, numbered, active) in enumerate(people, start=1)
    ]
    plan = plan_import(read_list(exported(players)).lines, players, TEAMS, deactivate_missing=True)
    told = {name: count for name, count in plan.counts().items() if count and name != "questions"}
    # Two of one name in one team of whom only one has a number are a question, and never a change.
    assert set(told) <= {"unchanged"}, plan


@given(PEOPLE)
def test_players_with_numbers_are_all_recognised(people):
    players = [
        KnownPlayer(at, first, last, f"-{at}", team, active)
        for at, (first, last, team, _, active) in enumerate(people, start=1)
    ]
    plan = plan_import(read_list(exported(players)).lines, players, TEAMS, deactivate_missing=True)
    assert len(plan.unchanged) == len(players)


@pytest.mark.django_db
def test_the_file_has_everybody_but_those_merged_away_and_begins_as_excel_likes_it():
    club = make_club()
    team = make_team(organization=club)
    kept = make_player(organization=club, team=team, first_name="=cmd()", external_id="007")
    make_player(organization=club, last_name="Zed", is_active=False)
    make_player(organization=club, is_active=False, merged_into=kept)
    make_player()
    text = "".join(roster_lines(club))
    assert text[0] == "\ufeff"
    assert list(csv.reader(io.StringIO(text[1:]))) == [
        list(EXPORTED),
        ["'=cmd()", "Kelly", "Under 14", "007", "yes"],
        ["Caoimhe", "Zed", "", "", "no"],
    ]


@pytest.mark.django_db
def test_an_exported_roster_is_read_as_it_is_in_the_database(django_assert_num_queries):
    club = make_club()
    for number, name in enumerate(("=a", "-b", "@c", "'d", "+e", '"f', ",g", "h\ni", "\tj"), start=1):
        make_player(organization=club, first_name=name, external_id=str(number))
    with django_assert_num_queries(1):
        data = "".join(roster_lines(club)).encode()
    rows = Player.objects.order_by("pk").values_list(
        "pk", "first_name", "last_name", "external_id", "team_id", "is_active"
    )
    plan = plan_import(read_list(data).lines, [KnownPlayer(*row) for row in rows], (), deactivate_missing=True)
    assert (len(plan.unchanged), plan.changes_something, plan.refused, plan.questions) == (9, False, (), ())
