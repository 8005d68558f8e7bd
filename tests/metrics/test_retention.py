"""What may go and when: events of hours counted for good, hours of complete days, and days that are old."""

import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction

from metrics.aggregation import aggregate_daily_metrics, aggregate_hourly_metrics
from metrics.models import MetricsSnapshot, Period, RefusedEvent
from metrics.periods import hold_period
from metrics.retention import (
    OLD_FOR_WRITERS,
    PAGES_A_RANGE,
    cleanup_old_events,
    may_still_get_events,
    plan_cleanup,
)
from tests.factories import make_club, make_note
from tests.faults.crashing import AfterCommit, BeforeCommit, crash
from tests.metrics.factories import make_period, make_snapshot
from tests.metrics.telling import break_the_counting_of, break_the_counting_of_five, tell
from voicepipeline.models import Artifact, PipelineEvent, VoiceNote

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The last hour that ended 48 hours ago.
OLD = datetime(2026, 3, 8, 14, tzinfo=UTC)
TODAY = NOW.replace(hour=0, minute=0)


EVENT_AT = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, pipeline_stage, previous_status, new_status,
    error_code, error_message, metadata, timestamp, time_window)
VALUES (gen_random_uuid(), 'artifact_received', '', '', '', '', '', '{}', %s, '')
"""


def left():
    return sorted(PipelineEvent.objects.values_list("timestamp", flat=True))


def received(start, period_type="hour"):
    rows = MetricsSnapshot.objects.filter(period_type=period_type, period_start=start, organization=None)
    return rows.values_list("artifacts_received", flat=True).get()


def test_events_of_hours_that_ended_48_hours_ago_are_counted_for_good_and_go():
    gone = [OLD - 3 * HOUR, OLD, OLD + timedelta(minutes=59, seconds=59, microseconds=999_999)]
    stay = [OLD + HOUR, NOW - 48 * HOUR, NOW]
    tell(*gone, *stay)
    done = cleanup_old_events(NOW)
    assert left() == stay
    assert (done.events_deleted, done.kept) == (3, [])
    assert (received(OLD), received(OLD - 3 * HOUR)) == (2, 1)
    period = Period.objects.get(period_start=OLD)
    assert (period.events, period.sealed_at is not None) == (2, True)


@pytest.mark.parametrize(
    ("minutes", "deleted"),
    [(19, 0), (20, 1), (21, 1)],
    ids=["a minute before its end is old enough", "when it is", "a minute after"],
)
def test_an_hour_goes_when_its_end_is_old_enough(minutes, deleted):
    tell(OLD)
    now = OLD + HOUR + timedelta(hours=48) + timedelta(minutes=minutes - 20)
    assert cleanup_old_events(now).events_deleted == deleted


def test_how_long_events_are_kept_comes_from_the_settings(settings):
    settings.METRICS = {"events_kept": 6 * 3600, "deleted_at_once": 2}
    tell(*[NOW - 8 * HOUR] * 5, NOW - 5 * HOUR)
    assert cleanup_old_events(NOW).events_deleted == 5
    assert left() == [NOW - 5 * HOUR]


def test_hours_without_events_are_made_final_too_so_that_their_day_can_be():
    first = OLD.replace(hour=0) - DAY
    for number in range(20):
        make_snapshot("hour", first + number * HOUR)
    Period.objects.update(sealed_at=NOW)
    tell(first + 21 * HOUR)
    assert cleanup_old_events(OLD.replace(hour=0) + 48 * HOUR).hours_sealed == 4
    aggregate_daily_metrics(first)
    assert Period.objects.get(period_type="day", period_start=first).sealed_at
    assert received(first, "day") == 1


def test_what_was_counted_earlier_from_fewer_events_is_counted_again_first():
    tell(OLD)
    aggregate_hourly_metrics(OLD)
    tell(OLD, OLD)
    cleanup_old_events(NOW)
    assert received(OLD) == 3


def test_a_final_hour_is_never_counted_from_what_is_left_of_it():
    tell(OLD, OLD)
    cleanup_old_events(NOW)
    before = MetricsSnapshot.objects.values().get(period_start=OLD, organization=None)
    assert aggregate_hourly_metrics(OLD).refused
    assert aggregate_hourly_metrics(OLD, seal=True).refused
    cleanup_old_events(NOW + HOUR)
    assert MetricsSnapshot.objects.values().get(period_start=OLD, organization=None) == before


def test_a_late_event_is_refused_and_the_next_run_finds_nothing():
    tell(OLD)
    cleanup_old_events(NOW)
    assert tell(OLD) == 0
    assert cleanup_old_events(NOW).events_deleted == 0
    assert (received(OLD), RefusedEvent.objects.count()) == (1, 1)


def test_what_a_crash_left_between_counting_and_deleting_is_finished():
    tell(OLD, OLD)
    aggregate_hourly_metrics(OLD, seal=True)
    done = cleanup_old_events(NOW)
    assert (done.events_deleted, left(), received(OLD)) == (2, [], 2)


def test_events_of_before_all_history_are_counted_and_go():
    tell(NOW - timedelta(days=400), OLD)
    assert cleanup_old_events(NOW).events_deleted == 2
    assert received((NOW - timedelta(days=400)).replace(minute=0)) == 1


@pytest.mark.parametrize("moment", ["0044-03-15 BC", "-infinity", "infinity"])
def test_an_event_of_no_time_that_can_be_named_is_in_nobodys_way(moment):
    tell(OLD, NOW)
    with connection.cursor() as cursor:
        cursor.execute(EVENT_AT, [moment])
    assert plan_cleanup(NOW).events == 1
    assert (cleanup_old_events(NOW).events_deleted, received(OLD)) == (1, 1)
    assert PipelineEvent.objects.count() == 2


def test_the_oldest_time_that_can_be_named_is_cleaned_up_like_any():
    tell(datetime.min.replace(tzinfo=UTC))
    done = cleanup_old_events(NOW)
    assert (done.events_deleted, done.kept) == (1, [])


def test_an_hour_with_more_events_than_were_counted_keeps_them():
    """It cannot come to that; if it does, nothing is lost."""
    tell(OLD, OLD, OLD - HOUR)
    make_period("hour", OLD, events=1, sealed_at=NOW)
    done = cleanup_old_events(NOW)
    assert left() == [OLD, OLD]
    assert [(kept.hour, kept.reason, kept.is_trouble) for kept in done.kept] == [
        (OLD, "it has more events than were counted", True)
    ]


def test_an_hour_that_breaks_keeps_its_events_and_the_others_go_on():
    tell(OLD, OLD - HOUR, OLD - 2 * HOUR)
    break_the_counting_of(OLD - HOUR)
    done = cleanup_old_events(NOW)
    assert left() == [OLD - HOUR]
    (kept,) = done.kept
    assert (kept.hour, kept.is_trouble) == (OLD - HOUR, True)
    assert "SQLSTATE 23514" in kept.reason


def test_an_hour_that_lacks_a_club_keeps_all_its_events_until_it_lacks_none():
    tell(OLD, OLD - HOUR)
    tell(*[OLD] * 5, organization_id=make_club().pk)
    break_the_counting_of_five()
    done = cleanup_old_events(NOW)
    assert left() == [OLD] * 6
    assert [(kept.hour, kept.reason) for kept in done.kept] == [(OLD, "the events of one club could not be counted")]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE metrics_metricssnapshot DROP CONSTRAINT broken")
    assert (cleanup_old_events(NOW).events_deleted, received(OLD)) == (6, 6)


def test_hours_that_lack_a_club_come_last_and_keep_no_other_waiting():
    for number in range(OLD.hour - 1):
        make_period("hour", OLD.replace(hour=number), sealed_at=NOW)
    make_period("hour", OLD - HOUR, gaps=[make_club().pk])
    tell(OLD, OLD - HOUR)
    turns = iter([True, False])
    cleanup_old_events(NOW, may_go_on=lambda: next(turns))
    assert left() == [OLD - HOUR]
    cleanup_old_events(NOW)
    assert left() == []


def test_a_run_that_has_no_time_left_begins_nothing_new():
    tell(OLD, OLD - HOUR)
    turns = iter([True, False])
    cleanup_old_events(NOW, may_go_on=lambda: next(turns))
    assert Period.objects.filter(sealed_at__isnull=False).count() == 1


def test_nothing_but_events_goes():
    note = make_note(organization=make_club())
    tell(OLD, event_type="artifact_received", artifact=note)
    before = {model: list(model.objects.values()) for model in (Artifact, VoiceNote)}
    cleanup_old_events(NOW)
    assert not PipelineEvent.objects.exists()
    assert {model: list(model.objects.values()) for model in before} == before


@pytest.mark.django_db(transaction=True)
def test_an_hour_that_somebody_writes_to_is_left_for_the_next_run():
    tell(OLD, OLD - HOUR)
    held, go_on = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                assert hold_period("hour", OLD)
                held.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    done = cleanup_old_events(NOW)
    go_on.set()
    thread.join()
    assert left() == [OLD]
    assert [(kept.hour, kept.is_trouble) for kept in done.kept] == [(OLD, False)]
    assert cleanup_old_events(NOW).events_deleted == 1


def test_an_hour_that_events_may_come_to_without_its_lock_is_not_made_final(settings):
    """Its limits are forbidden by a check; the clock of the database decides all the same."""
    settings.METRICS = {"events_kept": 0}
    real = datetime.now(UTC)
    tell(real - 2 * HOUR, real - 5 * HOUR)
    done = cleanup_old_events(real)
    assert left() == [real - 2 * HOUR]
    kept = {kept.hour for kept in done.kept}
    assert (real - 2 * HOUR).replace(minute=0, second=0, microsecond=0) in kept


def parts_read_for(start):
    """How many pages of the table the index on times lets be read for this hour."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT count(*) FROM voicepipeline_pipelineevent"
            " WHERE timestamp >= %s AND timestamp < %s",
            [start, start + HOUR],
        )
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "event_time" in plan
    pages = re.search(r"lossy=(\d+)", plan)
    return int(pages.group(1)) if pages else 0


