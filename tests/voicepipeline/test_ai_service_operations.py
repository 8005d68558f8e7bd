"""What operators do about the AI provider: test calls, resuming, pauses."""

import io
import wave
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from tests.ai.conftest import shared_simulator, simulator  # noqa: F401
from tests.ai.leaving import clients_leave_with_their_module  # noqa: F401
from tests.factories import make_club, make_user
from tests.simulator.running import control
from tests.threads import at_once
from voicepipeline import roles
from voicepipeline.ai.faults import FAULTS
from voicepipeline.models import AIService, AIServiceHealth, Pause, ProviderCall
from voicepipeline.operations import ai_service
from voicepipeline.stages.contract import NeedsPersonFault, ProviderFault

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 40, tzinfo=UTC)
SERVICES = {AIService.TRANSCRIPTION: "transcriptions", AIService.CHAT: "chat"}


@pytest.fixture
def provider(simulator, settings):  # noqa: F811
    settings.OPENAI_BASE_URL = simulator.base_url
    cache.clear()
    return simulator


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")


def make_paused(service, reason="provider_error", *, needs_person=False):
    return AIServiceHealth.objects.create(
        service=service,
        state=AIServiceHealth.State.OPEN,
        reason=reason,
        needs_person=needs_person,
        trouble_since=timezone.now(),
        next_probe_at=timezone.now() + timedelta(minutes=1),
        probe_pause=timedelta(minutes=1),
    )


def paused(subject=Pause.Subject.TRANSCRIPTION, club=None, *, by, now=NOW):
    outcome = ai_service.pause(subject, organization_id=club and club.pk, reason="Wrong names.", by=by, now=now)
    assert outcome.done, outcome.message
    return Pause.objects.get(subject=subject, organization=club, resumed_at=None)


