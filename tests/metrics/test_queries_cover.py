"""Which hours and days stand for a span: decided in one place, on plain values."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from metrics.cover import Counted, cover
from metrics.limits import DAY, HOUR
from metrics.models import PeriodType

TODAY = datetime(2026, 3, 10, tzinfo=UTC)
NOW = TODAY + timedelta(hours=15, minutes=42)
EARLIER, LATER = NOW - 2 * HOUR, NOW - HOUR
KEPT = 7 * DAY


def hour(start, *, at=EARLIER, **fields):
    return Counted(PeriodType.HOUR, start, at, **fields)


def day(start, *, hours=24, at=LATER, **fields):
    return Counted(PeriodType.DAY, start, at, hours, **fields)


def hours_of(start, count=24, **fields):
    return [hour(start + number * HOUR, **fields) for number in range(count)]


def covering(counted, start, end, period_type=None, **how):
    return cover(counted, start, end, period_type=period_type, now=NOW, hours_kept=KEPT, **how)


def rows(found):
    return [row for part in found.parts for row in part.rows]


def test_up_to_7_days_are_hours_and_more_are_days():
    assert covering([], TODAY - 7 * DAY, TODAY).period_type is PeriodType.HOUR
    assert covering([], TODAY - 7 * DAY, TODAY + HOUR).period_type is PeriodType.DAY


def test_hours_are_taken_though_their_day_is_there():
    counted = [day(TODAY - DAY), *hours_of(TODAY - DAY)]
    assert rows(covering(counted, TODAY - DAY, TODAY)) == hours_of(TODAY - DAY)


def test_days_are_taken_though_their_hours_are_there():
    counted = [day(TODAY - DAY), *hours_of(TODAY - DAY)]
    found = covering(counted, TODAY - DAY, TODAY, PeriodType.DAY)
    assert rows(found) == [day(TODAY - DAY)]
    assert not found.is_partial


def test_today_is_made_of_its_hours_though_it_has_a_row():
    counted = [day(TODAY, hours=16, at=NOW), *hours_of(TODAY, 16)]
    found = covering(counted, TODAY, TODAY + DAY, PeriodType.DAY)
    assert rows(found) == hours_of(TODAY, 16)
    assert found.parts[0].is_running
    assert not found.parts[0].is_incomplete


def test_a_day_without_a_row_is_made_of_its_hours():
    found = covering(hours_of(TODAY - DAY), TODAY - DAY, TODAY, PeriodType.DAY)
    assert rows(found) == hours_of(TODAY - DAY)
    assert not found.is_partial


def test_a_day_whose_hours_were_counted_again_is_made_of_them():
    counted = [day(TODAY - DAY, at=EARLIER), *hours_of(TODAY - DAY, at=LATER)]
    assert rows(covering(counted, TODAY - DAY, TODAY, PeriodType.DAY)) == hours_of(TODAY - DAY, at=LATER)


def test_a_day_that_is_final_is_never_made_of_hours():
    counted = [day(TODAY - DAY, at=EARLIER, is_final=True), *hours_of(TODAY - DAY, at=LATER)]
    assert rows(covering(counted, TODAY - DAY, TODAY, PeriodType.DAY)) == counted[:1]


def test_a_day_made_of_fewer_hours_than_there_are_gives_way_to_them():
    counted = [day(TODAY - DAY, hours=20), *hours_of(TODAY - DAY)]
    assert rows(covering(counted, TODAY - DAY, TODAY, PeriodType.DAY)) == hours_of(TODAY - DAY)


def test_a_day_made_of_more_hours_than_are_left_stays():
    counted = [day(TODAY - DAY, hours=23, at=EARLIER), *hours_of(TODAY - DAY, 20, at=LATER)]
    found = covering(counted, TODAY - DAY, TODAY, PeriodType.DAY)
    assert rows(found) == counted[:1]
    assert found.parts[0].is_incomplete


def test_part_of_a_day_is_never_its_row():
    counted = [day(TODAY - 2 * DAY), *hours_of(TODAY - 2 * DAY), day(TODAY - DAY), *hours_of(TODAY - DAY)]
    found = covering(counted, TODAY - 2 * DAY + 20 * HOUR, TODAY - 4 * HOUR, PeriodType.DAY)
    assert rows(found) == [*hours_of(TODAY - 2 * DAY)[20:], *hours_of(TODAY - DAY)[:20]]
    assert not found.is_partial


def test_hours_that_are_no_longer_kept_become_days():
    old = TODAY - 20 * DAY
    found = covering([day(old), day(old + DAY)], old, old + 2 * DAY)
    assert found.period_type is PeriodType.DAY
    assert rows(found) == [day(old), day(old + DAY)]


def test_hours_that_are_kept_and_missing_are_holes():
    counted = [day(TODAY - DAY), *hours_of(TODAY - DAY, 3)]
    found = covering(counted, TODAY - DAY, TODAY)
    assert found.period_type is PeriodType.HOUR
    assert [part.is_missing for part in found.parts] == [False] * 3 + [True] * 21
    assert found.is_partial


def test_days_of_which_nothing_is_known_are_holes():
    found = covering([day(TODAY - 9 * DAY)], TODAY - 10 * DAY, TODAY - 8 * DAY, PeriodType.DAY)
    assert [part.is_missing for part in found.parts] == [True, False]
    assert found.is_partial


def test_a_gap_within_a_row_makes_its_part_incomplete_and_no_hole():
    found = covering([hour(TODAY, has_gap=True)], TODAY, TODAY + HOUR)
    assert found.parts[0].is_incomplete
    assert not found.parts[0].is_missing


def test_the_running_hour_is_not_missed_before_it_was_first_counted():
    for period_type in PeriodType:
        found = covering(hours_of(TODAY, 15), TODAY, NOW, period_type)
        assert found.is_partial
        assert not any(part.is_incomplete for part in found.parts)


def test_what_is_wanted_as_one_is_made_of_days_that_say_the_same_as_their_hours():
    whole, early, later = TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - DAY
    counted = [day(whole), *hours_of(whole), day(early, hours=20), *hours_of(early), day(later), *hours_of(later, 20)]
    found = covering([*counted, *hours_of(TODAY, 16)], whole, NOW, as_one=True)
    assert rows(found) == [day(whole), *hours_of(early), *hours_of(later, 20), *hours_of(TODAY, 16)]


def test_nothing_is_shown_of_the_future():
    found = covering([], TODAY, TODAY + 3 * DAY)
    assert [part.start for part in found.parts] == [TODAY + number * HOUR for number in range(16)]


def test_a_span_within_hours_means_the_whole_of_them():
    found = covering([], NOW - HOUR, NOW)
    assert [part.start for part in found.parts] == [TODAY + 14 * HOUR, TODAY + 15 * HOUR]


def test_a_span_that_ends_before_it_begins_is_nothing():
    found = covering([], TODAY, TODAY - HOUR)
    assert not found.parts
    assert not found.is_partial


FIRST = TODAY - 12 * DAY
moments = st.integers(0, 14 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
counts = st.integers(0, 300).map(lambda minutes: NOW - timedelta(minutes=minutes))
hours = st.builds(lambda n, at: hour(FIRST + n * HOUR, at=at), st.integers(0, 12 * 24 + 15), counts)
days = st.builds(
    lambda n, count, at, final: day(FIRST + n * DAY, hours=count, at=at, is_final=final),
    st.integers(0, 12),
    st.integers(1, 24),
    counts,
    st.booleans(),
)


@given(
    counted=st.lists(hours | days, unique_by=lambda row: (row.period_type, row.start), max_size=60),
    start=moments,
    end=moments,
    period_type=st.sampled_from([None, *PeriodType]),
    as_one=st.booleans(),
)
def test_no_hour_is_counted_twice_and_none_outside_the_span(counted, start, end, period_type, as_one):
    found = covering(counted, start, end, period_type, as_one=as_one)
    seen = set()
    for part in found.parts:
        for row in part.rows:
            length = 24 if row.period_type == PeriodType.DAY else 1
            of_row = {row.start + number * HOUR for number in range(length)}
            assert not seen & of_row
            seen |= of_row
            assert part.start <= row.start < part.start + (DAY if found.period_type == PeriodType.DAY else HOUR)
    outside = {at for at in seen if at + HOUR <= start or at >= min(end, NOW)}
    assert all(at >= TODAY for at in outside)  # of a running day's own row
    assert len({part.start for part in found.parts}) == len(found.parts)


@given(
    missing=st.sets(st.integers(0, 10 * 24 + 15), max_size=80),
    daily=st.sets(st.integers(0, 9)),
    start=st.integers(0, 9 * 24),
    length=st.integers(1, 10 * 24),
    period_type=st.sampled_from([None, *PeriodType]),
    as_one=st.booleans(),
)
def test_every_hour_that_history_has_is_in_the_cover_of_its_span(missing, daily, start, length, period_type, as_one):
    first = TODAY - 10 * DAY
    present = [first + number * HOUR for number in range(10 * 24 + 16) if number not in missing]
    of_days = {
        first + number * DAY: sum(first + number * DAY <= at < first + (number + 1) * DAY for at in present)
        for number in daily
    }
    counted = [hour(at) for at in present] + [day(at, hours=count) for at, count in of_days.items() if count]
    span = (first + start * HOUR, min(first + (start + length) * HOUR, TODAY + 16 * HOUR))
    covered = set()
    for row in rows(covering(counted, *span, period_type, as_one=as_one)):
        count = 24 if row.period_type == PeriodType.DAY else 1
        covered |= {row.start + number * HOUR for number in range(count)}
    assert covered >= {at for at in present if span[0] <= at < span[1]}


@given(st.sets(st.integers(-80, 15)), st.sets(st.integers(-4, 0)), st.booleans())
def test_what_is_known_beyond_the_span_changes_nothing(back, days, as_one):
    start, end = TODAY - DAY - 3 * HOUR, TODAY + 5 * HOUR
    known = [hour(TODAY + number * HOUR) for number in back] + [day(TODAY + number * DAY) for number in days]
    first = {PeriodType.HOUR: start, PeriodType.DAY: TODAY - 2 * DAY}
    within = [row for row in known if first[row.period_type] <= row.start < end]
    assert covering(known, start, end, as_one=as_one) == covering(within, start, end, as_one=as_one)
