"""How the overview stays live for hours: it asks one thing at a time, rests when it should, and disturbs nobody."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.keys import press
from tests.browser.situations import arrive, stop_everything
from tests.factories import make_club, make_user
from tests.overview.polling import within_a_minute
from tests.retry.problems import fail
from voicepipeline import roles
from voicepipeline.models import AIServiceHealth

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLL, PANEL = re.compile(r"/live/(\?|$)"), re.compile(r"/panels/\w+/")
A_MINUTE_MS = 60_000
PAUSE_MS, IDLE_PAUSE_MS, LONGEST_PAUSE_MS = 3_000, 6_000, 30_000
PATIENCE_MS = 15_000
IDLE_AFTER = 20
# Whether somebody looks, as a test says.
EYES = """
let looks = "visible";
Object.defineProperty(document, "visibilityState", { get: () => looks });
window.look = (state) => { looks = state; document.dispatchEvent(new Event("visibilitychange")); };
"""


class Live:
    """The overview, open in a browser whose time passes when a test says so."""

    def __init__(self, page):
        self.page = page
        self.polls = []
        began = timezone.now()
        page.clock.install(time=began)
        page.clock.pause_at(began + timedelta(seconds=1))
        page.add_init_script(EYES)
        page.on("request", lambda request: self.polls.append(request) if POLL.search(request.url) else None)

    def open(self, name="admin:index", query=""):
        self.page.goto(reverse(name) + query)
        self.page.wait_for_function("document.readyState == 'complete'")

    def pass_time(self, milliseconds):
        self.page.clock.run_for(milliseconds)

    def answer(self, after=PAUSE_MS):
        """What the question is answered with that is asked when so much time has passed."""
        with self.page.expect_response(POLL) as answered:
            self.pass_time(after)
        answered.value.finished()
        self.page.wait_for_function("!document.querySelector('.htmx-request')")
        self.pass_time(50)  # what htmx does when it has swapped
        return answered.value.status

    def point_at(self, element):
        """Playwright's own `hover` waits for frames, and none is drawn while no time passes."""
        element.evaluate("element => element.scrollIntoView({ block: 'center' })")
        box = element.bounding_box()
        self.page.mouse.move(box["x"] + 5, box["y"] + 5)

    def expect_state(self, state):
        expect(self.page.locator("[data-live]")).to_have_attribute("data-state", state)


@pytest.fixture
def live(page, sign_in, niamh):
    sign_in(make_user(roles.VIEWER, username="viewer"))
    return Live(page)


def newest_key(page):
    return page.locator("[data-happening]").first.get_attribute("data-happening")


def test_held_rows_are_not_sent_again_and_their_number_grows(page, live, niamh):
    def one_comes():
        live.open()
        shown = newest_key(page)
        live.point_at(page.locator("[data-happening]").first)
        arrive(niamh)
        return shown, [live.answer(), live.answer()]

    arrive(niamh)
    shown, statuses = within_a_minute(one_comes)
    assert statuses == [200, 204]
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    arrive(niamh)
    live.answer()
    expect(page.get_by_role("button", name="2 new")).to_be_visible()
    assert newest_key(page) == shown


def test_the_chip_moves_no_row_and_leads_the_keyboard_to_the_newest(page, live, niamh):
    arrive(niamh)
    live.open()
    row = page.locator("[data-happening]").first
    live.point_at(row)
    before = row.bounding_box()
    arrive(niamh)
    live.answer()
    chip = page.get_by_role("button", name="1 new")
    expect(chip).to_be_visible()
    assert row.bounding_box() == before
    chip.focus()
    press(page, "Enter")
    expect(page.locator("[data-happening]").first.get_by_role("link")).to_be_focused()


@pytest.mark.trial
def test_held_rows_come_in_when_nobody_reads_there_any_more(page, live, niamh):
    arrive(niamh)
    live.open()
    live.point_at(page.locator("[data-happening]").first)
    arrive(niamh)
    live.answer()
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    live.answer()
    expect(page.locator("[data-happening]")).to_have_count(2)
    expect(page.locator("[data-chip]")).to_have_count(0)


def test_the_keyboard_stays_where_it_is_when_its_section_is_drawn_anew(page, live, niamh):
    live.open()
    link = page.locator(".ov-card", has_text="On their way").locator(".ov-card-main a")
    link.focus()
    page.evaluate("window.before = document.activeElement; before.removeAttribute('id')")  # by which htmx would find it
    arrive(niamh)
    live.answer()
    expect(link).to_have_text("1")
    expect(link).to_be_focused()
    assert page.evaluate("document.activeElement !== window.before")


