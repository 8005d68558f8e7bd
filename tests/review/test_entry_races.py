"""Real threads, a hundred rounds each: no entry made of old data is confirmed, and each is decided about once."""

import pytest
from django.db import connection

from tests.engine.test_races import Crew
from tests.factories import make_claim, make_club, make_coach, make_user
from tests.names.helpers import DRAFTS, REAL_STAGES, choose, make_read_note, player, resolve
from voicepipeline import roles
from voicepipeline.engine import requests
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.execution import perform
from voicepipeline.engine.rebuilding import rebuild
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import EntryDecision, InsightDraft, NameChoice, PipelineEvent, StageRun
from voicepipeline.operations.entry_decisions import confirm_entry, decide_note, hold_entry, reject_entry, undo_entry
from voicepipeline.operations.entry_edits import seen_of, seen_of_all

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

ROUNDS = 100
LEAD = 40  # questions to the database, by which one comes later in most rounds


@pytest.fixture(autouse=True)
def real_stages(settings):
    others = {"transcription": "transcription", "claims_extraction": "claims"}
    settings.STAGE_CODE = REAL_STAGES | {name: f"voicepipeline.stages.{module}" for name, module in others.items()}


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def people():
    return [make_user(roles.OPERATOR), make_user(roles.OPERATOR)]


def suggested(club, coach, *names):
    """A note whose entries wait for a person."""
    note = make_read_note(sender=coach)
    for name in names:
        make_claim(note, name, confidence=0.9)
    resolve(note)
    perform(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk)
    return note


@engine_transaction
def begin_again(note):
    change = Change(lock_artifact(note.pk), database_now())
    requests.start_over(change, Budgets())
    change.flush()


@engine_transaction
def say_who_is_meant(note, name, meant):
    change = Change(lock_artifact(note.pk), database_now())
    choice = choose(note, name, player=meant)
    NameChoice.objects.filter(pk=choice.pk).update(chosen_at=change.now)
    rebuild(change, of=f"choice/{choice.pk}")
    change.flush()


def after_a_while(number, act):
    """In a third of the rounds this comes first, in a third last, and in a third at the same moment."""

    def later():
        with connection.cursor() as cursor:
            for _ in range(number % 3 * LEAD):
                cursor.execute("SELECT 1")
        return act()

    return later


def meet(prepare):
    """Each round's two acts at the same time; what came of them."""
    numbers = iter(range(ROUNDS))

    def acts():
        number = next(numbers)
        one, other = prepare()
        return iter([after_a_while(number, one), after_a_while(number + 1, other)])

    outcomes = Crew(2).at_once(ROUNDS, acts, lambda pair: next(pair)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    return outcomes


def confirming(draft, by):
    seen = seen_of(draft)
    return lambda: confirm_entry(draft.pk, by=by, seen=seen)


def test_confirming_against_starting_over_confirms_only_what_was_there(club, people):
    coach = make_coach(organization=club)
    player(club, "Niamh Kelly")
    notes = []

    def prepare():
        note = suggested(club, coach, "Niamh Kelly")
        notes.append(note)
        return confirming(note.drafts.get(), people[0]), lambda: begin_again(note)

    meet(prepare)
    confirmed = 0
    for note in notes:
        kept = list(note.drafts.values_list("status", "player"))
        decided = EntryDecision.objects.filter(artifact=note).count()
        told = PipelineEvent.objects.filter(artifact=note, event_type="draft_confirmed").count()
        # Starting over takes what was confirmed, too; whether somebody agrees to that is asked before.
        assert (kept, decided, told) in (([], 1, 1), ([], 0, 0))
        confirmed += decided
    assert 0 < confirmed < ROUNDS


def test_confirming_against_a_name_that_is_settled_confirms_only_what_was_right_then(club, people):
    coach, niamh, aine = make_coach(organization=club), player(club, "Niamh Kelly"), player(club, "Áine Daly")
    notes = []

    def prepare():
        note = suggested(club, coach, "Niamh Kelly")
        notes.append(note)
        return confirming(note.drafts.get(), people[0]), lambda: say_who_is_meant(note, "Niamh Kelly", aine)

    meet(prepare)
    confirmed = 0
    for note in notes:
        kept = sorted(note.drafts.values_list("status", "player"))
        decision = EntryDecision.objects.filter(artifact=note).first()
        before = [("confirmed", niamh.pk)] if decision else []
        assert kept == [*before, ("pending", aine.pk)]
        assert decision is None or decision.decided_at < note.name_choices.get().chosen_at
        confirmed += decision is not None
    assert 0 < confirmed < ROUNDS


def test_two_people_decide_about_one_entry_once(club, people):
    coach = make_coach(organization=club)
    player(club, "Niamh Kelly")
    drafts = []

    def prepare():
        draft = suggested(club, coach, "Niamh Kelly").drafts.get()
        drafts.append(draft)
        seen = seen_of(draft)
        return confirming(draft, people[0]), lambda: reject_entry(draft.pk, by=people[1], reason="No.", seen=seen)

    outcomes = meet(prepare)
    assert [sum(outcome.done for outcome in pair) for pair in outcomes] == [1] * ROUNDS
    told = [outcome.message for pair in outcomes for outcome in pair if not outcome.done]
    assert all(" has already " in message for message in told)
    for draft in drafts:
        draft.refresh_from_db()
        decision = EntryDecision.objects.get(artifact=draft.artifact_id)
        assert (decision.kind, decision.by) == (draft.status, draft.decided_by)


def test_all_of_a_note_and_one_of_them_are_decided_once_each(club, people):
    coach = make_coach(organization=club)
    player(club, "Niamh Kelly"), player(club, "Áine Daly")
    notes = []

    def prepare():
        note = suggested(club, coach, "Niamh Kelly", "Áine Daly")
        notes.append(note)
        first, second = note.drafts.order_by("pk")
        seen, seen_all = seen_of(first), seen_of_all([first, second])
        hold = hold_entry(second.pk, by=people[0], seen=seen_of(second)) if len(notes) % 2 else None
        seen_all = seen_of_all([first]) if hold else seen_all
        return (
            lambda: reject_entry(first.pk, by=people[0], reason="No.", seen=seen),
            lambda: decide_note(note.artifact_id, "confirmed", by=people[1], seen=seen_all),
        )

    outcomes = meet(prepare)
    assert [sum(outcome.done for outcome in pair) for pair in outcomes] == [1] * ROUNDS
    for note in notes:
        kinds = EntryDecision.objects.filter(artifact=note).exclude(kind="held").values_list("draft_key", flat=True)
        assert len(set(kinds)) == len(kinds) > 0


def test_taking_back_against_starting_over_leaves_nothing_old_to_confirm(club, people):
    coach = make_coach(organization=club)
    player(club, "Niamh Kelly")
    notes = []

    def prepare():
        note = suggested(club, coach, "Niamh Kelly")
        draft = note.drafts.get()
        confirming(draft, people[0])()
        draft.refresh_from_db()
        notes.append(note)
        seen = seen_of(draft)
        return lambda: undo_entry(draft.pk, by=people[1], reason="No.", seen=seen), lambda: begin_again(note)

    meet(prepare)
    for note in notes:
        for draft in InsightDraft.objects.filter(artifact=note, status="pending"):
            assert not confirming(draft, people[0])().done
