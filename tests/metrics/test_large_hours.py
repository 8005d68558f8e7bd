"""An hour of so many events that they are added up on several cores before they are counted."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from metrics.aggregation import aggregate_hourly_metrics
from metrics.hour_sql import MANY
from metrics.models import MetricsSnapshot, Period, PromptSnapshot, SourceSnapshot, StageSnapshot
from tests.factories import make_club
from tests.metrics.hostile import insert_event
from voicepipeline.models import Organization

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 4, 8, tzinfo=UTC)
NOON = START + timedelta(minutes=30)
TIMES = MANY // 2 + 10
COPIES = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, organization_id, pipeline_stage, duration_ms,
    previous_status, new_status, error_code, error_message, metadata, timestamp, time_window)
SELECT gen_random_uuid(), event_type, organization_id, '', duration_ms, '', '', '', '', metadata, timestamp, time_window
FROM voicepipeline_pipelineevent, generate_series(2, %s)
"""


@pytest.fixture
def clubs():
    made = [make_club() for _ in range(2)]
    Organization.objects.update(created_at=START)
    told = {"prompt_version": "v1", "ai_model": "m", "ai_cost": "0.00000001", "claim_count": 3, "confidence_score": 0.1}
    insert_event(NOON, "claims_extracted", told, club=made[0], duration_ms=1_000)
    insert_event(NOON, "artifact_completed", {"source_channel": "api"}, club=made[1], duration_ms=9_000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(COPIES, [TIMES])
        cursor.execute("SET LOCAL session_replication_role = origin")
    return made


def of(club=None):
    return MetricsSnapshot.objects.get(period_start=START, organization=club)


def test_a_large_hour_is_counted_like_any_other(clubs):
    done = aggregate_hourly_metrics(START, seal=True)
    assert (done.events, done.gaps) == (2 * TIMES, [])
    assert (of().claims, of(clubs[0]).claims, of(clubs[1]).claims) == (3 * TIMES, 3 * TIMES, 0)
    assert (float(of().ai_cost), of().claim_confidence) == (TIMES / 10**8, TIMES / 10)
    for club, name, ms in ((clubs[0], "claims_extraction", 1_000), (clubs[1], "end_to_end", 9_000)):
        stage = StageSnapshot.objects.get(snapshot__organization=club)
        assert (stage.stage, stage.completed, stage.counts, stage.total_ms) == (name, TIMES, [TIMES], TIMES * ms)
        assert stage.p50_ms == stage.p95_ms == pytest.approx(ms, rel=0.01)
    assert set(SourceSnapshot.objects.values_list("artifacts_completed", flat=True)) == {TIMES}
    assert set(PromptSnapshot.objects.values_list("completed", "claims")) == {(TIMES, 3 * TIMES)}
    assert Period.objects.get().sealed_at is not None


def test_a_large_hour_leaves_out_a_club_that_cannot_be_counted_and_then_no_more(clubs):
    insert_event(NOON, "claims_extracted", {"claim_count": 2**31}, club=clubs[0])
    done = aggregate_hourly_metrics(START)
    assert (done.events, done.gaps) == (TIMES, [clubs[0].pk])
    assert (of().has_gaps, of(clubs[1]).artifacts_completed) == (True, TIMES)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM voicepipeline_pipelineevent WHERE metadata -> 'claim_count' = '2147483648'")
    assert aggregate_hourly_metrics(START).gaps == []
    assert aggregate_hourly_metrics(START).rows == 0
    assert (of().has_gaps, of(clubs[0]).claims) == (False, 3 * TIMES)
