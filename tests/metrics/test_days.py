"""The day, added up from its hours."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection, transaction

from metrics.days import aggregate_daily_metrics
from metrics.models import MetricsSnapshot, Period, PeriodType, PromptSnapshot, SourceSnapshot, StageSnapshot
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.factories import make_period, make_snapshot

DAY = datetime(2026, 3, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hour_of_day(number):
    return DAY + number * HOUR


def make_hours(numbers, club=None, **fields):
    for number in numbers:
        make_snapshot("hour", hour_of_day(number), club, **fields)


def seal(numbers=range(24)):
    moments = [hour_of_day(number) for number in numbers]
    Period.objects.filter(period_type="hour", period_start__in=moments).update(sealed_at=DAY + timedelta(days=2))


def day_of(club=None, day=DAY):
    return MetricsSnapshot.objects.get(period_type="day", period_start=day, organization=club)


def period_of(day=DAY):
    return Period.objects.get(period_type="day", period_start=day)


def everything():
    """All that is written of days, without when."""
    snapshots = MetricsSnapshot.objects.filter(period_type="day").order_by("id")
    beneath = (StageSnapshot, SourceSnapshot, PromptSnapshot)
    return [
        list(snapshots.values()),
        *(list(model.objects.filter(snapshot__in=snapshots).order_by("id").values()) for model in beneath),
        list(Period.objects.filter(period_type="day").values("id", "events", "hours", "gaps", "sealed_at")),
    ]


def test_a_day_is_the_sum_of_its_hours(db):
    make_hours(range(24), artifacts_received=3, transcript_confidence=0.1, ai_cost=Decimal("0.00000001"))
    result = aggregate_daily_metrics(DAY)
    assert (result.hours, result.rows, result.busy, result.refused) == (24, 1, False, False)
    platform = day_of()
    assert platform.artifacts_received == 72
    assert platform.transcript_confidence == pytest.approx(2.4, rel=1e-12)
    assert platform.ai_cost == Decimal("0.00000024")


def test_the_platform_comes_from_platform_hours_and_a_club_from_its_own(db):
    club, other = make_club(), make_club()
    make_hours([3, 4], artifacts_received=10)
    make_hours([3, 4], club, artifacts_received=4)
    make_hours([4], other, artifacts_received=1)
    aggregate_daily_metrics(DAY)
    assert [day_of(whose).artifacts_received for whose in (None, club, other)] == [20, 8, 1]


def figures_of(model, value):
    keys = {"id", "period_type", "period_start", "organization", "has_gaps", "snapshot"}
    keys |= {"stage", "source_channel", "prompt_version", "buckets", "counts", "p50_ms", "p95_ms"}
    return {field.name: value for field in model._meta.local_fields if field.name not in keys}


def test_every_figure_of_hours_reaches_the_day(db):
    make_hours(
        [0, 23],
        stages={"transcription": figures_of(StageSnapshot, 7)},
        sources={"api": figures_of(SourceSnapshot, 7)},
        prompts={"v1": figures_of(PromptSnapshot, 7)},
        **figures_of(MetricsSnapshot, 7),
    )
    aggregate_daily_metrics(DAY)
    day = day_of()
    for row in (day, day.stages.get(), day.sources.get(), day.prompts.get()):
        expected = figures_of(type(row), 14)
        assert {name: getattr(row, name) for name in expected} == expected


def test_counting_twice_changes_nothing(db):
    club = make_club()
    for whose in (None, club):
        make_hours(
            range(5),
            whose,
            claim_confidence=0.1,
            stages={"transcription": {"durations": [5, 700, 80_000]}},
            sources={"api": {"artifacts_received": 2}},
            prompts={"v1": {"claim_confidence": 0.7, "ai_cost": Decimal("0.5")}},
        )
    first = aggregate_daily_metrics(DAY)
    before = everything()
    assert aggregate_daily_metrics(DAY) == first
    assert everything() == before


def test_a_day_is_counted_again_when_more_of_its_hours_are_there(db):
    make_hours(range(10), artifacts_received=1)
    assert aggregate_daily_metrics(DAY).hours == 10
    make_hours(range(10, 24), artifacts_received=1)
    assert aggregate_daily_metrics(DAY).hours == 24
    assert (day_of().artifacts_received, period_of().hours) == (24, 24)


def test_a_day_takes_in_an_hour_that_was_counted_again(db):
    make_hours([7], artifacts_received=1, stages={"transcription": {"durations": [10]}}, prompts={"v1": {"failed": 1}})
    aggregate_daily_metrics(DAY)
    hour = MetricsSnapshot.objects.get(period_type="hour")
    hour.prompts.all().delete()
    MetricsSnapshot.objects.filter(pk=hour.pk).update(artifacts_received=2)
    StageSnapshot.objects.filter(snapshot=hour).update(completed=5)
    aggregate_daily_metrics(DAY)
    assert day_of().artifacts_received == 2
    assert day_of().stages.get().completed == 5
    assert not day_of().prompts.exists()


def test_what_stands_beneath_other_days_and_hours_stays(db):
    make_hours([7], prompts={"v1": {"failed": 1}})
    make_snapshot("day", DAY - timedelta(days=1), prompts={"v0": {"failed": 1}})
    aggregate_daily_metrics(DAY)
    assert PromptSnapshot.objects.filter(prompt_version="v0").count() == 1
    assert PromptSnapshot.objects.filter(prompt_version="v1").count() == 2


def test_sources_and_prompts_are_added_up_each_by_its_own(db):
    make_hours(
        [1, 2],
        sources={"api": {"artifacts_received": 2, "total_ms": 30}, "voicemail": {"artifacts_failed": 1}},
        prompts={"v1": {"completed": 3, "ai_cost": Decimal("0.25")}, "v2": {"ai_calls": 1}},
    )
    make_hours([3], sources={"api": {"artifacts_received": 5}})
    aggregate_daily_metrics(DAY)
    sources = {source.source_channel: source for source in day_of().sources.all()}
    prompts = {prompt.prompt_version: prompt for prompt in day_of().prompts.all()}
    assert (sources["api"].artifacts_received, sources["api"].total_ms) == (9, 60)
    assert sources["voicemail"].artifacts_failed == 2
    assert (prompts["v1"].completed, prompts["v1"].ai_cost, prompts["v2"].ai_calls) == (6, Decimal("0.5"), 2)


def test_the_slowest_of_a_day_are_those_of_all_its_durations(db):
    """Neither the mean nor the sum of the hours' own."""
    quick, slow = [100] * 190, [10_000] * 10
    make_hours([1], stages={"transcription": {"durations": quick}})
    make_hours([2], stages={"transcription": {"durations": slow}})
    aggregate_daily_metrics(DAY)
    stage = day_of().stages.get()
    assert (stage.timed, stage.total_ms) == (200, 19_000 + 100_000)
    assert stage.p95_ms == pytest.approx(100, rel=0.01)  # the 190th of 200
    make_hours([3], stages={"transcription": {"durations": [10_000]}})
    aggregate_daily_metrics(DAY)
    assert day_of().stages.get().p95_ms == pytest.approx(10_000, rel=0.01)  # the 191st of 201


