from decimal import Decimal

import pytest

from metrics.dashboard import words

DASH, MINUS, TIMES = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (None, DASH),
        (0, "0 %"),
        (0.0004, "under 0.1 %"),
        (0.034, "3.4 %"),
        (0.25, "25 %"),
        (0.9996, "over 99.9 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_told_as_percent_and_what_is_nearly_none_or_all_as_that(share, told):
    assert words.rate(share) == told


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (None, DASH),
        (0, "0 ms"),
        (449.6, "450 ms"),
        (999.6, "1.0 s"),
        (4_200, "4.2 s"),
        (9_960, "10 s"),
        (59_600, "1 min"),
        (80_000, "1 min 20 s"),
        (725_000, "12 min"),
        (11_100_000, "3 h 5 min"),
    ],
)
def test_a_time_is_told_to_about_two_digits(milliseconds, told):
    assert words.duration(milliseconds) == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [(None, DASH), (0, "$0.00"), (Decimal("0.00001"), "under $0.0001"), (0.0123, "$0.0123"), (1234.5, "$1,234.50")],
)
def test_money_is_told_to_the_cent_and_small_sums_to_a_part_of_it(amount, told):
    assert words.money(amount) == told


@pytest.mark.parametrize(
    ("unit", "before", "now", "told"),
    [
        (words.NUMBER, 100, 112, "from 100 to 112: +12 %, more"),
        (words.NUMBER, 1_000, 999, f"from 1,000 to 999: {MINUS}1 %, fewer"),
        (words.NUMBER, 10, 42, f"from 10 to 42: {TIMES}4.2, more"),
        (words.NUMBER, 0, 4, "from 0 to 4: more"),
        (words.NUMBER, 7, 7, "7 as before"),
        (words.SHARE, 0.1, 0.25, "from 10 % to 25 %: +15.0 points, higher"),
        (words.TIME, 4_000, 3_000, f"from 4.0 s to 3.0 s: {MINUS}25 %, faster"),
        (words.MONEY, 2.0, 1.0, f"from $2.00 to $1.00: {MINUS}50 %, less"),
        (words.TIME, None, 900, f"from {DASH} to 900 ms"),
    ],
)
def test_a_change_is_told_by_sign_and_in_a_word(unit, before, now, told):
    assert words.change(unit, now, before) == told


@pytest.mark.parametrize(
    ("calls", "told"),
    [
        (0, ""),
        (1, "1 call told no cost and is not in the sum; it may have failed"),
        (2_000, "2,000 calls told no cost and are not in the sum; failed ones may be among them"),
    ],
)
def test_what_a_sum_leaves_out_is_counted(calls, told):
    assert words.unpriced(calls) == told
