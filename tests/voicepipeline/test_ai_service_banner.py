"""The sentence on every page while something stands still."""

from dataclasses import replace
from datetime import date

import pytest
import time_machine
from django.urls import reverse

from tests.engine.helpers import past
from tests.factories import make_club, make_user
from voicepipeline import roles
from voicepipeline.ai_notices import Standstill, load_standstills, notice_of
from voicepipeline.models import AIServiceHealth, Pause, ProviderModel

pytestmark = pytest.mark.django_db
INDEX, NOTES = reverse("admin:index"), reverse("admin:voicepipeline_artifact_changelist")
PAGE = reverse("admin:voicepipeline_aiservicehealth_changelist")


def service(name="transcription", reason="provider_error", *, needs_person=False, state="open"):
    return Standstill(service=name, state=state, reason=reason, needs_person=needs_person)


def stopped(subject="transcription", club=None):
    return Standstill(subject=subject, club=club)


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (
            [service(reason="provider_no_credit", needs_person=True)],
            "The credit with the AI provider is used up: transcription is on hold for all clubs; nothing is lost.",
        ),
        (
            [service(name, "provider_key_refused", needs_person=True) for name in ("chat", "transcription")],
            "The AI provider refuses the key: transcription and reading statements are on hold for all clubs; "
            "nothing is lost.",
        ),
        (
            [service("chat", "provider_timeout", state="half_open")],
            "The AI service did not answer in time: reading statements is on hold for all clubs; nothing is lost, "
            "and it is tried again by itself.",
        ),
        (
            [service(reason="from_a_newer_release")],
            "The AI service is down: transcription is on hold for all clubs; nothing is lost, "
            "and it is tried again by itself.",
        ),
        (
            [stopped("everything")],
            "All work on voice notes is paused for all clubs: voice notes are accepted and wait; nothing is lost.",
        ),
        (
            [stopped(club="Na Fianna")],
            "The stage Transcription is paused for Na Fianna: voice notes are accepted and wait; nothing is lost.",
        ),
        (
            [stopped("automatic_confirmation", club) for club in ("A", "B")],
            "Automatic confirmation is switched off for 2 clubs: every suggested entry waits for a person.",
        ),
        (
            [stopped("draft_generation"), service(), stopped("everything", "A")],
            "The AI service has trouble of its own: transcription is on hold for all clubs; nothing is lost, "
            "and it is tried again by itself. 2 more things are paused.",
        ),
    ],
)
def test_the_sentence_that_matters_most_is_told(standing, sentence):
    assert notice_of(standing).sentence == sentence


def test_what_needs_a_person_comes_first_and_is_prominent():
    notice = notice_of([stopped("everything"), service("chat", "provider_model_gone", needs_person=True), service()])
    assert notice.needs_person
    assert notice.sentence.startswith("The AI provider no longer has the model that is configured: reading statements")
    assert not notice_of([service()]).needs_person


def test_when_all_goes_well_nothing_is_said():
    assert notice_of([]) is None


def test_everything_that_stands_still_is_read_with_one_question(django_assert_num_queries):
    by = make_user(roles.OPERATOR)
    AIServiceHealth.objects.create(service="chat")
    AIServiceHealth.objects.create(
        service="transcription", state="open", reason="provider_no_credit", needs_person=True, trouble_since=past()
    )
    Pause.objects.create(subject="everything", reason="x", paused_by=by, organization=make_club(name="Na Fianna"))
    Pause.objects.create(subject="transcription", reason="x", paused_by=by)
    Pause.objects.create(subject="draft_generation", reason="x", paused_by=by, resumed_by=by, resumed_at=past())
    with django_assert_num_queries(1):
        found = [replace(each, since=None) for each in load_standstills()]
    assert sorted(found, key=lambda each: (each.service, each.subject)) == [
        stopped("everything", "Na Fianna"),
        stopped("transcription"),
        service(reason="provider_no_credit", needs_person=True),
    ]


