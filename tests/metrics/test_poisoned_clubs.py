from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from metrics.aggregation import aggregate_hourly_metrics
from metrics.models import MetricsSnapshot, Period, PromptSnapshot, SourceSnapshot
from metrics.queries import get_org_breakdown
from tests.factories import make_club
from tests.metrics.hostile import insert_event
from voicepipeline.models import Organization, PipelineEvent

pytestmark = pytest.mark.django_db

HOUR = datetime(2026, 3, 4, 8, tzinfo=UTC)
NOON = HOUR + timedelta(minutes=30)
TOO_MANY = {"claim_count": 2**31}


@pytest.fixture
def clubs():
    made = [make_club() for _ in range(3)]
    Organization.objects.update(created_at=HOUR)
    return made


def of(club):
    return MetricsSnapshot.objects.filter(period_start=HOUR, organization=club).first()


def received(club, number=1):
    for _ in range(number):
        insert_event(NOON, "artifact_received", {"source_channel": "api"}, club=club)


POISON = {
    "billions of statements": ("claims_extracted", '{"claim_count": 2147483648}'),
    "statements without end": ("claims_extracted", '{"claim_count": 1e30}'),
    "names without end": ("entity_resolution_completed", '{"unresolved": 1e300}'),
}


@pytest.mark.parametrize(("event_type", "metadata"), POISON.values(), ids=POISON)
def test_a_number_too_big_to_be_true_leaves_out_its_club_alone(clubs, event_type, metadata):
    received(clubs[0], 2)
    received(clubs[1])
    insert_event(NOON, event_type, metadata, club=clubs[1])
    done = aggregate_hourly_metrics(HOUR)
    assert (done.gaps, done.events) == ([clubs[1].pk], 2)
    assert of(clubs[1]) is None
    assert [of(club).artifacts_received for club in (None, clubs[0], clubs[2])] == [2, 2, 0]
    assert [of(club).has_gaps for club in (None, clubs[0], clubs[2])] == [True, False, False]


def test_the_period_names_what_is_missing_and_cannot_be_final(clubs):
    insert_event(NOON, "claims_extracted", TOO_MANY, club=clubs[1])
    aggregate_hourly_metrics(HOUR, seal=True)
    period = Period.objects.get()
    assert (period.gaps, period.sealed_at) == ([clubs[1].pk], None)


def test_a_club_that_cannot_be_counted_any_more_loses_what_an_earlier_count_wrote(clubs):
    """Else what belongs to no club, the platform's figures without the clubs', would be too little."""
    received(None, 2)
    received(clubs[1], 3)
    aggregate_hourly_metrics(HOUR)
    assert of(clubs[1]).artifacts_received == 3
    insert_event(NOON, "claims_extracted", TOO_MANY, club=clubs[1])
    aggregate_hourly_metrics(HOUR)
    assert of(clubs[1]) is None
    assert of(None).artifacts_received == 2
    *_, no_club = get_org_breakdown(HOUR, HOUR + timedelta(hours=1), now=HOUR + timedelta(hours=2))
    assert (no_club.organization_id, no_club.figures.artifacts_received) == (None, 2)


def test_events_without_a_club_can_be_the_ones_that_break_it(clubs):
    received(clubs[0])
    insert_event(NOON, "claims_extracted", TOO_MANY)
    done = aggregate_hourly_metrics(HOUR)
    assert done.gaps == [Period.NO_CLUB]
    assert of(None).artifacts_received == of(clubs[0]).artifacts_received == 1


def test_a_gap_is_gone_once_the_events_are(clubs):
    received(clubs[1])
    insert_event(NOON, "claims_extracted", TOO_MANY, club=clubs[1])
    aggregate_hourly_metrics(HOUR)
    PipelineEvent.objects.filter(event_type="claims_extracted").delete()
    done = aggregate_hourly_metrics(HOUR, seal=True)
    assert (done.gaps, of(None).has_gaps, of(clubs[1]).artifacts_received) == ([], False, 1)
    assert Period.objects.get().sealed_at is not None


def test_all_clubs_may_be_unfit(clubs):
    for club in (None, *clubs):
        insert_event(NOON, "claims_extracted", TOO_MANY, club=club)
    assert aggregate_hourly_metrics(HOUR).gaps == [0, *(club.pk for club in clubs)]
    assert of(None).notes_with_claim_count == 0


def test_the_log_names_clubs_and_no_data(clubs, caplog):
    insert_event(NOON, "claims_extracted", {**TOO_MANY, "ai_model": "+353861234567"}, club=clubs[1])
    aggregate_hourly_metrics(HOUR)
    (record,) = [each for each in caplog.records if each.name == "metrics.hours"]
    assert record.clubs == [clubs[1].pk]
    assert "353861234567" not in str(record.__dict__)


def test_a_second_count_in_the_same_connection_can_have_gaps_too(clubs):
    insert_event(NOON, "claims_extracted", TOO_MANY, club=clubs[1])
    insert_event(NOON + timedelta(hours=1), "claims_extracted", TOO_MANY, club=clubs[2])
    found = [aggregate_hourly_metrics(HOUR + number * timedelta(hours=1)).gaps for number in (0, 1, 0)]
    assert found == [[clubs[1].pk], [clubs[2].pk], [clubs[1].pk]]


