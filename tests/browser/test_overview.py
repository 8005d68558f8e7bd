"""The first screen as staff have it open all day: it lives, it is readable everywhere, and the keyboard is enough."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.keys import press
from tests.factories import make_club, make_coach, make_event, make_note, make_user
from tests.retry.factories import make_failed, make_ready
from tests.retry.problems import fail
from voicepipeline import roles
from voicepipeline.models import ClusterBeat, EventType, WatchdogBeat

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INDEX, PIPELINE = "admin:index", "admin:pipeline"
SOON = 10_000


@pytest.fixture
def working(live_server):
    """Workers and their watchdog have just reported in."""
    now = timezone.now()
    ClusterBeat.objects.create(host="h", parent_pid=1, parent_started_at=now, sentinel_pid=1, workers=8)
    WatchdogBeat.objects.create(host="h", pid=1)


@pytest.fixture
def niamh(working):
    club = make_club(name="St Brigid's")
    return make_coach(organization=club, first_name="Niamh", last_name="Byrne")


@pytest.fixture
def opened(page, sign_in, working):
    def opened(name=INDEX, query=""):
        sign_in(make_user(roles.VIEWER))
        page.goto(reverse(name) + query)
        expect(page.locator("[data-live-words]" if name == INDEX else "#on-their-way-title")).to_be_visible()

    return opened


def arrive(coach):
    note = make_note(organization=coach.organization, sender=coach)
    make_event(note, EventType.ARTIFACT_RECEIVED, metadata={"source_channel": "voicemail"})
    return note


def test_with_data_and_without_it_serves_everybody(page, look, opened, niamh, check_page):
    opened()
    expect(page.get_by_text("no voice note has been received yet")).to_be_visible()
    check_page()
    make_ready(organization=niamh.organization, sender=niamh)
    make_failed(organization=niamh.organization, sender=niamh)
    page.reload()
    for title in ("The flow", "Needs attention", "Activity", "What colleagues did"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    check_page()


def test_the_page_pipeline_serves_everybody(page, look, opened, niamh, check_page):
    make_failed(organization=niamh.organization, sender=niamh)
    arrive(niamh)
    opened(PIPELINE, "?stage=transcription")
    expect(page.get_by_role("heading", name="By club")).to_be_visible()
    check_page()


def test_a_new_note_appears_by_itself(page, opened, niamh):
    opened()
    active = page.locator(".ov-card", has_text="On their way").locator(".ov-card-main")
    expect(active).to_have_text("0")
    arrive(niamh)
    expect(page.get_by_text("Niamh Byrne's note for St Brigid's: received by Voicemail")).to_be_visible(timeout=SOON)
    expect(active).to_have_text("1", timeout=SOON)
    expect(page.locator(".ov-drawing-wide .ov-box", has_text="Received").locator("a").nth(1)).to_have_text("1")


def test_what_is_read_is_not_moved_and_new_rows_are_offered(page, opened, niamh):
    arrive(niamh)
    opened()
    first = page.locator("[data-happening]").first
    key = first.get_attribute("data-happening")
    first.hover()
    arrive(niamh)
    chip = page.get_by_role("button", name="1 new")
    expect(chip).to_be_visible(timeout=SOON)
    expect(page.locator("[data-happening]").first).to_have_attribute("data-happening", key)
    chip.click()
    expect(page.locator("[data-happening]")).to_have_count(2)


def test_a_number_leads_to_exactly_its_rows(page, opened, niamh):
    make_failed(organization=niamh.organization, sender=niamh)
    arrive(niamh)
    opened()
    page.locator(".ov-card", has_text="On their way").locator(".ov-card-main a").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_the_keyboard_is_enough(page, opened, niamh):
    fail(organization=niamh.organization, sender=niamh)
    opened()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    press(page, "/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("link", name="Look and retry").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Clubs touched now")).to_be_visible()


@pytest.mark.trial
def test_a_dot_tells_live_from_reconnecting(page, opened, live_server):
    opened()
    live = page.locator("[data-live]")
    expect(live).to_have_attribute("data-state", "live")
    page.route("**/admin/live/", lambda route: route.abort())
    expect(live).to_have_attribute("data-state", "reconnecting", timeout=SOON)
    page.unroute("**/admin/live/")
    expect(live).to_have_attribute("data-state", "live", timeout=2 * SOON)


@pytest.mark.trial
def test_without_scripts_all_but_the_live_part_is_there(browser, live_server, client, niamh):
    make_ready(organization=niamh.organization, sender=niamh)
    client.force_login(make_user(roles.VIEWER))
    context = browser.new_context(java_script_enabled=False)
    cookie = client.cookies["sessionid"] if "sessionid" in client.cookies else next(iter(client.cookies.values()))
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse(INDEX)}")
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    expect(page.get_by_text("Shows how it was when you opened this page.")).to_be_visible()
    context.close()
