"""The whole story of a retry in a real browser: failed, found, understood, previewed, retried, watched."""

import re

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from retry.bulk.pacing import advance_all
from retry.models import BulkRetry, RetryAttempt
from tests.browser.keys import press
from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_coach, make_user
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
from voicepipeline import roles
from voicepipeline.models import Artifact

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PROBLEMS = reverse("admin:retry_failuregroup_changelist")
NOTES = reverse("admin:voicepipeline_artifact_changelist")
# It goes wrong once; whatever comes after that goes well.
SCRIPT = {"claims_extraction": ["permanent"]}
REFRESHED_WITHIN = 15_000
MOST_TABS = 120


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


@pytest.fixture
def viewer(live_server):
    return make_user(roles.VIEWER, username="tomas", first_name="Tomás", last_name="Daly")


def make_failed(**script):
    artifact = make_artifact(**(script or SCRIPT))
    coach = make_coach(first_name="Seán Óg", last_name="Ó hAilpín")
    Artifact.objects.filter(pk=artifact.pk).update(sender=coach, organization=coach.organization)
    artifact.refresh_from_db()
    scheduled(artifact)
    return run_to_the_end(artifact)


def page_of(artifact):
    return reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])


def retry_page_of(artifact):
    return reverse("admin:retry_note", args=[artifact.artifact_id, "claims_extraction"])


def panel(page):
    return page.get_by_role("region", name=re.compile("^Retry"))


def see_it_succeed(page, note):
    """Nobody touches the page while workers do their part."""
    attempt = panel(page).get_by_role("listitem").filter(has_text="Attempt 1")
    expect(attempt).to_contain_text("Under way")
    run_to_the_end(note)
    expect(attempt).to_contain_text("Succeeded", timeout=REFRESHED_WITHIN)
    expect(page.get_by_text("Failed at")).to_have_count(0)


@pytest.mark.trial
def test_a_failed_note_is_found_by_its_problem_understood_retried_and_seen_to_succeed(
    page, look, operator, sign_in, check_page
):
    note = make_failed()
    sign_in(operator)
    page.goto(PROBLEMS)
    check_page()
    page.get_by_role("link", name=str(note.artifact_id)[:8]).click()
    expect(page.get_by_text("The audio is not readable.").first).to_be_visible()
    expect(panel(page).get_by_role("link", name="Match the names again")).to_have_attribute("aria-disabled", "true")
    check_page()
    panel(page).get_by_role("link", name="Read the statements again").click()
    expect(page.get_by_text("The transcript stays.")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Read the statements again").click()
    expect(page.get_by_text("Retry requested (attempt 1).")).to_be_visible()
    check_page()
    see_it_succeed(page, note)
    check_page()


@pytest.mark.trial
def test_all_notes_with_one_problem_are_previewed_started_and_seen_to_succeed(
    page, look, operator, sign_in, check_page
):
    notes = [make_failed() for _ in range(4)]
    sign_in(operator)
    page.goto(PROBLEMS)
    page.locator("a.vp-problem-name").click()
    check_page()
    page.get_by_role("button", name=re.compile("^Retry")).click()
    expect(page.get_by_text("What will happen:")).to_be_visible()
    expect(page.get_by_label("Try 3 first")).to_be_checked()
    check_page()
    page.get_by_label("Why").fill("The AI service reads these again.")
    page.get_by_role("button", name=re.compile("4 voice notes")).click()
    expect(page.get_by_text("The first 3 are tried.")).to_be_visible()
    for _ in range(2):  # the first few, then the rest
        advance_all()
        for note in notes:
            run_to_the_end(note)
        advance_all()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=REFRESHED_WITHIN)
    check_page()
    assert [note.retries.count() for note in notes] == [1, 1, 1, 1]


def tab_to(page, wanted):
    """Go on with the tabulator until the keyboard is there."""
    expect(wanted).to_have_count(1)
    for _ in range(MOST_TABS):
        press(page, "Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not get to {wanted}")


def test_the_whole_story_by_keyboard(page, operator, sign_in):
    note = make_failed()
    sign_in(operator)
    page.goto(f"{NOTES}?status=failed")
    tab_to(page, page.get_by_role("link", name=str(note.artifact_id)[:8]))
    press(page, "Enter")
    expect(page.get_by_text("Trying again will not help.")).to_be_visible()
    tab_to(page, panel(page).get_by_role("link", name="Read the statements again"))
    press(page, "Enter")
    expect(page.get_by_text("The transcript stays.")).to_be_visible()
    tab_to(page, page.get_by_label("Why"))
    page.keyboard.type("A better prompt is in place.")
    tab_to(page, page.get_by_role("button", name="Read the statements again"))
    press(page, "Enter")
    expect(page.get_by_text("Retry requested (attempt 1).")).to_be_visible()
    expect(panel(page).get_by_text("A better prompt is in place.")).to_be_visible()
    see_it_succeed(page, note)


def forged(page, path, **fields):
    """As a page of somebody else's making would send it, with this person's cookies and a token that fits."""
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == settings.CSRF_COOKIE_NAME)
    address = f"{page.url.split('/', 3)[0]}//{page.url.split('/', 3)[2]}{path}"
    return page.context.request.post(
        address, form={"csrfmiddlewaretoken": token, **fields}, headers={"Referer": address}
    )


@pytest.mark.trial
def test_a_viewer_sees_all_and_starts_nothing(page, viewer, operator, sign_in, check_page):
    note = make_failed()
    sign_in(viewer)
    page.goto(PROBLEMS)
    page.locator("a.vp-problem-name").click()
    expect(page.get_by_role("heading", name="Clubs touched now")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Retry"))).to_have_count(0)
    check_page()
    page.goto(page_of(note))
    link = panel(page).get_by_role("link", name="Read the statements again")
    expect(link).to_have_attribute("aria-disabled", "true")
    expect(panel(page)).to_contain_text("Operators and administrators may do this.")
    check_page()
    typed = {"reason": "x", "idempotency_key": "x", "expected_generation": "1", "agreed_to": "0"}
    assert forged(page, retry_page_of(note), **typed).status == 403
    problem = reverse("admin:retry_failuregroup_retry", args=[note.fingerprint])
    assert forged(page, problem).status == 403
    assert (RetryAttempt.objects.count(), BulkRetry.objects.count()) == (0, 0)


@pytest.mark.trial
def test_the_same_post_of_an_operator_is_taken(page, operator, sign_in):
    """So that what turns a viewer away is the missing right, and nothing else that was missing."""
    note = make_failed()
    sign_in(operator)
    page.goto(page_of(note))
    typed = {"reason": "x", "idempotency_key": "x", "expected_generation": "1", "agreed_to": "0"}
    assert forged(page, retry_page_of(note), **typed).status == 200
    assert RetryAttempt.objects.get().requested_by == operator
