"""Homes for voice notes: their club, their coach, and somebody who has listened."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from tests.factories import (
    make_alias,
    make_claim,
    make_club,
    make_coach,
    make_draft,
    make_note,
    make_team,
    make_transcript,
    make_user,
)
from tests.names.helpers import DRAFTS, REAL_STAGES, make_read_note, player, resolve, scheduled
from tests.review.name_helpers import asking, entries, learned, means, operator, settle, statuses, take_back, the_choice
from tests.threads import at_once
from voicepipeline import roles
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import finish
from voicepipeline.models import Artifact, EntityResolution, InsightDraft, NoteDecision, StageRun, Transcript
from voicepipeline.operations.notes import close_artifact
from voicepipeline.operations.placing import assign_club, attach_coach, mark_reviewed
from voicepipeline.stages import transcription

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _real_stages(settings):
    settings.STAGE_CODE = REAL_STAGES


@pytest.fixture
def club():
    return make_club(name="Na Fianna")


@pytest.fixture
def aoife():
    return operator(first_name="Aoife", last_name="Kelly")


def assign(note, club, *, by=None, seen=...):
    note.refresh_from_db()
    seen = note.organization_id if seen is ... else seen
    return assign_club(note.artifact_id, club=club, by=by or operator(), seen=seen)


def attach(note, coach, *, by=None, seen=...):
    note.refresh_from_db()
    seen = note.sender_id if seen is ... else seen
    return attach_coach(note.artifact_id, coach=coach, by=by or operator(), seen=seen)


def decisions(note):
    return list(NoteDecision.objects.filter(artifact=note).order_by("id").values_list("kind", "reason"))


def homes(note):
    """The club and the coach of the note and of all its rows."""
    note.refresh_from_db()
    found = {(note.organization_id, note.sender_id)}
    for model in (EntityResolution, InsightDraft):
        found |= set(model.objects.filter(artifact=note).values_list("organization_id", "sender_id"))
    return found


def homeless(**fields):
    return make_read_note(organization=None, **fields)


def flagged_note(verdict="flagged"):
    note = make_note(status="completed", completed_at="2026-11-20T10:00Z", first_completed_at="2026-11-20T10:00Z")
    make_transcript(note, verdict=verdict)
    return note


# --- A club -----------------------------------------------------------------------------------------------------------
def test_a_note_without_a_club_gets_one_and_its_names_and_entries_are_made_from_that_roster(club, aoife):
    murphy = player(club, "Eoin Murphy")
    note = asking(homeless(), "Eoin Murphy")
    assert statuses(note) == ["unresolved"]
    outcome = assign(note, club, by=aoife)
    assert outcome.done
    assert outcome.message == "It is a voice note of Na Fianna now. Its names have been matched again."
    assert means(note) == [murphy]
    assert [entry.player for entry in entries(note)] == [murphy]
    assert homes(note) == {(club.pk, None)}
    assert decisions(note) == [("club_assigned", "Na Fianna")]
    assert NoteDecision.objects.get().by == aoife


def test_the_chosen_club_comes_first_among_the_possible_ones_and_the_others_stay(club):
    other = {"organization_id": make_club().pk, "confidence": 0.4}
    doubted = {"organization_id": club.pk, "confidence": 0.2}
    note = make_note(organization=None, org_context_candidates=[other, doubted])
    assign(note, club)
    note.refresh_from_db()
    assert note.org_context_candidates == [{"organization_id": club.pk, "confidence": 1.0}, other]
    assert note.most_likely_organization_id() == club.pk


def test_a_wrong_club_is_changed_and_nothing_of_the_old_roster_is_left(club):
    wrong, coach = make_club(), None
    old, new = player(wrong, "Eoin Murphy"), player(club, "Eoin Murphy")
    note = asking(make_read_note(organization=wrong, sender=coach), "Eoin Murphy")
    assert means(note) == [old]
    assert assign(note, club).done
    assert means(note) == [new]
    assert [entry.player for entry in entries(note)] == [new]
    assert homes(note) == {(club.pk, None)}


@pytest.mark.parametrize("answer", ["a player", "nobody"])
def test_answers_from_the_old_roster_count_no_more_and_what_they_taught_is_forgotten(club, answer):
    wrong = make_club()
    murphys = player(wrong, "Eoin Murphy"), player(wrong, "Seán Murphy")
    player(club, "Liam Murphy"), player(club, "Colm Murphy")
    note = asking(make_read_note(organization=wrong))
    settle(note, murphys[0] if answer == "a player" else None)
    outcome = assign(note, club)
    assert "1 answer about its names counts no more." in outcome.message
    assert statuses(note) == ["needs_disambiguation"]
    assert the_choice(note).undone_at is not None
    assert learned() == []
    assert not take_back(the_choice(note)).done


def test_a_name_that_was_taught_before_stays_taught(club):
    wrong = make_club()
    murphy = player(wrong, "Eoin Murphy")
    player(wrong, "Seán Murphy")
    note = asking(make_read_note(organization=wrong))
    make_alias("Murphy", player=murphy)
    settle(note, murphy)
    assert assign(note, club).done
    assert learned() == [("Murphy", murphy)]


@pytest.mark.parametrize("status", ["confirmed", "applied"])
def test_the_club_stays_while_an_entry_is_confirmed_for_it(club, status):
    note = make_note()
    old = note.organization
    make_draft(make_claim(note), status=status, decided_by=make_user())
    outcome = assign(note, club)
    assert not outcome.done
    assert outcome.message == f"1 entry is confirmed from this voice note, for {old}. Take them back first."
    assert homes(note) == {(old.pk, None)}
    assert decisions(note) == []


@pytest.mark.parametrize("status", ["rejected", "expired"])
def test_entries_that_are_not_on_anybodys_profile_go_with_their_note(club, status):
    note = make_note()
    fields = {"decided_by": make_user()} if status == "rejected" else {}
    make_draft(make_claim(note), status=status, **fields)
    assert assign(note, club).done
    assert homes(note) == {(club.pk, None)}


def test_a_to_do_that_was_confirmed_while_nobody_knew_the_club_is_no_hindrance(club):
    note = make_note(organization=None)
    make_draft(make_claim(note, topic="todo"), status="confirmed", decided_by=make_user())
    assert assign(note, club).done
    assert homes(note) == {(club.pk, None)}


def test_a_club_that_is_no_longer_active_gets_no_notes(club):
    note = make_note(organization=None)
    gone = make_club(name="Old Boys", is_active=False)
    assert assign(note, gone).message == "Old Boys is no longer active. Choose another club."
    assert decisions(note) == []


def test_the_same_club_twice_is_told_and_not_done_twice(club):
    note = make_note(organization=club)
    outcome = assign(note, club)
    assert (outcome.done, outcome.message) == (False, "Na Fianna is its club already.")
    assert decisions(note) == []


def test_who_comes_second_with_another_club_is_told_who_was_first(club, aoife):
    note = make_note(organization=None)
    assign(note, club, by=aoife)
    outcome = assign(note, make_club(), seen=None)
    assert not outcome.done
    assert outcome.message == "Aoife Kelly has said since you looked that its club is Na Fianna. Nothing was changed."
    assert decisions(note) == [("club_assigned", "Na Fianna")]


def test_a_coach_of_another_club_is_told_of(club):
    coach = make_coach(organization=make_club(name="Kilmacud"), first_name="Niamh", last_name="Byrne")
    outcome = assign(make_note(sender=coach), club)
    assert outcome.message.endswith("Its coach, Niamh Byrne, is of Kilmacud: attach the right one.")


# --- A club, at every moment of a note's way --------------------------------------------------------------------------
def test_a_note_whose_names_nobody_has_looked_at_yet_is_matched_with_the_new_roster(club):
    murphy = player(club, "Eoin Murphy")
    note = homeless()
    make_claim(note, "Eoin Murphy")
    outcome = assign(note, club)
    assert outcome.message == "It is a voice note of Na Fianna now."
    resolve(note)
    assert means(note) == [murphy]


def test_names_that_were_matched_without_the_club_are_matched_again_when_the_worker_comes_back(club):
    murphy = player(club, "Eoin Murphy")
    note = homeless()
    make_claim(note, "Eoin Murphy")
    taken = claim(scheduled(note).pk, worker="test:1:1")
    found = taken.stage.code.work(taken.stage.code.load(Artifact.objects.get(pk=note.pk)))
    assign(note, club)
    finish(taken, found)
    assert not EntityResolution.objects.filter(artifact=note).exists()
    perform(StageRun.objects.get(artifact=note, status="queued").pk)
    assert means(note) == [murphy]
    assert homes(note) == {(club.pk, None)}


def test_entries_that_were_made_without_the_club_are_made_again(club):
    murphy = player(club, "Eoin Murphy")
    note = homeless()
    make_claim(note, "Eoin Murphy")
    resolve(note)
    taken = claim(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk, worker="test:1:1")
    found = taken.stage.code.work(taken.stage.code.load(Artifact.objects.get(pk=note.pk)))
    assert assign(note, club).done
    assert means(note) == [murphy]
    finish(taken, found)
    assert entries(note) == []
    perform(StageRun.objects.get(artifact=note, status="queued").pk)
    assert [entry.player for entry in entries(note)] == [murphy]
    assert homes(note) == {(club.pk, None)}


@pytest.mark.parametrize("closed", [False, True], ids=["failed", "closed"])
def test_a_note_that_failed_can_have_a_club_too(club, closed):
    note = make_note(
        organization=None, status="failed", failed_stage="transcription", error_code="too_long", fingerprint="x"
    )
    if closed:
        close_artifact(note.artifact_id, by=operator(), reason="Nobody needs it.")
    assert assign(note, club).done
    assert homes(note) == {(club.pk, None)}


# --- A coach ----------------------------------------------------------------------------------------------------------
def test_a_coach_is_attached_and_their_teams_and_learned_names_count(club):
    coach = make_coach(organization=club, first_name="Niamh", last_name="Byrne")
    eoin = player(club, "Eoin Murphy")
    make_alias("Spud", player=eoin, coach=coach)
    note = asking(make_read_note(organization=club), "Spud")
    assert statuses(note) == ["unresolved"]
    outcome = attach(note, coach)
    assert outcome.message == "Niamh Byrne of Na Fianna sent it. Its names have been matched again."
    assert means(note) == [eoin]
    assert homes(note) == {(club.pk, coach.pk)}
    assert decisions(note) == [("sender_attached", "Niamh Byrne")]


def test_a_team_entry_is_made_for_the_only_team_of_the_coach(club):
    team = make_team(organization=club)
    coach = make_coach(organization=club)
    coach.teams.add(team)
    note = make_read_note(organization=club)
    make_claim(note, topic="team_culture")
    resolve(note)
    perform(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk)
    attach(note, coach)
    assert [entry.team for entry in entries(note)] == [team]


def test_a_note_without_a_club_becomes_one_of_the_coachs_club(club):
    coach = make_coach(organization=club, first_name="Niamh", last_name="Byrne")
    note = make_note(organization=None)
    assert attach(note, coach).done
    assert homes(note) == {(club.pk, coach.pk)}
    assert decisions(note) == [("club_assigned", "Na Fianna"), ("sender_attached", "Niamh Byrne")]


def test_a_coach_of_another_club_is_refused(club):
    note = make_note(organization=club)
    outcome = attach(note, make_coach(organization=make_club(name="Kilmacud"), first_name="Niamh", last_name="Byrne"))
    assert outcome.message == (
        "Niamh Byrne is a coach of Kilmacud, and this is a voice note of Na Fianna. "
        "Choose one of its coaches, or change the club first."
    )
    assert homes(note) == {(club.pk, None)}


def test_a_coach_who_left_is_refused(club):
    coach = make_coach(organization=club, is_active=False, first_name="Niamh", last_name="Byrne")
    assert attach(make_note(organization=club), coach).message == (
        "Niamh Byrne is no longer active. Choose another coach."
    )


def test_the_same_coach_twice_is_told_and_who_comes_second_with_another_too(club, aoife):
    niamh = make_coach(organization=club, first_name="Niamh", last_name="Byrne")
    note = make_note(organization=club)
    attach(note, niamh, by=aoife)
    assert attach(note, niamh, seen=None).message == "Niamh Byrne is its coach already."
    other = attach(note, make_coach(organization=club, first_name="Orla"), seen=None)
    assert other.message == "Aoife Kelly has said since you looked that its coach is Niamh Byrne. Nothing was changed."
    assert decisions(note) == [("sender_attached", "Niamh Byrne")]


def test_confirmed_entries_stay_and_are_found_by_their_new_coach(club):
    note = make_note(organization=club)
    draft = make_draft(make_claim(note), status="confirmed", decided_by=make_user())
    coach = make_coach(organization=club)
    assert attach(note, coach).done
    draft.refresh_from_db()
    assert (draft.status, draft.sender) == ("confirmed", coach)


# --- Somebody who has listened ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("verdict", ["flagged", "no_speech"])
def test_who_has_listened_is_kept(aoife, verdict):
    note = flagged_note(verdict)
    assert mark_reviewed(note.artifact_id, by=aoife).message == "Marked as listened to."
    transcript = Transcript.objects.get()
    assert transcript.reviewed_by == aoife
    assert transcript.reviewed_at is not None
    assert decisions(note) == [("reviewed", "")]


def test_who_listens_second_is_told_and_it_is_kept_once(aoife):
    note = flagged_note()
    mark_reviewed(note.artifact_id, by=aoife)
    outcome = mark_reviewed(note.artifact_id, by=operator())
    assert (outcome.done, outcome.message) == (False, "Aoife Kelly has listened to it already.")
    assert Transcript.objects.get().reviewed_by == aoife
    assert len(decisions(note)) == 1


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (lambda: flagged_note("good"), "Its transcript is good, so nobody has to listen to it."),
        (make_note, "It has no transcript yet, so there is nothing to review."),
    ],
    ids=["good", "no transcript"],
)
def test_where_nothing_is_to_be_reviewed_nothing_is_kept(note, words):
    assert mark_reviewed(note().artifact_id, by=operator()).message == words
    assert not NoteDecision.objects.exists()


def test_a_new_transcript_is_unreviewed_again():
    note = flagged_note()
    mark_reviewed(note.artifact_id, by=operator())
    transcription.store(note, transcription.work(transcription.load(note)).data)
    transcript = Transcript.objects.get()
    assert (transcript.reviewed_at, transcript.reviewed_by) == (None, None)


# --- Who may ----------------------------------------------------------------------------------------------------------
DEEDS = {
    "club": lambda note, by: assign(note, make_club(), by=by),
    "coach": lambda note, by: attach(note, make_coach(organization=note.organization), by=by),
    "listened": lambda note, by: mark_reviewed(note.artifact_id, by=by),
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_viewers_place_nothing(deed):
    note = flagged_note()
    with pytest.raises(PermissionDenied):
        deed(note, make_user(roles.VIEWER, reads_content=True))
    assert not NoteDecision.objects.exists()


def test_only_who_may_hear_it_can_have_listened():
    note = flagged_note()
    deaf = make_user(roles.OPERATOR, reads_content=False)
    with pytest.raises(PermissionDenied):
        mark_reviewed(note.artifact_id, by=deaf)
    assert assign(note, make_club(), by=deaf).done


# --- Two at once ------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", ["club", "coach", "listened"])
def test_of_two_at_once_one_does_it_and_the_other_is_told(deed):
    note = flagged_note() if deed == "listened" else make_note(organization=None)
    clubs = make_club(), make_club()
    acts = {
        "club": lambda n, by: assign_club(note.artifact_id, club=clubs[n], by=by, seen=None),
        "coach": lambda n, by: attach_coach(note.artifact_id, coach=coaches[n], by=by, seen=None),
        "listened": lambda n, by: mark_reviewed(note.artifact_id, by=by),
    }
    coaches = [make_coach(organization=club) for club in clubs] if deed == "coach" else []
    people = operator(), operator()
    outcomes = at_once(*(partial(acts[deed], number, by) for number, by in enumerate(people)))
    assert sorted(outcome.done for outcome in outcomes) == [False, True]
    kind = {"club": "club_assigned", "coach": "sender_attached", "listened": "reviewed"}[deed]
    assert NoteDecision.objects.filter(kind=kind).count() == 1