# --- Who may ---------------------------------------------------------------------------------------------------------
DEEDS = {
    "test": lambda by: ai_service.test_call("chat", by=by, now=NOW),
    "resume": lambda by: ai_service.resume_service("chat", by=by),
    "pause": lambda by: ai_service.pause("everything", organization_id=None, reason="x", by=by, now=NOW),
    "end": lambda by: ai_service.end_pause(1, by=by, now=NOW),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", [None, roles.VIEWER])
def test_others_do_nothing(provider, deed, role):
    with pytest.raises(PermissionDenied):
        DEEDS[deed](make_user(role))

    assert not Pause.objects.exists()
    assert not ProviderCall.objects.exists()


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("role", [roles.OPERATOR, roles.ADMINISTRATOR])
def test_operators_and_administrators_may(provider, deed, role):
    DEEDS[deed](make_user(role))


def test_somebody_who_has_left_does_nothing():
    with pytest.raises(PermissionDenied):
        DEEDS["pause"](make_user(roles.OPERATOR, is_active=False))


# --- Test calls ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("service", SERVICES)
def test_a_test_call_says_how_long_the_answer_took(provider, ana, service):
    outcome = ai_service.test_call(service, by=ana, now=NOW)
    assert outcome.done
    assert outcome.message.startswith(f"{service.label}: It answered in ")
    assert ProviderCall.objects.get().succeeded
    last = ai_service.last_tests()[service]
    assert (last.at, last.by, last.answered, last.running_for) == (NOW, "Ana Nolan", True, "")


FAULTS_SEEN = {
    "no_credit": ("provider_no_credit", "Top up the account"),
    "bad_key": ("provider_key_refused", "enter a key that is valid"),
    "forbidden": ("provider_access_refused", "owns the account"),
    "model_gone": ("provider_model_gone", "name another model"),
    "status:503": ("provider_error", "tried again by itself"),
    "rate_limited": ("provider_busy", "Wait a minute"),
    "html": ("provider_wrong_answer", "OPENAI_BASE_URL"),
    "reset": ("provider_unreachable", "look at the network"),
}


@pytest.mark.parametrize("fault", FAULTS_SEEN)
@pytest.mark.parametrize("service", SERVICES)
def test_a_test_call_says_what_is_wrong_and_what_to_do(provider, ana, service, fault):
    control(provider, "POST", queue={SERVICES[service]: [fault]})
    code, advice = FAULTS_SEEN[fault]
    outcome = ai_service.test_call(service, by=ana, now=NOW)
    assert not outcome.done
    assert FAULTS[code][1] in outcome.message
    assert advice in outcome.message
    assert list(ProviderCall.objects.values_list("succeeded", "code")) == [(False, code)]


def test_a_provider_that_is_not_there_is_told_in_words(settings, ana):
    cache.clear()
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert "could not be reached" in ai_service.test_call("chat", by=ana, now=NOW).message


def test_a_test_that_succeeds_ends_a_passing_trouble(provider, ana):
    make_paused("chat")
    assert "back to normal" in ai_service.test_call("chat", by=ana, now=NOW).message
    assert AIServiceHealth.objects.get().state == AIServiceHealth.State.CLOSED


def test_a_test_that_succeeds_leaves_to_a_person_what_needs_one(provider, ana):
    make_paused("chat", "provider_no_credit", needs_person=True)
    assert "It is still paused: resume it" in ai_service.test_call("chat", by=ana, now=NOW).message
    assert AIServiceHealth.objects.get().state == AIServiceHealth.State.OPEN


def test_a_second_press_makes_no_second_call(provider, ana):
    ai_service.test_call("chat", by=ana, now=NOW)
    outcome = ai_service.test_call("chat", by=ana, now=NOW)
    assert (outcome.done, ProviderCall.objects.count()) == (False, 1)
    assert "was made a moment ago" in outcome.message


def test_each_service_is_tested_on_its_own(provider, ana):
    for service in SERVICES:
        assert ai_service.test_call(service, by=ana, now=NOW).done


def test_a_test_that_breaks_does_not_stand_in_the_way_of_the_next(provider, ana, settings):
    settings.AI_CAPABILITIES = {"gpt-6-luna": {"nonsense": True}}
    with pytest.raises(ValueError, match="nonsense"):
        ai_service.test_call("chat", by=ana, now=NOW)
    assert ai_service.last_tests()["chat"].running_for == ""


def test_an_unknown_service_is_refused_in_words(provider, ana):
    words = "There is no AI service with this name."
    assert ai_service.test_call("os.system", by=ana, now=NOW).message == words
    assert ai_service.resume_service("os.system", by=ana).message == words


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_makes_the_call(provider, ana):
    control(provider, "POST", latency=0.5)
    outcomes = at_once(*[lambda: ai_service.test_call("chat", by=ana, now=NOW)] * 6)
    assert sum(outcome.done for outcome in outcomes) == 1
    assert ProviderCall.objects.count() == 1


def test_the_clip_is_a_second_of_real_audio():
    with wave.open(io.BytesIO(ai_service.one_second_clip())) as clip:
        assert (clip.getnframes(), clip.getframerate(), clip.getnchannels()) == (16_000, 16_000, 1)


# --- Resuming a service ----------------------------------------------------------------------------------------------
def test_resuming_keeps_who_did_it(ana):
    make_paused("transcription", "provider_no_credit", needs_person=True)
    outcome = ai_service.resume_service("transcription", by=ana)
    assert outcome.message == "Transcription is resumed. The voice notes on hold go on, oldest first."
    row = AIServiceHealth.objects.get()
    assert (row.state, row.resumed_by) == (AIServiceHealth.State.CLOSED, ana)


def test_resuming_what_is_not_paused_says_so(ana):
    outcome = ai_service.resume_service("chat", by=ana)
    assert (outcome.done, "is not paused" in outcome.message) == (False, True)


# --- Pauses ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("subject", Pause.Subject)
@pytest.mark.parametrize("for_one_club", [False, True])
def test_anything_can_be_paused_for_one_club_or_for_all(ana, subject, for_one_club):
    club = make_club(name="Na Fianna") if for_one_club else None
    row = paused(subject, club, by=ana)
    assert (row.reason, row.paused_by, row.paused_at) == ("Wrong names.", ana, NOW)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("everything", "Everything is paused for all clubs."),
        ("claims_extraction", "Statements are paused for all clubs."),
        ("automatic_confirmation", "Automatic confirmation is switched off for all clubs."),
    ],
)
def test_a_pause_is_told_in_words(ana, subject, words):
    assert ai_service.pause(subject, organization_id=None, reason="x", by=ana, now=NOW).message == words


def test_pausing_what_is_paused_names_who_did_and_since_when(ana):
    paused(by=ana)
    again = ai_service.pause(
        "transcription", organization_id=None, reason="Me too.", by=make_user(roles.OPERATOR), now=NOW
    )
    assert (again.done, again.message) == (False, "Already paused by Ana Nolan since 09:40 UTC.")
    assert Pause.objects.get().reason == "Wrong names."


