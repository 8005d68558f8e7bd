"""Pages of those who may not read what notes say are whole pages, and administrators see who has read."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.test_note_content import media, page_of, ready_note  # noqa: F401
from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.models import ContentReading

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_what_is_hidden_is_said_once_and_nothing_looks_broken(page, live_server, check_page, sign_in):
    note = ready_note()
    sign_in(make_user(roles.OPERATOR, reads_content=False))
    page.goto(page_of(note))
    expect(page.get_by_text("What it says is hidden: your account may not read content.")).to_have_count(1)
    expect(page.get_by_role("region", name="Statements").get_by_role("heading", level=3)).to_have_count(12)
    expect(page.locator("audio, mark, blockquote, .vp-quote")).to_have_count(0)
    check_page()
    page.goto(reverse("admin:voicepipeline_player_changelist"))
    expect(page.get_by_text("Names are shown as initials")).to_be_visible()
    expect(page.locator("input[name='q']")).to_have_count(0)
    check_page()
    assert not ContentReading.objects.exists()


@pytest.mark.trial
def test_an_administrator_goes_from_a_note_to_who_has_read_and_heard_it(page, administrator, check_page, sign_in):
    note = ready_note()
    sign_in(administrator)
    page.goto(page_of(note))
    page.get_by_role("link", name="Play from 0:20").click()
    page.wait_for_function("document.getElementById('player').currentTime > 20")
    page.get_by_role("link", name="1 person").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("The recording")
    expect(rows.nth(1)).to_contain_text("Its page")
    check_page()
