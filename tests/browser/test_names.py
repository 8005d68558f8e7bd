"""Unclear names, settled in a real browser without a mouse."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.keys import press
from tests.browser.test_note_content import recording
from tests.factories import make_claim, make_coach, make_team, make_user, mention
from tests.names.helpers import REAL_STAGES, make_read_note, player
from tests.review.name_helpers import asking, entries, learned, means, ready, statuses
from voicepipeline import roles
from voicepipeline.models import MentionKind, NameChoice, Transcript, VoiceNote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUEUE = reverse("admin:voicepipeline_entityresolution_changelist")
SAID = (
    "Merphy went over on his ankle in the last drill.",
    "Neevo was the best on the field again.",
    "The backs stood too deep, and Merphy told them.",
)


@pytest.fixture(autouse=True)
def surroundings(settings, tmp_path):
    settings.STAGE_CODE = REAL_STAGES
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


@pytest.fixture
def coach(live_server):
    return make_coach(first_name="Seán Óg", last_name="Ó hAilpín")


@pytest.fixture
def roster(coach):
    """Two whom Merphy may mean, two whom Neevo may mean."""
    club = coach.organization
    under_14 = make_team(organization=club, name="Under 14 Girls")
    names = ("Eoin Murphy", "Seán Murphy", "Niamh Byrne", "Niamh Kelly")
    return {name: player(club, name, team=under_14) for name in names}


def unclear_note(coach):
    """A note with two unclear names, one of them said twice, and a group."""
    note = make_read_note(sender=coach, audio=recording())
    VoiceNote.objects.filter(pk=note.voice_note_id).update(mime_type="audio/wav", duration_seconds=60)
    segments = [
        {"start_seconds": 20 * number, "end_seconds": 20 * number + 20, "text": text}
        for number, text in enumerate(SAID)
    ]
    Transcript.objects.filter(artifact=note).update(text=" ".join(SAID), segments=segments)
    backs = mention("the backs", MentionKind.GROUP_REFERENCE)
    at = 0
    for text, named in zip(SAID, ([mention("Merphy")], [mention("Neevo")], [backs, mention("Merphy")]), strict=True):
        make_claim(note, quote=text, title=text[:24], quote_start=at, quote_end=at + len(text), mentions=named)
        at += len(text) + 1
    return ready(note)


def heading(page, name):
    return expect(page.get_by_role("heading", name=f"Who is {name}?", exact=True))


def tab_to(page, element):
    """Go there as somebody without a mouse does."""
    expect(element).to_be_visible()
    for _ in range(100):
        if element.evaluate("each => each === document.activeElement"):
            return
        press(page, "Tab")
    pytest.fail(f"the Tab key does not lead to {element}")


@pytest.mark.trial
def test_two_unclear_names_and_a_group_are_settled_by_keyboard_and_learned(
    page, operator, coach, roster, check_page, sign_in
):
    note = unclear_note(coach)
    sign_in(operator)
    page.goto(QUEUE)
    expect(page.get_by_role("heading", name="2 names to check")).to_be_visible()
    press(page, "ArrowRight")
    heading(page, "Merphy").to_be_visible()
    press(page, "s")
    heading(page, "Neevo").to_be_visible()
    press(page, "ArrowLeft")
    heading(page, "Merphy").to_be_visible()
    press(page, "p")
    page.wait_for_function("document.getElementById('player').currentTime > 0")
    press(page, "1")
    heading(page, "Neevo").to_be_visible()
    expect(page.get_by_text("“Merphy” means Eoin Murphy in this voice note.")).to_be_visible()
    press(page, "ArrowDown")
    press(page, "ArrowDown")
    expect(page.get_by_role("button", name="Niamh Kelly")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_text("No name is unclear.")).to_be_visible()
    eoin, niamh = roster["Eoin Murphy"], roster["Niamh Kelly"]
    assert learned() == [("Merphy", eoin), ("Neevo", niamh)]
    assert means(note) == [eoin, niamh, None, eoin]
    assert [entry.player for entry in entries(note)] == [eoin, niamh, eoin]

    press(page, "e")
    expect(page.get_by_role("heading", name="Suggested entries 3")).to_be_visible()
    press(page, "j")
    for confirmed in (1, 2, 3):
        press(page, "c")
        expect(page.locator(".vp-draft").get_by_text("Confirmed", exact=True)).to_have_count(confirmed)
    assert {(entry.status, entry.decided_by) for entry in entries(note)} == {("confirmed", operator)}

    following = asking(make_read_note(sender=coach), "Neevo")
    assert (statuses(following), means(following)) == (["auto_resolved"], [niamh])

    tab_to(page, page.get_by_role("link", name="Names to check"))
    press(page, "Enter")
    tab_to(page, page.get_by_role("link", name="Answered lately"))
    press(page, "Enter")
    tab_to(page, page.get_by_role("button", name="Undo that Neevo means Niamh Kelly"))
    press(page, "Enter")
    expect(page.get_by_text("Taken back: that “Neevo” means Niamh Kelly.")).to_be_visible()
    expect(page.get_by_text("1 entry that was confirmed before is for somebody else")).to_be_visible()
    assert learned() == [("Merphy", eoin)]
    assert means(note) == [eoin, None, None, eoin]
    assert statuses(asking(make_read_note(sender=coach), "Neevo")) == ["needs_disambiguation"]
    check_page()


@pytest.mark.trial
def test_a_name_is_searched_for_and_keys_do_not_act_while_somebody_types(page, operator, coach, roster, sign_in):
    note = unclear_note(coach)
    sign_in(operator)
    page.goto(QUEUE)
    press(page, "ArrowRight")
    heading(page, "Merphy").to_be_visible()
    page.get_by_role("checkbox", name="Keys work").uncheck()
    press(page, "n")
    page.get_by_role("checkbox", name="Keys work").check()
    press(page, "/")
    page.keyboard.type("s1n")
    heading(page, "Merphy").to_be_visible()
    page.get_by_role("searchbox", name="Somebody else on the roster").fill("niamh b")
    press(page, "Enter")
    expect(
        page.get_by_role("list", name="Found on the roster").get_by_role("button", name="Niamh Byrne")
    ).to_be_focused()
    press(page, "m")
    expect(page.get_by_role("radio", name="In this statement only: statement 1")).to_be_checked()
    press(page, "m")
    press(page, "/")
    page.keyboard.type("byrne")
    press(page, "Enter")
    expect(page.get_by_role("searchbox", name="Somebody else on the roster")).to_have_value("byrne")
    expect(page.get_by_role("radio", name="In this statement only: statement 3")).to_be_checked()
    expect(
        page.get_by_role("list", name="Found on the roster").get_by_role("button", name="Niamh Byrne")
    ).to_be_focused()
    press(page, "Enter")
    heading(page, "Merphy").to_be_hidden()
    choice = NameChoice.objects.get()
    assert (choice.player, choice.claim_key, learned()) == (roster["Niamh Byrne"], "claim3", [])
    assert statuses(note)[0] == "needs_disambiguation"


@pytest.mark.trial
def test_the_pages_fit_and_serve_everybody(page, look, operator, coach, roster, check_page, sign_in):
    unclear_note(coach)
    sign_in(operator)
    page.goto(QUEUE)
    check_page()
    page.get_by_role("link", name="Merphy").click()
    heading(page, "Merphy").to_be_visible()
    check_page()
    page.get_by_role("button", name="Eoin Murphy").click()
    heading(page, "Neevo").to_be_visible()
    check_page()
    page.goto(f"{QUEUE}?tab=answered")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    check_page()
