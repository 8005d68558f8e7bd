"""Retrying from a voice note's page and from the list, in a real browser."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from retry.models import BulkRetry, RetryAttempt
from tests.browser.keys import press
from tests.factories import make_coach, make_user
from tests.retry.factories import STATEMENTS, make_attempt, make_confirmed, make_failed, make_ready
from tests.stages.fixtures import django_db_setup  # noqa: F401
from voicepipeline import roles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = reverse("admin:voicepipeline_artifact_changelist")
REFRESHED_WITHIN = 15_000


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


def page_of(note):
    return reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])


def box_of(page, note):
    return page.get_by_role("checkbox", name=f"Select voice note {str(note.artifact_id)[:8]}")


def row_of(page, note):
    return page.get_by_role("row").filter(has_text=str(note.artifact_id)[:8])


def bar(page):
    return page.get_by_role("group", name="Retry the selected voice notes")


# --- One note ---------------------------------------------------------------------------------------------------------
def test_starting_over_asks_why_and_for_consent_and_keeps_what_was_typed(
    page, look, administrator, sign_in, check_page
):
    coach = make_coach(first_name="Seán Óg", last_name="Ó hAilpín")
    note = make_ready(sender=coach, organization=coach.organization)
    make_confirmed(note, by=administrator, title="Sharp in training")
    sign_in(administrator)
    page.goto(page_of(note))
    check_page()
    page.get_by_role("link", name="Start over").click()
    expect(page.get_by_text("Sharp in training")).to_be_visible()
    check_page()
    page.get_by_label("Why").fill("It is of another club.")
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_text("Tick this if that is meant; otherwise go back.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value("It is of another club.")
    check_page()
    page.get_by_label("I agree that 1 confirmed entry goes, too.").check()
    page.get_by_role("button", name="Start over").click()
    expect(page.get_by_text("Retry requested (attempt 1).")).to_be_visible()
    expect(page.get_by_text("It is of another club.")).to_be_visible()
    check_page()
    assert (RetryAttempt.objects.get().agreed_to, note.drafts.count()) == (1, 0)


@pytest.mark.trial
def test_what_is_not_possible_leads_to_what_is(page, look, operator, sign_in, check_page):
    note = make_failed(STATEMENTS)
    sign_in(operator)
    page.goto(reverse("admin:retry_note", args=[note.artifact_id, "draft_generation"]))
    expect(page.get_by_text("This is not possible now")).to_be_visible()
    check_page()
    page.get_by_role("link", name="Read the statements again").click()
    expect(page.get_by_text("The transcript stays.")).to_be_visible()


@pytest.mark.trial
def test_older_retries_that_were_unfolded_stay_so_when_the_page_is_refreshed(page, operator, sign_in):
    note = make_failed()
    for _ in range(5):
        make_attempt(note, operator, outcome="succeeded", reason="The prompt was mended.")
    sign_in(operator)
    page.goto(page_of(note))
    page.get_by_text("2 earlier").click()
    expect(page.get_by_text("Attempt 1", exact=True)).to_be_visible()
    make_attempt(note, operator, outcome="succeeded")
    expect(page.get_by_text("3 earlier")).to_be_visible(timeout=REFRESHED_WITHIN)
    expect(page.get_by_text("Attempt 1", exact=True)).to_be_visible()


# --- The list ---------------------------------------------------------------------------------------------------------
def test_rows_that_are_ticked_stay_as_they_are_until_nothing_is_ticked(page, operator, sign_in):
    first, *_, last = [make_failed() for _ in range(4)]
    sign_in(operator)
    page.clock.install()
    page.goto(LIST)
    box_of(page, last).click()
    box_of(page, first).click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("4 of 4 on this page selected")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    make_failed()
    page.clock.run_for(30_000)
    assert asked == []
    expect(box_of(page, last)).to_be_checked()
    page.get_by_role("button", name="Clear").click()
    expect(bar(page)).to_be_hidden()
    page.clock.run_for(10_000)
    expect(page.get_by_role("checkbox", name=re.compile("^Select voice note"))).to_have_count(5)


def is_refresh(request):
    return "x-seen" in request.headers


@pytest.mark.trial
def test_what_was_asked_for_before_a_row_was_ticked_takes_no_tick_away(page, operator, sign_in):
    note = make_failed()
    sign_in(operator)
    held = []
    page.route(f"**{LIST}", lambda route: held.append(route) if is_refresh(route.request) else route.continue_())
    page.goto(LIST)
    late = make_failed()
    with page.expect_request(is_refresh):
        pass
    box_of(page, note).check()
    with page.expect_response(lambda response: is_refresh(response.request)):
        held[0].continue_()
    page.unroute(f"**{LIST}")
    expect(box_of(page, note)).to_be_checked()
    box_of(page, note).uncheck()
    expect(row_of(page, late)).to_be_visible(timeout=REFRESHED_WITHIN)


@pytest.mark.trial
def test_all_that_match_are_chosen_and_previewed(page, look, operator, sign_in, check_page):
    for _ in range(52):
        make_failed(with_input=False)
    make_ready()
    sign_in(operator)
    page.goto(f"{LIST}?status=failed")
    page.get_by_role("checkbox", name="Select all voice notes on this page").check()
    expect(bar(page)).to_contain_text("50 of 50 on this page selected")
    check_page()
    page.get_by_role("button", name="Select all 52 that match").click()
    expect(bar(page)).to_contain_text("All 52 selected")
    expect(page.get_by_role("button", name="Clear")).to_be_focused()
    check_page()
    page.get_by_role("button", name="Show what it will do").click()
    page.wait_for_url("**/retry/bulkretry/**")
    check_page()
    bulk = BulkRetry.objects.get()
    assert (bulk.items.count(), bulk.state) == (52, "preview")


@pytest.mark.trial
def test_one_row_that_is_ticked_again_makes_it_no_longer_all_that_match(page, operator, sign_in):
    notes = [make_failed(with_input=False) for _ in range(51)]
    sign_in(operator)
    page.goto(LIST)
    page.get_by_role("checkbox", name="Select all voice notes on this page").check()
    page.get_by_role("button", name="Select all 51 that match").click()
    box_of(page, notes[-1]).uncheck()
    expect(bar(page)).to_contain_text("49 of 50 on this page selected")
    page.get_by_role("button", name="Show what it will do").click()
    page.wait_for_url("**/retry/bulkretry/**")
    assert BulkRetry.objects.get().items.count() == 49


def back_to(page, wanted, most=5):
    """Go back with the tabulator, past the box for all and the table that can be scrolled."""
    for _ in range(most):
        press(page, "Shift+Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not get back to {wanted}")


@pytest.mark.trial
def test_rows_are_ticked_and_previewed_by_keyboard(page, operator, sign_in):
    note = make_failed()
    sign_in(operator)
    page.goto(LIST)
    box_of(page, note).focus()
    press(page, "Space")
    expect(bar(page)).to_contain_text("1 of 1 on this page selected")
    back_to(page, page.get_by_role("button", name="Show what it will do"))
    press(page, "Shift+Tab")
    press(page, "ArrowDown")
    press(page, "ArrowDown")
    press(page, "Tab")
    press(page, "Enter")
    page.wait_for_url("**/retry/bulkretry/**")
    assert BulkRetry.objects.get().kind == STATEMENTS


@pytest.mark.trial
def test_a_viewer_has_nothing_to_tick(page, look, sign_in, check_page, live_server):
    note = make_failed()
    sign_in(make_user(roles.VIEWER))
    page.goto(LIST)
    expect(row_of(page, note)).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
    check_page()
