"""What counts beside the roster: what the model linked, what people answered, and what they have taught."""

import json

import pytest

from tests.factories import (
    make_alias,
    make_claim,
    make_club,
    make_coach,
    make_player,
    make_team,
    mention,
)
from tests.names.helpers import choose, event, matches, player, resolve, scheduled, the_match
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import settle
from voicepipeline.models import Artifact, PlayerAlias, StageRun
from voicepipeline.stages import resolution

pytestmark = pytest.mark.django_db


def test_what_the_model_linked_our_own_decision_stands_and_the_difference_is_kept(club, note):
    niamh, eoin = player(club, "Niamh Kelly"), player(club, "Eoin Murphy")
    make_claim(note, mentions=[mention("Niamh Kelly", player_id=eoin.pk)])
    match = the_match(note)
    assert (match.player, match.model_player, match.model_agrees) == (niamh, eoin, False)
    assert event(note, "entity_resolution_completed").metadata["model_disagreed"] == 1


def test_what_the_model_linked_the_same_player_is_agreement(club, note):
    niamh = player(club, "Niamh Kelly")
    make_claim(note, mentions=[mention("Niamh Kelly", player_id=niamh.pk)])
    assert the_match(note).model_agrees is True


def test_what_the_model_linked_one_of_two_murphys_stays_a_question(club, note):
    eoin, _ = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, mentions=[mention("Murphy", player_id=eoin.pk)])
    match = the_match(note)
    assert (match.status, match.player, match.model_agrees) == ("needs_disambiguation", None, None)
    assert ["the AI" in row["reason"] for row in match.candidates] == [True, False]
    assert len({row["score"] for row in match.candidates}) == 1


def test_what_the_model_linked_a_name_like_nobodys_becomes_a_question_at_most(club, note):
    niamh = player(club, "Niamh Kelly")
    make_claim(note, mentions=[mention("the Doctor", player_id=niamh.pk)])
    match = the_match(note)
    assert (match.status, match.player) == ("needs_disambiguation", None)
    assert [(row["id"], row["score"]) for row in match.candidates] == [(niamh.pk, 0)]


def test_what_the_model_linked_a_player_of_another_club_is_forgotten(note):
    stranger = make_player()
    make_claim(note, mentions=[mention("Somebody", player_id=stranger.pk)])
    match = the_match(note)
    assert (match.status, match.model_player, match.model_agrees) == ("unresolved", None, None)


def test_one_name_in_a_note_is_one_question_however_it_is_written(club, note):
    player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    make_claim(note, "murphy's", "Murphy")
    found = resolve(note)
    assert {match.name_key for match in found} == {"murphy"}
    assert len({json.dumps(match.candidates) for match in found}) == 1
    assert event(note, "entity_needs_disambiguation").metadata == {"disambiguation_count": 1}


def test_one_name_in_a_note_is_two_questions_as_a_player_and_as_a_coach(club, note):
    player(club, "Siobhán Kelly"), player(club, "Siobhán Murphy")
    make_coach(organization=club, first_name="Siobhán", last_name="Walsh")
    make_claim(note, mentions=[mention("Siobhán"), mention("Siobhán", "coach_name")])
    resolve(note)
    assert event(note, "entity_needs_disambiguation").metadata == {"disambiguation_count": 2}


def test_a_persons_answer_holds_for_the_whole_note(club, note):
    eoin, _ = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    make_claim(note, "Murphy's")
    choice = choose(note, "Murphy", player=eoin)
    found = resolve(note)
    assert [(m.status, m.player, m.score) for m in found] == [("user_resolved", eoin, None)] * 2
    assert {(m.resolved_by, m.resolved_at) for m in found} == {(choice.chosen_by, choice.chosen_at)}


def test_a_persons_answer_about_one_statement_goes_before_that_about_the_note(club, note):
    eoin, sean = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    other = make_claim(note, "Murphy")
    choose(note, "Murphy", player=eoin)
    choose(note, "Murphy", player=sean, claim_key=other.key)
    assert [match.player for match in resolve(note)] == [eoin, sean]