def test_an_answer_that_fails_is_asked_for_after_longer_and_longer_pauses(page, live):
    live.open()
    page.route(POLL, lambda route: route.fulfill(status=502, body="Bad gateway"))
    assert live.answer() == 502
    live.expect_state("reconnecting")
    for pause in (6_000, 12_000, 24_000, LONGEST_PAUSE_MS, LONGEST_PAUSE_MS):
        before = len(live.polls)
        live.pass_time(pause - 100)
        assert len(live.polls) == before
        live.answer(after=100)
    page.unroute(POLL)
    live.answer(after=LONGEST_PAUSE_MS)
    live.expect_state("live")
    assert within_a_minute(lambda: [live.answer(), live.answer()])[-1] == 204


def test_nothing_is_asked_while_nobody_looks_and_at_once_when_somebody_does(page, live, niamh):
    live.open()
    page.evaluate("look('hidden')")
    live.expect_state("paused")
    live.pass_time(60_000)
    assert live.polls == []
    arrive(niamh)
    with page.expect_response(POLL):
        page.evaluate("look('visible')")
    expect(page.locator("[data-happening]")).to_have_count(1)
    live.expect_state("live")


def test_what_has_been_unfolded_stays_so_and_the_keyboard_with_it(page, live):
    stop_everything(timezone.now() - timedelta(minutes=47), make_user(roles.OPERATOR))
    live.open()
    summary = page.locator("#overview-health summary")
    summary.focus()
    press(page, "Enter")
    page.evaluate("window.before = document.activeElement")
    AIServiceHealth.objects.update(trouble_since=timezone.now() - timedelta(minutes=17))
    assert live.answer() == 200
    assert page.evaluate("!before.isConnected && document.querySelector('#overview-health details').open")
    expect(summary).to_be_focused()


def test_a_panel_that_does_not_come_keeps_what_it_has_and_says_so(page, live, niamh):
    arrive(niamh)
    live.open("admin:pipeline")
    panel = page.locator("#panel-clubs")
    expect(panel.get_by_role("heading", name="By club")).to_be_attached()
    page.route(PANEL, lambda route: route.fulfill(status=502, body="Bad gateway"))
    live.pass_time(A_MINUTE_MS)
    said = panel.get_by_text("This part could not be loaded; it is tried again.")
    expect(said).to_be_attached()
    expect(panel.get_by_role("heading", name="By club")).to_be_attached()
    page.unroute(PANEL)
    live.pass_time(A_MINUTE_MS)
    expect(said).to_have_count(0)


@pytest.mark.trial
def test_the_panels_of_the_page_pipeline_are_told_anew_each_minute(page, live, niamh):
    live.open("admin:pipeline", "?stage=claims_extraction")
    problem = page.locator("#panel-problems .ov-row")
    range_ = page.locator("#range-7d")
    range_.focus()
    fail(organization=niamh.organization, sender=niamh)
    expect(problem).to_have_count(0)
    live.pass_time(A_MINUTE_MS)
    expect(problem).to_have_count(1)
    expect(range_).to_be_focused()


@pytest.mark.trial
def test_what_is_read_on_a_phone_keeps_its_place_whatever_grows_above_it(page, live, niamh):
    for _ in range(12):
        arrive(niamh)
    page.set_viewport_size({"width": 375, "height": 812})
    live.open()
    row = page.locator("[data-happening]").nth(4)
    row.evaluate("row => row.scrollIntoView({ block: 'center' })")
    before = row.bounding_box()["y"]
    fail(organization=niamh.organization, sender=niamh)
    assert live.answer() == 200
    expect(page.locator("[data-chip]")).to_be_visible()
    expect(page.locator(".ov-row-lead")).to_have_count(1)
    assert row.bounding_box()["y"] == pytest.approx(before, abs=1)


@pytest.mark.trial
@pytest.mark.parametrize("status", [403, 500, 503])
def test_it_comes_back_to_life_by_itself(page, live, status):
    live.open()
    page.route(POLL, lambda route: route.fulfill(status=status, body="No"))
    live.answer()
    live.expect_state("reconnecting")
    page.unroute(POLL)
    live.answer(after=2 * PAUSE_MS)
    live.expect_state("live")


@pytest.mark.trial
def test_it_asks_at_once_when_the_network_is_back(page, live):
    live.open()
    page.route(POLL, lambda route: route.abort())
    live.pass_time(PAUSE_MS)
    live.expect_state("reconnecting")
    page.unroute(POLL)
    with page.expect_response(POLL):
        page.evaluate("window.dispatchEvent(new Event('online'))")
    live.expect_state("live")


@pytest.mark.trial
def test_it_never_asks_twice_at_once_and_gives_a_slow_server_a_rest(page, live):
    live.open()
    waiting = []
    page.route(POLL, lambda route: waiting.append(route))
    with page.expect_request(POLL):
        live.pass_time(PAUSE_MS)
    page.evaluate("look('hidden'); look('visible'); window.dispatchEvent(new Event('online'))")
    live.pass_time(4_000)
    assert len(live.polls) == 1
    with page.expect_response(POLL):
        waiting[0].continue_()
    page.unroute(POLL)
    live.expect_state("live")
    live.pass_time(4 * 4_000 - 500)
    assert len(live.polls) == 1
    live.answer(after=1_000)


