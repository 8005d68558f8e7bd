"""A club's list of players in a real browser: handed in, looked at, its questions answered, applied, taken away."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_club, make_player, make_team
from voicepipeline.models import Player

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "admin:voicepipeline_rosterimport_add"
LIST = """\
First name;Surname;Team;Membership number;Active;Date of birth
Niamh;Burke;Under 14;101;yes;2012-03-04
Tomasz;Nowak;Minors;;;
Gráinne;Ní Mháille;Under 12;103;;
Sadhbh;Gallagher;Under 12;104;;
Seán;O'Neill;Minors;105;no;
Neve;Kelleher;Under 14;106;;
Caoimhe;Doyle;Minors;107;;
;Walsh;Minors;108;;
Fionn;Dunne;Minors;109;perhaps;
"""


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def club():
    club = make_club(name="Ballina Rovers", slug="ballina")
    teams = {name: make_team(organization=club, name=name) for name in ("Under 14", "Minors")}
    for name, team, number, active in (
        ("Niamh Kelly", "Under 14", "101", True),
        ("Tomasz Nowak", "Minors", "", False),
        ("Seán O'Neill", "Minors", "105", True),
        ("Niamh Kelleher", "Under 14", "", True),
        ("Caoimhe Doyle", "Under 14", "", True),
        ("Rui Costa", "Under 14", "110", True),
    ):
        first, last = name.split()
        given = {"team": teams[team], "external_id": number, "is_active": active}
        make_player(organization=club, first_name=first, last_name=last, **given)
    return club


def hand_in(page, content=LIST):
    page.goto(reverse(PAGE))
    page.get_by_label("Club").select_option(label="Ballina Rovers")
    page.get_by_label("List of players, as CSV").set_input_files(
        {"name": "Players 2026.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_label("Deactivate players who are not on the list").check(force=True)
    page.get_by_role("button", name="Show what it would change").click()


def figures(page):
    return dict(zip(*(page.locator(f".vp-figures {tag}").all_text_contents() for tag in ("dt", "dd")), strict=True))


@pytest.mark.trial
def test_a_list_is_looked_at_its_questions_answered_and_applied(
    page, sign_in, administrator, media, club, check_page, look
):
    sign_in(administrator)
    page.goto(reverse(PAGE))
    check_page()
    hand_in(page)
    expect(page.get_by_role("heading", name="Players 2026.csv")).to_be_visible()
    expect(page.get_by_text("Not used: “Date of birth”.")).to_be_visible()
    assert figures(page) == {
        "Lines to correct": "2",
        "To be answered": "2",
        "To be added": "2",
        "To be changed": "1",
        "Active again": "1",
        "No longer active": "2",
        "New teams": "1",
        "Unchanged": "0",
    }
    check_page()
    neve = page.get_by_role("group", name="Neve Kelleher")
    expect(neve.get_by_label("Leave this line out")).to_be_checked()
    neve.get_by_label("The same person as Niamh Kelleher").check()
    page.get_by_role("group", name="Caoimhe Doyle").get_by_label("Another person").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Apply to Ballina Rovers").click()
    expect(
        page.get_by_text("The list was applied: 3 added, 2 changed, 1 active again, 2 no longer active.")
    ).to_be_visible()
    check_page()
    assert sorted(map(str, Player.objects.filter(is_active=True))) == [
        "Caoimhe Doyle",
        "Caoimhe Doyle",
        "Gráinne Ní Mháille",
        "Neve Kelleher",
        "Niamh Burke",
        "Sadhbh Gallagher",
        "Tomasz Nowak",
    ]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the roster").click()
    assert re.fullmatch(r"players-ballina-[\d-]+\.csv", download.value.suggested_filename)


class TestWithoutScripts:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_a_refusal_stands_beside_the_file(self, page, sign_in, administrator, media, club):
        sign_in(administrator)
        hand_in(page, "Team;Number\nMinors;1\n")
        expect(page.get_by_role("alert")).to_contain_text("There is no column for the first name and the last name.")
