"""The page Pipeline in a browser: from a number to a retry, by keyboard alone, on a phone, and with nothing to show."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.keys import press
from tests.factories import make_user
from tests.overview.situations import make_everything
from tests.retry.problems import fail
from voicepipeline import roles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INDEX, PIPELINE = "admin:index", "admin:pipeline"
PHONE = {"width": 375, "height": 812}


@pytest.fixture
def opened(page, sign_in, live_server):
    def opened(name=PIPELINE, query="", role=roles.OPERATOR):
        sign_in(make_user(role))
        page.goto(reverse(name) + query)

    return opened


def test_from_a_number_to_its_notes_and_to_their_retry(page, opened, niamh, check_page):
    fail(organization=niamh.organization, sender=niamh)
    opened(INDEX)
    page.locator("#overview-flow svg:visible").get_by_role("link", name=re.compile("^Statements, Failed: 1")).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.go_back()
    page.locator("#flow-wide-claims_extraction").click(position={"x": 20, "y": 12})
    expect(page.get_by_role("heading", name="At the stage Statements now")).to_be_visible()
    expect(page.locator("#flow-wide-claims_extraction")).to_have_attribute("aria-current", "true")
    check_page()
    page.get_by_role("button", name="Retry from here").click()
    expect(page.get_by_text("The one voice note that matched", exact=False)).to_be_visible()


def test_the_keys_of_the_first_screen_are_its_own_too(page, opened):
    opened()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "Escape")
    press(page, "/")
    expect(page.get_by_role("searchbox", name="Find a voice note")).to_be_focused()


@pytest.mark.trial
def test_without_scripts_what_comes_later_is_a_link_away(browser, sign_in, page, live_server, niamh):
    sign_in(make_user(roles.VIEWER))
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(f"{live_server.url}{reverse(PIPELINE)}?stage=transcription")
    expect(plain.get_by_role("heading", name="By club")).to_have_count(0)
    plain.get_by_role("link", name="Show what this page leaves out at first").click()
    expect(plain.get_by_role("heading", name="By club")).to_be_visible()
    expect(plain.get_by_role("heading", name="At the stage Transcription now")).to_be_visible()
    context.close()


@pytest.mark.trial
def test_the_keyboard_is_enough_to_go_through_the_stages(page, opened, niamh):
    fail(organization=niamh.organization, sender=niamh)
    opened()
    page.locator("#stage-transcription").focus()
    for key, label in (("transcription", "Transcription"), ("claims_extraction", "Statements")):
        expect(page.locator(f"#stage-{key}")).to_be_focused()
        press(page, "Enter")
        expect(page.get_by_role("heading", name=f"At the stage {label} now")).to_be_visible()
        page.locator(f"#stage-{key}").focus()
        press(page, "Tab")
    page.locator("#retry-from-here").focus()
    press(page, "Enter")
    expect(page.get_by_text("The one voice note that matched", exact=False)).to_be_visible()


@pytest.mark.trial
def test_what_has_the_keyboard_keeps_it_when_the_page_is_told_anew(page, opened, niamh):
    opened(query="?stage=claims_extraction")
    page.locator("#flow-wide-transcription").focus()
    fail(organization=niamh.organization, sender=niamh)
    failed = page.locator("#flow-wide-claims_extraction-5")
    expect(failed).to_have_attribute("aria-label", "Statements, Failed: 1", timeout=10_000)
    expect(page.locator("#flow-wide-transcription")).to_be_focused()


@pytest.mark.trial
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_it_fits_a_phone(page, opened, live_server, check_page, scheme):
    make_everything()
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme=scheme)
    opened(query="?stage=claims_extraction")
    expect(page.get_by_role("heading", name="By club")).to_be_visible()
    check_page()


@pytest.mark.trial
def test_an_empty_database_says_what_comes(page, opened, live_server, check_page):
    opened(query="?stage=transcription", role=roles.VIEWER)
    expect(page.get_by_text("No voice note is at this stage now.", exact=False)).to_be_visible()
    expect(page.get_by_text("No voice note is on its way.", exact=False)).to_be_visible()
    expect(page.get_by_text("No voice note was received in the last 24 hours.", exact=False)).to_have_count(2)
    check_page()
