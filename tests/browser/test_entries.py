"""Suggested entries in a real browser: confirmed, edited, rejected, held and taken back, by keyboard and by mouse."""

import io
import re
import wave
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.factories import make_claim, make_coach, make_draft, make_note, make_player, make_transcript, make_user
from voicepipeline import roles
from voicepipeline.models import BulkWork, EntryDecision, InsightDraft

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = reverse("admin:voicepipeline_insightdraft_changelist")
SENTENCES = (
    "Caoimhe went over on her left ankle in the last drill.",
    "Aoife was the best on the field again.",
    "Niamh missed training for the third time.",
    "Róisín found every free player today.",
    "Sadhbh looked very quiet, I was a bit worried.",
)
TITLES = ("Hurt her left ankle", "Best on the field", "Missed training", "Passing", "Quiet today")
TOPICS = ("injury", "performance", "attendance", "skill_rating", "wellbeing")


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def silence(seconds=20):
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(4_000)
        sound.writeframes(b"\x80" * 4_000 * seconds)
    return file.getvalue()


def make_entries(**fields):
    """A note that says five things about five players."""
    note = make_note(audio=silence(), sender=make_coach(first_name="Seán Óg", last_name="Ó hAilpín"))
    segments = [
        {"text": said, "start_seconds": 4.0 * at, "end_seconds": 4.0 * at + 3.5} for at, said in enumerate(SENTENCES)
    ]
    text = " ".join(SENTENCES)
    make_transcript(note, text=text, segments=segments)
    for at, said in enumerate(SENTENCES):
        start = text.index(said)
        place = {"quote": said, "quote_start": start, "quote_end": start + len(said)}
        claim = make_claim(note, title=TITLES[at], description=f"{TITLES[at]}.", topic=TOPICS[at], **place)
        player = make_player(organization=note.organization, first_name=said.split()[0], last_name="Ní Mhurchú")
        make_draft(
            claim,
            player=player,
            display_order=at,
            ai_confidence=0.92,
            resolution_confidence=0.95,
            overall_confidence=0.87,
            severity="medium" if at == 0 else "",
            skill_rating=4 if at == 3 else None,
            person_needed_because="topic_needs_a_person" if at in (0, 4) else "coach_not_trusted",
            recommended_action="Ring her parents tonight." if at == 0 else "",
            prompt_version="claims-1",
            **fields,
        )
    return note


def page_of(note):
    return reverse("admin:voicepipeline_insightdraft_note", args=[note.artifact_id])


def entry(page, title):
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


@pytest.mark.trial
def test_a_notes_entries_are_decided_by_keyboard_alone(page, sign_in, operator, check_page):
    note = make_entries()
    sign_in(operator)
    page.goto(page_of(note))
    check_page()
    keys = page.keyboard
    keys.press("j")
    expect(entry(page, "Hurt her left ankle")).to_be_focused()
    keys.press("c")
    expect(page.get_by_text("Confirmed.", exact=True)).to_be_visible()
    expect(entry(page, "Best on the field")).to_be_focused()

    keys.press("e")
    expect(page.get_by_label("Title")).to_be_focused()
    check_page()
    keys.type(", again: c e r h j k")  # none of it does anything while somebody writes
    keys.press("Enter")
    expect(page.get_by_text("Edited and confirmed.")).to_be_visible()
    expect(entry(page, "Missed training")).to_be_focused()

    keys.press("r")
    expect(page.get_by_label("Why")).to_be_focused()
    keys.type("She was there, says the coach.")
    keys.press("Enter")
    expect(page.get_by_text("Rejected. It is not suggested again.")).to_be_visible()

    keys.press("ArrowDown")
    expect(entry(page, "Quiet today")).to_be_focused()
    keys.press("h")
    expect(page.get_by_label("Why")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_text("Put on hold.")).to_be_visible()

    entry(page, "Missed training").focus()
    keys.press("u")
    expect(page.get_by_label("Why")).to_be_focused()
    keys.type("He meant another evening.")
    keys.press("Enter")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    check_page()
    kinds = list(EntryDecision.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["confirmed", "edited", "rejected", "held", "undone"]
    assert InsightDraft.objects.filter(title__contains="again: c e r h j k").count() == 1


@pytest.mark.trial
def test_entries_of_many_notes_are_decided_by_mouse(page, sign_in, operator, check_page):
    note, other = make_entries(), make_entries()
    stale = timezone.now() - timedelta(days=1)
    make_draft(make_claim(note), title="Rejected before", status="rejected", decided_by=operator, decided_at=stale)
    sign_in(operator)
    page.goto(LIST)
    expect(page.locator("[data-entry]")).to_have_count(10)
    check_page()
    entry(page, "Missed training").first.get_by_role("button", name=re.compile("^Confirm")).click()
    expect(page.get_by_text("Confirmed.", exact=True)).to_be_visible()
    expect(page.locator("[data-entry]")).to_have_count(9)

    page.get_by_role("link", name="Rejected", exact=True).click()
    entry(page, "Rejected before").get_by_role("link", name=re.compile("^Take back")).click()
    check_page()
    page.get_by_label("Why").fill("It was this match after all.")
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back.")).to_be_visible()

    page.get_by_role("link", name=re.compile("^To be confirmed")).click()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Club").select_option(str(other.organization_id))
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("[data-entry]")).to_have_count(5)
    check_page()
    page.get_by_role("link", name="Decide about many at once").click()
    page.get_by_label("What to do", exact=True).select_option("confirm_entries")
    page.get_by_role("button", name="Show what this does").click()
    expect(page.get_by_role("heading", name="Confirm 3 entries")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text("Asked for.")).to_be_visible()
    assert BulkWork.objects.get().expected == 3


def test_every_page_works_in_every_look(page, sign_in, operator, check_page, look):
    note = make_entries()
    first, second, third, *_ = note.drafts.order_by("display_order")
    InsightDraft.objects.filter(pk=second.pk).update(held_at=timezone.now(), held_by=operator, held_reason="Ask him.")
    EntryDecision.objects.create(
        artifact=note, draft_key=third.key, kind="undone", by=operator, reason="Another.", undone_status="confirmed"
    )
    sign_in(operator)
    deeds = [reverse("admin:voicepipeline_insightdraft_deed", args=[note.artifact_id, first.pk, "edit"])]
    bulk = f"{reverse('admin:voicepipeline_insightdraft_bulk')}?kind=confirm_entries"
    for url in (page_of(note), *deeds, bulk):
        page.goto(url)
        check_page()
