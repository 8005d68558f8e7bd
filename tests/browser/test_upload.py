"""Uploading voice notes in a real browser, with the page's script and without any."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_club, make_coach
from tests.intake.helpers import files, recording
from voicepipeline.models import Artifact, VoiceNote
from voicepipeline.simulator.audio import make_ogg

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "admin:voicepipeline_voicenote_add"
GOOD = recording(seconds=20)
WEB_PAGE = b"<!doctype html><title>Not a recording</title>" * 20
SENT = [
    {"name": "Monday training.wav", "mimeType": "audio/wav", "buffer": GOOD},
    {"name": "After the match.ogg", "mimeType": "audio/ogg", "buffer": make_ogg("Tommy was sharp.", 5)},
    {"name": "voice-message.mp3", "mimeType": "audio/mpeg", "buffer": WEB_PAGE},
]
AGAIN = [{"name": "Monday training (1).wav", "mimeType": "audio/wav", "buffer": GOOD}]
REFUSED = "This is a web page, not a recording."


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def coach():
    clubs = [
        make_club(name=name, slug=slug) for name, slug in (("Ballina Rovers", "ballina"), ("St. Brigid's", "st-b"))
    ]
    make_coach(organization=clubs[1], first_name="Seán", last_name="Ó Briain", phone="+353860000002")
    return make_coach(organization=clubs[0], phone="+353860000001")


def choose(page, coach):
    page.goto(reverse(PAGE))
    page.get_by_label("Coach").select_option(label="Niamh Byrne, +353860000001")


def results(page):
    return page.locator("#upload-list > li")


def test_each_file_is_answered_on_its_own_line(page, sign_in, administrator, media, coach, check_page, look):
    sign_in(administrator)
    choose(page, coach)
    check_page()
    page.get_by_label("Recordings").set_input_files(SENT)
    page.get_by_label("Or type a note").fill("Caoimhe was away today.")
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#upload-summary")).to_have_text("3 accepted, 1 refused")
    expect(results(page)).to_have_count(4)
    expect(results(page).filter(has_text="voice-message.mp3")).to_contain_text(REFUSED)
    expect(page.get_by_label("Or type a note")).to_have_value("")
    page.get_by_label("Recordings").set_input_files(AGAIN)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#upload-summary")).to_have_text("3 accepted, 1 already here, 1 refused")
    again = results(page).filter(has_text="Monday training (1).wav")
    first = Artifact.objects.exclude(voice_note__audio="").get(voice_note__mime_type="audio/wav")
    expect(again.get_by_role("link", name=f"Voice note {str(first.artifact_id)[:8]}")).to_be_visible()
    check_page()
    assert VoiceNote.objects.count() == 3
    assert len(files(media)) == 2
    again.get_by_role("link").click()
    expect(page).to_have_url(re.compile(str(first.artifact_id)))


def test_the_club_decides_which_coaches_can_be_chosen(page, sign_in, administrator, media, coach):
    sign_in(administrator)
    choose(page, coach)
    page.get_by_label("Club").select_option(label="St. Brigid's")
    assert page.get_by_label("Coach").locator("option").all_text_contents() == [
        "Choose a coach",
        "Seán Ó Briain, +353860000002",
    ]
    expect(page.get_by_label("Coach")).to_have_value("")
    page.get_by_label("Club").select_option(label="All clubs")
    assert page.get_by_label("Coach").locator("option").count() == 3


def test_a_file_that_is_too_large_is_not_even_sent(page, sign_in, administrator, media, coach, tmp_path):
    match = tmp_path / "match.wav"
    match.write_bytes(GOOD + bytes(30 * 1_048_576))
    sign_in(administrator)
    choose(page, coach)
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_label("Recordings").set_input_files(match)
    page.get_by_role("button", name="Upload").click()
    expect(results(page)).to_contain_text("It is 30.2 MB; a recording has at most 24 MB.")
    assert "POST" not in sent


def test_a_broken_connection_is_told_and_what_was_typed_stays(page, sign_in, administrator, media, coach):
    sign_in(administrator)
    choose(page, coach)
    page.route(f"**{reverse(PAGE)}", lambda route: route.abort())
    page.get_by_label("Or type a note").fill("Caoimhe was away today.")
    page.get_by_role("button", name="Upload").click()
    expect(results(page)).to_contain_text("Not sent")
    expect(results(page)).to_contain_text("The connection broke.")
    expect(page.get_by_label("Or type a note")).to_have_value("Caoimhe was away today.")


def test_who_was_signed_out_meanwhile_is_told(page, sign_in, administrator, media, coach):
    sign_in(administrator)
    choose(page, coach)
    page.context.clear_cookies()
    page.get_by_label("Recordings").set_input_files(AGAIN)
    page.get_by_role("button", name="Upload").click()
    expect(results(page)).to_contain_text("You may have been signed out")
    assert not VoiceNote.objects.exists()


def test_an_empty_installation_shows_the_way(page, sign_in, administrator, check_page, look):
    sign_in(administrator)
    page.goto(reverse(PAGE))
    check_page()
    page.get_by_role("link", name="Add a club").click()
    expect(page).to_have_url(re.compile("organization/add"))


class TestWithoutScripts:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_the_server_answers_with_a_line_for_each_file(self, page, sign_in, administrator, media, coach):
        sign_in(administrator)
        choose(page, coach)
        page.get_by_label("Recordings").set_input_files([*SENT, *AGAIN])
        page.get_by_role("button", name="Upload").click()
        expect(results(page)).to_have_count(4)
        labels = results(page).locator(".vp-label").all_text_contents()
        assert labels == ["Accepted", "Accepted", "Refused", "Already here"]
        expect(results(page).nth(2)).to_contain_text(REFUSED)
        assert len(files(media)) == 2
