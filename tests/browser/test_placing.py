"""A voice note of an unknown sender finds its coach, and a bulk action tells how far it is, in a real browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_bulk_work, make_club, make_coach, make_note
from voicepipeline.models import BulkWork

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.trial
def test_a_coach_is_found_among_many_by_typing_and_attached(page, administrator, check_page, sign_in):
    club = make_club(name="Na Fianna")
    for number in range(12):
        make_coach(organization=club, first_name="Órla", last_name=f"Daly {number}")
    note = make_note(organization=club)
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_artifact_placing"))
    check_page()
    page.locator("#list-coach").click()
    check_page()
    page.get_by_role("link", name="Attach a coach").click()
    check_page()
    page.get_by_role("searchbox").press_sequentially("orla 7")
    expect(page.get_by_text("1 found")).to_be_visible()
    page.get_by_role("button", name="Attach a coach").click()
    expect(page.get_by_text("Órla Daly 7 of Na Fianna sent it.")).to_be_visible()
    note.refresh_from_db()
    assert note.sender.last_name == "Daly 7"


def test_the_page_of_a_bulk_action_moves_by_itself(page, administrator, check_page, sign_in):
    work = make_bulk_work(expected=40, done=10, notes=5)
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_bulkwork_change", args=[work.pk]))
    expect(page.get_by_text("10 of about 40 open questions so far.")).to_be_visible()
    check_page()
    BulkWork.objects.filter(pk=work.pk).update(done=25)
    expect(page.get_by_text("25 of about 40 open questions so far.")).to_be_visible(timeout=10_000)
