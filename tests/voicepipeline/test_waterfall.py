from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.waterfall import Try, draw

START = datetime(2026, 11, 21, 14, tzinfo=UTC)


def second(number):
    return START + timedelta(seconds=number)


def drawn(*tries, now=100):
    line = draw([Try(*(None if at is None else second(at) for at in each)) for each in tries], second(now))
    assert line is not None
    return line


def test_nothing_tried_draws_nothing():
    assert draw([], START) is None


def test_waiting_and_working_follow_each_other():
    (bar,) = drawn((0, 4, 10)).bars
    assert (bar.wait_left, bar.wait_width, bar.work_left, bar.work_width) == pytest.approx((0, 40, 40, 60))


def test_what_still_waits_reaches_until_now():
    (bar,) = drawn((0, None, None)).bars
    assert (bar.wait_width, bar.work_width) == pytest.approx((100, 0))


def test_what_still_runs_reaches_until_now():
    (bar,) = drawn((0, 25, None)).bars
    assert (bar.wait_width, bar.work_width) == pytest.approx((25, 75))


def test_tries_share_one_line():
    first, second_bar = drawn((0, 0, 50), (50, 50, 100)).bars
    assert (first.work_left, second_bar.work_left) == pytest.approx((0, 50))


def test_a_long_pause_is_cut_and_told():
    line = drawn((0, 0, 10), (100_010, 100_010, 100_020), now=100_020)
    (cut,) = line.cuts
    assert cut.length == timedelta(seconds=100_000)
    assert (line.bars[0].work_width, line.bars[1].work_width) == pytest.approx((47.2, 47.2), abs=0.1)


def test_a_short_pause_is_drawn_as_it_was():
    line = drawn((0, 0, 10), (12, 12, 20), now=20)
    assert line.cuts == []
    assert line.bars[1].work_left == pytest.approx(60)


def test_a_clock_that_went_backwards_breaks_nothing():
    (bar,) = drawn((10, 5, 3)).bars
    assert bar.wait_width == bar.work_width == 0


def test_everything_lies_on_the_line():
    line = drawn((0, 3, 9), (9, 300, 310), (900, 901, None), now=1000)
    for bar in line.bars:
        assert 0 <= bar.wait_left <= bar.wait_left + bar.wait_width <= bar.work_left + bar.work_width <= 100.0001
