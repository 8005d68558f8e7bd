"""What coaches say is what can be found in it: names, statements, and a text that passes for speech."""

import re
from decimal import Decimal
from random import Random

import pytest

from voicepipeline.demo import scripts
from voicepipeline.demo.rosters import BALLYRUA, CLUBS
from voicepipeline.demo.scripts import Speaker, mumbled, say_name, spoken_seconds, write_note
from voicepipeline.policies.quality import Verdict, judge
from voicepipeline.simulator.statements import Rostered, mentions_in, statements

OPENINGS_AND_CLOSINGS = [*scripts.OPENINGS, *scripts.CLOSINGS, *scripts.ABOUT_EVERYBODY]


def speaker(club=BALLYRUA, teams=("Under 14",)):
    own = [player for team in club.teams if team.name in teams for player in team.players]
    others = [player for team in club.teams if team.name not in teams for player in team.players]
    return Speaker(own, others, teams, [coach.first_name for coach in club.coaches])


SPEAKERS = [speaker(club, coach.teams) for club in CLUBS for coach in club.coaches]
NOTES = [write_note(Random(number), SPEAKERS[number % len(SPEAKERS)]) for number in range(300)]


def judged(text):
    seconds = Decimal(str(spoken_seconds(text)))
    return judge(text, duration_seconds=seconds, languages=["en"], expected_languages=["en"]).verdict


def test_the_same_chance_says_the_same():
    assert write_note(Random(7), speaker()) == write_note(Random(7), speaker())
    assert len(set(NOTES)) == len(NOTES)


def test_every_note_makes_at_least_one_statement():
    assert [note for note in NOTES if not statements(note, [])] == []


def test_every_note_passes_for_speech():
    assert {judged(note) for note in NOTES} == {Verdict.GOOD}


def test_nothing_is_left_to_be_filled_in():
    assert not re.search(r"[{}]|  ", "".join(NOTES))


@pytest.mark.parametrize("template", OPENINGS_AND_CLOSINGS)
def test_only_players_and_coaches_are_taken_for_names(template):
    said = template.format(team="under twelves", count="twelve", coach="Rui")
    names = {mention.text for mention in mentions_in(said, 0, []) if mention.kind in ("player_name", "coach_name")}
    assert names <= {"Rui"}


def test_names_are_said_in_every_way():
    roster = [Rostered(str(number), " ".join(name)) for number, name in enumerate(speaker().players)]
    said = {say_name(Random(number), speaker(), ("Niamh", "Kelly")) for number in range(400)}
    assert {"Niamh Kelly", "Niamh", "Neve Kelly", "Neve", "Kelly", "Zoltán Ferenczi"} <= said
    assert len(roster) == 15


def test_a_coach_without_players_elsewhere_speaks_of_the_own():
    alone = Speaker([("Niamh", "Kelly"), ("Eva", "Murphy")], [], ["Under 14"], ["Rui"])
    notes = [write_note(Random(number), alone) for number in range(50)]
    assert any("Kelly" in note for note in notes)


def test_what_is_lost_in_the_wind_is_looked_at_by_a_person():
    assert {judged(mumbled(Random(number), note)) for number, note in enumerate(NOTES)} == {Verdict.FLAGGED}


def test_an_accident_is_no_speech():
    assert {judged(script) for script in scripts.ACCIDENTS} == {Verdict.NO_SPEECH}


def test_half_of_the_names_have_lost_their_accents():
    said = [say_name(Random(number), speaker(), ("Róisín", "O'Brien")) for number in range(200)]
    assert 60 < said.count("Róisín O'Brien") + said.count("Róisín") < 140
    assert said.count("Roisin O'Brien") > 30
