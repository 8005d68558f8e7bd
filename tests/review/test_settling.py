"""A person says whom a name means: what is kept, what is learned, and what is made again."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import pytest

from tests.factories import make_claim, make_coach, make_draft, make_team, mention
from tests.names.conftest import club, coach, note, real_stages
from tests.names.helpers import event, make_read_note, player
from tests.review.name_helpers import (
    ASK,
    asking,
    entries,
    learned,
    means,
    operator,
    ready,
    settle,
    statuses,
    take_back,
    the_choice,
    two_murphys,
)
from voicepipeline.models import EntityResolution, InsightDraft, NameChoice, PipelineEvent, PlayerAlias

pytestmark = pytest.mark.django_db


# --- What an answer does ------------------------------------------------------------------------------------------
def test_an_answer_is_kept_with_who_and_when_and_settles_the_name(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    ana = operator(first_name="Ana", last_name="Nowak")
    outcome = settle(note, eoin, by=ana)
    assert outcome.done
    choice = the_choice(note)
    assert (choice.player, choice.chosen_by, choice.raw_text, choice.claim_key) == (eoin, ana, "Murphy", "")
    (match,) = EntityResolution.objects.filter(artifact=note)
    assert (match.status, match.player, match.resolved_by, match.resolved_at) == (
        "user_resolved",
        eoin,
        ana,
        choice.chosen_at,
    )


def test_an_answer_settles_the_same_name_in_every_statement_of_the_note(club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "murphy's", "Murphy")
    settle(note, eoin)
    assert means(note) == [eoin] * 3


def test_an_answer_has_the_open_entries_made_again_at_once(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    assert entries(note) == []
    outcome = settle(note, eoin)
    assert [(entry.player, entry.status) for entry in entries(note)] == [(eoin, "pending")]
    assert outcome.rebuilt.entries
    assert "Its open entries have been made again." in outcome.message


def test_an_answer_leaves_one_event_that_says_who(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    ana = operator()
    settle(note, eoin, by=ana)
    told = event(note, "entity_resolved_by_person")
    assert (told.actor, told.pipeline_stage, told.metadata) == (ana, "entity_resolution", {"kind": "player_name"})


def test_an_answer_tells_how_many_names_of_the_note_are_still_open(club, note):
    eoin, _ = two_murphys(club)
    player(club, "Niamh Kelly"), player(club, "Niamh Walsh")
    asking(note, "Murphy", "Niamh", "Niamh")
    assert settle(note, eoin).open_names == 1


def test_the_state_of_a_note_that_is_ready_does_not_change(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin)
    note.refresh_from_db()
    assert (note.status, note.input_version) == ("completed", 1)


# --- Learning -----------------------------------------------------------------------------------------------------
def test_a_name_is_learned_for_the_coach_who_said_it(club, coach, note):
    eoin, _ = two_murphys(club)
    asking(note)
    outcome = settle(note, eoin)
    alias = PlayerAlias.objects.get()
    assert (alias.coach, alias.organization, alias.kind, alias.text, alias.key) == (
        coach,
        club,
        "player_name",
        "Murphy",
        "murphy",
    )
    assert (alias.created_by, the_choice(note).alias) == (the_choice(note).chosen_by, alias)
    assert outcome.learned
    assert "It is remembered for other voice notes of Siobhán Doyle." in outcome.message


def test_a_name_is_learned_for_the_whole_club_when_nobody_knows_who_said_it(club):
    eoin, _ = two_murphys(club)
    nobodys = asking(make_read_note(organization=club))
    settle(nobodys, eoin)
    assert PlayerAlias.objects.get().coach is None


def test_the_next_note_of_the_coach_resolves_the_same_name_by_itself(club, coach, note):
    eoin, _ = two_murphys(club)
    asking(note, "Merphy")
    settle(note, eoin, "Merphy")
    following = asking(make_read_note(sender=coach), "Merphy")
    assert (statuses(following), means(following)) == (["auto_resolved"], [eoin])


def test_the_next_note_of_another_coach_still_asks(club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Merphy")
    settle(note, eoin, "Merphy")
    other = asking(make_read_note(sender=make_coach(organization=club)), "Merphy")
    assert statuses(other) == [ASK]


@pytest.mark.parametrize(
    ("kind", "name", "make"),
    [
        ("team_name", "the Tigers", lambda club: make_team(organization=club, name="Under 14")),
        ("coach_name", "Coach Mick", lambda club: make_coach(organization=club, first_name="Michael")),
    ],
    ids=["team", "coach"],
)
def test_a_name_is_learned_as_the_kind_that_it_was_said_as(club, note, kind, name, make):
    meant = make(club)
    make_claim(note, mentions=[mention(name, kind)])
    ready(note)
    assert settle(note, meant, name, kind=kind).done
    assert (PlayerAlias.objects.get().kind, learned()) == (kind, [(name, meant)])
    assert means(note) == [meant]


@pytest.mark.parametrize("name", ["she", "Eoin and Seán", "number 7"])
def test_what_is_no_one_name_is_settled_in_this_note_and_not_learned(club, note, name):
    eoin, _ = two_murphys(club)
    asking(note, name)
    outcome = settle(note, eoin, name)
    assert outcome.done
    assert (means(note), learned()) == ([eoin], [])
    assert "It is not remembered for other voice notes" in outcome.message


def test_the_same_answer_in_two_notes_is_one_learned_name(club, coach, note):
    eoin, _ = two_murphys(club)
    second = make_read_note(sender=coach)
    asking(note), asking(second)
    settle(note, eoin), settle(second, eoin)
    assert learned() == [("Murphy", eoin)]
    assert NameChoice.objects.filter(alias=PlayerAlias.objects.get()).count() == 2


# --- Not everywhere, not on the roster ----------------------------------------------------------------------------
def test_for_this_mention_only_settles_one_statement_and_learns_nothing(club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "Murphy")
    outcome = settle(note, eoin, claim_key="claim2")
    assert means(note) == [None, eoin]
    assert statuses(note) == [ASK, "user_resolved"]
    assert (learned(), outcome.learned, outcome.open_names) == ([], False, 1)
    assert "in this one statement" in outcome.message


def test_an_answer_about_one_statement_goes_before_a_later_one_about_the_note(club, note):
    eoin, sean = two_murphys(club)
    asking(note, "Murphy", "Murphy")
    settle(note, eoin, claim_key="claim2")
    settle(note, sean, seen=the_choice(note))
    assert means(note) == [sean, eoin]


def test_nobody_on_the_roster_closes_the_question_and_learns_nothing(club, note):
    two_murphys(club)
    asking(note)
    outcome = settle(note, None)
    assert statuses(note) == ["unresolved"]
    assert (learned(), entries(note), outcome.open_names) == ([], [], 0)
    assert "“Murphy” means nobody on the roster in this voice note." in outcome.message


# --- Confirmed entries --------------------------------------------------------------------------------------------
def test_a_confirmed_entry_is_never_changed_and_is_told_of(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin)
    InsightDraft.objects.update(status="confirmed", decided_by=operator(), decided_at=note.received_at)
    outcome = settle(note, sean, seen=the_choice(note))
    kept, new = entries(note)
    assert (kept.player, kept.status) == (eoin, "confirmed")
    assert (new.player, new.status) == (sean, "pending")
    assert outcome.for_others == (kept.pk,)
    assert "1 entry that was confirmed before is for somebody else" in outcome.message


def test_a_confirmed_entry_for_whom_the_name_means_still_is_nothing_to_tell(club, note):
    eoin, _ = two_murphys(club)
    claim = make_claim(note, "Murphy")
    ready(note)
    make_draft(claim, player=eoin, status="confirmed", decided_by=operator())
    assert settle(note, eoin).for_others == ()


def test_a_rejected_entry_for_somebody_else_is_nothing_to_tell(club, note):
    eoin, sean = two_murphys(club)
    claim = make_claim(note, "Murphy")
    ready(note)
    make_draft(claim, player=sean, status="rejected", decided_by=operator(), decision_reason="No.")
    assert settle(note, eoin).for_others == ()


# --- Changing an answer, and two people ---------------------------------------------------------------------------
def test_an_answer_is_changed_by_who_knows_it_and_the_earlier_one_stays_on_record(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin)
    first, ana = the_choice(note), operator()
    settle(note, sean, seen=first, by=ana)
    first.refresh_from_db()
    assert (first.player, first.undone_by, first.undone_at is not None) == (eoin, ana, True)
    assert means(note) == [sean]
    assert learned() == [("Murphy", sean)]


def test_the_second_of_two_people_is_told_who_answered_what_and_nothing_is_overwritten(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin, by=operator(first_name="Ana", last_name="Nowak"))
    outcome = settle(note, sean)
    assert not outcome.done
    assert outcome.message.startswith("Ana Nowak (")
    assert "“Murphy” means Eoin Murphy." in outcome.message
    assert (means(note), learned()) == ([eoin], [("Murphy", eoin)])
    assert PipelineEvent.objects.filter(event_type="entity_resolved_by_person").count() == 1


def test_the_second_is_told_also_when_the_first_meant_one_statement_only(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin, claim_key="claim1")
    outcome = settle(note, sean)
    assert not outcome.done
    assert "means Eoin Murphy in one statement." in outcome.message


def test_who_says_the_same_a_second_time_is_told_and_nothing_changes(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin)
    outcome = settle(note, eoin)
    assert not outcome.done
    assert "has said so already" in outcome.message
    assert settle(note, eoin, seen=the_choice(note)).done is False


def test_who_saw_an_answer_that_was_taken_back_since_is_told(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin)
    seen = the_choice(note)
    take_back(seen, by=operator(first_name="Ana", last_name="Nowak"))
    outcome = settle(note, sean, seen=seen)
    assert not outcome.done
    assert outcome.message.startswith("Ana Nowak (")
    assert "taken the answer back" in outcome.message
