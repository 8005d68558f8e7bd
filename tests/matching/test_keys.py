from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.matching.deciding import Mention, decide
from voicepipeline.matching.keys import LONGEST, name_key, without_title
from voicepipeline.matching.roster import Person, Roster
from voicepipeline.matching.teams import Teams, decide_team

PLAYERS = Roster([Person(1, "Niamh", "Kelly"), Person(2, "Eoin", "Murphy"), Person(3, "Seán", "Murphy")])
TEAMS = Teams((Person(1, "Under 14"), Person(2, "U16 Girls"), Person(3, "U16 Boys")))
PARTS = ["Niamh", "niamh", "Murphy", "Murphy's", "U14", "under", "14s", "girls"]
PARTS += ["the", "team", "and", "&", ",", "7", "big", "'"]
TEXTS = [" ".join(parts) for length in range(4) for parts in product(PARTS, repeat=length)]


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        ("player_name", "Niamh Kelly", "niamh  KELLY's", True),
        ("player_name", "Mc Grath", "Mac Grath", True),
        ("player_name", "Niamh", "Neve", False),
        ("player_name", "Niamh and Aoife", "Niamh Aoife", False),
        ("player_name", "number 7", "number 8", False),
        ("team_name", "the under 14s", "U-14", True),
        ("team_name", "U16 girls", "girls under sixteen", True),
        ("team_name", "U14", "U16", False),
        ("coach_name", "Coach Byrne", "Byrne", True),
        ("player_name", "Coach Byrne", "Byrne", False),
    ],
)
def test_what_is_the_same_name(kind, one, other, same):
    assert (name_key(kind, one) == name_key(kind, other)) is same


def _player(text):
    return decide(Mention(text), PLAYERS)


def _team(text):
    return decide_team(text, TEAMS)


@pytest.mark.parametrize(("kind", "decide_about"), [("player_name", _player), ("team_name", _team)])
def test_texts_of_one_key_are_decided_alike(kind, decide_about):
    found = defaultdict(set)
    for text in TEXTS:
        decision = decide_about(text)
        found[name_key(kind, text)].add((decision.kind, decision.person))
    assert len(found) < len(TEXTS)
    assert {key: outcomes for key, outcomes in found.items() if len(outcomes) > 1} == {}


@given(st.sampled_from(["player_name", "team_name", "coach_name"]), st.text(max_size=300))
def test_every_text_has_a_key_that_fits_its_column(kind, text):
    key = name_key(kind, text)
    assert len(key) <= LONGEST
    assert bool(key) == bool(text.strip())


@given(st.text(max_size=200))
def test_any_text_is_decided_about_as_a_team(text):
    decide_team(text, TEAMS)


@pytest.mark.parametrize("text", ["coach", "the coach", "Coachella"])
def test_a_title_alone_is_not_taken_off(text):
    assert without_title(text) == text
