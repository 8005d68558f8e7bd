"""The API's docs, and the pages of its keys, in a real browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.api.helpers import over_http
from tests.factories import make_club

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [(1360, 900), (375, 812)], ids=["desk", "phone"])
def test_the_docs_show_every_address_from_our_own_files_alone(page, watch, live_server, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    page.goto("/api/docs")
    expect(page.locator(".opblock")).to_have_count(3)
    page.locator("#operations-Voice_notes-send_voice_note button").first.click()
    expect(page.get_by_text("201: it is safe, file and all")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert watch.problems == []


@pytest.mark.trial
def test_a_key_is_made_used_and_revoked(page, sign_in, administrator, live_server, check_page, look):
    make_club(name="Ballina Rovers", slug="ballina")
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_apikey_add"))
    check_page()
    page.get_by_role("combobox", name="Club").select_option(label="Ballina Rovers")
    page.get_by_role("textbox", name="Name").fill("The club's app")
    page.get_by_label("See its voice notes and how they fare").check()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#api-key").text_content()
    check_page()

    def status():
        return over_http(live_server.url, "GET", "/api/v1/voice-notes", Authorization=f"Bearer {secret}")[0]

    assert status() == 200
    page.get_by_role("link", name="Done, I have copied it").click()
    check_page()
    page.get_by_role("link", name="The club's app").click()
    check_page()
    page.get_by_role("link", name="Revoke it…").click()
    check_page()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.get_by_text("is refused from now on")).to_be_visible()
    assert status() == 401
