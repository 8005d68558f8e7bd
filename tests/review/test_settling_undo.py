"""An answer is taken back: the name is a question again, and what it alone taught is forgotten."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import pytest
from django.core.exceptions import PermissionDenied

from tests.factories import make_alias, make_user
from tests.names.conftest import club, coach, note, real_stages
from tests.names.helpers import event, make_read_note
from tests.review.name_helpers import (
    ASK,
    asking,
    entries,
    learned,
    means,
    operator,
    settle,
    statuses,
    take_back,
    the_choice,
    two_murphys,
)
from voicepipeline import roles
from voicepipeline.models import InsightDraft, NameChoice, PipelineEvent, PlayerAlias
from voicepipeline.operations.names import undo_choice

pytestmark = pytest.mark.django_db


@pytest.fixture
def eoin(club):
    return two_murphys(club)[0]


@pytest.fixture
def choice(eoin, note):
    """Somebody has said that Merphy is Eoin."""
    asking(note, "Merphy")
    settle(note, eoin, "Merphy")
    return the_choice(note)


def test_undo_makes_the_name_a_question_again_and_keeps_who_had_answered(note, choice):
    ana = operator(first_name="Ana", last_name="Nowak")
    outcome = take_back(choice, by=ana)
    assert outcome.done
    assert (statuses(note), means(note), entries(note)) == ([ASK], [None], [])
    choice.refresh_from_db()
    assert (choice.undone_by, choice.undone_at is not None, choice.chosen_by) == (ana, True, choice.chosen_by)
    note.refresh_from_db()
    assert (note.input_version, outcome.open_names) == (2, 1)


def test_undo_forgets_the_name_so_that_the_next_note_asks_again(coach, note, choice):
    outcome = take_back(choice)
    assert learned() == []
    assert "It is no longer remembered for other voice notes." in outcome.message
    assert statuses(asking(make_read_note(sender=coach), "Merphy")) == [ASK]


def test_undo_tells_how_often_the_name_had_been_used_meanwhile(coach, choice):
    following = asking(make_read_note(sender=coach), "Merphy")
    outcome = take_back(choice)
    assert "What was matched by it already (once) stays as it is." in outcome.message
    assert statuses(following) == ["auto_resolved"]


def test_undo_keeps_a_name_that_another_answer_rests_on(coach, eoin, note):
    second = make_read_note(sender=coach)
    asking(note), asking(second)  # before anything is learned
    for each in (note, second):
        settle(each, eoin)
    take_back(the_choice(note))
    assert learned() == [("Murphy", eoin)]
    take_back(the_choice(second))
    assert learned() == []


def test_undo_keeps_a_name_that_was_taught_before_anybody_answered(coach, eoin, note):
    taught = make_alias("Murphy", player=eoin, coach=coach)
    asking(note)
    settle(note, eoin)
    assert the_choice(note).alias == taught
    take_back(the_choice(note))
    assert learned() == [("Murphy", eoin)]


def test_undo_leaves_one_event_that_says_who(note, choice):
    ana = operator()
    take_back(choice, by=ana)
    told = event(note, "name_choice_undone")
    assert (told.actor, told.pipeline_stage, told.metadata) == (ana, "entity_resolution", {"kind": "player_name"})


def test_undo_of_what_is_undone_is_told_and_changes_nothing(note, choice):
    take_back(choice, by=operator(first_name="Ana", last_name="Nowak"))
    outcome = take_back(choice)
    assert not outcome.done
    assert outcome.message.startswith("Ana Nowak (")
    note.refresh_from_db()
    assert note.input_version == 2
    assert PipelineEvent.objects.filter(event_type="name_choice_undone").count() == 1


def test_undo_leaves_a_confirmed_entry_and_tells_of_it(note, choice):
    InsightDraft.objects.update(status="confirmed", decided_by=operator(), decided_at=note.received_at)
    outcome = take_back(choice)
    assert [entry.status for entry in entries(note)] == ["confirmed"]
    assert "1 entry that was confirmed before is for somebody else" in outcome.message


def test_undo_of_an_answer_about_one_statement_leaves_that_about_the_note(eoin, note):
    asking(note, "Murphy", "Murphy")
    settle(note, eoin)
    settle(note, None, seen=the_choice(note), claim_key="claim2")
    assert means(note) == [eoin, None]
    take_back(NameChoice.objects.get(claim_key="claim2"))
    assert means(note) == [eoin, eoin]
    assert learned() == [("Murphy", eoin)]


def test_undo_of_an_answer_that_replaced_another_does_not_bring_that_back(club, eoin, note, choice):
    sean = eoin.organization.players.get(first_name="Seán")
    settle(note, sean, "Merphy", seen=choice)
    take_back(NameChoice.objects.get(undone_at=None))
    assert (statuses(note), learned()) == ([ASK], [])


def test_undo_works_when_the_note_does_not_say_the_name_any_more(note, choice):
    InsightDraft.objects.all().delete()
    note.claims.all().delete()
    assert take_back(choice).done
    assert learned() == []


def test_a_name_that_was_removed_by_hand_is_nothing_to_forget(note, choice):
    PlayerAlias.objects.all().delete()
    assert take_back(choice).done


def test_an_unknown_answer_is_refused():
    assert undo_choice(0, by=operator()).message == "There is no such answer."


@pytest.mark.parametrize(
    "who",
    [
        lambda: make_user(roles.VIEWER, reads_content=True),
        lambda: make_user(roles.OPERATOR, reads_content=False),
    ],
    ids=["viewer", "no reader"],
)
def test_who_may_not_settle_names_or_not_read_them_may_not_undo(note, choice, who):
    with pytest.raises(PermissionDenied):
        take_back(choice, by=who())
    assert means(note) == [choice.player]
