from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.limits import DAY, HOUR, Limits
from metrics.windows import CUSTOM, DEFAULT, KEYS, RANGES, Grain, Span, oldest_day, parse_window

NOW = datetime(2026, 3, 10, 15, 42, 7, tzinfo=UTC)
TODAY = datetime(2026, 3, 10, tzinfo=UTC)
KEPT = Limits()


def window_of(key, start=None, end=None, *, now=NOW, how=KEPT):
    window, message = parse_window(key, start, end, now=now, how=how)
    assert message == ""
    return window


def refusal(key, start=None, end=None):
    window, message = parse_window(key, start, end, now=NOW, how=KEPT)
    assert window == window_of(DEFAULT)
    return message


@pytest.mark.parametrize(
    ("key", "start", "end", "grain"),
    [
        ("1h", TODAY + timedelta(hours=14, minutes=43), TODAY + timedelta(hours=15, minutes=43), Grain.MINUTE),
        ("6h", TODAY + 10 * HOUR, TODAY + 16 * HOUR, Grain.HOUR),
        ("24h", TODAY - 8 * HOUR, TODAY + 16 * HOUR, Grain.HOUR),
        ("7d", TODAY - 6 * DAY, TODAY + DAY, Grain.HOUR),
        ("30d", TODAY - 29 * DAY, TODAY + DAY, Grain.DAY),
        ("90d", TODAY - 89 * DAY, TODAY + DAY, Grain.DAY),
    ],
    ids=list(RANGES),
)
def test_a_range_ends_with_what_is_running_and_begins_with_a_whole_one(key, start, end, grain):
    window = window_of(key)
    assert (window.start, window.end, window.grain) == (start, end, grain)
    assert window.is_running(NOW)


@pytest.mark.parametrize("key", RANGES)
def test_a_range_that_begins_with_its_period_is_as_long_as_any(key):
    at_its_edge = TODAY
    assert window_of(key, now=at_its_edge).length == window_of(key).length
    assert window_of(key, now=at_its_edge).is_running(at_its_edge)


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("1h", "last 60 minutes"),
        ("6h", "since 10:00 UTC today (6 hours)"),
        ("24h", "since 16:00 UTC yesterday (24 hours)"),
        ("7d", "since 4 Mar 00:00 UTC (7 days)"),
        ("30d", "since 9 Feb 00:00 UTC (30 days)"),
        ("90d", "since 11 Dec 2025 00:00 UTC (90 days)"),
    ],
    ids=list(RANGES),
)
def test_a_range_says_in_words_since_when_it_is(key, label):
    assert window_of(key).label(NOW) == label


def test_a_window_that_is_over_says_from_when_to_when_it_was():
    window = window_of(CUSTOM, "2026-02-01", "2026-02-14")
    assert window.label(NOW) == "from 1 Feb 00:00 UTC to 15 Feb 00:00 UTC (14 days)"
    assert not window.is_running(NOW)


@pytest.mark.parametrize(
    ("key", "words", "part", "before"),
    [
        ("6h", "5 whole hours against the 5 before", (10, 15), (5, 10)),
        ("24h", "23 whole hours against the 23 before", (-8, 15), (-31, -8)),
        ("7d", "6 whole days against the 6 before", (-144, 0), (-288, -144)),
        ("30d", "29 whole days against the 29 before", (-29 * 24, 0), (-58 * 24, -29 * 24)),
    ],
)
def test_what_is_over_is_compared_with_as_much_before(key, words, part, before):
    compared = window_of(key).comparison(NOW, KEPT)
    assert compared.words == words
    assert compared.complete_part == Span(TODAY + part[0] * HOUR, TODAY + part[1] * HOUR)
    assert compared.before == Span(TODAY + before[0] * HOUR, TODAY + before[1] * HOUR)


def test_the_last_60_minutes_are_compared_with_the_60_before():
    window = window_of("1h")
    compared = window.comparison(NOW, KEPT)
    assert compared.words == "60 minutes against the 60 before"
    assert compared.complete_part == window
    assert compared.before == Span(window.start - HOUR, window.start)


def test_days_that_are_no_longer_kept_are_not_compared_with():
    compared = window_of("90d").comparison(NOW, KEPT)
    assert compared.words == "Not compared with the 89 days before: they are no longer kept."
    assert compared.before is None


def test_nothing_is_compared_before_a_whole_hour_is_over():
    compared = window_of(CUSTOM, "2026-03-10 15:00", "2026-03-10 15:30").comparison(NOW, KEPT)
    assert compared.words == "Not compared with the time before: no whole hour of it is over."
    assert compared.complete_part is None


def test_one_whole_hour_is_said_so():
    compared = window_of(CUSTOM, "2026-03-10 14:00", "2026-03-10 15:30").comparison(NOW, KEPT)
    assert compared.words == "1 whole hour against the 1 before"