def test_a_pause_of_yesterday_has_its_day(ana):
    row = paused(by=ana, now=NOW - timedelta(days=1))
    assert ai_service.already(row, now=NOW) == "Already paused by Ana Nolan since 20 Nov, 09:40 UTC."


def test_one_clubs_pause_and_everybodys_stand_side_by_side(ana):
    paused(by=ana)
    paused(club=make_club(), by=ana)
    assert Pause.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subject": "os.system"}, "There is nothing with this name to pause."),
        ({"reason": "  "}, "Say why: whoever finds it paused will want to know."),
        ({"organization_id": 987_654}, "There is no such club."),
    ],
)
def test_a_pause_that_makes_no_sense_is_refused_in_words(ana, changes, words):
    asked = {"subject": "transcription", "organization_id": None, "reason": "x", **changes}
    outcome = ai_service.pause(asked.pop("subject"), **asked, by=ana, now=NOW)
    assert (outcome.done, outcome.message, Pause.objects.count()) == (False, words, 0)


def test_a_reason_is_bounded_and_storable(ana):
    ai_service.pause("everything", organization_id=None, reason="a\x00" * 600, by=ana, now=NOW)
    assert len(Pause.objects.get().reason) == ai_service.MAX_REASON


def test_ending_a_pause_keeps_who_and_when(ana):
    row = paused(by=ana)
    outcome = ai_service.end_pause(row.pk, by=ana, now=NOW)
    assert outcome.message == "Transcription is resumed for all clubs. The voice notes on hold go on, oldest first."
    row.refresh_from_db()
    assert (row.resumed_by, row.resumed_at) == (ana, NOW)


def test_ending_twice_names_who_was_first(ana):
    row = paused(by=ana)
    ai_service.end_pause(row.pk, by=ana, now=NOW)
    later = ai_service.end_pause(row.pk, by=make_user(roles.OPERATOR), now=NOW + timedelta(minutes=5))
    assert (later.done, later.message) == (False, "Already resumed by Ana Nolan at 09:40 UTC.")
    row.refresh_from_db()
    assert row.resumed_at == NOW


def test_an_unknown_pause_is_refused_in_words(ana):
    assert ai_service.end_pause(987_654, by=ana, now=NOW).message == "There is no such pause."


def test_what_was_resumed_can_be_paused_again(ana):
    ai_service.end_pause(paused(by=ana).pk, by=ana, now=NOW)
    paused(by=ana)
    assert Pause.objects.count() == 2


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (("everything", False), "But everything is still paused for all clubs."),
        (("transcription", False), "But transcription is still paused for all clubs."),
        (("everything", True), "But everything is still paused for Na Fianna."),
        (("claims_extraction", False), ""),
    ],
)
def test_ending_a_pause_tells_of_another_that_still_holds(ana, other, words):
    club = make_club(name="Na Fianna")
    row = paused(club=club, by=ana)
    subject, of_club = other
    paused(subject, club if of_club else None, by=ana)
    message = ai_service.end_pause(row.pk, by=ana, now=NOW).message
    assert words in message
    assert ("But" in message) == bool(words)


def test_another_clubs_pause_is_not_told_of(ana):
    row = paused(club=make_club(), by=ana)
    paused(club=make_club(), by=ana)
    assert "But" not in ai_service.end_pause(row.pk, by=ana, now=NOW).message


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("of_club", [False, True])
def test_of_many_who_pause_at_once_one_does(ana, of_club):
    club_id = make_club().pk if of_club else None
    outcomes = at_once(
        *[lambda: ai_service.pause("transcription", organization_id=club_id, reason="x", by=ana, now=NOW)] * 6
    )
    assert sum(outcome.done for outcome in outcomes) == 1
    assert {outcome.message for outcome in outcomes if not outcome.done} == {
        "Already paused by Ana Nolan since 09:40 UTC."
    }
    assert Pause.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_resume_at_once_one_does(ana):
    row = paused(by=ana)
    outcomes = at_once(*[lambda: ai_service.end_pause(row.pk, by=ana, now=NOW)] * 6)
    assert sum(outcome.done for outcome in outcomes) == 1


def test_the_faults_that_need_a_person_all_have_advice():
    for code, (kind, _) in FAULTS.items():
        if issubclass(kind, NeedsPersonFault):
            assert code in ai_service.ADVICE
    assert all(issubclass(FAULTS[code][0], ProviderFault) for code in ai_service.ADVICE)