def test_histograms_are_merged_bucket_by_bucket_in_ascending_order(db):
    make_hours([1], stages={"end_to_end": {"durations": [0, 50, 4_000]}})
    make_hours([2], stages={"end_to_end": {"durations": [50, 90_000]}})
    aggregate_daily_metrics(DAY)
    stage = day_of().stages.get()
    assert stage.buckets == sorted(stage.buckets)
    assert stage.counts == [1, 2, 1, 1]


def test_a_stage_without_durations_has_no_percentiles(db):
    make_hours([1], stages={"transcription": {"attempts": 2, "failed": 2}})
    aggregate_daily_metrics(DAY)
    stage = day_of().stages.get()
    assert (stage.attempts, stage.failed, stage.buckets, stage.counts) == (2, 2, [], [])
    assert (stage.p50_ms, stage.p95_ms) == (None, None)


@pytest.mark.parametrize(("created", "rows"), [(DAY + 12 * HOUR, 1), (DAY + 24 * HOUR, 0)], ids=["noon", "day after"])
def test_a_club_without_hours_has_a_row_of_zeros_from_the_day_it_was_made(db, created, rows):
    club = make_club()
    type(club).objects.filter(pk=club.pk).update(created_at=created)
    make_hours([1], artifacts_received=1)
    aggregate_daily_metrics(DAY)
    found = MetricsSnapshot.objects.filter(period_type="day", organization=club)
    assert [snapshot.artifacts_received for snapshot in found] == [0] * rows