def test_a_persons_answer_may_be_nobody(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh Kelly")
    choice = choose(note, "Niamh Kelly")
    match = the_match(note)
    assert (match.status, match.player, match.resolved_by) == ("unresolved", None, choice.chosen_by)


def test_a_persons_answer_may_be_somebody_of_another_kind(club, coach, note):
    make_claim(note, "Siobhán")
    choose(note, "Siobhán", coach_meant=coach)
    assert the_match(note).coach_meant == coach


def test_a_persons_answer_stands_for_somebody_who_left_the_team_since(club, note):
    gone = player(club, "Niamh Kelly", is_active=False)
    make_claim(note, "Niamh")
    choose(note, "Niamh", player=gone)
    assert the_match(note).player == gone


def test_a_persons_answer_is_asked_for_again_when_whoever_it_was_is_in_another_club(club, note):
    gone = player(make_club(), "Niamh Kelly")
    player(club, "Niamh Walsh")
    make_claim(note, "Niamh")
    choose(note, "Niamh", player=gone)
    match = the_match(note)
    assert (match.status, match.player, match.resolved_by) == ("needs_disambiguation", None, None)
    assert match.reason == "Whoever was chosen for this name is no longer with the club."


def test_a_persons_answer_that_comes_during_the_work_has_it_done_again(club, note):
    eoin, _ = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    taken = claim(scheduled(note).pk, worker="test:1:1")
    output = resolution.work(resolution.load(note))
    choose(note, "Murphy", player=eoin)
    Artifact.objects.filter(pk=note.pk).update(input_version=1)
    settle(taken, output)
    assert StageRun.objects.get(pk=taken.run_id).status == "superseded"
    assert matches(note) == []
    perform(StageRun.objects.get(artifact=note, status="queued").pk)
    assert [match.player for match in matches(note)] == [eoin]


def test_learned_names_are_used_and_counted_once_a_note(club, note):
    alias = make_alias("Nipper", player=player(club, "Niamh Kelly"))
    other = make_alias("Tiny", player=alias.player)
    make_claim(note, "Nipper", "Nipper's")
    assert {match.player for match in resolve(note)} == {alias.player}
    alias.refresh_from_db()
    other.refresh_from_db()
    assert (alias.use_count, alias.last_used_at is not None, other.use_count) == (1, True, 0)


def test_learned_names_of_the_coach_go_before_those_of_the_club(club, coach, note):
    niamh, aoife = player(club, "Niamh Kelly"), player(club, "Aoife Walsh")
    make_alias("Red", player=aoife)
    make_alias("Red", player=niamh, coach=coach)
    make_claim(note, "Red")
    assert the_match(note).player == niamh


def test_learned_names_of_another_coach_or_club_are_not_read(club, note):
    make_alias("Nipper", player=player(club, "Niamh Kelly"), coach=make_coach(organization=club))
    make_alias("Nipper")
    make_claim(note, "Nipper")
    assert the_match(note).status == "unresolved"


def test_learned_names_that_mean_two_players_are_asked_about(club, note):
    for name in ("Niamh Kelly", "Aoife Walsh"):
        make_alias("Red", player=player(club, name))
    make_claim(note, "Red")
    assert the_match(note).status == "needs_disambiguation"
    assert not PlayerAlias.objects.exclude(use_count=0).exists()


def test_learned_names_that_another_player_bears_are_asked_about(club, note):
    make_alias("Red", player=player(club, "Niamh Kelly"))
    player(club, "Red Murphy")
    make_claim(note, "Red")
    assert the_match(note).status == "needs_disambiguation"


@pytest.mark.parametrize("gone", ["inactive", "another club"])
def test_learned_names_of_somebody_who_left_are_asked_about(club, note, gone):
    alias = make_alias("Niamh", player=player(club, "Niamh Kelly"))
    player(club, "Niamh Walsh")
    if gone == "inactive":
        type(alias.player).objects.filter(pk=alias.player_id).update(is_active=False)
    else:
        type(alias.player).objects.filter(pk=alias.player_id).update(organization=make_club())
    make_claim(note, "Niamh")
    assert the_match(note).status == "needs_disambiguation"


def test_learned_names_hold_for_their_own_kind_only(club, note):
    make_alias("The Reds", team=make_team(organization=club, name="Under 14"))
    make_claim(note, mentions=[mention("the reds", "team_name"), mention("the reds")])
    team, nobody = resolve(note)
    assert (team.team.name, nobody.status) == ("Under 14", "unresolved")


def test_learned_names_of_a_team_that_another_bears_are_asked_about(club, note):
    make_alias("Under 16", team=make_team(organization=club, name="Under 14"))
    make_team(organization=club, name="U16")
    make_claim(note, mentions=[mention("under 16s", "team_name")])
    assert the_match(note).status == "needs_disambiguation"


def test_learned_names_give_way_to_a_persons_answer_uncounted(club, note):
    alias = make_alias("Nipper", player=player(club, "Niamh Kelly"))
    aoife = player(club, "Aoife Walsh")
    make_claim(note, "Nipper")
    choose(note, "Nipper", player=aoife)
    assert the_match(note).player == aoife
    alias.refresh_from_db()
    assert alias.use_count == 0
