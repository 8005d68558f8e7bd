"""The AI provider in trouble, as an operator sees it and mends it, in a real browser."""

import re

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import expect

from tests.ai.conftest import shared_simulator, simulator  # noqa: F401
from tests.ai.leaving import clients_leave_with_their_module  # noqa: F401
from tests.engine.helpers import active_run, events_of, make_artifact, past, run_to_the_end, scheduled
from tests.factories import make_club, make_user
from tests.simulator.running import control
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.models import Artifact, Pause, ProviderModel

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = reverse("admin:voicepipeline_aiservicehealth_changelist")
PRICES = reverse("admin:voicepipeline_modelprice_changelist")
NO_CREDIT = "The credit with the AI provider is used up: reading statements is on hold for all clubs; nothing is lost."


@pytest.fixture
def provider(simulator, settings):  # noqa: F811
    settings.OPENAI_BASE_URL = simulator.base_url
    cache.clear()
    return simulator


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


def go_as_far_as_it_goes(artifact):
    """Answer what is due, and leave on hold what the gate holds."""
    for _ in range(4):
        run = artifact.runs.filter(status="queued", parked_since=None).first()
        if run is not None:
            artifact.runs.filter(pk=run.pk).update(not_before=past())
            perform(run.pk)


@pytest.mark.trial
def test_credit_runs_out_is_seen_mended_tested_and_resumed(page, provider, operator, check_page, sign_in, look):
    control(provider, "POST", rates={"chat": {"no_credit": 1.0}})
    sign_in(operator)
    page.goto(reverse("admin:index"))
    expect(page.get_by_text("The credit with the AI provider")).to_have_count(0)
    page.goto(PAGE)
    chat = page.get_by_role("region", name="Reading statements")
    chat.get_by_role("button", name="Test call").click()
    expect(page.get_by_text(NO_CREDIT)).to_be_visible(timeout=30_000)  # the first call loads the library
    expect(page.get_by_text("Reading statements: The credit with the AI provider is used up. Top up")).to_be_visible()
    expect(chat).to_contain_text("Paused: no credit")
    check_page()
    note = make_artifact()
    scheduled(note)
    go_as_far_as_it_goes(note)
    expect(chat).to_contain_text("1 voice note", timeout=10_000)
    chat.get_by_role("link", name="1 voice note").click()
    expect(page.get_by_role("link", name=str(note.artifact_id)[:8])).to_be_visible()
    expect(page.get_by_text(NO_CREDIT)).to_be_visible()
    check_page()
    control(provider, "DELETE")
    cache.clear()  # as if a moment had passed
    page.get_by_role("link", name="See what is on hold").click()
    chat.get_by_role("button", name="Test call").click()
    expect(page.get_by_text("It is still paused: resume it").first).to_be_visible()
    chat.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Reading statements is resumed.")).to_be_visible()
    expect(page.get_by_text(NO_CREDIT)).to_have_count(0)
    expect(chat).to_contain_text("Normal")
    run_to_the_end(note)
    assert note.status == Artifact.Status.COMPLETED
    assert "stage_parked" in events_of(note)
    expect(page.get_by_text("No voice note is on hold.")).to_be_visible(timeout=10_000)
    check_page()


@pytest.mark.trial
def test_work_for_a_club_is_paused_after_a_look_and_resumed(page, look, operator, check_page, sign_in):
    club = make_club(name="Na Fianna")
    note = make_artifact()
    Artifact.objects.filter(pk=note.pk).update(organization=club)
    scheduled(note)
    sign_in(operator)
    page.goto(PAGE)
    page.get_by_role("link", name="Pause…").click()
    check_page()
    page.get_by_role("combobox", name="What").select_option("Transcription")
    page.get_by_role("combobox", name="For").select_option("Na Fianna")
    page.get_by_role("button", name="Show what this does").click()
    expect(page.get_by_text("1 voice note waits for it now and goes on hold.")).to_be_visible()
    check_page()
    page.get_by_label("Why").fill("Their recordings are cut short.")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("Transcription is paused for Na Fianna.")).to_be_visible()
    expect(
        page.get_by_text("The stage Transcription is paused for Na Fianna: voice notes are accepted")
    ).to_be_visible()
    go_as_far_as_it_goes(note)
    assert active_run(note).parked_since
    row = page.get_by_role("region", name="On hold now").get_by_role("row", name=re.compile("Na Fianna"))
    expect(row).to_contain_text("Paused by people", timeout=10_000)
    check_page()
    page.get_by_role("button", name=re.compile("Resume.*Na Fianna")).click()
    expect(page.get_by_text("Transcription is resumed for Na Fianna.")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("Past pauses"))).to_contain_text(
        "Their recordings are cut short."
    )
    check_page()
    assert Pause.objects.get().resumed_by == operator


def test_the_page_follows_and_leaves_the_keyboard_where_it_is(page, operator, sign_in):
    sign_in(operator)
    page.goto(PAGE)
    button = page.get_by_role("button", name=re.compile("Test call.*Transcription"))
    button.focus()
    Pause.objects.create(subject="everything", reason="A flood.", paused_by=operator)
    expect(page.get_by_text("A flood.")).to_be_visible(timeout=10_000)
    expect(button).to_be_focused()


@pytest.mark.trial
def test_prices_are_entered_and_those_that_are_missing_are_told(
    page, look, administrator, check_page, sign_in, settings
):
    settings.AI_CLAIMS_MODEL = "new-model"
    ProviderModel.objects.create(name="new-model", offered=False)
    sign_in(administrator)
    page.goto(PAGE)
    expect(page.locator("#live").get_by_text("The AI provider no longer offers the model new-model.")).to_be_visible()
    check_page()
    page.goto(PRICES)
    expect(page.get_by_text("The price of new-model is unknown.")).to_be_visible()
    check_page()
    page.goto(reverse("admin:voicepipeline_modelprice_add"))
    page.get_by_label("Model").fill("new-model")
    page.get_by_label("Holds from").fill("2026-01-01")
    page.get_by_label("US dollars for a million tokens read").fill("0.2")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Both kinds of tokens are charged")).to_be_visible()
    check_page()
    page.get_by_label("US dollars for a million tokens written").fill("0.8")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The price of new-model is unknown.")).to_have_count(0)
    expect(page.get_by_role("row", name=re.compile("new-model"))).to_contain_text("In force")
    check_page()
