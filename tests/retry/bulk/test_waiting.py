"""While what the next notes need is paused a bulk retry waits, says so, and goes on by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry.bulk.pacing import advance_all
from retry.bulk.progress import progress_of
from tests.factories import make_club, make_user
from tests.retry.bulk.bulks import State, make_broken, make_notes, started, state_of, states, work_off
from tests.retry.factories import make_failed
from voicepipeline.engine.releasing import release_due
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import AIService, AIServiceHealth, Pause, StageName, StageRun

pytestmark = [pytest.mark.trial, pytest.mark.django_db]

DOWN, NO_CREDIT, BY_PEOPLE = (
    "the AI service is down",
    "the provider credit is used up",
    "people have paused this work",
)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _four_at_once(settings):
    settings.WORKERS = 8


def in_trouble(service=AIService.TRANSCRIPTION, **values):
    now = timezone.now()
    minimal = {
        "state": "open",
        "reason": "provider_error",
        "trouble_since": now,
        "probe_pause": MINUTE,
        "next_probe_at": now + MINUTE,
    }
    return AIServiceHealth.objects.create(service=service, **{**minimal, **values})


def well_again():
    AIServiceHealth.objects.all().delete()


def paused(subject, organization=None):
    by = make_user()
    return Pause.objects.create(subject=subject, organization=organization, reason="A test.", paused_by=by)


def end_pauses():
    Pause.objects.update(resumed_at=timezone.now(), resumed_by=make_user())


def step(bulk):
    advance_all()
    return states(bulk), progress_of(bulk).waits_for


# --- AI services ------------------------------------------------------------------------------------------------


def test_while_the_ai_service_is_down_nothing_is_begun():
    in_trouble()
    bulk = started(make_notes(2))
    assert step(bulk) == (["waiting", "waiting"], DOWN)
    assert state_of(bulk) == State.RUNNING


def test_what_a_person_has_to_put_right_is_waited_for_and_named():
    in_trouble(reason="provider_no_credit", needs_person=True)
    assert step(started(make_notes(1))) == (["waiting"], NO_CREDIT)


def test_a_service_that_a_later_stage_needs_is_waited_for_too():
    in_trouble(AIService.CHAT)
    assert step(started(make_notes(1))) == (["waiting"], DOWN)


def test_once_the_service_is_back_it_goes_on_by_itself():
    in_trouble()
    bulk = started(make_notes(2))
    advance_all()
    well_again()
    assert step(bulk) == (["requested", "requested"], "")


def test_notes_that_do_not_need_it_are_begun_meanwhile():
    in_trouble(AIService.TRANSCRIPTION)
    bulk = started([make_broken(), make_failed(StageName.CLAIMS_EXTRACTION)])
    assert step(bulk) == (["waiting", "requested"], DOWN)


def test_matching_names_needs_no_ai_service():
    in_trouble(AIService.CHAT)
    in_trouble(AIService.TRANSCRIPTION)
    bulk = started([make_failed(StageName.ENTITY_RESOLUTION)])
    assert step(bulk) == (["requested"], "")


def test_when_the_service_is_to_be_tested_and_nobody_else_would_one_is_begun():
    in_trouble(next_probe_at=timezone.now() - MINUTE)
    bulk = started(make_notes(4))
    assert step(bulk) == (["requested", "waiting", "waiting", "waiting"], DOWN)
    assert step(bulk)[0].count("requested") == 1


def test_when_another_run_will_test_the_service_all_wait():
    in_trouble(next_probe_at=timezone.now() - MINUTE)
    note = make_broken()
    StageRun.objects.create(artifact=note, stage=StageName.TRANSCRIPTION, generation=1, attempt=2)
    assert step(started(make_notes(2)))[0] == ["waiting", "waiting"]


def test_the_first_few_are_not_given_up_while_they_are_on_hold(settings):
    bulk = started(make_notes(5), tries_first=True)
    advance_all()
    health = in_trouble()
    work_off()  # each comes to the gate and is on hold
    advance_all()
    assert (state_of(bulk), states(bulk).count("requested")) == (State.TRYING, 3)
    assert progress_of(bulk).on_hold == [(DOWN, 3)]
    health.delete()
    for _ in range(4):
        release_due(database_now())
        work_off()
        advance_all()
    work_off()
    advance_all()
    assert (state_of(bulk), set(states(bulk))) == (State.FINISHED, {"succeeded"})


def test_notes_on_hold_keep_none_from_being_begun_that_can_go_on():
    club = make_club()
    first = started(make_notes(6, organization=club))
    advance_all()
    paused("everything", club)
    work_off()
    second = started(make_notes(2))
    advance_all()
    assert states(first) == ["requested"] * 4 + ["waiting"] * 2
    assert states(second) == ["requested"] * 2


def test_once_they_go_on_they_take_their_places_again():
    first = started(make_notes(4))
    advance_all()
    in_trouble()
    work_off()
    well_again()
    release_due(database_now())
    let_go = StageRun.objects.due(timezone.now()).count()
    assert let_go >= 1
    second = started(make_notes(8))
    advance_all()
    assert states(first) == ["requested"] * 4
    assert states(second).count("requested") == 4 - let_go


# --- What people have paused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["everything", "transcription", "draft_generation"])
def test_what_people_have_paused_is_waited_for(subject):
    paused(subject)
    bulk = started(make_notes(1))
    assert step(bulk) == (["waiting"], BY_PEOPLE)
    end_pauses()
    assert step(bulk) == (["requested"], "")


def test_a_pause_of_an_earlier_stage_or_of_confirmation_holds_nothing():
    paused("transcription")
    paused("automatic_confirmation")
    assert step(started([make_failed(StageName.CLAIMS_EXTRACTION)])) == (["requested"], "")


def test_one_clubs_pause_holds_only_its_notes():
    club = make_club()
    paused("everything", club)
    bulk = started([make_broken(organization=club), make_broken()])
    assert step(bulk) == (["waiting", "requested"], BY_PEOPLE)
    end_pauses()
    assert step(bulk)[0] == ["requested", "requested"]


def test_nothing_is_waited_for_when_only_places_are_missing():
    bulk = started(make_notes(6))
    assert step(bulk)[1] == ""


def test_what_does_not_move_waits_for_nothing():
    in_trouble()
    bulk = started(make_notes(1))
    type(bulk).objects.update(state=State.PAUSED)
    bulk.refresh_from_db()
    assert progress_of(bulk).waits_for == ""
