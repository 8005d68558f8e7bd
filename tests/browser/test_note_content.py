"""The page of a voice note, read and listened to in a real browser."""

import io
import re
import time
import wave
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from tests.factories import (
    make_claim,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_resolution,
    make_team,
    make_transcript,
    make_user,
    mention,
)
from voicepipeline import roles
from voicepipeline.models import Claim, MentionKind, StageName, StageRun, VoiceNote

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = ("Neve Kelly", "Owen", "Sean Og", "Eefa", "Murphy")
SAID = (
    "{0} went over on her ankle in the last drill.",
    "{1} was the best on the field again, four out of five for his tackling.",
    "I want to ring the parents of {2} about the lift on Saturday.",
    "{3} looked very quiet today, I was a bit worried about her.",
    "{4} missed training for the third time.",
    "The backs stood too deep the whole evening.",
)
TOPICS = ("injury", "skill_rating", "parent_communication", "wellbeing", "attendance", "tactical")


@pytest.fixture
def operator(live_server):
    return make_user(roles.OPERATOR, username="aoife", first_name="Aoife", last_name="Kelly")


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def _nothing_is_asked_any_more(page, live_server):
    """The page asks again every few seconds: an answer still on its way would be in the way of emptying the tables."""
    yield
    page.goto("about:blank")
    others = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
    """
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while cursor.execute(others).fetchone() != (0,) and time.monotonic() < deadline:
            page.wait_for_timeout(50)


def page_of(artifact):
    return reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])


def recording(seconds=60):
    """Silence that every browser plays."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(4_000)
        sound.writeframes(b"\x80" * 4_000 * seconds)
    return file.getvalue()


def ready_note(statements=12, *, times=True, **fields):
    """A note that went through every stage: twice as many names as statements, one of them unclear."""
    coach = make_coach(first_name="Seán Óg", last_name="Ó hAilpín")
    now = timezone.now()
    ready = {"status": "completed", "current_stage": "draft_generation", "completed_at": now, "first_completed_at": now}
    note = make_note(audio=recording(), sender=coach, **{**ready, **fields})
    VoiceNote.objects.filter(pk=note.voice_note_id).update(mime_type="audio/wav", duration_seconds=60)
    said = [SAID[number % 6].format(*NAMES) for number in range(statements)]
    pace = 60 / max(1, statements)
    segments = [
        {"start_seconds": number * pace, "end_seconds": (number + 1) * pace, "text": sentence}
        for number, sentence in enumerate(said)
    ]
    make_transcript(
        note,
        text=" ".join(said),
        segments=segments if times else [],
        languages=["en", "ga"],
        duration_seconds=60,
        ai_model="gpt-transcribe",
        verdict="flagged",
        verdict_reasons=["often_inaudible"],
    )
    add_statements(note, said)
    add_tries(note, now)
    return note


def add_statements(note, said):
    club = note.organization
    players = [make_player(organization=club, first_name=name) for name in ("Niamh", "Eoin", "Seán Óg", "Aoife")]
    team = make_team(organization=club, name="Under 14 Girls")
    ana = make_user(roles.OPERATOR, first_name="Ana", last_name="Nowak")
    at = 0
    for number, sentence in enumerate(said, start=1):
        name, topic = NAMES[(number - 1) % 5], TOPICS[(number - 1) % 6]
        lost = number % 12 == 11
        claim = make_claim(
            note,
            number=number,
            topic=topic,
            title=sentence.split(",")[0].removesuffix(".")[:60],
            description=f"The coach said about {name}: {sentence}",
            quote=sentence,
            quote_start=None if lost else at,
            quote_end=None if lost else at + len(sentence),
            mentions=[mention(name), mention("the backs", MentionKind.GROUP_REFERENCE)],
            severity="high" if topic == "injury" else "",
            sentiment="concerned" if topic in ("injury", "wellbeing") else "neutral",
            skill_name="Tackling" if topic == "skill_rating" else "",
            skill_rating=4 if topic == "skill_rating" else None,
            recommended_action="Rest until Thursday, then see the physio." if topic == "injury" else "",
            time_reference="last night" if topic == "injury" else "",
            confidence=0.92,
        )
        at += len(sentence) + 1
        add_matches(claim, number, players, ana)
        add_entry(claim, number, players, team, ana)


