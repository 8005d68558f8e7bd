"""Problems as an operator finds, understands, retries and settles them, in a real browser."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from retry import groups
from retry.models import BulkRetry
from tests.browser.keys import press
from tests.factories import make_club, make_coach, make_user
from tests.retry.factories import NAMES, TRANSCRIPTION
from tests.retry.problems import fail, fail_again, group_of, make_notes_of
from voicepipeline import roles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = reverse("admin:retry_failuregroup_changelist")
UNREADABLE = "The AI service cannot read this recording: its format is not one it takes."


def page_of(note):
    return reverse("admin:retry_failuregroup_change", args=[note.fingerprint])


@pytest.fixture
def operator(live_server, sign_in):
    user = make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")
    sign_in(user)
    return user


@pytest.fixture
def viewer(live_server, sign_in):
    user = make_user(roles.VIEWER, username="ciara", first_name="Ciara", last_name="Ryan")
    sign_in(user)
    return user


@pytest.fixture
def unreadable(live_server):
    """A problem of five voice notes of three clubs."""
    coach = make_coach(organization=make_club(name="Kilmacud Crokes"))
    note = fail(
        TRANSCRIPTION, code="audio_unsupported", message=UNREADABLE, sender=coach, organization=coach.organization
    )
    for name in ("Na Fianna", "Ballyboden St Enda's"):
        make_notes_of(group_of(note), 2, organization=make_club(name=name))
    return note


@pytest.mark.trial
def test_nothing_has_failed_yet(page, look, viewer, check_page):
    page.goto(LIST)
    expect(page.get_by_text("Nothing has failed yet.")).to_be_visible()
    check_page()


def test_a_problem_is_found_understood_and_its_notes_are_counted(page, look, operator, unreadable, check_page):
    fail(NAMES, code="unexpected_error", message="Something went wrong.")
    page.goto(LIST)
    first = page.locator(".vp-problems tbody tr").first
    expect(first).to_contain_text("Recording not readable")
    check_page()
    first.get_by_role("link", name="5 voice notes").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(5)
    page.goto(LIST)
    page.get_by_role("link", name="Recording not readable").click()
    expect(page.get_by_role("heading", name="Recording not readable", exact=True)).to_be_visible()
    expect(page.get_by_text("ask the coaches to send these again")).to_be_visible()
    expect(page.get_by_role("region", name="Clubs touched now")).to_contain_text("Na Fianna")
    check_page()


@pytest.mark.trial
def test_its_notes_are_retried_by_way_of_a_preview(page, operator, unreadable, check_page):
    page.goto(page_of(unreadable))
    page.get_by_role("button", name="Retry these 5 voice notes").click()
    page.wait_for_url(re.compile("/bulkretry/"))
    assert BulkRetry.objects.get().items.count() == 5
    check_page()


@pytest.mark.trial
def test_it_is_marked_as_fixed_and_comes_back_by_keyboard_alone(page, operator, unreadable, check_page):
    page.goto(page_of(unreadable))
    page.locator("#deed-fixed").focus()
    press(page, "Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("What was done")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Say what was done about it")).to_be_visible()
    check_page()
    page.get_by_label("What was done").focus()
    page.keyboard.type("The converter was missing.")
    press(page, "Enter")
    expect(page.get_by_text("Marked as fixed. Should it come back")).to_be_visible()
    expect(page.get_by_text("The converter was missing.")).to_be_visible()
    check_page()
    fail_again(unreadable)
    expect(page.get_by_text("although it had been marked as fixed")).to_be_visible(timeout=10_000)
    expect(page.locator("#deed-fixed")).to_be_visible()
    page.goto(f"{LIST}?tab=came-back")
    expect(page.locator(".vp-problems")).to_contain_text("Came back")


@pytest.mark.trial
def test_it_is_put_aside_and_opened_again(page, look, operator, unreadable, check_page):
    page.goto(page_of(unreadable))
    expect(page.locator("#deed-open")).to_be_hidden()
    page.locator("#deed-aside").click()
    expect(page.get_by_label("Until (UTC)")).to_be_hidden()
    page.locator("#aside-span").select_option("chosen")
    page.get_by_label("Until (UTC)").fill("2020-01-01T10:00")
    page.get_by_role("form", name="Put aside").get_by_role("button").click()
    expect(page.get_by_text("That moment is over")).to_be_visible()
    check_page()
    page.locator("#aside-span").select_option("week")
    page.get_by_role("form", name="Put aside").get_by_role("button").click()
    expect(page.get_by_text("It is open again then.")).to_be_visible()
    check_page()
    page.locator("#deed-open").click()
    page.get_by_role("form", name="Open again").get_by_role("button").click()
    expect(page.get_by_text("It is open again.", exact=True)).to_be_visible()


@pytest.mark.trial
def test_what_is_being_typed_stays_while_the_page_refreshes_itself(page, operator, unreadable):
    page.goto(page_of(unreadable))
    page.locator("#deed-fixed").click()
    page.get_by_label("What was done").fill("Half a sen")
    make_notes_of(group_of(unreadable), 1)
    expect(page.locator("#figure-notes")).to_have_text("6", timeout=10_000)
    expect(page.get_by_label("What was done")).to_have_value("Half a sen")
    expect(page.get_by_role("button", name="Retry these 6 voice notes")).to_be_visible()


@pytest.mark.trial
def test_a_new_problem_appears_in_the_list_by_itself(page, viewer, unreadable):
    page.goto(LIST)
    expect(page.locator(".vp-problems tbody tr")).to_have_count(1)
    fail(NAMES, code="worker_died", message="The worker died.")
    expect(page.locator(".vp-problems tbody tr")).to_have_count(2, timeout=10_000)


@pytest.mark.trial
def test_who_only_looks_sees_it_and_has_nothing_to_press(page, look, viewer, unreadable, check_page):
    groups.mark_fixed(unreadable.fingerprint, by=make_user(roles.OPERATOR), note="Something private.")
    page.goto(page_of(unreadable))
    expect(page.get_by_role("region", name="What was decided")).to_contain_text("Hidden")
    expect(page.get_by_role("region", name="Decide about it")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Retry"))).to_have_count(0)
    check_page()