@pytest.mark.parametrize(
    ("model", "told", "day", "sentence"),
    [
        ("x-1", {"shutdown_on": date(2027, 2, 26)}, "2027-02-01", "shuts the model x-1 down on 26 February 2027, in"),
        ("x-1", {"shutdown_on": date(2027, 2, 26)}, "2027-02-27", "shut the model x-1 down on 26 February 2027. Name"),
        ("x-1", {"shutdown_on": date(2027, 2, 26)}, "2026-11-20", None),
        ("x-1", {"offered": False}, "2026-11-20", "no longer offers the model x-1."),
        ("x-1", {}, "2026-11-20", None),
        ("whisper-1", None, "2027-02-01", "shuts the model whisper-1 down on 26 February 2027, in"),
    ],
)
def test_a_model_that_will_soon_be_gone_is_told_of(settings, django_assert_num_queries, model, told, day, sentence):
    settings.AI_CLAIMS_MODEL = model
    ProviderModel.objects.create(name="not-used", offered=False)
    if told is not None:
        ProviderModel.objects.create(name=model, **told)
    with time_machine.travel(f"{day}T12:00:00Z", tick=False), django_assert_num_queries(1):
        notice = notice_of(load_standstills())
    assert notice is None if sentence is None else sentence in notice.sentence
    assert notice is None or not notice.stands_still


def test_what_stands_still_comes_before_a_model_that_will_soon_be_gone():
    notice = notice_of([Standstill(caution="The model ends."), stopped("everything"), stopped()])
    assert notice.sentence.startswith("All work on voice notes is paused")
    assert notice.sentence.endswith(" 1 more thing is paused. The model ends.")
    assert notice.stands_still


# --- On the pages ----------------------------------------------------------------------------------------------------
@pytest.fixture
def no_credit():
    return AIServiceHealth.objects.create(
        service="transcription", state="open", reason="provider_no_credit", needs_person=True, trouble_since=past()
    )


@pytest.mark.parametrize("url", [NOTES, "/admin/nowhere/"])
def test_every_page_says_it_and_leads_to_what_is_on_hold(client, no_credit, url):
    client.force_login(make_user(roles.VIEWER))
    page = client.get(url).content.decode()
    assert "The credit with the AI provider is used up: transcription is on hold" in page
    assert "vp-banner-urgent" in page
    assert f'href="{PAGE}">See what is on hold' in page


def test_a_model_that_will_soon_be_gone_is_told_on_every_page(client, settings):
    ProviderModel.objects.create(name=settings.AI_CLAIMS_MODEL, offered=False)
    client.force_login(make_user(roles.VIEWER))
    page = client.get(NOTES).content.decode()
    assert f"no longer offers the model {settings.AI_CLAIMS_MODEL}. Name another in AI_CLAIMS_MODEL." in page
    assert f'href="{PAGE}">See the AI service' in page
    assert "vp-banner-urgent" not in page


def test_the_overview_says_it_in_its_own_sentence_and_has_no_banner(client, settings, no_credit):
    ProviderModel.objects.create(name=settings.AI_CLAIMS_MODEL, offered=False)
    client.force_login(make_user(roles.VIEWER))
    page = client.get(INDEX).content.decode()
    assert "vp-banner-urgent" not in page
    assert "the provider credit is used up" in page
    assert f"no longer offers the model {settings.AI_CLAIMS_MODEL}." in page


def test_a_clubs_name_is_shown_as_text(client):
    by = make_user(roles.VIEWER)
    Pause.objects.create(
        subject="transcription", reason="x", paused_by=by, organization=make_club(name="<script>alert(1)</script>")
    )
    client.force_login(by)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in client.get(INDEX).content.decode()


def test_who_may_not_open_the_page_is_told_without_a_link(client, no_credit):
    client.force_login(make_user())
    page = client.get(INDEX).content.decode()
    assert "The credit with the AI provider is used up" in page
    assert "See what is on hold" not in page


@pytest.mark.parametrize("viewer", [None, "coach"])
def test_strangers_are_told_nothing(client, no_credit, viewer):
    if viewer:
        client.force_login(make_user(is_platform_staff=False))
    for url in (reverse("admin:login"), INDEX, "/nowhere/"):
        assert "The credit" not in client.get(url, follow=True).content.decode()


def test_the_notice_goes_with_its_reason(client, no_credit):
    client.force_login(make_user(roles.VIEWER))
    AIServiceHealth.objects.update(state="closed", reason="", needs_person=False, trouble_since=None)
    assert "vp-banner-urgent" not in client.get(INDEX).content.decode()


def test_parts_that_refresh_themselves_do_not_ask_again(client, django_assert_num_queries):
    client.force_login(make_user(roles.VIEWER))
    # Session, viewer, their permissions (own and by role), jobs, next runs.
    with django_assert_num_queries(6):
        client.get(reverse("admin:voicepipeline_scheduledjob_live"))
