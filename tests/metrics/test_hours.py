import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection, transaction
from django.utils import timezone as clock

from metrics.aggregation import aggregate_hourly_metrics
from metrics.models import (
    END_TO_END,
    MetricsSnapshot,
    Period,
    PeriodType,
    PromptSnapshot,
    SourceSnapshot,
    StageSnapshot,
)
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.hostile import insert_event
from voicepipeline.models import Organization, PipelineEvent
from voicepipeline.stages import IN_ORDER

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 4, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOON = START + HOUR / 2
LAST_MOMENT = START + HOUR - timedelta(microseconds=1)


@pytest.fixture
def club():
    made = make_club()
    Organization.objects.update(created_at=START - HOUR)
    return made


def of(club=None, start=START):
    return MetricsSnapshot.objects.get(period_type="hour", period_start=start, organization=club)


def stage(name, club=None):
    return StageSnapshot.objects.get(snapshot=of(club), stage=name)


def everything():
    return [
        list(model.objects.order_by("id").values())
        for model in (MetricsSnapshot, StageSnapshot, SourceSnapshot, PromptSnapshot)
    ]


def a_note(club=None, moment=NOON):
    told = {"source_channel": "api"}
    insert_event(moment, "artifact_received", told, club=club)
    insert_event(moment, "transcription_started", club=club)
    insert_event(moment, "transcription_completed", {"confidence_score": 0.5}, club=club, duration_ms=2_000)
    insert_event(
        moment, "claims_extracted", {"claim_count": 3, "prompt_version": "v1", "ai_model": "m", "ai_cost": "0.01"},
        club=club, duration_ms=1_000,
    )  # fmt: skip
    insert_event(moment, "artifact_completed", told, club=club, duration_ms=9_000)


def test_an_hour_without_events_has_rows_of_zeros_for_the_platform_and_every_club(club):
    done = aggregate_hourly_metrics(START)
    assert (done.events, done.gaps, done.busy, done.refused) == (0, [], False, False)
    assert set(MetricsSnapshot.objects.values_list("organization", flat=True)) == {None, club.pk}
    assert of(club).artifacts_received == of().artifacts_received == 0
    assert not StageSnapshot.objects.exists()
    assert (Period.objects.get().events, Period.objects.get().sealed_at) == (0, None)


def test_a_club_that_came_later_has_no_row_unless_it_has_events(club):
    later, busy = make_club(), make_club()
    Organization.objects.filter(pk__in=[later.pk, busy.pk]).update(created_at=START + HOUR)
    insert_event(NOON, "artifact_received", club=busy)
    aggregate_hourly_metrics(START)
    assert set(MetricsSnapshot.objects.values_list("organization", flat=True)) == {None, club.pk, busy.pk}


def test_a_club_that_came_in_the_last_moment_of_the_hour_has_a_row(club):
    Organization.objects.update(created_at=LAST_MOMENT)
    aggregate_hourly_metrics(START)
    assert of(club).artifacts_received == 0


def test_the_platform_counts_events_without_a_club_too(club):
    a_note(club)
    a_note()
    aggregate_hourly_metrics(START)
    assert (of().artifacts_received, of(club).artifacts_received) == (2, 1)
    assert Period.objects.get().events == 10


@pytest.mark.parametrize(
    ("moment", "counted"),
    [(START, 1), (LAST_MOMENT, 1), (START - timedelta(microseconds=1), 0), (START + HOUR, 0)],
    ids=["first moment", "last moment", "before", "after"],
)
def test_an_hour_has_its_first_moment_and_not_the_next_ones(moment, counted):
    insert_event(moment, "artifact_received")
    aggregate_hourly_metrics(START)
    assert of().artifacts_received == counted


def test_a_repeated_completion_counts_nowhere_but_what_it_cost():
    insert_event(
        NOON, "artifact_completed", {"repeat": True, "source_channel": "api", "ai_model": "m", "ai_cost": "1"},
        duration_ms=5,
    )  # fmt: skip
    aggregate_hourly_metrics(START)
    assert (of().artifacts_completed, of().ai_cost) == (0, 1)
    assert not StageSnapshot.objects.exists()
    assert not SourceSnapshot.objects.exists()


def test_notes_without_speech_are_among_those_that_are_ready():
    insert_event(NOON, "artifact_completed", {"outcome": "no_speech", "source_channel": "voicemail"})
    insert_event(NOON, "artifact_completed", {"outcome": "no_speech", "repeat": True})
    insert_event(NOON, "artifact_failed", {"outcome": "no_speech", "source_channel": "voicemail"})
    aggregate_hourly_metrics(START)
    assert (of().artifacts_completed, of().artifacts_no_speech) == (1, 1)
    source = SourceSnapshot.objects.get()
    assert (source.source_channel, source.artifacts_completed, source.artifacts_no_speech) == ("voicemail", 1, 1)
    assert source.artifacts_failed == 1


