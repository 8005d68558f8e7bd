"""What happened, in words: whose note, what came of it, and where it leads."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_club, make_coach, make_note, make_user
from voicepipeline import roles
from voicepipeline.events import log_event
from voicepipeline.models import EventType, PipelineEvent
from voicepipeline.overview.activity import LEFT_OUT, LONGEST_ERROR, LONGEST_NAME, SHOWN, TOLD, recent_activity
from voicepipeline.overview.parts import Level

pytestmark = pytest.mark.django_db


@pytest.fixture
def note():
    club = make_club(name="St Brigid's")
    coach = make_coach(organization=club, first_name="Niamh", last_name="Byrne")
    return make_note(organization=club, sender=coach)


def told(event_type, note=None, **fields):
    log_event(event_type, note, **fields)
    newest = recent_activity()[0]
    return f"{newest.whose}: {newest.words}"


@pytest.mark.parametrize(
    ("event_type", "fields", "words"),
    [
        (EventType.ARTIFACT_RECEIVED, {"metadata": {"source_channel": "voicemail"}}, "received by Voicemail"),
        (EventType.CLAIMS_EXTRACTED, {"metadata": {"claim_count": 7}}, "7 statements"),
        (EventType.CLAIMS_EXTRACTED, {"metadata": {"claim_count": 1}}, "1 statement"),
        (EventType.ENTITY_RESOLUTION_COMPLETED, {"metadata": {"entity_count": 5}}, "5 names matched"),
        (
            EventType.ENTITY_RESOLUTION_COMPLETED,
            {"metadata": {"entity_count": 5, "disambiguation_count": 2}},
            "5 names matched, 2 unclear",
        ),
        (EventType.DRAFTS_GENERATED, {"metadata": {"draft_count": 3}}, "3 entries suggested"),
        (EventType.ARTIFACT_COMPLETED, {}, "ready"),
        (EventType.ARTIFACT_COMPLETED, {"metadata": {"repeat": True}}, "ready again"),
        (EventType.ARTIFACT_COMPLETED, {"metadata": {"outcome": "no_speech"}}, "ready, nothing was said"),
        (
            EventType.ARTIFACT_FAILED,
            {"stage": "transcription", "error_message": "Not readable."},
            "failed at Transcription: Not readable.",
        ),
        (
            EventType.TRANSCRIPTION_FAILED,
            {"stage": "transcription", "metadata": {"will_retry": True}},
            "Transcription failed, and will be tried again by itself",
        ),
        (EventType.STAGE_PARKED, {"metadata": {"reason": "provider_error"}}, "on hold: the AI service is down"),
        (EventType.RETRY_SUCCEEDED, {}, "retry succeeded"),
        (EventType.DRAFT_CONFIRMED, {"metadata": {"automatic": True}}, "entry confirmed automatically"),
    ],
)
def test_what_happens_to_a_note_is_told(note, event_type, fields, words):
    assert told(event_type, note, **fields) == f"Niamh Byrne's note for St Brigid's: {words}"


def test_how_long_it_took_is_told(note):
    times = {"stage_started_at": note.received_at, "stage_completed_at": note.received_at + timedelta(seconds=3.2)}
    words = told(EventType.CLAIMS_EXTRACTED, note, metadata={"claim_count": 7}, **times)
    assert words == "Niamh Byrne's note for St Brigid's: 7 statements in 3.2 s"


def test_who_did_it_is_told(note):
    ana = make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")
    assert told(EventType.DRAFT_REJECTED, note, actor_id=ana.pk).endswith("entry rejected by Ana Nolan")


def test_a_service_is_told_without_a_note():
    assert told(EventType.CIRCUIT_BREAKER_OPENED, metadata={"reason": "provider_no_credit"}) == (
        "AI service: paused: the provider credit is used up"
    )


def test_a_service_that_asks_us_to_slow_down_is_told_of_itself_and_of_a_note(note):
    assert told(EventType.RATE_LIMIT_HIT) == "AI service: asked us to slow down"
    assert told(EventType.RATE_LIMIT_HIT, note).endswith(": the AI service asked us to slow down")


def test_a_note_without_coach_and_club_is_told():
    assert told(EventType.ARTIFACT_COMPLETED, make_note(organization=None, sender=None)) == (
        "A note of an unknown sender: ready"
    )


def test_the_last_failure_of_a_stage_is_told_once_by_its_note(note):
    log_event(EventType.TRANSCRIPTION_FAILED, note, stage="transcription", error_code="x")
    log_event(EventType.ARTIFACT_FAILED, note, stage="transcription", error_code="x", error_message="Why.")
    assert [each.level for each in recent_activity()] == [Level.TROUBLE]


def test_every_kind_of_event_is_told_or_left_out_on_purpose():
    assert TOLD.keys() | LEFT_OUT == {*EventType}
    assert not TOLD.keys() & LEFT_OUT


@pytest.mark.parametrize(
    ("event_type", "words"),
    [
        (EventType.ARTIFACT_RECEIVED, "received"),
        (EventType.CLAIMS_EXTRACTED, "statements"),
        (EventType.ENTITY_RESOLUTION_COMPLETED, "names matched"),
        (EventType.DRAFTS_GENERATED, "entries suggested"),
        (EventType.ARTIFACT_COMPLETED, "ready"),
        (EventType.ARTIFACT_FAILED, "failed"),
        (EventType.STAGE_PARKED, "on hold: the AI service is in trouble"),
        (EventType.DRAFT_CONFIRMED, "entry confirmed"),
    ],
)
@pytest.mark.parametrize("value", [None, "x", [1], {"a": 1}, 1.5])
def test_an_event_that_carries_nonsense_is_told_by_its_kind_alone(event_type, words, value):
    keys = ("source_channel", "claim_count", "entity_count", "disambiguation_count", "draft_count", "repeat")
    nonsense = {**dict.fromkeys(keys, value), "automatic": [value], "reason": [value], "outcome": [value]}
    for metadata in ({}, nonsense, [nonsense]):
        assert TOLD[event_type].words(PipelineEvent(metadata=metadata)) == words


def test_names_that_are_long_or_turn_the_line_stay_in_their_place():
    coach = make_coach(
        first_name="\u202eNiamh\n", last_name="B" * 80, organization=make_club(name="St\u2069 " + "C" * 90)
    )
    log_event(EventType.ARTIFACT_COMPLETED, make_note(sender=coach))
    (found,) = recent_activity()
    assert found.whose == f"Niamh {'B' * (LONGEST_NAME - 7)}…'s note for St {'C' * (LONGEST_NAME - 4)}…"


def test_a_long_error_is_cut(note):
    assert told(EventType.ARTIFACT_FAILED, note, error_message="e" * 500).endswith(
        f"failed: {'e' * (LONGEST_ERROR - 1)}…"
    )


def test_what_is_told_of_no_note_and_no_work_is_left_out(note):
    log_event(EventType.ARTIFACT_STATUS_CHANGED, note)
    log_event(EventType.TRANSCRIPTION_STARTED, note)
    assert recent_activity() == []


def test_the_newest_come_first_and_no_more_than_are_shown(note):
    for number in range(SHOWN + 5):
        log_event(EventType.CLAIMS_EXTRACTED, note, metadata={"claim_count": number + 2})
    words = [each.words for each in recent_activity()]
    assert (len(words), words[0]) == (SHOWN, f"{SHOWN + 6} statements")


def test_it_is_one_question_whatever_there_is(note):
    for event_type in TOLD:
        log_event(event_type, note, actor_id=make_user(roles.OPERATOR).pk)
    with CaptureQueriesContext(connection) as asked:
        recent_activity()
    assert len(asked) == 1


# --- As it is drawn ---------------------------------------------------------------------------------------------------
def drawn():
    return render_to_string("voicepipeline/overview/activity.html", {"activity": recent_activity()})


def test_what_people_are_called_and_what_went_wrong_is_text(note):
    hostile = "<script>alert(1)</script>"
    coach = make_coach(first_name=hostile, organization=make_club(name=hostile))
    log_event(EventType.ARTIFACT_FAILED, make_note(sender=coach), error_message=hostile)
    assert drawn().count("&lt;script&gt;") == 3
    assert "<script" not in drawn()


def test_each_day_has_its_heading_in_the_zone_that_it_names(note):
    moments = (datetime(2026, 3, day, hour, 30, tzinfo=UTC) for day, hour in ((1, 9), (1, 23), (2, 0)))
    for moment in moments:
        log_event(EventType.ARTIFACT_COMPLETED, note, timestamp=moment)
    with timezone.override("Pacific/Auckland"):
        assert re.findall(r'"ov-day">([^<]+)<', drawn()) == ["Monday, 2 March (UTC)", "Sunday, 1 March (UTC)"]


def test_how_long_ago_it_was_is_told_and_exactly_when_on_hover(note):
    log_event(EventType.ARTIFACT_COMPLETED, note, timestamp=datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    assert 'title="1 Mar 2026, 09:30:00 UTC"' in drawn()


def test_each_line_leads_to_its_note(note):
    log_event(EventType.ARTIFACT_COMPLETED, note)
    assert f'href="{reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])}"' in drawn()