@pytest.mark.django_db(transaction=True)
def test_the_index_on_times_forgets_events_that_are_gone():
    gone = (NOW - 10 * HOUR).replace(minute=0)
    tell(*[gone] * 10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT brin_summarize_new_values('event_time')")
        cursor.execute("DELETE FROM voicepipeline_pipelineevent")
    tell(*[NOW - HOUR] * 10)
    before = parts_read_for(gone)
    cleanup_old_events(NOW)
    assert (before > 0, parts_read_for(gone)) == (True, 0)
    assert parts_read_for(NOW.replace(minute=0) - HOUR) > 0


def test_the_parts_of_that_index_are_as_large_as_it_says():
    (index,) = (index for index in PipelineEvent._meta.indexes if index.name == "event_time")
    assert index.pages_per_range == PAGES_A_RANGE


def clean_up_two_at_a_time(now):
    settings.METRICS = {"deleted_at_once": 2}
    cleanup_old_events(now)


def events_and_figures(hours):
    """How many events are left of each hour, how many it was counted from, and whether that is final."""
    periods = {period.period_start: period for period in Period.objects.filter(period_type="hour")}
    for start in hours:
        events = PipelineEvent.objects.filter(timestamp__gte=start, timestamp__lt=start + HOUR).count()
        yield events, received(start) if start in periods else None, start in periods and bool(periods[start].sealed_at)


@pytest.mark.trial
@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", [BeforeCommit, AfterCommit], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))  # three hours, each counted once and deleted in three parts
def test_killed_at_any_commit_nothing_is_lost_and_the_next_run_ends_it(moment, number):
    hours = [OLD - 2 * HOUR, OLD - HOUR, OLD]
    for number_of_hour in range(hours[0].hour):
        make_period("hour", OLD.replace(hour=number_of_hour), sealed_at=NOW)
    for start in hours:
        tell(*[start] * 5)
    crash(moment(number), clean_up_two_at_a_time, NOW)
    for events, counted, sealed in events_and_figures(hours):
        assert (events, sealed) == (5, False) or (sealed and counted == 5)
    give_up = time.monotonic() + 30
    while PipelineEvent.objects.exists():  # the killed one's connection may hold an hour for a moment
        assert time.monotonic() < give_up
        cleanup_old_events(NOW)
    assert list(events_and_figures(hours)) == [(0, 5, True)] * 3
    assert not RefusedEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["none", "pg_signal_backend"], ids=["own role", "role that cannot see when it began"])
def test_no_hour_is_made_final_while_a_transaction_is_open_that_would_not_ask_for_its_lock(role):
    begun, go_on = threading.Event(), threading.Event()

    def write():
        try:
            with transaction.atomic():
                tell(NOW)
                begun.set()
                go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(20)
    old_since_a_moment = datetime.now(UTC) - OLD_FOR_WRITERS - HOUR
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {role}")
        while_open = may_still_get_events(old_since_a_moment)
        go_on.set()
        thread.join()
        assert (while_open, may_still_get_events(old_since_a_moment)) == (True, False)
    finally:
        go_on.set()
        connection.close()