def test_a_club_made_at_noon_has_what_its_hours_say(db):
    club = make_club()
    make_hours(range(24), artifacts_received=2)
    make_hours(range(12, 24), club, artifacts_received=1)
    aggregate_daily_metrics(DAY)
    assert day_of(club).artifacts_received == 12


def test_the_hours_before_midnight_and_after_it_belong_to_their_own_days(db):
    for number, received in [(-1, 1), (0, 10), (23, 100), (24, 1000)]:
        make_hours([number], artifacts_received=received)
    for offset in (-1, 0, 1):
        aggregate_daily_metrics(DAY + timedelta(days=offset))
    found = MetricsSnapshot.objects.filter(period_type="day").order_by("period_start")
    assert [snapshot.artifacts_received for snapshot in found] == [1, 110, 1000]


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)], ids=str)
def test_a_day_has_24_hours_also_when_clocks_change(db, day):
    for number in range(-1, 25):
        make_snapshot("hour", day + number * HOUR, artifacts_received=1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'Europe/Dublin'")
    assert aggregate_daily_metrics(day).hours == 24
    assert day_of(day=day).artifacts_received == 24


def test_midnight_may_be_told_in_another_time_zone(db):
    make_hours([0], artifacts_received=1)
    summer = timezone(HOUR)
    assert aggregate_daily_metrics(DAY.astimezone(summer)).period_start == DAY


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (DAY.replace(tzinfo=None), "no time zone"),
        (DAY + HOUR, "not the beginning"),
        (DAY + timedelta(microseconds=1), "not"),
    ],
    ids=["naive", "another hour", "a moment after"],
)
def test_what_is_no_utc_midnight_is_no_day(moment, told):
    with pytest.raises(ValueError, match=told):
        aggregate_daily_metrics(moment)


def test_a_day_without_hours_is_not_written(db):
    make_club()
    make_hours([-1, 24])
    result = aggregate_daily_metrics(DAY)
    assert (result.hours, result.rows, result.refused) == (0, 0, False)
    assert not Period.objects.filter(period_type="day").exists()
    assert not MetricsSnapshot.objects.filter(period_type="day").exists()


def test_an_hour_whose_rows_are_gone_is_no_hour_of_the_day(db):
    make_hours([1])
    make_period("hour", hour_of_day(2))
    assert aggregate_daily_metrics(DAY).hours == 1


def test_a_day_knows_from_how_many_events_it_was_counted(db):
    for number, events in [(0, 5), (1, 0), (2, 2**40)]:
        make_period("hour", hour_of_day(number), events=events)
        make_hours([number])
    assert aggregate_daily_metrics(DAY).events == 5 + 2**40
    assert period_of().events == 5 + 2**40


def test_gaps_of_hours_are_gaps_of_the_day(db):
    club, other, whole = make_club(), make_club(), make_club()
    for number, gaps in [(0, [other.pk]), (1, []), (2, [other.pk, club.pk]), (3, [Period.NO_CLUB])]:
        make_period("hour", hour_of_day(number), gaps=gaps)
        for whose in (None, club, whole):
            make_hours([number], whose)
    gaps = [Period.NO_CLUB, club.pk, other.pk]
    assert aggregate_daily_metrics(DAY).gaps == gaps
    assert period_of().gaps == gaps
    marked = [whose for whose in (None, club, whole) if day_of(whose).has_gaps]
    assert marked == [None, club]