@pytest.mark.trial
def test_an_answer_that_comes_when_nobody_looks_any_more_starts_nothing(page, live, niamh):
    live.open()
    waiting = []
    page.route(POLL, lambda route: waiting.append(route))
    with page.expect_request(POLL):
        live.pass_time(PAUSE_MS)
    page.evaluate("look('hidden')")
    arrive(niamh)
    with page.expect_response(POLL):
        waiting[0].continue_()
    page.unroute(POLL)
    expect(page.locator("[data-happening]")).to_have_count(1)
    live.expect_state("paused")
    live.pass_time(60_000)
    assert len(live.polls) == 1


@pytest.mark.trial
def test_an_answer_that_never_comes_counts_as_none(page, live):
    live.open()
    page.route(POLL, lambda route: None)
    page.evaluate("void htmx.on('htmx:configRequest', (event) => (window.patience = event.detail.timeout))")
    live.pass_time(PAUSE_MS)
    page.wait_for_function("window.patience")
    assert page.evaluate("window.patience") == PATIENCE_MS
    live.expect_state("live")
    page.evaluate("htmx.trigger(document.querySelector('[data-live]'), 'htmx:abort')")
    live.expect_state("reconnecting")


@pytest.mark.trial
def test_it_asks_less_often_when_nothing_happens_for_long(page, live, niamh):
    def nothing_happens():
        live.open()
        return {live.answer() for _ in range(IDLE_AFTER)}

    assert within_a_minute(nothing_happens) == {204}
    before = len(live.polls)
    live.pass_time(IDLE_PAUSE_MS - 100)
    assert len(live.polls) == before
    arrive(niamh)
    assert live.answer(after=100) == 200
    live.answer(after=PAUSE_MS)


@pytest.mark.trial
def test_a_laptop_that_slept_tells_the_right_times_and_asks(page, live, niamh):
    arrive(niamh, timestamp=timezone.now() - timedelta(minutes=3, seconds=30))
    live.open()
    when = page.locator("[data-happening] time").first
    expect(when).to_have_text("3 min")
    with page.expect_response(POLL):
        page.clock.fast_forward(2 * 3_600_000)
    expect(when).to_have_text("2 h 3 min")


@pytest.mark.trial
def test_signed_out_elsewhere_it_goes_to_the_sign_in_page_and_loses_nothing_typed(page, live, sign_in):
    live.open()
    page.get_by_role("searchbox").fill("wamid.42")
    Session.objects.all().delete()
    with page.expect_navigation(url="**/login/**"):
        live.pass_time(PAUSE_MS)
    expect(page.get_by_label("User name")).to_be_visible()
    sign_in(make_user(roles.VIEWER, username="again"))
    live.open()
    expect(page.get_by_role("searchbox")).to_have_value("wamid.42")


@pytest.mark.trial
def test_who_types_and_who_marks_text_is_not_disturbed(page, live, niamh):
    fail(organization=niamh.organization, sender=niamh)
    live.open()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#overview-concerns .ov-row-lead'))")
    marked = page.evaluate("getSelection().toString()")
    page.get_by_role("searchbox").press_sequentially("wam")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#overview-concerns .ov-row-lead'))")
    fail(organization=make_club(name="Na Fianna"), error_code="provider_timeout")
    live.answer()
    assert page.evaluate("getSelection().toString()") == marked
    expect(page.get_by_role("searchbox")).to_have_value("wam")


@pytest.mark.trial
def test_only_the_state_is_read_out(page, live, niamh):
    live.open()
    said = page.locator("[role=status], [role=alert], [aria-live]").filter(visible=True)
    expect(said).to_have_count(1)
    arrive(niamh)
    live.answer()
    expect(page.locator("[data-happening]")).to_have_count(1)
    expect(said).to_have_text("Live: what changes is shown by itself.")


@pytest.mark.trial
def test_the_page_pipeline_lives_in_the_same_way(page, live, niamh):
    def opened():
        live.open("admin:pipeline", "?stage=transcription")
        return live.answer()

    arrive(niamh)
    assert within_a_minute(opened) == 204
    arrive(niamh)
    assert live.answer() == 200
    expect(page.locator("#on-their-way .ov-progress")).to_have_count(2)
    expect(page.locator("#stage-transcription")).to_have_attribute("aria-current", "true")
    live.expect_state("live")


@pytest.mark.trial
def test_times_and_days_are_those_of_the_reader(browser, live_server, client, niamh):
    arrive(niamh, timestamp=datetime(2026, 3, 2, 20, 30, tzinfo=UTC))
    client.force_login(make_user(roles.VIEWER))
    context = browser.new_context(timezone_id="Pacific/Auckland", locale="de-DE")
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse('admin:index')}")
    expect(page.locator(".ov-day")).to_have_text("Tuesday, 3 March")
    expect(page.locator("[data-happening] time")).to_have_attribute("title", "2 Mar 2026, 20:30:00 UTC")
    context.close()
