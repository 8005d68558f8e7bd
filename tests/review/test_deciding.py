"""Deciding about suggested entries: what each decision does, from where it is refused, and what it leaves behind."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_claim, make_club, make_draft, make_note, make_player, make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, EntryDecision, InsightDraft, PipelineEvent
from voicepipeline.operations.entries import expire_entries
from voicepipeline.operations.entry_decisions import (
    confirm_entry,
    decide_note,
    hold_entry,
    reject_entry,
    release_entry,
    undo_entry,
)
from voicepipeline.operations.entry_edits import seen_of, seen_of_all
from voicepipeline.operations.outcome import Outcome

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
STATUSES = ("pending", "confirmed", "automatic", "applied", "rejected", "expired")


@pytest.fixture
def aoife():
    return make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")


@pytest.fixture
def seamus():
    return make_user(roles.OPERATOR, first_name="Séamus", last_name="Roche")


def entry_in(status, **fields):
    """An entry that stands so, whoever brought it there."""
    if status == "automatic":
        return make_draft(status="confirmed", automatic=True, **fields)
    if status in ("confirmed", "applied", "rejected"):
        fields.setdefault("decided_by", make_user(first_name="Orla", last_name="Daly"))
    return make_draft(status=status, **fields)


def on_hold(by, **fields):
    return make_draft(held_at=timezone.now(), held_by=by, held_reason="Ask the coach.", **fields)


def confirm(draft, by, **more):
    return confirm_entry(draft.pk, by=by, seen=seen_of(draft), **more)


def reject(draft, by, reason="Said in passing."):
    return reject_entry(draft.pk, by=by, reason=reason, seen=seen_of(draft))


def hold(draft, by, reason="Ask the coach."):
    return hold_entry(draft.pk, by=by, reason=reason, seen=seen_of(draft))


def release(draft, by):
    return release_entry(draft.pk, by=by, seen=seen_of(draft))


def undo(draft, by, reason="It was another player."):
    return undo_entry(draft.pk, by=by, reason=reason, seen=seen_of(draft))


def the_decision(draft):
    return EntryDecision.objects.get(artifact=draft.artifact, draft_key=draft.key)


def the_event(draft):
    return PipelineEvent.objects.get(artifact=draft.artifact)


# --- Confirming -------------------------------------------------------------------------------------------------------
def test_a_confirmed_entry_says_who_and_when(aoife):
    draft = make_draft(overall_confidence=0.8)
    assert confirm(draft, aoife) == Outcome(True, "Confirmed.")
    draft.refresh_from_db()
    assert (draft.status, draft.decided_by, draft.automatic, draft.suggested) == ("confirmed", aoife, False, {})
    row = the_decision(draft)
    assert (row.kind, row.by, row.decided_at, row.edited) == ("confirmed", aoife, draft.decided_at, {})
    event = the_event(draft)
    assert (event.event_type, event.actor, event.metadata) == (
        "draft_confirmed",
        aoife,
        {"automatic": False, "topic": "performance", "confidence_score": 0.8},
    )


def test_what_somebody_edits_before_confirming_stands_beside_the_machines_words(aoife):
    draft = make_draft(title="Tackled well", topic="performance")
    edits = {"title": "  Tackled bravely ", "description": draft.description, "skill_rating": "4"}
    assert confirm(draft, aoife, edits=edits).message == "Edited and confirmed."
    draft.refresh_from_db()
    assert (draft.status, draft.title, draft.skill_rating) == ("confirmed", "Tackled bravely", 4)
    assert draft.suggested == {"title": "Tackled well", "skill_rating": None}
    assert (the_decision(draft).kind, the_decision(draft).edited) == (
        "edited",
        {"title": "Tackled bravely", "skill_rating": 4},
    )
    assert the_event(draft).event_type == "draft_confirmed"


def test_an_edit_that_changes_nothing_is_a_plain_confirmation(aoife):
    draft = make_draft()
    confirm(draft, aoife, edits={"title": draft.title, "severity": ""})
    assert the_decision(draft).kind == "confirmed"


def test_an_edited_topic_moves_the_entry_to_its_place(aoife):
    draft = make_draft(topic="performance", display_order=411)
    confirm(draft, aoife, edits={"topic": "injury", "severity": "critical"})
    draft.refresh_from_db()
    assert (draft.topic, draft.severity, draft.display_order) == ("injury", "critical", 0)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ({"quote": "Something nicer"}, "The quote is what was said"),
        ({"player_id": 7}, "These cannot be edited: player_id."),
        ({"title": "  "}, "The title is empty"),
        ({"description": "\x00"}, "The description is empty"),
        ({"title": "x" * 201}, "The title has 201 characters; at most 200 fit."),
        ({"recommended_action": "x" * 3001}, "The recommended action has 3,001 characters"),
        ({"topic": "gossip"}, "There is no such topic."),
        ({"topic": ""}, "There is no such topic."),
        ({"sentiment": "furious"}, "There is no such sentiment."),
        ({"severity": "low"}, "Only injury and wellbeing have a severity"),
        ({"topic": "recovery", "severity": "low"}, "Only injury and wellbeing have a severity"),
        ({"skill_rating": "6"}, "A skill is rated from 1 to 5"),
        ({"skill_rating": "four"}, "A skill is rated from 1 to 5"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_edit_that_does_not_fit_is_refused_and_nothing_is_confirmed(aoife, edits, said):
    draft = make_draft()
    outcome = confirm(draft, aoife, edits=edits)
    assert (outcome.done, outcome.message[: len(said)]) == (False, said)
    draft.refresh_from_db()
    assert (draft.status, EntryDecision.objects.count()) == ("pending", 0)


def test_an_injury_whose_topic_is_edited_cannot_keep_its_severity(aoife):
    draft = make_draft(topic="injury", severity="high")
    assert not confirm(draft, aoife, edits={"topic": "attendance"}).done
    assert confirm(draft, aoife, edits={"topic": "attendance", "severity": ""}).done


# --- Rejecting and holding --------------------------------------------------------------------------------------------
def test_a_rejected_entry_keeps_the_reason(aoife):
    draft = make_draft()
    assert reject(draft, aoife, "  It was another match. ").done
    draft.refresh_from_db()
    assert (draft.status, draft.decided_by, draft.decision_reason) == ("rejected", aoife, "It was another match.")
    assert the_decision(draft).reason == "It was another match."
    assert (the_event(draft).event_type, the_event(draft).actor) == ("draft_rejected", aoife)
    assert "match" not in str(the_event(draft).metadata)


@pytest.mark.parametrize("decide", [reject, undo])
def test_a_decision_that_needs_a_reason_is_refused_without_one(aoife, decide):
    draft = entry_in("pending" if decide is reject else "confirmed")
    outcome = decide(draft, aoife, " \x00 ")
    assert (outcome.done, outcome.message) == (False, "Say why: the reason is kept with the entry.")


def test_an_entry_on_hold_does_not_expire(aoife):
    draft = make_draft(expires_at=timezone.now() - timedelta(seconds=1))
    assert hold(draft, aoife).done
    expire_entries(now=timezone.now() + timedelta(days=400))
    draft.refresh_from_db()
    assert (draft.status, draft.held_by, draft.held_reason) == ("pending", aoife, "Ask the coach.")
    assert (the_decision(draft).kind, the_decision(draft).reason) == ("held", "Ask the coach.")


def test_an_entry_off_hold_has_a_new_entrys_time(aoife, seamus):
    draft = on_hold(seamus, expires_at=timezone.now() - timedelta(days=3))
    assert release(draft, aoife).done
    draft.refresh_from_db()
    assert (draft.status, draft.held_at, draft.held_by, draft.held_reason) == ("pending", None, None, "")
    assert draft.expires_at - timezone.now() > WEEK - timedelta(minutes=1)
    assert (the_decision(draft).kind, the_decision(draft).by) == ("released", aoife)


def test_an_entry_on_hold_can_be_confirmed_by_itself(aoife, seamus):
    draft = on_hold(seamus)
    assert confirm(draft, aoife).done
    draft.refresh_from_db()
    assert (draft.status, draft.held_at) == ("confirmed", None)


def test_who_puts_on_hold_what_is_on_hold_is_told_by_whom(aoife, seamus):
    outcome = hold(on_hold(seamus), aoife)
    assert outcome.message.startswith("Séamus Roche put it on hold at ")
    assert not outcome.done


def test_who_takes_off_hold_what_is_off_already_is_told_by_whom(aoife, seamus):
    draft = on_hold(seamus)
    release(draft, seamus)
    outcome = release(draft, aoife)
    assert outcome.message.startswith("It is not on hold any more. Taken off hold by Séamus Roche at ")


@pytest.mark.parametrize("decide", [hold, release, undo])
def test_a_run_in_flight_sees_that_somebody_has_taken_an_entry_up(aoife, seamus, decide):
    draft = {hold: make_draft, release: lambda: on_hold(seamus), undo: lambda: entry_in("confirmed")}[decide]()
    assert decide(draft, aoife).done
    assert Artifact.objects.get(pk=draft.artifact_id).input_version == 1


# --- Taking back ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", STATUSES[1:])
def test_what_was_decided_is_taken_back_with_who_and_why(aoife, status):
    over = timezone.now() - timedelta(days=1)
    draft = entry_in(status, decision_reason="Already entered." if status == "rejected" else "", expires_at=over)
    assert undo(draft, aoife).message == "Taken back. It is to be confirmed again."
    was_automatic = draft.automatic
    decided = draft.status
    draft.refresh_from_db()
    assert (draft.status, draft.decided_by, draft.decided_at, draft.automatic) == ("pending", None, None, False)
    assert (draft.decision_reason, draft.person_needed_because) == ("", "taken_up_by_a_person")
    assert draft.expires_at - timezone.now() > WEEK - timedelta(minutes=1)
    row = the_decision(draft)
    assert (row.kind, row.by, row.reason) == ("undone", aoife, "It was another player.")
    assert (row.undone_status, row.undone_automatic) == (decided, was_automatic)
    event = the_event(draft)
    assert (event.event_type, event.actor) == ("draft_undone", aoife)
    assert event.metadata == {"automatic": was_automatic, "topic": "performance", "outcome": decided}


def test_taking_back_puts_the_machines_words_back_and_keeps_the_persons(aoife, seamus):
    draft = make_draft(title="Limps", topic="injury", severity="medium", display_order=200)
    confirm(draft, seamus, edits={"title": "Missed a session", "topic": "attendance", "severity": ""})
    draft.refresh_from_db()
    assert undo(draft, aoife).done
    draft.refresh_from_db()
    assert (draft.title, draft.topic, draft.severity, draft.suggested) == ("Limps", "injury", "medium", {})
    assert draft.display_order == 200
    edited = EntryDecision.objects.get(kind="edited").edited
    assert edited == {"title": "Missed a session", "topic": "attendance", "severity": ""}


def test_an_entry_can_be_confirmed_taken_back_and_confirmed_again(aoife):
    draft = make_draft()
    for decide in (confirm, undo, confirm):
        assert decide(draft, aoife).done
        draft.refresh_from_db()
    told = list(PipelineEvent.objects.order_by("id").values_list("event_type", flat=True))
    assert told == ["draft_confirmed", "draft_undone", "draft_confirmed"]
    kinds = EntryDecision.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["confirmed", "undone", "confirmed"]


# --- Who comes second -------------------------------------------------------------------------------------------------
TOLD = {
    "confirmed": "Orla Daly has already confirmed it, at ",
    "automatic": "It was confirmed automatically at ",
    "applied": "Orla Daly has already applied it, at ",
    "rejected": "Orla Daly has already rejected it, at ",
    "expired": "It expired at ",
}


@pytest.mark.parametrize("decide", [confirm, reject, hold, release])
@pytest.mark.parametrize("status", STATUSES[1:])
def test_what_is_decided_is_not_decided_again_and_says_who_did(aoife, decide, status):
    draft = entry_in(status)
    before = InsightDraft.objects.filter(pk=draft.pk).values().get()
    outcome = decide(draft, aoife)
    assert (outcome.done, outcome.message[: len(TOLD[status])]) == (False, TOLD[status])
    assert InsightDraft.objects.filter(pk=draft.pk).values().get() == before
    assert (EntryDecision.objects.count(), PipelineEvent.objects.count()) == (0, 0)


def test_what_waits_cannot_be_taken_back(aoife, seamus):
    draft = entry_in("confirmed")
    undo(draft, seamus)
    draft.refresh_from_db()
    outcome = undo(draft, aoife)
    assert not outcome.done
    assert outcome.message.startswith("It is to be confirmed already. Taken back by Séamus Roche at ")


def test_a_decision_that_came_since_is_not_taken_back_unseen(aoife, seamus):
    draft = entry_in("confirmed")
    seen = seen_of(draft)
    undo(draft, seamus)
    draft.refresh_from_db()
    reject(draft, seamus)
    outcome = undo_entry(draft.pk, by=aoife, reason="Too soon.", seen=seen)
    assert not outcome.done
    assert "Séamus Roche has already rejected it" in outcome.message


@pytest.mark.parametrize("decide", [confirm, reject, hold, release, undo])
def test_an_entry_that_is_gone_is_refused_plainly(aoife, decide):
    draft = make_draft()
    gone = InsightDraft.objects.get(pk=draft.pk)
    draft.delete()
    outcome = decide(gone, aoife)
    assert (outcome.done, outcome.message[:37]) == (False, "This entry is not there any more: its")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Something else"},
        {"description": "Something else"},
        {"quote": "Something else"},
        {"topic": "attendance"},
        {"skill_rating": 2},
        {"key": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("decide", [confirm, reject, hold])
def test_an_entry_that_has_changed_since_is_not_decided_about(aoife, decide, change):
    draft = make_draft()
    InsightDraft.objects.filter(pk=draft.pk).update(**change)
    outcome = decide(draft, aoife)
    assert (outcome.done, outcome.message) == (
        False,
        "It has changed since you looked, so nothing was done. Look again.",
    )


def test_an_entry_that_is_for_somebody_else_since_is_not_confirmed(aoife):
    club = make_club()
    draft = make_draft(player=make_player(organization=club))
    InsightDraft.objects.filter(pk=draft.pk).update(player=make_player(organization=club))
    assert not confirm(draft, aoife).done


def test_an_entry_that_was_put_on_hold_since_is_not_confirmed_unawares(aoife, seamus):
    draft = make_draft()
    hold(draft, seamus)
    outcome = confirm(draft, aoife)
    assert not outcome.done
    assert "Séamus Roche put it on hold at" in outcome.message


@pytest.mark.parametrize("stands", ["its statement is gone", "its note failed"])
def test_what_was_made_of_old_data_is_not_confirmed_but_may_be_rejected(aoife, stands):
    draft = make_draft()
    if stands == "its statement is gone":
        draft.claim.delete()
    else:
        failed = {"failed_stage": "transcription", "error_code": "audio_unsupported"}
        Artifact.objects.filter(pk=draft.artifact_id).update(status="failed", **failed)
    draft.refresh_from_db()
    outcome = confirm(draft, aoife)
    assert (outcome.done, outcome.message[:46]) == (False, "What it was made of is no longer in use: its v")
    assert reject(draft, aoife).done


# --- All entries of a note --------------------------------------------------------------------------------------------
@pytest.fixture
def note(seamus):
    note = make_note()
    claim = make_claim(note)
    for number in range(3):
        make_draft(claim, title=f"Number {number}", topic="injury" if number == 0 else "performance")
    on_hold(seamus, artifact=note)
    entry_in("rejected", artifact=note)
    return note


def waiting(note):
    return list(note.drafts.filter(status="pending", held_at=None))


def decide_all(note, by, verb="confirmed", **more):
    return decide_note(note.artifact_id, verb, by=by, seen=seen_of_all(waiting(note)), **more)


@pytest.mark.parametrize("verb", ["confirmed", "rejected"])
def test_all_of_a_note_are_decided_but_those_on_hold(aoife, note, verb):
    assert decide_all(note, aoife, verb, reason="All said in passing.").message == f"3 entries {verb}."
    assert list(note.drafts.filter(title__startswith="Number").values_list("status", flat=True)) == [verb] * 3
    assert note.drafts.filter(held_at__isnull=False, status="pending").count() == 1
    rows = EntryDecision.objects.filter(artifact=note, by=aoife, kind=verb)
    assert {row.reason for row in rows} == {"All said in passing." if verb == "rejected" else ""}
    assert rows.count() == 3
    assert PipelineEvent.objects.filter(artifact=note, actor=aoife, event_type=f"draft_{verb}").count() == 3


def test_all_of_a_note_are_rejected_for_a_reason_only(aoife, note):
    assert decide_all(note, aoife, "rejected", reason=" ").message.startswith("Say why")


def test_all_of_a_note_are_confirmed_as_they_were_seen_or_not_at_all(aoife, note):
    seen = seen_of_all(waiting(note))
    make_draft(note.claims.first(), title="Came later")
    outcome = decide_note(note.artifact_id, "confirmed", by=aoife, seen=seen)
    assert (outcome.done, "changed since you looked" in outcome.message) == (False, True)
    assert not EntryDecision.objects.exists()


def test_who_confirms_all_of_a_note_second_is_told(aoife, seamus, note):
    decide_all(note, seamus)
    outcome = decide_all(note, aoife)
    assert outcome.message == "None of its entries waits to be confirmed any more."


def test_a_note_that_is_not_there_is_refused_plainly(aoife):
    outcome = decide_note(uuid.uuid4(), "confirmed", by=aoife, seen="")
    assert outcome.message == "There is no voice note with this id."


def test_a_long_note_is_decided_in_as_many_queries_as_a_short_one(aoife):
    def queries(count):
        note = make_note()
        claim = make_claim(note)
        for _ in range(count):
            make_draft(claim)
        user = type(aoife).objects.get(pk=aoife.pk)
        with CaptureQueriesContext(connection) as captured:
            assert decide_all(note, user).done
        return len(captured)

    assert queries(1) == queries(60)


# --- Who may ----------------------------------------------------------------------------------------------------------
WITHOUT = [
    (roles.VIEWER, True),
    (roles.OPERATOR, False),
    (roles.ADMINISTRATOR, False),
]


@pytest.mark.parametrize(("role", "reads"), WITHOUT)
@pytest.mark.parametrize("decide", [confirm, reject, hold, release, undo])
def test_deciding_takes_the_role_and_the_right_to_read(decide, role, reads):
    draft = make_draft()
    with pytest.raises(PermissionDenied):
        decide(draft, make_user(role, reads_content=reads))


@pytest.mark.parametrize(("role", "reads"), WITHOUT)
def test_deciding_about_all_of_a_note_takes_the_role_and_the_right_to_read(role, reads):
    with pytest.raises(PermissionDenied):
        decide_note(make_note().artifact_id, "confirmed", by=make_user(role, reads_content=reads), seen="")
