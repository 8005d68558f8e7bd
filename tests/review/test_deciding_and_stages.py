"""What people decided about entries, when their note is worked on again; through the real stages."""

import pytest

from tests.factories import make_claim, make_club, make_coach, make_user
from tests.names.helpers import DRAFTS, REAL_STAGES, choose, make_read_note, player, resolve
from voicepipeline import roles
from voicepipeline.engine import requests
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.execution import perform
from voicepipeline.engine.rebuilding import rebuild
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, EntryDecision, InsightDraft, PipelineEvent, StageRun
from voicepipeline.operations.entry_decisions import confirm_entry, hold_entry, release_entry, undo_entry
from voicepipeline.operations.entry_edits import seen_of
from voicepipeline.stages import STAGES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_stages(settings):
    settings.STAGE_CODE = REAL_STAGES


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def niamh(club):
    return player(club, "Niamh Kelly")


@pytest.fixture
def note(club, niamh):
    note = make_read_note(sender=make_coach(organization=club, trust_level=3))
    make_claim(note, "Niamh Kelly", confidence=0.95)
    return note


@pytest.fixture
def aoife():
    return make_user(roles.OPERATOR)


def suggest(note):
    """Match its names and suggest its entries; the only one."""
    resolve(note)
    perform(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk)
    return InsightDraft.objects.get(artifact=note)


@engine_transaction
def run_again(note, stage=DRAFTS):
    change = Change(lock_artifact(note.pk), database_now())
    requests.run_again_from(change, STAGES[stage], Budgets())
    change.flush()


@engine_transaction
def somebody_says(note, text, **target):
    change = Change(lock_artifact(note.pk), database_now())
    choose(note, text, **target)
    rebuild(change, of="choice/1")
    change.flush()


def undo(draft, by):
    return undo_entry(draft.pk, by=by, reason="It was another player.", seen=seen_of(draft))


def perform_what_waits(note):
    perform(StageRun.objects.get(artifact=note, status="queued").pk)


def test_what_a_person_has_taken_back_is_not_confirmed_by_the_rule_again(note, aoife):
    draft = suggest(note)
    assert (draft.status, draft.automatic) == ("confirmed", True)
    assert undo(draft, aoife).done
    run_again(note)
    perform_what_waits(note)
    draft = InsightDraft.objects.get(artifact=note)
    assert (draft.status, draft.person_needed_because) == ("pending", "taken_up_by_a_person")
    assert PipelineEvent.objects.filter(artifact=note, event_type="draft_confirmed").count() == 1


def test_what_is_on_hold_stays_on_hold_and_unconfirmed_when_it_is_made_again(note, aoife):
    note.claims.update(confidence=0.5)
    draft = suggest(note)
    assert hold_entry(draft.pk, by=aoife, reason="Ask the coach.", seen=seen_of(draft)).done
    note.claims.update(confidence=0.95)
    somebody_says(note, "Somebody else")
    again = InsightDraft.objects.get(artifact=note)
    assert (again.status, again.held_by, again.held_reason) == ("pending", aoife, "Ask the coach.")


def test_what_is_on_hold_stays_so_when_its_stage_is_run_again_for_a_coach_who_is_trusted_by_now(note, aoife):
    note.claims.update(confidence=0.5)
    draft = suggest(note)
    assert hold_entry(draft.pk, by=aoife, reason="Ask the coach.", seen=seen_of(draft)).done
    note.claims.update(confidence=0.95)
    run_again(note)
    perform_what_waits(note)
    again = InsightDraft.objects.get(artifact=note)
    assert (again.status, again.held_by, again.held_reason) == ("pending", aoife, "Ask the coach.")


def test_what_somebody_took_off_hold_is_not_confirmed_by_the_rule(note, aoife):
    note.claims.update(confidence=0.5)
    draft = suggest(note)
    assert hold_entry(draft.pk, by=aoife, reason="Ask the coach.", seen=seen_of(draft)).done
    draft.refresh_from_db()
    assert release_entry(draft.pk, by=aoife, seen=seen_of(draft)).done
    note.claims.update(confidence=0.95)
    run_again(note)
    perform_what_waits(note)
    again = InsightDraft.objects.get(artifact=note)
    assert (again.status, again.held_at, again.person_needed_because) == ("pending", None, "taken_up_by_a_person")


def test_an_entry_that_is_made_again_without_a_change_can_be_decided_as_it_was_seen(note, aoife):
    note.claims.update(confidence=0.5)
    draft = suggest(note)
    somebody_says(note, "Somebody else")
    assert confirm_entry(draft.pk, by=aoife, seen=seen_of(draft)).done


def test_an_entry_for_whom_somebody_has_named_since_is_not_confirmed(club, note, niamh, aoife):
    note.claims.update(confidence=0.5)
    draft = suggest(note)
    aine = player(club, "Áine Daly")
    somebody_says(note, "Niamh Kelly", player=aine)
    outcome = confirm_entry(draft.pk, by=aoife, seen=seen_of(draft))
    assert (outcome.done, "not there any more" in outcome.message) == (False, True)
    assert [(each.player, each.status) for each in InsightDraft.objects.filter(artifact=note)] == [(aine, "pending")]


def test_what_is_taken_back_says_what_the_note_suggests_by_now(note, aoife):
    draft = suggest(note)
    note.claims.update(title="Tackled like a lion")
    assert undo(draft, aoife).message == "Taken back. It is to be confirmed again."
    again = InsightDraft.objects.get(pk=draft.pk)
    assert (again.title, again.status) == ("Tackled like a lion", "pending")
    assert again.person_needed_because == "taken_up_by_a_person"


def test_what_is_taken_back_and_suggested_no_more_is_gone(club, note, aoife):
    draft = suggest(note)
    aine = player(club, "Áine Daly")
    somebody_says(note, "Niamh Kelly", player=aine)
    assert InsightDraft.objects.filter(artifact=note).count() == 2
    assert "it is not suggested" in undo(draft, aoife).message
    assert [each.player for each in InsightDraft.objects.filter(artifact=note)] == [aine]
    assert EntryDecision.objects.get(kind="undone").draft_key == draft.key


def test_what_is_taken_back_while_its_note_is_worked_on_cannot_be_confirmed_until_that_is_done(note, aoife):
    draft = suggest(note)
    InsightDraft.objects.filter(pk=draft.pk).update(status="applied")
    draft.refresh_from_db()
    run_again(note)
    assert undo(draft, aoife).done
    draft.refresh_from_db()
    outcome = confirm_entry(draft.pk, by=aoife, seen=seen_of(draft))
    assert (outcome.done, outcome.message[:32]) == (False, "What it was made of is no longer")
    perform_what_waits(note)
    fresh = InsightDraft.objects.get(artifact=note)
    assert confirm_entry(fresh.pk, by=aoife, seen=seen_of(fresh)).done
    assert Artifact.objects.get(pk=note.pk).status == "completed"
