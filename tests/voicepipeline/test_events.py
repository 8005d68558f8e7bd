"""The log of what happened."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.helpers import make_artifact
from voicepipeline.errors import InvalidEvent
from voicepipeline.events import (
    METADATA,
    NewEvent,
    checked_metadata,
    compute_time_window,
    log_event,
    log_events,
    stable_event_id,
)
from voicepipeline.models import Artifact, Coach, DroppedEvent, Organization, PipelineEvent
from voicepipeline.signals import events_logged


@pytest.fixture
def heard():
    """The batches announced while the test runs."""
    batches = []

    def listen(events, **kwargs):
        batches.append(events)

    events_logged.connect(listen)
    yield batches
    events_logged.disconnect(listen)


def make_club(name: str = "St Brigid's") -> Organization:
    return Organization.objects.create(name=name, slug=name.lower().replace(" ", "-").replace("'", ""))


@pytest.mark.django_db
def test_an_event_knows_its_note_and_its_hour():
    club = make_club()
    coach = Coach.objects.create(organization=club, first_name="Ana")
    artifact = make_artifact()
    Artifact.objects.filter(pk=artifact.pk).update(sender=coach)
    artifact.refresh_from_db()
    log_event("artifact_received", artifact)
    event = PipelineEvent.objects.get()
    assert (event.artifact, event.voice_note, event.coach) == (artifact, artifact.voice_note, coach)
    assert event.time_window == compute_time_window(event.timestamp)


@pytest.mark.django_db
def test_the_most_confident_club_is_the_events_club():
    likely, unlikely = make_club("Likely"), make_club("Unlikely")
    artifact = make_artifact()
    artifact.org_context_candidates = [
        {"organization_id": unlikely.pk, "confidence": 0.2},
        {"organization_id": likely.pk, "confidence": 0.8},
    ]
    log_event("artifact_received", artifact)
    assert PipelineEvent.objects.get().organization == likely


@pytest.mark.django_db
def test_an_event_may_have_no_note_and_no_club():
    log_event("circuit_breaker_opened")
    event = PipelineEvent.objects.get()
    assert (event.artifact, event.organization) == (None, None)


@pytest.mark.django_db
def test_a_repeat_is_written_and_counted_once(heard):
    event = NewEvent(event_type="artifact_received", event_id=stable_event_id("x"))
    assert [log_events([event]), log_events([event])] == [1, 0]
    assert [len(batch) for batch in heard] == [1]


@pytest.mark.django_db
def test_of_a_batch_only_the_new_ones_are_announced(heard):
    old = NewEvent(event_type="artifact_received", event_id=stable_event_id("old"))
    log_events([old])
    log_events([old, NewEvent(event_type="artifact_failed")])
    assert [event.event_type for event in heard[-1]] == ["artifact_failed"]


@pytest.mark.django_db
def test_a_batch_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(3):  # savepoint, insert, release
        log_events([NewEvent(event_type="artifact_received") for _ in range(20)])


@pytest.mark.django_db
def test_the_duration_comes_from_the_stages_times():
    start = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    log_event("drafts_generated", stage_started_at=start, stage_completed_at=start + timedelta(milliseconds=1234))
    assert PipelineEvent.objects.get().duration_ms == 1234


@pytest.mark.django_db
def test_hostile_text_is_made_safe():
    log_event("artifact_failed", error_message="a\x00b\ud800" + "x" * 900, metadata={"reason": "r\x00" * 300})
    event = PipelineEvent.objects.get()
    assert event.error_message.startswith("ab?")
    assert len(event.error_message) == 500
    assert "\x00" not in event.metadata["reason"]


@pytest.mark.django_db
def test_an_event_the_database_refuses_is_counted_and_costs_nothing_else():
    artifact = make_artifact()
    artifact.org_context_candidates = [{"organization_id": 999_999_999, "confidence": 1}]
    assert log_event("artifact_received", artifact) == 0
    assert PipelineEvent.objects.count() == 0
    assert DroppedEvent.objects.get().event_type == "artifact_received"


@pytest.mark.django_db
def test_strict_logging_raises_instead():
    artifact = make_artifact()
    artifact.org_context_candidates = [{"organization_id": 999_999_999, "confidence": 1}]
    with pytest.raises(IntegrityError):
        log_event("retry_initiated", artifact, strict=True)


@pytest.mark.django_db
def test_an_unknown_type_is_our_own_fault():
    with pytest.raises(InvalidEvent):
        log_event("cake_baked")


@pytest.mark.parametrize(
    ("moment", "window"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), "2026-01-31-23"),
        (datetime.fromisoformat("2026-01-01T00:30:00+02:00"), "2025-12-31-22"),
    ],
)
def test_the_window_is_the_utc_hour(moment, window):
    assert compute_time_window(moment) == window


def test_metadata_keeps_what_it_knows():
    given_values = {"ai_cost": Decimal("0.01"), "claim_count": 3, "will_retry": True, "confidence_score": None}
    assert checked_metadata(given_values) == {"ai_cost": "0.01", "claim_count": 3, "will_retry": True}


@pytest.mark.parametrize("wrong", [{"transcript": "Tommy hurt his ankle"}, {"claim_count": -1}, {"ai_cost": 0.1}])
def test_metadata_drops_what_does_not_fit(wrong):
    assert checked_metadata(wrong) == {}
    with pytest.raises(InvalidEvent):
        checked_metadata(wrong, strict=True)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.decimals(),
    st.dictionaries(st.text(), st.integers()),
)


@given(st.dictionaries(st.sampled_from(sorted(METADATA)), VALUES))
def test_metadata_is_always_storable_and_bounded(metadata):
    text = json.dumps(checked_metadata(metadata), allow_nan=False)
    assert "\\u0000" not in text
    assert len(text) < 40_000