def test_a_gap_that_was_filled_is_none_any_more(db):
    club = make_club()
    make_period("hour", hour_of_day(0), gaps=[club.pk])
    for whose in (None, club):
        make_hours([0], whose)
    aggregate_daily_metrics(DAY)
    Period.objects.filter(period_type="hour").update(gaps=[])
    assert aggregate_daily_metrics(DAY).gaps == []
    assert not MetricsSnapshot.objects.filter(has_gaps=True).exists()


@pytest.mark.parametrize("final", [range(24), range(23), range(1, 24)], ids=["all", "not the last", "not the first"])
def test_a_day_is_final_once_all_its_hours_are(db, final):
    make_hours(range(24))
    seal(final)
    aggregate_daily_metrics(DAY)
    assert (period_of().sealed_at is not None) == (len(final) == 24)


def test_a_day_that_lacks_hours_is_not_final(db):
    make_hours(range(23))
    seal()
    aggregate_daily_metrics(DAY)
    assert period_of().sealed_at is None


def finished_day():
    make_hours(range(24), artifacts_received=1)
    seal()
    aggregate_daily_metrics(DAY)
    return everything()


def test_a_final_day_is_not_counted_again(db):
    before = finished_day()
    MetricsSnapshot.objects.filter(period_type="hour").update(artifacts_received=100)
    result = aggregate_daily_metrics(DAY)
    assert (result.refused, result.rows, result.hours) == (True, 0, 24)
    assert everything() == before


def test_a_final_day_outlives_its_hours(db, caplog):
    before = finished_day()
    MetricsSnapshot.objects.filter(period_type="hour").delete()
    assert aggregate_daily_metrics(DAY).refused
    assert everything() == before
    assert not caplog.text


def test_a_day_is_not_counted_from_fewer_hours_than_before(db, caplog):
    make_hours(range(6), artifacts_received=1, stages={"transcription": {"durations": [9]}})
    aggregate_daily_metrics(DAY)
    before = everything()
    MetricsSnapshot.objects.filter(period_type="hour", period_start=hour_of_day(2)).delete()
    result = aggregate_daily_metrics(DAY)
    assert (result.refused, result.rows, result.hours) == (True, 0, 6)
    assert everything() == before
    assert "hours of a day are missing" in caplog.text


def test_a_day_is_not_emptied_when_all_its_hours_are_gone(db):
    make_hours(range(6), artifacts_received=1)
    aggregate_daily_metrics(DAY)
    MetricsSnapshot.objects.filter(period_type="hour").delete()
    Period.objects.filter(period_type="hour").delete()
    assert aggregate_daily_metrics(DAY).refused
    assert day_of().artifacts_received == 6


def test_of_two_at_one_day_the_second_goes_away_at_once_and_others_work_on(transactional_db):
    for day in (DAY, DAY + timedelta(days=1)):
        make_snapshot("hour", day, artifacts_received=1)
    held, results = threading.Event(), {}
    done = threading.Event()

    def holder():
        try:
            with transaction.atomic():
                results["held"] = hold_period(PeriodType.DAY, DAY)
                held.set()
                done.wait(timeout=20)
        finally:
            connection.close()

    thread = threading.Thread(target=holder)
    thread.start()
    try:
        assert held.wait(timeout=20)
        busy, other = aggregate_daily_metrics(DAY), aggregate_daily_metrics(DAY + timedelta(days=1))
    finally:
        done.set()
        thread.join()
    assert (busy.busy, busy.rows, other.busy, other.hours) == (True, 0, False, 1)
    assert not aggregate_daily_metrics(DAY).busy


def test_many_at_one_day_leave_one_set_of_rows(transactional_db):
    for whose in (None, make_club(), make_club()):
        make_hours(range(24), whose, artifacts_received=1, prompts={"v1": {"completed": 1}})
    results = []

    def counter():
        try:
            results.extend(aggregate_daily_metrics(DAY) for _ in range(5))
        finally:
            connection.close()

    threads = [threading.Thread(target=counter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 20
    assert {(result.busy, result.rows) for result in results} <= {(True, 0), (False, 6)}
    assert MetricsSnapshot.objects.filter(period_type="day").count() == 3
    assert day_of().prompts.get().completed == 24
