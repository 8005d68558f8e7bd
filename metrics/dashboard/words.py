"""Numbers in words: what is not known is a dash, and a change says which way and against what."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from voicepipeline.durations import to_two_digits

UNKNOWN = "\N{EN DASH}"
SMALLEST_MONEY = Decimal("0.0001")
# From here on "times as much" is easier to grasp than percent.
MANY_TIMES = 3


def count(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:,.0f}"


def average(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:,.1f}"


def rate(share: float | None) -> str:
    """As percent; what is not quite none or all is never told as 0 % or 100 %."""
    if share is None:
        return UNKNOWN
    percent = share * 100
    if 0 < percent < 0.1:
        return "under 0.1 %"
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f} %" if percent % 1 and f"{percent:.1f}"[-1] != "0" else f"{percent:.0f} %"


def duration(milliseconds: float | None) -> str:
    """What a histogram tells is up to 1 % off: no digits beyond that."""
    return UNKNOWN if milliseconds is None else to_two_digits(milliseconds)


def money(amount: Decimal | float | None) -> str:
    """Dollars to the cent, small sums to a hundredth of one."""
    if amount is None:
        return UNKNOWN
    exact = Decimal(str(amount))
    if 0 < exact < SMALLEST_MONEY:
        return f"under ${SMALLEST_MONEY}"
    return f"${exact:,.2f}" if exact >= 1 or not exact else f"${exact:.4f}"


def unpriced(calls: int) -> str:
    """What a sum of costs leaves out, or nothing: calls at an unknown price, and those that ended before they cost."""
    if not calls:
        return ""
    if calls == 1:
        return "1 call told no cost and is not in the sum; it may have failed"
    return f"{calls:,} calls told no cost and are not in the sum; failed ones may be among them"


@dataclass(frozen=True)
class Unit:
    """How a figure is written, what more and less of it is called, and how a spreadsheet gets it."""

    key: str
    write: Callable[[float | None], str]
    more: str
    less: str
    suffix: str = ""  # of a column's name
    scale: float = 1  # what it is multiplied by there
    digits: int = 0

    def number(self, value: float | None) -> float | str:
        if value is None:
            return ""
        return round(value * self.scale, self.digits) if self.digits else round(value * self.scale)


NUMBER = Unit("count", count, "more", "fewer")
AVERAGE = Unit("average", average, "more", "fewer", digits=2)
SHARE = Unit("share", rate, "higher", "lower", " (%)", scale=100, digits=2)
TIME = Unit("time", duration, "slower", "faster", " (seconds)", scale=0.001, digits=3)
MONEY = Unit("money", money, "more", "less", " (US dollars)", digits=6)


def change(unit: Unit, now: float | None, before: float | None) -> str:
    """What became of a figure: from what to what, by how much and which way, by sign and in a word."""
    is_now, was = unit.write(now), unit.write(before)
    if now is None or before is None:
        return f"from {was} to {is_now}"
    if is_now == was:
        return f"{was} as before"
    sign, word = ("+", unit.more) if now > before else ("\N{MINUS SIGN}", unit.less)
    return f"from {was} to {is_now}: {_difference(unit, sign, now, before)}{word}"


def _difference(unit: Unit, sign: str, now: float, before: float) -> str:
    if unit is SHARE:
        # A share of a share would mislead.
        return f"{sign}{max(abs(now - before) * 100, 0.1):.1f} points, "
    if not before:
        return ""
    if now / before >= MANY_TIMES:
        return f"\N{MULTIPLICATION SIGN}{now / before:,.1f}, "
    return f"{sign}{max(abs(now - before) / before * 100, 1):.0f} %, "
