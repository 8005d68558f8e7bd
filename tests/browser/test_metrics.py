"""The page Metrics as staff use it, in a real browser."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.factories import make_event, make_user
from tests.metrics.factories import hour, make_snapshot
from tests.metrics.histories import make_busy_hours
from voicepipeline import roles
from voicepipeline.models import EventType

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = reverse("admin:metrics_dashboard")
HOLES = (4, 5)


@pytest.fixture
def viewer(live_server, sign_in):
    user = make_user(roles.VIEWER, username="ciara", first_name="Ciara", last_name="Ryan")
    sign_in(user)
    return user


def test_a_busy_day_is_drawn_compared_and_has_its_tables(page, look, viewer, check_page):
    make_busy_hours(hours=30, holes=HOLES)
    page.goto(f"{PAGE}?compare=1")
    expect(page.locator("canvas[data-chart]").first).to_be_visible()
    drawn = page.evaluate("[...document.querySelectorAll('canvas[data-chart]')].map((each) => !!Chart.getChart(each))")
    assert drawn == [True] * 8
    expect(page.get_by_text(re.compile("^From .* to .*: .*(more|fewer)$")).first).to_be_visible()
    chart = page.get_by_role("region", name="Voice notes", exact=True)
    rows = chart.locator("tbody tr")
    expect(rows.first).to_be_hidden()
    chart.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rows.first).to_be_visible()
    expect(rows).to_have_count(24)
    expect(rows.last).to_contain_text("so far")
    expect(rows.nth(23 - HOLES[0])).to_contain_text("\N{EN DASH}")
    check_page()


def test_an_empty_page_says_what_to_do(page, look, viewer, check_page):
    page.goto(PAGE)
    expect(page.get_by_text("Nothing happened in this time.")).to_be_visible()
    check_page()
    page.get_by_role("link", name="Look at 90 days").click()
    expect(page.get_by_text("Figures appear within a minute of the first voice note.")).to_be_visible()


@pytest.mark.trial
def test_range_club_and_order_are_chosen_and_stand_in_the_address(page, viewer, check_page):
    make_busy_hours(hours=8)
    page.goto(PAGE)
    page.get_by_role("link", name="6 hours").click()
    expect(page.get_by_role("link", name="6 hours")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Club", exact=True).click()
    heading = page.get_by_role("columnheader", name="Club")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(page.locator(".metrics-clubs tbody th").first).to_have_text("Kilmacud Crokes")
    page.get_by_label("Club", exact=True).select_option("Na Fianna")
    page.get_by_label("Compare with the time before").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("^Na Fianna, since"))).to_be_visible()
    assert re.search(r"\?range=6h&sort=name&club=\d+&compare=1$", page.url)
    expect(page.get_by_text("whole hours against the")).to_be_visible()
    page.get_by_role("link", name="Other days").click()
    expect(page.get_by_label("First day (UTC)")).to_have_value(re.compile(r"\d{4}-\d\d-\d\d"))
    check_page()


def test_the_clubs_come_after_the_page_and_are_sorted_by_keyboard(page, look, viewer, check_page):
    make_busy_hours(hours=8)
    hold = []
    page.route("**/figures/clubs/**", lambda route: hold.append(route), times=1)
    page.goto(f"{PAGE}?range=6h")
    clubs = page.locator("#clubs")
    expect(clubs).to_have_attribute("aria-busy", "true")
    expect(clubs.get_by_text("Adding up the clubs…")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Adding up the clubs…")).to_have_count(1)
    hold.pop().continue_()
    expect(clubs.locator("tbody th")).to_have_count(4)
    expect(clubs).not_to_have_attribute("aria-busy", "true")
    heading = clubs.get_by_role("link", name="AI cost")
    heading.focus()
    page.keyboard.press("Enter")
    expect(clubs.get_by_role("columnheader", name="AI cost")).to_have_attribute("aria-sort", "descending")
    expect(heading).to_be_focused()
    expect(page.locator("#clubs-said")).to_have_text("3 of 3 clubs, by AI cost, descending")
    expect(page.locator("#picker input[name=sort]")).to_have_value("-cost")
    assert page.url.endswith("?range=6h&sort=-cost")
    expect(page).to_have_title(re.compile("^Metrics"))
    check_page()


def test_clubs_that_could_not_be_had_are_told_of(page, viewer):
    make_busy_hours(hours=8)
    page.route("**/figures/clubs/**", lambda route: route.fulfill(status=503))
    page.goto(f"{PAGE}?range=6h")
    clubs = page.locator("#clubs")
    expect(clubs.get_by_text("The clubs could not be added up. Try again.")).to_be_visible()
    page.unroute("**/figures/clubs/**")
    clubs.get_by_role("link", name="Show the clubs").click()
    expect(clubs.locator("tbody th")).to_have_count(4)


@pytest.mark.trial
def test_without_scripts_a_link_leads_to_the_clubs(browser, viewer, live_server, page, check_page):
    make_busy_hours(hours=8)
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto(f"{PAGE}?range=6h")
    assert plain.locator("#clubs table").count() == 0
    page.goto(plain.locator("#clubs").get_by_text("Show the clubs").get_attribute("href"))
    context.close()
    expect(page.locator("#clubs tbody th")).to_have_count(4)
    page.get_by_role("link", name="24 hours").click()
    expect(page.locator("#clubs")).to_contain_text("24 hours, so far")
    check_page()


def test_colours_follow_the_theme(page, viewer):
    make_snapshot("hour", hour(timezone.now()), artifacts_received=3)
    page.emulate_media(color_scheme="light")
    page.goto(PAGE)
    colour = "Chart.getChart(document.querySelector('canvas[data-chart]')).data.datasets[0].borderColor"
    page.wait_for_function(f"window.Chart && {colour}")
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('dark')")
    page.wait_for_function(f"{colour} !== '{light}'")


def test_a_chart_is_downloaded_as_csv(page, viewer):
    make_busy_hours(hours=8)
    page.goto(f"{PAGE}?range=6h")
    with page.expect_download() as caught:
        page.get_by_role("link", name=re.compile("CSV.*Voice notes")).click()
    header, *rows = csv.reader(Path(caught.value.path()).read_text("utf-8-sig").splitlines())
    assert header == ["From (UTC)", "Until (UTC)", "", "Received", "Ready", "Failed"]
    assert len(rows) == 6


@pytest.mark.trial
def test_a_number_leads_to_exactly_the_rows_that_it_counts(page, viewer, check_page):
    now = timezone.now()
    for minutes in (2, 9, 40, 70):
        make_event(event_type=EventType.ARTIFACT_RECEIVED, timestamp=now - timedelta(minutes=minutes))
    page.goto(f"{PAGE}?range=1h")
    tile = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Received"))
    tile.get_by_role("link", name="3", exact=True).click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    check_page()