@pytest.mark.parametrize("each", IN_ORDER, ids=lambda each: each.name)
def test_a_stage_counts_its_tries_its_successes_and_its_final_failures(each):
    for event_type, told in (
        (each.started, {}), (each.started, {}), (each.completed, {}), (each.failed, {"will_retry": True}),
        (each.failed, {"will_retry": False}), (each.failed, {}),
    ):  # fmt: skip
        insert_event(NOON, event_type, told)
    aggregate_hourly_metrics(START)
    row = StageSnapshot.objects.get()
    assert (row.stage, row.attempts, row.completed, row.failed) == (each.name, 2, 1, 2)


def test_a_success_without_a_duration_is_not_timed():
    insert_event(NOON, "transcription_completed", duration_ms=None)
    insert_event(NOON, "transcription_completed", duration_ms=0)
    insert_event(NOON, "transcription_completed", duration_ms=1_000)
    aggregate_hourly_metrics(START)
    row = stage("transcription")
    assert (row.completed, row.timed, row.total_ms) == (3, 2, 1_000)
    assert (row.buckets[0], row.counts, row.p50_ms) == (-1, [1, 1], 0)
    assert row.p95_ms == pytest.approx(1_000, rel=0.01)


def test_failures_are_not_timed():
    insert_event(NOON, "transcription_failed", duration_ms=1_000)
    insert_event(NOON, "artifact_failed", duration_ms=1_000)
    aggregate_hourly_metrics(START)
    assert set(StageSnapshot.objects.values_list("timed", "total_ms", "p50_ms")) == {(0, 0, None)}


def test_the_whole_way_is_timed_by_notes_that_became_ready(club):
    a_note(club)
    aggregate_hourly_metrics(START)
    row = stage(END_TO_END, club)
    assert (row.attempts, row.completed, row.failed, row.total_ms) == (1, 1, 0, 9_000)
    assert row.p50_ms == pytest.approx(9_000, rel=0.01)


def test_percentiles_are_those_that_the_database_reads_from_the_histogram(club):
    for duration in [0, 1, 7, *[40] * 7, *[900] * 9, 100_000]:  # of 20 the 10th and the 19th
        insert_event(NOON, "drafts_generated", club=club, duration_ms=duration)
    aggregate_hourly_metrics(START)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p50_ms = metrics_percentile(buckets, counts, 0.5),"
            " p95_ms = metrics_percentile(buckets, counts, 0.95) FROM metrics_stagesnapshot"
        )
        assert cursor.fetchall() == [(True, True), (True, True)]
    row = stage("draft_generation", club)
    assert (row.p50_ms, row.p95_ms) == (pytest.approx(40, rel=0.01), pytest.approx(900, rel=0.01))


def test_missing_keys_count_in_volume_and_not_in_averages():
    insert_event(NOON, "claims_extracted")
    insert_event(NOON, "claims_extracted", {"claim_count": 0, "confidence_score": 0})
    insert_event(NOON, "transcription_completed")
    aggregate_hourly_metrics(START)
    row = of()
    assert (row.claims, row.notes_with_claim_count, row.notes_with_claim_confidence) == (0, 1, 1)
    assert row.transcripts_with_confidence == 0
    assert stage("claims_extraction").completed == 2


def test_calls_without_a_price_are_told_apart_from_free_ones():
    insert_event(NOON, "stage_result_discarded", {"ai_model": "m"})
    insert_event(NOON, "stage_result_discarded", {"ai_model": "m", "ai_cost": "0"})
    insert_event(NOON, "stage_released", {})
    aggregate_hourly_metrics(START)
    assert (of().ai_calls, of().ai_calls_unpriced, of().ai_cost) == (2, 1, 0)


def test_a_prompt_version_has_what_its_events_tell(club):
    for event_type, told in (
        ("claims_extracted", {"claim_count": 4, "claims_unsupported": 1, "confidence_score": 0.5, "ai_model": "m"}),
        ("claims_extraction_failed", {"will_retry": True, "ai_model": "m", "ai_cost": "0.5"}),
        ("claims_extraction_failed", {}), ("draft_confirmed", {"automatic": True}), ("draft_confirmed", {}),
        ("draft_rejected", {}), ("draft_undone", {}), ("draft_applied", {}),
    ):  # fmt: skip
        insert_event(NOON, event_type, {**told, "prompt_version": "v1"}, club=club)
    insert_event(NOON, "draft_rejected", club=club)
    insert_event(NOON, "draft_applied", {"prompt_version": "v0"}, club=club)
    aggregate_hourly_metrics(START)
    row = PromptSnapshot.objects.get(snapshot=of(club))
    assert (row.completed, row.failed, row.claims, row.claims_unsupported, row.claim_confidence) == (1, 1, 4, 1, 0.5)
    assert (row.drafts_confirmed, row.drafts_confirmed_automatically) == (2, 1)
    assert (row.drafts_rejected, row.drafts_undone) == (1, 1)
    assert (float(row.ai_cost), row.ai_calls, row.ai_calls_unpriced) == (0.5, 2, 1)


