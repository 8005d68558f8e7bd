"""What staff do with a voice note in trouble, in a real browser."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.engine.helpers import make_artifact, past, run_to_the_end, scheduled
from tests.factories import make_coach, make_user
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
from voicepipeline import roles
from voicepipeline.models import Artifact, StageRun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIST = reverse("admin:voicepipeline_artifact_changelist")


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


def make_note(**script):
    artifact = make_artifact(**script)
    coach = make_coach(first_name="Seán Óg", last_name="Ó hAilpín")
    Artifact.objects.filter(pk=artifact.pk).update(sender=coach, organization=coach.organization)
    artifact.refresh_from_db()
    scheduled(artifact)
    return artifact


@pytest.mark.trial
def test_a_failed_note_is_found_read_closed_and_reopened(page, look, operator, check_page, sign_in):
    make_note()
    failed = make_note(transcription=["transient", "permanent"])
    run_to_the_end(failed)
    sign_in(operator)
    page.goto(f"{LIST}?status=failed")
    expect(page.get_by_text("Seán Óg Ó hAilpín")).to_have_count(1)
    check_page()
    page.get_by_role("link", name=str(failed.artifact_id)[:8]).click()
    expect(page.get_by_text("Trying again will not help.")).to_be_visible()
    check_page()
    page.get_by_role("link", name="Close, won't fix").click()
    check_page()
    page.get_by_role("button", name="Close this voice note").click()
    expect(page.get_by_text("Say why: whoever looks at it next will want to know.")).to_be_visible()
    check_page()
    page.get_by_label("Why it will not be fixed").fill("The coach sent it twice.")
    page.get_by_role("button", name="Close this voice note").click()
    expect(page.get_by_text("Closed by Aoife Kelly")).to_be_visible()
    expect(page.get_by_text("The reason given: The coach sent it twice.")).to_be_visible()
    check_page()
    page.get_by_role("link", name="Reopen").click()
    page.get_by_role("button", name="Reopen this voice note").click()
    expect(page.get_by_text("Open again.")).to_be_visible()
    expect(page.get_by_role("link", name="Close, won't fix")).to_be_visible()
    done = page.get_by_role("region", name="What people did")
    expect(done.get_by_role("listitem")).to_have_text([re.compile("Reopened"), re.compile("sent it twice")])
    check_page()


def test_a_stalled_note_is_found_and_released(page, look, operator, check_page, sign_in):
    artifact = make_note()
    StageRun.objects.filter(artifact=artifact).update(not_before=past(3600), queued_at=past(3600))
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(3600))
    sign_in(operator)
    page.goto(f"{LIST}?status=stalled")
    page.get_by_role("link", name=str(artifact.artifact_id)[:8]).click()
    page.get_by_role("link", name="Release and requeue").click()
    check_page()
    page.get_by_role("button", name="Release and requeue").click()
    expect(page.get_by_text("Released. A worker will take it up in a moment.")).to_be_visible()
    expect(page.get_by_role("link", name="Release and requeue")).to_have_count(0)
    check_page()


def test_the_notes_page_follows_what_happens_and_keeps_what_was_opened(page, operator, sign_in, check_page):
    artifact = make_note(claims_extraction=["permanent"])
    sign_in(operator)
    page.goto(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))
    expect(page.get_by_text("Waiting for a worker for the stage Transcription")).to_be_visible()
    run_to_the_end(artifact)
    expect(page.get_by_text(re.compile("^Failed at "))).to_be_visible(timeout=10_000)
    details = page.locator("details").first
    details.locator("summary").click()
    Artifact.objects.filter(pk=artifact.pk).update(error_message="Something else.")
    expect(page.get_by_text("Something else.")).to_be_visible(timeout=10_000)
    expect(details).to_have_attribute("open", "")
    check_page()


def test_a_refresh_leaves_the_keyboard_where_it_is(page, operator, sign_in):
    artifact = make_note(transcription=["permanent"])
    run_to_the_end(artifact)
    sign_in(operator)
    page.goto(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))
    page.get_by_role("link", name="Close, won't fix").focus()
    Artifact.objects.filter(pk=artifact.pk).update(error_message="Something else.")
    expect(page.get_by_text("Something else.")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("link", name="Close, won't fix")).to_be_focused()


@pytest.mark.trial
def test_the_list_follows_what_happens(page, operator, sign_in):
    artifact = make_note()
    sign_in(operator)
    page.goto(LIST)
    row = page.get_by_role("row", name=re.compile(str(artifact.artifact_id)[:8]))
    expect(row).to_contain_text("Received")
    run_to_the_end(artifact)
    expect(row).to_contain_text("Ready", timeout=10_000)


@pytest.mark.trial
def test_a_page_that_cannot_refresh_says_so(page, operator, sign_in):
    artifact = make_note()
    sign_in(operator)
    page.goto(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))
    notice = page.get_by_text("This page cannot be refreshed at the moment.")
    expect(notice).to_be_hidden()
    page.route("**/live/", lambda route: route.abort())
    expect(notice).to_be_visible(timeout=10_000)
    page.unroute("**/live/")
    expect(notice).to_be_hidden(timeout=10_000)


def test_a_page_left_open_leads_to_the_sign_in_page_once_signed_out(page, operator, sign_in, client):
    artifact = make_note()
    sign_in(operator)
    page.goto(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))
    page.context.clear_cookies()
    expect(page.get_by_label("User name")).to_be_visible(timeout=10_000)
    assert page.url.endswith(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))


@pytest.mark.trial
def test_the_other_pages_fit_and_serve_everybody(page, look, operator, check_page, sign_in):
    run_to_the_end(make_note(claims_extraction=["permanent"]))
    sign_in(operator)
    for name in ("pipelineevent", "stagerun", "clusterbeat", "scheduledjob", "organization", "coach"):
        page.goto(reverse(f"admin:voicepipeline_{name}_changelist"))
        check_page()


def test_an_events_details_open_in_their_row(page, look, operator, check_page, sign_in):
    run_to_the_end(make_note(claims_extraction=["permanent"]))
    sign_in(operator)
    page.goto(f"{reverse('admin:voicepipeline_pipelineevent_changelist')}?errors=only")
    page.get_by_text("Show", exact=True).first.click()
    expect(page.get_by_text('"error_code": "unreadable_audio"').first).to_be_visible()
    check_page()