NO_COST = [
    "abc",
    "NaN",
    "Infinity",
    "-Infinity",
    "",
    " 1",
    "1,5",
    "0x10",
    "1e",
    "1_000",
    "-0.5",
    -1,
    [],
    {},
    True,
    "1e9",
    1e200,
    "1e300000",
]
NO_COUNT = [-5, 1.5, "3", "many", True, [], {}, -1e30]
NO_SHARE = ["x", 17, -0.1, 1.0001, "0.5", True, [], 1e300]


@pytest.mark.parametrize("cost", NO_COST, ids=str)
def test_what_is_no_cost_is_an_unknown_cost(cost):
    insert_event(NOON, "claims_extracted", {"ai_model": "m", "ai_cost": cost})
    assert aggregate_hourly_metrics(HOUR).gaps == []
    assert (of(None).ai_cost, of(None).ai_calls, of(None).ai_calls_unpriced) == (0, 1, 1)


@pytest.mark.parametrize("cost", ["1e-7", 0.25, "0.25", 3, "1E+2"], ids=str)
def test_a_cost_may_be_written_as_any_number(cost):
    insert_event(NOON, "claims_extracted", {"ai_model": "m", "ai_cost": cost})
    aggregate_hourly_metrics(HOUR)
    assert (of(None).ai_cost, of(None).ai_calls_unpriced) == (Decimal(str(cost)), 0)


def test_a_confidence_too_small_to_be_told_from_none_breaks_nothing(clubs):
    insert_event(NOON, "claims_extracted", '{"confidence_score": 1e-400}', club=clubs[0])
    assert aggregate_hourly_metrics(HOUR).gaps == []
    assert (of(clubs[0]).claim_confidence, of(clubs[0]).notes_with_claim_confidence) == (0, 1)


@pytest.mark.parametrize("count", NO_COUNT, ids=str)
def test_what_is_no_count_is_left_out_of_sums_and_averages(count):
    insert_event(NOON, "claims_extracted", {"claim_count": count, "claims_unsupported": count})
    insert_event(NOON, "claims_extracted", {"claim_count": 4, "claims_unsupported": 1})
    aggregate_hourly_metrics(HOUR)
    assert (of(None).claims, of(None).notes_with_claim_count, of(None).claims_unsupported) == (4, 1, 1)
    assert of(None).stages.get().completed == 2


@pytest.mark.parametrize("share", NO_SHARE, ids=str)
def test_what_is_no_confidence_is_left_out_of_averages(share):
    insert_event(NOON, "transcription_completed", {"confidence_score": share})
    insert_event(NOON, "transcription_completed", {"confidence_score": 0.75})
    aggregate_hourly_metrics(HOUR)
    assert (of(None).transcript_confidence, of(None).transcripts_with_confidence) == (0.75, 1)


@pytest.mark.parametrize("answer", ["maybe", "true", 1, None, {}], ids=str)
def test_only_true_is_a_yes(answer):
    insert_event(NOON, "claims_extraction_failed", {"will_retry": answer})
    insert_event(NOON, "artifact_completed", {"repeat": answer})
    aggregate_hourly_metrics(HOUR)
    assert of(None).artifacts_completed == 1
    assert of(None).stages.get(stage="claims_extraction").failed == 1


@pytest.mark.parametrize("metadata", ["[]", '["ai_model", "ai_cost"]', '"ai_model"', "5", "null", "true"], ids=str)
def test_metadata_that_is_no_object_tells_nothing(metadata):
    insert_event(NOON, "artifact_completed", metadata)
    insert_event(NOON, "claims_extracted", metadata)
    done = aggregate_hourly_metrics(HOUR)
    assert (done.gaps, of(None).artifacts_completed, of(None).ai_calls) == ([], 1, 0)


@pytest.mark.parametrize("channel", ["fax", "", 5, {"a": 1}, "x" * 10_000], ids=lambda each: str(each)[:10])
def test_an_unknown_source_channel_has_no_row(channel):
    insert_event(NOON, "artifact_received", {"source_channel": channel})
    aggregate_hourly_metrics(HOUR)
    assert of(None).artifacts_received == 1
    assert not SourceSnapshot.objects.exists()


@pytest.mark.parametrize("version", ["", "v" * 201, "v" * 10_000, 5, ["v"]], ids=lambda each: str(each)[:10])
def test_what_is_no_prompt_version_has_no_row(version):
    insert_event(NOON, "claims_extracted", {"prompt_version": version})
    aggregate_hourly_metrics(HOUR)
    assert not PromptSnapshot.objects.exists()


def test_a_duration_of_centuries_is_not_timed():
    insert_event(NOON, "transcription_completed", duration_ms=2**63 - 1)
    insert_event(NOON, "transcription_completed", duration_ms=2**63 - 1)
    aggregate_hourly_metrics(HOUR)
    stage = of(None).stages.get()
    assert (stage.completed, stage.timed, stage.total_ms, stage.p95_ms) == (2, 0, 0, None)
