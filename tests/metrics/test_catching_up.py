"""Which hours and days have to be counted: none is forgotten, however long nobody looked, and none that is final."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.catching_up import days_to_count, hours_to_count, hours_to_seal, missing_hours
from metrics.models import Period
from tests.factories import make_club
from tests.metrics.factories import make_period
from voicepipeline.events import log_event
from voicepipeline.models import Organization

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
RUNNING = NOW.replace(minute=0)
TODAY = RUNNING.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def counted(start, *, after=HOUR * 5, **fields):
    """An hour as it is after all its runs, unless it was counted earlier after its beginning."""
    return make_period("hour", start, aggregated_at=start + after, **fields)


def all_counted(first, last, **fields):
    while first <= last:
        counted(first, **fields)
        first += HOUR


def hours(first, last):
    """From the last to the first."""
    return [last - HOUR * back for back in range((last - first) // HOUR + 1)]


@pytest.fixture
def day_so_far():
    """A history that begins with today and lacks nothing."""
    all_counted(TODAY, RUNNING)


def test_in_the_ordinary_run_of_things_the_last_three_hours_and_the_running_one_are_counted(day_so_far):
    assert hours_to_count(NOW) == hours(RUNNING - 3 * HOUR, RUNNING)


def test_each_minute_the_running_hour_is(day_so_far):
    assert missing_hours(NOW) == [RUNNING]


@pytest.mark.parametrize(("minute", "also"), [(0, 1), (2, 1), (3, 0), (59, 0)])
def test_an_hour_that_ended_just_now_is_counted_with_it(day_so_far, minute, also):
    assert missing_hours(RUNNING + timedelta(minutes=minute)) == hours(RUNNING - also * HOUR, RUNNING)


def test_thirty_hours_without_a_scheduler_are_all_missing():
    all_counted(TODAY - 3 * DAY, RUNNING - 31 * HOUR)
    assert missing_hours(NOW) == hours_to_count(NOW) == hours(RUNNING - 30 * HOUR, RUNNING)


def test_so_are_ten_days():
    all_counted(TODAY - 12 * DAY, RUNNING - 240 * HOUR)
    assert missing_hours(NOW) == hours(RUNNING - 239 * HOUR, RUNNING)


def test_an_hour_counted_while_it_ran_and_never_since_is_missing(day_so_far):
    Period.objects.filter(period_start=RUNNING - 7 * HOUR).update(
        aggregated_at=RUNNING - 6 * HOUR - timedelta(seconds=1)
    )
    assert missing_hours(NOW) == [RUNNING, RUNNING - 7 * HOUR]


def test_one_counted_when_it_had_ended_but_not_for_late_events_is_left_to_the_hourly_run(day_so_far):
    Period.objects.filter(period_start=RUNNING - 7 * HOUR).update(aggregated_at=RUNNING - 6 * HOUR)
    assert missing_hours(NOW) == [RUNNING]
    assert hours_to_count(NOW) == [*hours(RUNNING - 3 * HOUR, RUNNING), RUNNING - 7 * HOUR]


def test_an_hour_with_gaps_is_counted_again_until_it_has_none(day_so_far):
    Period.objects.filter(period_start=RUNNING - 7 * HOUR).update(gaps=[3])
    assert missing_hours(NOW) == [RUNNING]
    assert RUNNING - 7 * HOUR in hours_to_count(NOW)


def test_final_hours_are_never_counted_again(day_so_far):
    Period.objects.update(sealed_at=NOW, aggregated_at=TODAY)
    assert missing_hours(NOW) == hours_to_count(NOW) == []


def test_history_begins_with_the_day_of_the_oldest_event():
    make_club()
    log_event("artifact_received", timestamp=RUNNING)
    log_event("artifact_received", timestamp=TODAY - 8 * DAY + timedelta(hours=9, minutes=30))
    log_event("artifact_received", timestamp=RUNNING - HOUR)
    assert missing_hours(NOW) == hours_to_count(NOW) == hours(TODAY - 8 * DAY, RUNNING)


def test_events_older_than_all_that_was_counted_are_found():
    all_counted(TODAY, RUNNING)
    log_event("artifact_received", timestamp=TODAY - 2 * DAY + timedelta(hours=5))
    assert missing_hours(NOW) == [RUNNING, *hours(TODAY - 2 * DAY, TODAY - HOUR)]


def test_without_events_history_begins_with_the_first_club():
    make_club()
    Organization.objects.update(created_at=TODAY - DAY + timedelta(hours=3))
    assert missing_hours(NOW) == hours(TODAY - DAY, RUNNING)


def test_without_anything_it_begins_today():
    assert missing_hours(NOW) == hours(TODAY, RUNNING)


def test_a_clock_that_is_ahead_moves_nothing():
    log_event("artifact_received", timestamp=NOW + 3 * DAY)
    assert missing_hours(NOW) == hours(TODAY, RUNNING)


def test_what_is_too_old_to_be_shown_is_not_counted():
    log_event("artifact_received", timestamp=TODAY - 400 * DAY)
    assert missing_hours(NOW)[-1] == TODAY


def test_an_event_that_came_months_late_says_nothing_of_the_time_since(day_so_far):
    make_period("hour", TODAY - 200 * DAY, sealed_at=NOW)
    assert missing_hours(NOW) == [RUNNING]


def test_a_history_as_long_as_it_is_kept_begins_with_the_oldest_day_however_late_that_was_counted():
    counted(TODAY - 89 * DAY + 5 * HOUR)
    assert missing_hours(NOW)[-1] == TODAY - 89 * DAY


def test_limits_come_from_the_settings(settings, day_so_far):
    settings.METRICS = {"hours_counted_again": 5}
    assert hours_to_count(NOW) == hours(RUNNING - 5 * HOUR, RUNNING)


def test_hours_to_seal_are_all_old_ones_that_are_not_final_the_oldest_first():
    all_counted(TODAY - 4 * DAY, TODAY - 3 * DAY, sealed_at=NOW)
    all_counted(TODAY - 3 * DAY + 3 * HOUR, RUNNING)
    before = RUNNING - 48 * HOUR
    assert hours_to_seal(NOW, before=before) == hours(TODAY - 3 * DAY + HOUR, before - HOUR)[::-1]


# --- Days ------------------------------------------------------------------------------------------------------


def day_of(start, **fields):
    return make_period("day", start, **{"aggregated_at": NOW, **fields})


@pytest.fixture
def yesterday():
    """A whole day, added up after all its hours."""
    all_counted(TODAY - DAY, TODAY - HOUR)
    return day_of(TODAY - DAY)


def test_a_day_that_says_what_its_hours_do_is_left(yesterday):
    assert days_to_count(NOW) == []


def test_today_is_added_up_as_far_as_it_has_come(day_so_far, yesterday):
    assert days_to_count(NOW) == [TODAY]


def test_today_is_not_added_up_again_each_minute(day_so_far):
    day_of(TODAY, hours=16, aggregated_at=NOW - timedelta(minutes=1))
    Period.objects.filter(period_start=RUNNING).update(aggregated_at=NOW)
    Period.objects.filter(period_type="hour", period_start__lt=RUNNING).update(aggregated_at=NOW - HOUR)
    assert days_to_count(NOW) == []


def test_today_is_when_an_hour_has_begun(day_so_far):
    day_of(TODAY, hours=15)
    assert days_to_count(NOW) == [TODAY]


def test_a_day_without_a_row_is_added_up(yesterday):
    yesterday.delete()
    assert days_to_count(NOW) == [TODAY - DAY]


def test_a_day_with_fewer_hours_than_were_counted_is_added_up_again(yesterday):
    Period.objects.filter(pk=yesterday.pk).update(hours=23)
    assert days_to_count(NOW) == [TODAY - DAY]


@pytest.mark.parametrize(
    ("after", "again"),
    [
        pytest.param(timedelta(minutes=5), [TODAY - DAY], id="later"),
        pytest.param(timedelta(seconds=-30), [TODAY - DAY], id="so shortly before that the day may not have seen it"),
        pytest.param(timedelta(minutes=-2), [], id="before"),
    ],
)
def test_a_day_is_added_up_again_when_an_hour_was_counted(yesterday, after, again):
    Period.objects.filter(period_start=TODAY - 3 * HOUR).update(aggregated_at=NOW + after)
    assert days_to_count(NOW) == again


def test_a_day_whose_hours_are_all_final_is_added_up_for_good(yesterday):
    Period.objects.filter(period_type="hour").exclude(period_start=TODAY - HOUR).update(sealed_at=NOW)
    assert days_to_count(NOW) == []
    Period.objects.filter(period_type="hour").update(sealed_at=NOW)
    assert days_to_count(NOW) == [TODAY - DAY]


def test_a_final_day_is_left(yesterday):
    Period.objects.filter(pk=yesterday.pk).update(sealed_at=NOW, hours=3, aggregated_at=TODAY - DAY)
    assert days_to_count(NOW) == []


def test_days_come_newest_first_and_only_those_that_are_kept():
    for back in (0, 5, 89, 90):
        counted(TODAY - back * DAY)
    assert days_to_count(NOW) == [TODAY, TODAY - 5 * DAY, TODAY - 89 * DAY]