def add_matches(claim, number, players, ana):
    five = [
        {"id": 1, "name": "Aoife Murphy", "score": 91.5, "reason": "same surname, no given name was spoken"},
        {"id": 2, "name": "Eoin Murphy", "score": 91.5, "reason": "same surname, no given name was spoken"},
    ]
    match (number - 1) % 5:
        case 0:
            told = {"player": players[0], "score": 96.0, "model_player": players[3], "model_agrees": False}
            make_resolution(claim, reason="Neve is how Niamh sounds; the surname is the same.", **told)
        case 1:
            told = {"status": "user_resolved", "resolved_by": ana, "resolved_at": timezone.now()}
            make_resolution(claim, player=players[1], score=None, **told)
        case 4:
            make_resolution(claim, candidates=five, reason="Several players are called Murphy.")
        case 3:
            make_resolution(claim, status="unresolved", candidates=five[:1], reason="Nobody is called like this.")
        case _:
            make_resolution(claim, player=players[2], score=100.0, reason="The same name.")
    make_resolution(claim, status="auto_resolved", score=None)


def add_entry(claim, number, players, team, ana):
    sure = {"ai_confidence": 0.92, "resolution_confidence": 0.96, "overall_confidence": 0.8832}
    match number % 5:
        case 0:
            made = {"status": "rejected", "decided_by": ana, "decision_reason": "It was said about another Murphy."}
        case 1:
            made = {"person_needed_because": "topic_needs_a_person"}
        case 2:
            made = {"status": "confirmed", "automatic": True}
        case 3:
            made = {"status": "confirmed", "decided_by": ana}
        case _:
            made = {"status": "expired", "overall_confidence": None}
    make_draft(claim, **{"player": None if number % 6 == 0 else players[number % 4], **sure, **made})


def add_tries(note, now):
    used = {
        StageName.TRANSCRIPTION: {"ai_model": "gpt-transcribe", "audio_seconds": Decimal("60.00"), "cost_usd": None},
        StageName.CLAIMS_EXTRACTION: {
            "ai_model": "gpt-6-luna",
            "prompt_version": "claims-3",
            "input_tokens": 2_340,
            "output_tokens": 1_210,
            "cost_usd": Decimal("0.000839"),
        },
    }
    for number, stage in enumerate(StageName):
        start = now - timedelta(seconds=20 - 4 * number)
        StageRun.objects.create(
            artifact=note,
            stage=stage,
            generation=1,
            attempt=1,
            status="succeeded",
            effective=True,
            queued_at=start - timedelta(seconds=1),
            started_at=start,
            finished_at=start + timedelta(seconds=3),
            provider_ms=2_345 if stage in used else None,
            **used.get(stage, {}),
        )


def open_page(page, note):
    """Its recording is not asked for before somebody wants to hear it: that is recorded."""
    page.goto(page_of(note))
    assert page.evaluate("document.getElementById('player').readyState") == 0


def refreshed(page, note):
    """The page once it has taken in a change."""
    Claim.objects.filter(artifact=note, number=1).update(title="Read anew.")
    expect(page.get_by_role("heading", name="Read anew.")).to_be_visible(timeout=10_000)


def playing(page):
    return page.evaluate("(() => { const p = document.getElementById('player'); return [p.currentTime, p.paused]; })()")


def lit(page):
    return page.locator("mark.vp-lit").all_inner_texts()


def test_a_ready_note_is_read(page, look, operator, check_page, sign_in):
    note = ready_note()
    sign_in(operator)
    open_page(page, note)
    statements = page.get_by_role("region", name="Statements")
    expect(statements.get_by_role("heading", level=3)).to_have_count(12)
    expect(statements).to_contain_text("chosen by Ana Nowak")
    page.get_by_text("Candidates for Murphy").first.click()
    expect(page.locator("details[open]").get_by_text("Aoife Murphy")).to_be_visible()
    check_page()


@pytest.mark.trial
def test_notes_of_every_kind_fit_and_serve_everybody(page, look, operator, check_page, sign_in):
    waiting = make_note(audio=recording())
    typed = make_note(text="Niamh was sharp. " * 8)
    make_transcript(typed, is_typed=True)
    silent = make_note(audio=recording())
    make_transcript(silent, text="", verdict="no_speech", verdict_reasons=["empty"])
    sign_in(operator)
    for note in (waiting, typed, silent, ready_note(60)):
        page.goto(page_of(note))
        expect(page.get_by_role("region", name="Suggested entries")).to_be_visible()
        check_page()


@pytest.mark.trial
def test_the_recording_goes_on_playing_while_the_page_refreshes(page, operator, sign_in):
    note = ready_note()
    sign_in(operator)
    open_page(page, note)
    page.get_by_role("link", name="Play from 0:20").click()
    page.wait_for_function("document.getElementById('player').currentTime > 20.2")
    refreshed(page, note)
    before, paused = playing(page)
    assert (before > 20.2, paused) == (True, False)
    page.wait_for_function(f"document.getElementById('player').currentTime > {before}")


