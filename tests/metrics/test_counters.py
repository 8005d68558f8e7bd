"""What adds to live figures, and how they are read."""

import json
from collections import Counter as Tally
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection, transaction
from django.db.models import ProtectedError

from metrics.counters import fold_counters
from metrics.models import Counter, CounterType
from metrics.queries import get_minute_metrics, get_real_time_metrics
from tests.factories import make_club
from tests.metrics.counting import ADDS_TO, MINUTE, db_minute, random_event, reference
from voicepipeline.events import NewEvent, log_event, log_events, stable_event_id
from voicepipeline.models import EventType, PipelineEvent

pytestmark = pytest.mark.django_db

COLUMNS = (
    "voicepipeline_pipelineevent (event_id, event_type, pipeline_stage, previous_status, new_status,"
    " error_code, error_message, metadata, timestamp, time_window)"
)


def values(organization=None, **when):
    return dict(get_real_time_metrics(organization, **when).values)


def insert_raw(event_type, metadata, moment="clock_timestamp()"):
    """As somebody would with SQL by hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {COLUMNS} VALUES (gen_random_uuid(), %s, '', '', '', '', '', %s, {moment}, '2026-01-01-00')",
            [event_type, json.dumps(metadata)],
        )


@pytest.mark.parametrize("event_type", EventType.values)
def test_an_event_adds_one_to_its_figures_of_the_platform_and_of_its_club(event_type):
    club = make_club()
    log_event(event_type, organization_id=club.pk)
    expected = dict.fromkeys(ADDS_TO.get(event_type, ()), 1)
    assert (values(), values(club)) == (expected, expected)


@pytest.mark.parametrize("event_type", EventType.values)
def test_an_event_of_no_club_adds_to_the_platform_alone(event_type):
    club = make_club()
    log_event(event_type)
    assert (values(), values(club)) == (dict.fromkeys(ADDS_TO.get(event_type, ()), 1), {})
    assert not Counter.objects.exclude(organization=None).exists()


FAILED = [name for name, adds_to in ADDS_TO.items() if CounterType.FAILURES in adds_to and name != "artifact_failed"]


@pytest.mark.parametrize("event_type", FAILED)
def test_a_failed_try_that_is_repeated_is_no_failure_yet(event_type):
    log_event(event_type, metadata={"will_retry": True})
    assert values() == {}
    log_event(event_type, metadata={"will_retry": False})
    assert values() == {CounterType.FAILURES: 1}


def test_a_note_that_is_ready_once_more_is_not_counted():
    log_event("artifact_completed", metadata={"repeat": True})
    assert values() == {}
    log_event("artifact_completed", metadata={"repeat": False})
    assert values() == {CounterType.ARTIFACTS_COMPLETED: 1}


@pytest.mark.parametrize("event_type", ["claims_extracted", "claims_extraction_failed", "stage_result_discarded"])
def test_what_an_event_cost_is_added_whatever_it_tells(event_type):
    for cost in ("0.00001234", "1E-7", "12"):
        log_event(event_type, metadata={"ai_cost": Decimal(cost), "will_retry": True})
    assert get_real_time_metrics()[CounterType.AI_COST] == Decimal("12.00001244")  # hundred-millionths, each rounded


NO_MONEY = [
    "",
    "a lot",
    "NaN",
    "Infinity",
    "1e99",
    "9" * 40,
    "0x10",
    "1_000",
    "-1",
    -0.5,
    " 1",
    "1\n2",
    True,
    None,
    [1],
    {"usd": 1},
]


@pytest.mark.parametrize("cost", NO_MONEY, ids=repr)
def test_a_cost_that_is_no_amount_of_money_adds_nothing_and_breaks_nothing(cost):
    insert_raw("claims_extracted", {"ai_cost": cost})
    assert values() == {CounterType.CLAIMS_EXTRACTED: 1}


@pytest.mark.parametrize("metadata", [[], "text", 7, None, {"will_retry": "yes"}, {"will_retry": [True]}], ids=repr)
def test_metadata_of_any_shape_break_nothing_and_no_yes_means_final(metadata):
    insert_raw("transcription_failed", metadata)
    assert values() == {CounterType.FAILURES: 1}


@pytest.mark.parametrize("moment", ["'9999-06-01'", "'200000-01-01'", "'0001-01-01'"])
def test_a_moment_that_is_out_of_this_world_is_not_counted_and_breaks_nothing(moment):
    insert_raw("artifact_received", {}, moment)
    assert not Counter.objects.exists()


def test_a_repeated_event_adds_nothing():
    event = NewEvent(event_type="artifact_received", event_id=stable_event_id("x"))
    assert [log_events([event]), log_events([event, event])] == [1, 0]
    assert values() == {CounterType.ARTIFACTS_RECEIVED: 1}


def test_of_a_flush_only_the_new_events_add_something():
    old = NewEvent(event_type="artifact_received", event_id=stable_event_id("old"))
    log_events([old])
    log_events([old, NewEvent(event_type="artifact_received"), NewEvent(event_type="artifact_failed")])
    assert values() == {CounterType.ARTIFACTS_RECEIVED: 2, CounterType.ARTIFACTS_FAILED: 1, CounterType.FAILURES: 1}


def test_whatever_inserts_events_is_counted():
    club = make_club()
    PipelineEvent.objects.bulk_create(PipelineEvent(event_type="retry_initiated", organization=club) for _ in range(3))
    copied = [str(stable_event_id("copied")), "retry_initiated", *[""] * 5, "{}", str(db_minute()), "2026-01-01-00"]
    with connection.cursor() as cursor, cursor.copy(f"COPY {COLUMNS} FROM STDIN") as copy:
        copy.write_row(copied)
    assert (values(), values(club)) == ({CounterType.RETRIES: 4}, {CounterType.RETRIES: 3})


def test_what_is_rolled_back_leaves_nothing():
    log_event("artifact_received")
    with transaction.atomic():
        log_events([NewEvent(event_type="artifact_received"), NewEvent(event_type="retry_initiated")])
        transaction.set_rollback(True)
    assert values() == {CounterType.ARTIFACTS_RECEIVED: 1}


def test_an_event_that_the_database_refuses_adds_nothing():
    assert log_event("artifact_received", organization_id=999_999_999) == 0
    assert values() == {}


def test_several_events_of_one_minute_share_a_row():
    moment = db_minute()
    log_events(NewEvent(event_type="artifact_received", timestamp=moment) for _ in range(5))
    log_event("artifact_received", timestamp=moment + timedelta(seconds=59.999))
    counter = Counter.objects.get()
    assert (counter.value, counter.window_start, counter.window_end) == (6, moment, moment + MINUTE)
    assert counter.slot > 0


def test_what_nobody_counted_is_nought():
    live = get_real_time_metrics()
    assert {live[kind] for kind in CounterType} == {0}


def test_the_hour_is_sixty_whole_minutes_that_end_now():
    now = db_minute()
    for back in (0, 1, 59, 60, 61):
        log_event("artifact_received", timestamp=now - back * MINUTE)
    live = get_real_time_metrics(now=now + timedelta(seconds=30))
    assert (live.start, live.end, live[CounterType.ARTIFACTS_RECEIVED]) == (now - 59 * MINUTE, now + MINUTE, 3)


def test_the_figure_goes_down_when_nothing_comes_any_more():
    moment = db_minute()
    log_event("artifact_received", timestamp=moment)
    read = [values(now=moment + minutes * MINUTE) for minutes in (0, 59, 60, 10_000)]
    assert read == [{CounterType.ARTIFACTS_RECEIVED: 1}] * 2 + [{}] * 2


def test_the_figure_does_not_begin_anew_with_the_hour():
    full = db_minute().replace(minute=0) + timedelta(hours=1)
    log_events(NewEvent(event_type="artifact_received", timestamp=full + n * MINUTE) for n in range(-5, 5))
    read = [values(now=full + n * MINUTE)[CounterType.ARTIFACTS_RECEIVED] for n in range(-5, 5)]
    assert read == list(range(1, 11))


def test_what_lies_in_the_future_is_counted_when_its_minute_has_come():
    moment = db_minute()
    log_event("artifact_received", timestamp=moment + 5 * MINUTE)
    assert values() == {}
    assert values(now=moment + 5 * MINUTE) == {CounterType.ARTIFACTS_RECEIVED: 1}


def test_history_that_is_written_afterwards_has_no_live_figures():
    log_event("artifact_received", timestamp=db_minute() - timedelta(hours=2, minutes=1))
    assert not Counter.objects.exists()


def test_the_platform_is_not_the_sum_of_clubs_and_itself():
    clubs = [make_club() for _ in range(3)]
    log_events(NewEvent(event_type="artifact_received", organization_id=club.pk) for club in clubs)
    log_event("artifact_received")
    assert values() == {CounterType.ARTIFACTS_RECEIVED: 4}
    assert [values(club) for club in clubs] == [{CounterType.ARTIFACTS_RECEIVED: 1}] * 3


def test_a_club_with_live_figures_cannot_be_deleted():
    club = make_club()
    log_event("artifact_received", organization_id=club.pk)
    with pytest.raises(ProtectedError) as refused:
        club.delete()
    assert Counter.objects.get(organization=club) in refused.value.protected_objects


def test_live_figures_are_one_question_and_events_are_left_alone(django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        get_real_time_metrics()
    assert "pipelineevent" not in asked.captured_queries[0]["sql"]


def test_every_minute_is_a_point_of_the_chart_also_where_nothing_happened(django_assert_num_queries):
    club, now = make_club(), db_minute()
    log_event("artifact_received", organization_id=club.pk, timestamp=now - 3 * MINUTE)
    log_events([NewEvent(event_type="artifact_received", timestamp=now)] * 2)
    with django_assert_num_queries(1):
        points = get_minute_metrics(now - 119 * MINUTE, now + MINUTE)
    assert [point.start for point in points] == [now - back * MINUTE for back in range(119, -1, -1)]
    received = [point[CounterType.ARTIFACTS_RECEIVED] for point in points]
    assert received == [0] * 116 + [1, 0, 0, 1]
    assert sum(point[CounterType.ARTIFACTS_RECEIVED] for point in get_minute_metrics(now, now + MINUTE, club)) == 0


def test_a_chart_of_minutes_goes_no_further_than_they_are_kept():
    now = db_minute()
    with pytest.raises(ValueError, match="2 hours"):
        get_minute_metrics(now - timedelta(minutes=121), now)


def test_ten_thousand_events_over_two_hours_give_the_right_hour_at_every_minute():
    random, first, clubs = Random(20), db_minute(), [make_club(), make_club()]
    events = [random_event(random, first, 120, clubs) for _ in range(10_000)]
    for start in range(0, len(events), 500):
        log_events(events[start : start + 500])
    minutes = reference(events)
    for number in range(120):
        now = first + number * MINUTE
        if number % 10 == 0:
            fold_counters(now)
        for club_id, club in ((None, None), (clubs[0].pk, clubs[0])):
            expected = sum((minutes[now - back * MINUTE, club_id] for back in range(60)), start=Tally())
            assert values(club, now=now + timedelta(seconds=random.uniform(0, 59.9))) == expected
