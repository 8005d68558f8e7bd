"""A club's own page."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_club

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_language_is_found_by_typing_and_its_field_has_a_name(page, sign_in, administrator):
    club = make_club(languages=["en"])
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_organization_change", args=[club.pk]))
    search = page.get_by_role("searchbox", name="Languages")
    search.click()
    page.keyboard.type("iri")
    page.keyboard.press("Enter")
    violations = Axe().run(page).response["violations"]
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    club.refresh_from_db()
    assert club.languages == ["en", "ga"]