@pytest.mark.trial
def test_a_paused_recording_stays_where_it_was(page, operator, sign_in):
    note = ready_note()
    sign_in(operator)
    open_page(page, note)
    page.evaluate("document.getElementById('player').currentTime = 33")
    refreshed(page, note)
    assert playing(page) == [33, True]


def test_a_sentence_plays_when_it_is_clicked(page, operator, sign_in):
    note = ready_note()
    sign_in(operator)
    open_page(page, note)
    page.locator(".vp-sentence").nth(3).click()
    page.wait_for_function("document.getElementById('player').currentTime >= 15")
    expect(page.locator(".vp-spoken-now")).to_have_text(re.compile("Eefa looked very quiet"))
    assert not playing(page)[1]


@pytest.mark.trial
def test_what_was_opened_stays_open_through_a_refresh(page, operator, sign_in):
    note = ready_note(30)
    page.set_viewport_size({"width": 375, "height": 812})
    sign_in(operator)
    open_page(page, note)
    said = page.locator("#said")
    folded = said.bounding_box()["height"]
    page.get_by_text("Show all").click()
    assert said.bounding_box()["height"] > folded * 2
    page.get_by_text("Candidates for Murphy").first.click()
    refreshed(page, note)
    assert said.bounding_box()["height"] > folded * 2
    expect(page.get_by_text("Show less")).to_be_visible()
    expect(page.locator("details[open]").get_by_text("Aoife Murphy")).to_be_visible()


@pytest.mark.trial
def test_a_long_transcript_stays_scrolled_through_a_refresh(page, operator, sign_in):
    note = ready_note(60)
    sign_in(operator)
    open_page(page, note)
    page.evaluate("document.getElementById('said').scrollTop = 120")
    refreshed(page, note)
    assert page.evaluate("document.getElementById('said').scrollTop") == 120


def test_a_statement_lights_up_its_quote_under_the_mouse_and_under_the_keyboard(page, operator, sign_in):
    note = ready_note()
    sign_in(operator)
    open_page(page, note)
    assert lit(page) == []
    page.get_by_role("heading", name="Owen was the best on the field again").first.hover()
    assert lit(page) == ["Owen was the best on the field again, four out of five for his tackling."]
    page.mouse.move(5, 5)
    assert lit(page) == []
    page.locator("#to-quote-5").focus()
    assert lit(page) == ["Murphy missed training for the third time."]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#quote-5$"))
    refreshed(page, note)
    assert lit(page) == ["Murphy missed training for the third time."]
    expect(page.locator("#quote-5")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#statement-5")).to_be_in_viewport()


def test_a_quote_in_a_folded_transcript_unfolds_it(page, operator, sign_in):
    note = ready_note(30)
    page.set_viewport_size({"width": 375, "height": 812})
    sign_in(operator)
    open_page(page, note)
    page.locator("#to-quote-30").click()
    expect(page.locator("#quote-30")).to_be_in_viewport()
    page.locator("#quote-30").click()
    expect(page.locator("#statement-30")).to_be_in_viewport()


def test_a_recording_that_no_browser_plays_says_so(page, operator, sign_in):
    note = make_note(audio=b"this is no recording")
    sign_in(operator)
    page.goto(page_of(note))
    expect(page.get_by_text("This browser cannot play the recording.")).to_be_hidden()
    page.evaluate("document.getElementById('player').play().catch(() => {})")
    expect(page.get_by_text("This browser cannot play the recording.")).to_be_visible()


def test_nothing_that_a_model_wrote_is_executed(page, operator, check_page, sign_in):
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    note = make_note(text=hostile)
    make_transcript(note, text=hostile, is_typed=True)
    texts = dict.fromkeys(("title", "description", "quote", "recommended_action", "time_reference"), hostile)
    claim = make_claim(note, hostile[:80], **texts, quote_end=len(hostile))
    make_resolution(claim, reason=hostile, candidates=[{"name": hostile, "score": 80, "reason": hostile}])
    make_draft(claim, **texts)
    sign_in(operator)
    page.goto(page_of(note))
    page.get_by_text("Candidates for").click()
    expect(page.locator("#said")).to_contain_text("<script>document.title='owned'</script>")
    assert "owned" not in page.title()
    assert page.locator("main img").count() == 0
    check_page()
