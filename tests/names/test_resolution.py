"""Matching names, through the engine: who is linked, who is asked about, and what a person's answer does."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    make_alias,
    make_claim,
    make_club,
    make_coach,
    make_note,
    make_resolution,
    make_team,
    mention,
)
from tests.names.helpers import choose, event, make_read_note, player, resolve, the_match
from voicepipeline.models import Artifact, EntityResolution, NameChoice, PipelineEvent
from voicepipeline.stages import resolution
from voicepipeline.stages.names import MOST_NAMES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("said", "roster", "status", "meant"),
    [
        ("Neve Kelly", ["Niamh Kelly", "Eoin Murphy"], "auto_resolved", "Niamh Kelly"),
        ("Niamh Kelly's", ["Niamh Kelly"], "auto_resolved", "Niamh Kelly"),
        ("Murphy", ["Eoin Murphy", "Seán Murphy"], "needs_disambiguation", None),
        ("Owen Murphy", ["Eoin Murphy", "Eoghan Murphy"], "needs_disambiguation", None),
        ("Neve Kelly", ["Neve Kelleher"], "needs_disambiguation", None),
        ("Niamh and Eoin", ["Niamh Kelly", "Eoin Murphy"], "needs_disambiguation", None),
        ("Zebedee Quux", ["Niamh Kelly", "Eoin Murphy"], "unresolved", None),
        ("number 7", ["Niamh Kelly"], "unresolved", None),
        ("x" * 200, ["Niamh Kelly"], "unresolved", None),
    ],
)
def test_a_players_name(club, note, said, roster, status, meant):
    for name in roster:
        player(club, name)
    make_claim(note, said)
    match = the_match(note)
    assert (match.status, match.player and str(match.player)) == (status, meant)
    assert match.reason


def test_two_murphys_are_offered_with_score_and_reason(club, note):
    eoin, sean = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    match = the_match(note)
    assert {row["id"] for row in match.candidates} == {eoin.pk, sean.pk}
    assert all(set(row) == {"id", "name", "score", "reason"} and row["reason"] for row in match.candidates)
    assert "2 people fit equally well" in match.reason


def test_no_more_than_five_are_offered(club, note):
    for first in ("Eoin", "Seán", "Aoife", "Ciara", "Conor", "Róisín", "Tadhg"):
        player(club, f"{first} Murphy")
    make_claim(note, "Murphy")
    assert len(the_match(note).candidates) == 5


def test_a_player_of_another_team_and_one_who_left_are_asked_about(club, coach, note):
    coach.teams.add(make_team(organization=club, name="Girls"))
    player(club, "Niamh Kelly", team=make_team(organization=club, name="Boys"))
    player(club, "Eoin Murphy", is_active=False)
    make_claim(note, "Niamh Kelly", "Eoin Murphy")
    other, gone = resolve(note)
    assert (other.status, gone.status) == ("needs_disambiguation", "needs_disambiguation")
    assert ("another team" in other.reason, "no longer active" in gone.reason) == (True, True)


def test_players_of_another_club_are_nobody(note):
    player(make_club(), "Niamh Kelly")
    make_claim(note, "Niamh Kelly")
    assert the_match(note).status == "unresolved"


def test_without_a_club_nobody_is_asked_anything():
    note = make_read_note(organization=None)
    make_claim(note, mentions=[mention("Niamh"), mention("the backs", "group_reference")])
    name, group = resolve(note)
    assert (name.status, "club of this voice note is not known" in name.reason) == ("unresolved", True)
    assert group.status == "auto_resolved"


def test_a_group_needs_no_person(note):
    make_claim(note, mentions=[mention("the backs", "group_reference")])
    match = the_match(note)
    assert (match.status, match.player, match.score) == ("auto_resolved", None, None)


@pytest.mark.parametrize(
    ("said", "teams", "status", "meant"),
    [
        ("the under 14s", ["Under 14", "Under 16"], "auto_resolved", "Under 14"),
        ("U-14", ["Under 14"], "auto_resolved", "Under 14"),
        ("under-fourteen's team", ["U14"], "auto_resolved", "U14"),
        ("under 16 girls", ["U16 Girls", "U16 Boys"], "auto_resolved", "U16 Girls"),
        ("the under 16s", ["U16 Girls", "U16 Boys"], "needs_disambiguation", None),
        ("under 16s", ["U16 Girls"], "needs_disambiguation", None),
        ("the sixteens", ["U16"], "needs_disambiguation", None),
        ("under 14", ["Under 14", "U14"], "needs_disambiguation", None),
        ("Shamroks", ["Shamrocks"], "needs_disambiguation", None),
        ("U18", ["U16"], "unresolved", None),
        ("Kilmacud", ["Under 14"], "unresolved", None),
        ("the team", ["Under 14"], "auto_resolved", "Under 14"),
        ("the team", ["Under 14", "Under 16"], "needs_disambiguation", None),
        ("the team", [], "unresolved", None),
        ("the first team", ["Under 14"], "unresolved", None),
    ],
)
def test_a_teams_name(club, note, said, teams, status, meant):
    for name in teams:
        make_team(organization=club, name=name)
    make_claim(note, mentions=[mention(said, "team_name")])
    match = the_match(note)
    assert (match.status, match.team and match.team.name) == (status, meant)


@pytest.mark.parametrize(("own", "status"), [(["U14"], "auto_resolved"), (["U14", "U16"], "needs_disambiguation")])
def test_the_team_is_the_coachs_own_if_there_is_only_one(club, coach, note, own, status):
    make_team(organization=club, name="U18")
    coach.teams.set([make_team(organization=club, name=name) for name in own])
    make_claim(note, mentions=[mention("the team", "team_name")])
    match = the_match(note)
    assert match.status == status
    assert {row["name"] for row in match.candidates} == set(own)


def test_a_team_that_is_no_longer_active_is_asked_about(club, note):
    make_team(organization=club, name="U14", is_active=False)
    make_claim(note, mentions=[mention("under 14s", "team_name")])
    assert the_match(note).status == "needs_disambiguation"


def test_a_coach_is_matched_like_a_player(club, coach, note):
    make_claim(note, mentions=[mention("Coach Shivawn Doyle", "coach_name"), mention("Dermot", "coach_name")])
    known, stranger = resolve(note)
    assert (known.coach_meant, stranger.status) == (coach, "unresolved")


def test_two_coaches_of_one_name_are_asked_about(club, coach, note):
    make_coach(organization=club, first_name="Siobhán", last_name="Walsh")
    make_claim(note, mentions=[mention("Siobhán", "coach_name")])
    assert the_match(note).status == "needs_disambiguation"


def test_statements_say_whether_their_names_are_clear(club, note):
    for name in ("Niamh Kelly", "Eoin Murphy", "Seán Murphy"):
        player(club, name)
    for names in (["Niamh"], ["Niamh", "Murphy"], ["Zebedee"], []):
        make_claim(note, *names)
    resolve(note)
    statuses = note.claims.order_by("number").values_list("status", flat=True)
    assert list(statuses) == ["resolved", "needs_disambiguation", "resolved", "resolved"]


def test_the_event_counts_what_became_of_the_mentions(club, note):
    for name in ("Niamh Kelly", "Eoin Murphy", "Seán Murphy", "Aoife Walsh"):
        player(club, name)
    make_claim(note, "Niamh", "Murphy", "Murphy's", "Zebedee", "Aoife")
    choose(note, "Aoife", player=player(club, "Aoife Kelly"))
    resolve(note)
    counts = event(note, "entity_resolution_completed").metadata
    assert {key: counts[key] for key in counts if key not in ("attempt",)} == {
        "entity_count": 5,
        "auto_resolved": 1,
        "user_resolved": 1,
        "unresolved": 1,
        "disambiguation_count": 1,
        "model_disagreed": 0,
    }


def test_a_note_with_nothing_open_says_nothing_of_questions(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh")
    resolve(note)
    assert not PipelineEvent.objects.filter(artifact=note, event_type="entity_needs_disambiguation").exists()


def test_a_flood_of_names_is_looked_up_to_a_bound(club, note):
    niamh = player(club, "Niamh Kelly")
    for number in range(MOST_NAMES // 40 + 1):
        make_claim(note, *(f"{'x' * (number + 2)} {'z' * (one + 2)}" for one in range(40)))
    make_claim(note, "Niamh", mentions=[mention("Niamh"), mention("Niamh Kelly", player_id=niamh.pk)])
    *_, early, late = resolution.work(resolution.load(note)).data.matches
    assert "more names in this note" in early.reason
    assert (early.status, late.status) == ("unresolved", "needs_disambiguation")


def test_stored_twice_the_matches_are_there_once(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh", "Zebedee")
    output = resolution.work(resolution.load(note))
    for _ in range(2):
        resolution.store(note, output.data)
    assert EntityResolution.objects.filter(artifact=note).count() == 2


def test_removed_the_matches_are_counted_and_the_answers_stay(club, note):
    make_claim(note, "Niamh", "Zebedee")
    choose(note, "Niamh")
    resolve(note)
    other = make_claim(make_note(), "Niamh")
    make_resolution(other)
    assert resolution.remove(note) == {"matched names": 2}
    assert set(note.claims.values_list("status", flat=True)) == {"extracted"}
    assert (NameChoice.objects.count(), EntityResolution.objects.count()) == (1, 1)


def queries_of_loading(note):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        resolution.load(Artifact.objects.get(pk=note.pk))
    return len(captured)


def test_a_long_note_is_loaded_in_as_many_queries_as_a_short_one(club, note):
    make_claim(note, "Niamh")
    few = queries_of_loading(note)
    for _ in range(60):
        make_claim(note, "Niamh", "Murphy", "Aoife")
    for number in range(30):
        make_alias(f"Nick {number}", player=player(club, "Niamh Kelly"))
    assert queries_of_loading(note) == few <= 9


def test_twenty_names_against_three_hundred_players_take_far_less_than_a_second(club, note):
    firsts = "Niamh Aoife Siobhán Caoimhe Gráinne Ciara Róisín Orla Sinéad Eoin Seán Oisín Tadhg Cathal Conor"
    lasts = "Murphy Kelly Walsh Byrne Ryan Doyle Nolan Daly Burke Casey Foley Quinn Power Keane Sheehy Lally Roche"
    names = [f"{first} {last}" for first in firsts.split() for last in f"{lasts} Moran Egan Tierney".split()]
    for name in names:
        player(club, name)
    for name in names[::15]:
        make_claim(note, name)
    given = resolution.load(note)
    begun = time.perf_counter()
    output = resolution.work(given)
    assert time.perf_counter() - begun < 1
    assert {match.status for match in output.data.matches} == {"auto_resolved"}
