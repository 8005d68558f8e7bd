"""Many voice notes retried at once, as an operator previews, starts, follows, pauses and ends it in a real browser."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from retry.models import BulkRetry, FailureGroup
from tests.browser.keys import press
from tests.factories import make_user
from tests.retry.admin.rows import CODE, MESSAGE, PROBLEM, STATEMENTS, make_bulk
from tests.retry.factories import make_run
from voicepipeline import roles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READY = "It has not failed: choose from which stage it should be run again."


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


def url_of(bulk, page="change"):
    return reverse(f"admin:retry_bulkretry_{page}", args=[bulk.bulk_id])


def keep_problem(bulk):
    now = timezone.now()
    told = {"stage": STATEMENTS, "error_code": CODE, "error_message": MESSAGE}
    times = {"first_seen_at": now, "last_seen_at": now}
    FailureGroup.objects.create(fingerprint=PROBLEM, example=bulk.items.first().artifact, **told, **times)


def test_a_preview_is_read_agreed_to_and_started(page, look, operator, check_page, sign_in):
    bulk = make_bulk(by=operator, counts={"waiting": 24}, refusals={READY: 12}, confirmed=12)
    sign_in(operator)
    page.goto(url_of(bulk))
    expect(page.get_by_role("heading", name="Retry 24 voice notes")).to_be_visible()
    page.get_by_role("region", name="Refused, and why").get_by_text("The first 10").click()
    expect(page.get_by_role("link", name="All 12 voice notes", exact=False).first).to_be_visible()
    check_page()
    page.get_by_role("button", name="Retry 24 voice notes").click()
    expect(page.get_by_text("Say why: the reason is kept")).to_be_visible()
    expect(page.get_by_text("Without this they cannot be retried")).to_be_visible()
    check_page()
    page.get_by_role("textbox", name="Why").fill("The prompt is mended.")
    page.get_by_label("I agree that this concerns 24 confirmed entries").check()
    expect(page.get_by_label("Try 3 first")).to_be_checked()
    page.get_by_role("button", name="Retry 24 voice notes").click()
    expect(page.get_by_text("Started: 24 voice notes will be retried")).to_be_visible()
    expect(page.get_by_text("Trying the first 3", exact=True)).to_be_visible()
    check_page()


@pytest.mark.trial
def test_its_page_follows_what_happens_and_takes_orders(page, look, operator, check_page, sign_in):
    bulk = make_bulk(state="running", by=operator, counts={"succeeded": 40, "failed": 2, "requested": 4, "waiting": 9})
    keep_problem(bulk)
    for item in bulk.items.filter(state="requested")[:2]:
        make_run(item.artifact, STATEMENTS, parked_reason="provider_error", parked_since=timezone.now())
    sign_in(operator)
    page.goto(url_of(bulk))
    expect(page.get_by_text("42 of 55 voice notes so far")).to_be_visible()
    expect(page.get_by_text("2 voice notes on hold: the AI service is down.")).to_be_visible()
    check_page()
    bulk.items.filter(state="waiting").update(
        state="refused", message="Somebody retried it.", settled_at=timezone.now()
    )
    expect(page.get_by_text("42 of 46 voice notes so far")).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused by Aoife Kelly.")).to_be_visible()
    page.get_by_role("link", name="Stop for good…").click()
    expect(page.get_by_role("heading", name="Stop the bulk retry of Aoife Kelly for good")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Stop for good").click()
    expect(page.get_by_text("Stopped by Aoife Kelly.")).to_be_visible()
    page.get_by_role("link", name="2 voice notes: Failed again").click()
    expect(page.get_by_role("navigation", name="By state")).to_be_visible()
    expect(page.get_by_text(MESSAGE)).to_have_count(2)
    check_page()
    page.get_by_role("link", name="Back to the bulk retry").click()
    page.get_by_role("link", name=MESSAGE, exact=True).click()
    expect(page).to_have_url(re.compile(f"{PROBLEM}"))


@pytest.mark.trial
def test_one_that_stopped_by_itself_is_told_everywhere_resumed_and_put_away(page, look, operator, check_page, sign_in):
    why = "The same problem came back on 3 of the last 3."
    bulk = make_bulk(state="halted", by=operator, counts={"failed": 3, "waiting": 20}, state_reason=why)
    keep_problem(bulk)
    sign_in(operator)
    page.goto(reverse("admin:index"))
    told = page.get_by_role("status").filter(has_text="Your bulk retry of 23 voice notes stopped by itself.")
    expect(told).to_be_visible()
    check_page()
    told.get_by_role("link", name="See why").click()
    expect(page.get_by_text("Problems that came back")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Resume, try 3 first").click()
    expect(page.get_by_text("Trying the first 3", exact=True)).to_be_visible()
    expect(page.get_by_text("Your bulk retry")).to_have_count(0)
    BulkRetry.objects.update(state="finished", finished_at=timezone.now())
    page.goto(reverse("admin:retry_bulkretry_changelist"))
    expect(page.get_by_text("Your bulk retry has finished: 0 of 23 voice notes succeeded, 3 failed")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Put away").click()
    expect(page.get_by_text("Your bulk retry has finished")).to_have_count(0)
    expect(page).to_have_url(re.compile("/bulkretry/$"))


@pytest.mark.trial
def test_an_expired_preview_is_made_anew(page, operator, check_page, sign_in):
    sign_in(operator)
    page.goto(url_of(make_bulk(by=operator, created_at=timezone.now() - timedelta(hours=2))))
    expect(page.get_by_role("heading", name="This preview is too old to be started")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Preview these voice notes again").click()
    expect(page.get_by_text("Preview", exact=True)).to_be_visible()
    assert BulkRetry.objects.count() == 2
    check_page()


@pytest.mark.trial
def test_it_is_started_with_the_keyboard_alone(page, operator, sign_in):
    bulk = make_bulk(by=operator, counts={"waiting": 5})
    sign_in(operator)
    page.goto(url_of(bulk))
    reason = page.get_by_role("textbox", name="Why")
    expect(reason).to_be_visible()
    for _ in range(80):
        press(page, "Tab")
        if reason.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.type("The prompt is mended.")
    press(page, "Tab")
    press(page, "Space")  # not a few first, but all
    press(page, "Tab")
    press(page, "Enter")
    expect(page.get_by_text("Started: 5 voice notes will be retried")).to_be_visible()
    assert BulkRetry.objects.get().state == "running"


@pytest.mark.trial
def test_a_viewer_sees_everything_and_finds_nothing_to_press(page, check_page, sign_in):
    counts = {"succeeded": 3, "failed": 2, "waiting": 9}
    halted = make_bulk(state="halted", by=make_user(roles.OPERATOR), counts=counts, state_reason="It came back.")
    keep_problem(halted)
    preview = make_bulk(refusals={READY: 2})
    sign_in(make_user(roles.VIEWER, username="vera"))
    page.goto(url_of(halted))
    expect(page.get_by_text("It came back.")).to_be_visible()
    assert page.get_by_role("main").get_by_role("button").count() == 0
    check_page()
    page.goto(url_of(preview))
    expect(page.get_by_text("Your role does not include starting it.")).to_be_visible()
    assert page.get_by_role("main").get_by_role("button").count() == 0
    check_page()