def test_a_comparison_never_asks_for_hours_that_are_no_longer_kept():
    window = window_of(CUSTOM, "2026-03-06", "2026-03-10")
    assert window.grain is Grain.HOUR
    assert window.comparison(NOW, KEPT).words == "4 whole days against the 4 before"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-08", "2026-03-09"),
        (date(2026, 3, 8), date(2026, 3, 9)),
        (datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
        ("2026-03-08T00:00", "2026-03-09T23:10:05"),
        ("2026-03-08T01:20:00+01:00", " 2026-03-10 00:00Z "),
    ],
    ids=["dates", "date objects", "datetimes", "times within hours", "other zones"],
)
def test_dates_and_times_mean_whole_hours_and_a_date_its_whole_day(start, end):
    window = window_of(CUSTOM, start, end)
    assert (window.start, window.end, window.grain) == (TODAY - 2 * DAY, TODAY, Grain.HOUR)


def test_no_end_means_until_now():
    window = window_of(CUSTOM, "2026-03-10", "")
    assert (window.start, window.end) == (TODAY, TODAY + 16 * HOUR)
    assert window.label(NOW) == "since 00:00 UTC today (16 hours)"


def test_more_than_a_week_is_shown_in_days():
    assert window_of(CUSTOM, "2026-03-04", "2026-03-10").grain is Grain.HOUR
    longer = window_of(CUSTOM, "2026-03-03", "2026-03-10")
    assert (longer.grain, longer.start, longer.end) == (Grain.DAY, TODAY - 7 * DAY, TODAY + DAY)


def test_hours_that_are_no_longer_kept_are_shown_as_whole_days():
    window, message = parse_window(CUSTOM, "2026-02-10 10:00", "2026-02-10 12:00", now=NOW, how=KEPT)
    assert (window.start, window.end) == (datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 2, 11, tzinfo=UTC))
    assert window.grain is Grain.DAY
    assert message == "Hours are kept for 7 days: shown in whole days."


def test_what_begins_before_history_is_cut_and_says_so():
    window, message = parse_window(CUSTOM, "2025-01-01", "2026-03-01", now=NOW, how=KEPT)
    assert window.start == TODAY - 89 * DAY
    assert message == "History is kept for 90 days: shown from 2025-12-11."


def test_what_ends_in_the_future_is_cut_and_says_so():
    window, message = parse_window(CUSTOM, "2026-03-09", "2026-03-12", now=NOW, how=KEPT)
    assert window.end == TODAY + 16 * HOUR
    assert message == "It ends in the future: shown until now."


def test_a_range_longer_than_history_is_cut_and_says_so():
    window, message = parse_window("90d", now=NOW, how=Limits(days_kept=timedelta(days=30)))
    assert window.start == TODAY - 29 * DAY
    assert message == "History is kept for 30 days: shown from 2026-02-09."


def test_a_week_is_shown_in_days_where_its_hours_are_not_kept():
    assert window_of("7d", how=Limits(hours_kept=timedelta(days=3))).grain is Grain.DAY


def test_what_nobody_chose_is_24_hours():
    assert window_of(None) == window_of("") == window_of("24h")


def test_an_unknown_range_is_answered_with_those_there_are():
    message = refusal("fortnight")
    assert message.startswith("There is no such range. Choose one of 1h, 6h")
    assert all(key in message for key in KEYS)


@pytest.mark.parametrize(
    ("start", "end", "advice"),
    [
        ("2026-03-09", "2026-03-07", "It ends before it begins."),
        ("2026-03-09 10:00", "2026-03-09 10:00", "It ends before it begins."),
        ("2026-03-11", "2026-03-12", "It begins in the future."),
        ("2024-03-11", "2024-03-12", "That is no longer kept. Choose an end after 2025-12-11."),
        ("yesterday", "2026-03-09", "Give both as dates, such as 2026-03-31"),
        (None, None, "Give both as dates"),
        ("2026-02-30", "2026-03-01", "Give both as dates"),
        ("0001-01-01T00:00+14:00", "2026-03-01", "Give both as dates"),
        ("2026-03-01", "9999-12-31", "Give both as dates"),
        ("\x00\ud800", "٢٠٢٦-٠٣-٠١", "Give both as dates"),  # noqa: RUF001 — digits that are none to us
    ],
    ids=[
        "backwards",
        "empty",
        "future",
        "long ago",
        "a word",
        "nothing",
        "no such day",
        "before time",
        "after time",
        "other characters",
    ],
)
def test_dates_that_cannot_be_shown_are_answered_with_advice_and_a_day(start, end, advice):
    message = refusal(CUSTOM, start, end)
    assert message.startswith(advice)
    assert message.endswith("Until then: 24 hours.")


@pytest.mark.parametrize("more", [timedelta(), timedelta(minutes=30), timedelta(hours=23, minutes=59)], ids=str)
def test_history_begins_with_a_whole_day_that_is_kept_all_day_long(more):
    how = Limits(days_kept=90 * DAY + more)
    assert oldest_day(NOW, how) == TODAY - (90 if more else 89) * DAY
    assert oldest_day(TODAY + DAY, how) - (TODAY + DAY - how.days_kept) > timedelta()