def test_counting_twice_changes_nothing(club):
    a_note(club)
    a_note()
    assert aggregate_hourly_metrics(START).rows > 0
    before = everything()
    assert aggregate_hourly_metrics(START).rows == 0
    assert everything() == before


def test_a_recount_writes_only_the_rows_that_changed(club):
    other = make_club()
    Organization.objects.update(created_at=START)
    a_note(other)
    a_note(club)
    aggregate_hourly_metrics(START)
    insert_event(NOON, "retry_initiated", club=club)
    assert aggregate_hourly_metrics(START).rows == 2  # the club and the platform


def test_late_events_are_in_the_next_count(club):
    a_note(club)
    aggregate_hourly_metrics(START)
    ids = set(MetricsSnapshot.objects.values_list("id", flat=True))
    a_note(club, LAST_MOMENT)
    aggregate_hourly_metrics(START)
    assert (of(club).artifacts_received, stage(END_TO_END, club).counts) == (2, [2])
    assert set(MetricsSnapshot.objects.values_list("id", flat=True)) == ids
    assert Period.objects.get().events == 10


def test_what_is_no_longer_told_is_no_longer_there(club):
    a_note(club)
    aggregate_hourly_metrics(START)
    PipelineEvent.objects.filter(
        event_type__in=["artifact_received", "artifact_completed", "claims_extracted"]
    ).delete()
    aggregate_hourly_metrics(START)
    assert (of(club).artifacts_received, of(club).ai_calls) == (0, 0)
    assert set(StageSnapshot.objects.values_list("stage", flat=True)) == {"transcription"}
    assert not SourceSnapshot.objects.exists()
    assert not PromptSnapshot.objects.exists()


def test_a_final_hour_is_not_counted_again(club):
    a_note(club)
    assert not aggregate_hourly_metrics(START, seal=True).refused
    assert Period.objects.get().sealed_at is not None
    before = everything()
    PipelineEvent.objects.all().delete()
    assert aggregate_hourly_metrics(START).refused
    assert aggregate_hourly_metrics(START, seal=True).refused
    assert everything() == before


def test_the_hours_around_are_left_alone(club):
    a_note(club)
    a_note(club, NOON + HOUR)
    aggregate_hourly_metrics(START + HOUR)
    before = everything()
    aggregate_hourly_metrics(START - HOUR)
    aggregate_hourly_metrics(START)
    assert [row for row in everything()[0] if row["period_start"] == START + HOUR] == before[0]


def test_an_hour_may_be_named_in_any_time_zone():
    india = timezone(timedelta(hours=5, minutes=30))
    assert aggregate_hourly_metrics(START.astimezone(india)).period_start == START
    assert Period.objects.get().period_start == START


@pytest.mark.parametrize(
    ("hour", "why"),
    [
        (START.replace(tzinfo=None), "names no time zone"),
        (START.replace(minute=30), "is not the beginning of a UTC hour"),
        (START.replace(microsecond=1), "is not the beginning of a UTC hour"),
        (START.replace(tzinfo=timezone(timedelta(hours=5, minutes=30))), "is not the beginning of a UTC hour"),
        (START.replace(year=2999), "has not begun"),
    ],
    ids=["naive", "half past", "a microsecond later", "not an hour of UTC", "future"],
)
def test_what_is_no_hour_of_the_past_is_refused(hour, why):
    with pytest.raises(ValueError, match=why):
        aggregate_hourly_metrics(hour)
    assert not Period.objects.exists()


def test_the_running_hour_is_counted_but_cannot_be_made_final():
    running = clock.now().replace(minute=0, second=0, microsecond=0)
    assert not aggregate_hourly_metrics(running).refused
    with pytest.raises(ValueError, match="is not over"):
        aggregate_hourly_metrics(running, seal=True)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told_that_the_other_is_at_it():
    found = []

    def other():
        found.append(aggregate_hourly_metrics(START))
        found.append(aggregate_hourly_metrics(START - HOUR))
        connection.close()

    with transaction.atomic():
        assert hold_period(PeriodType.HOUR, START)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=30)
    assert [each.busy for each in found] == [True, False]
    assert not aggregate_hourly_metrics(START).busy


@pytest.mark.django_db(transaction=True)
def test_several_at_once_leave_one_row_each():
    club = make_club()
    Organization.objects.update(created_at=START)
    with transaction.atomic():
        a_note(club)
    crew = [threading.Thread(target=_count_and_close) for _ in range(4)]
    for member in crew:
        member.start()
    for member in crew:
        member.join(timeout=30)
    assert sorted(MetricsSnapshot.objects.values_list("artifacts_received", flat=True)) == [1, 1]


def _count_and_close():
    aggregate_hourly_metrics(START)
    connection.close()
