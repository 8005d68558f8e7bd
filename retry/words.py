"""What pages and commands alike say of retries: amounts, costs, times, what is deleted."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from voicepipeline.durations import in_words
from voicepipeline.money import SMALLEST, usd
from voicepipeline.text import safe_text

CENT = Decimal("0.01")
NOTHING = "nothing"
UNKNOWN = "unknown"
# Of what somebody typed, and of what holds names and reasons of people.
MOST_SHOWN, MOST_SAID = 60, 500
# As the stages make them.
IN_ORDER = ("transcripts", "statements", "matched names", "suggested entries")


def amount(number: int, many: str) -> str:
    """So many of them: 1 voice note, 3 voice notes, 1,204 suggested entries."""
    one = f"{many.removesuffix('ies')}y" if many.endswith("ies") else many.removesuffix("s")
    return f"{number:,} {one if number == 1 else many}"


def cost_in_words(cost: Decimal | None, without: int) -> str:
    """What is expected to be paid, and for how many voice notes that cannot be told."""
    if cost is None:
        return UNKNOWN if without else NOTHING
    known = f"about {_dollars(cost)}" if cost > 0 else NOTHING
    return f"{known}, unknown for {without:,}" if without else known


def _dollars(cost: Decimal) -> str:
    """To the cent; what is less than a dime to a hundredth of a cent."""
    places = CENT if cost >= 10 * CENT else SMALLEST
    return usd(max(cost.quantize(places, ROUND_HALF_UP), SMALLEST))


def time_in_words(takes: timedelta | None) -> str:
    """How long it will about take; whoever reads it has no use for less than a second."""
    return UNKNOWN if takes is None else f"about {in_words(max(takes, timedelta(seconds=1)))}"


def deleted_in_words(deleted: Mapping[str, int]) -> str:
    """Which rows go, or went: 1 transcript, 4 statements, 2 suggested entries. A database keeps them in no order."""
    known = [what for what in IN_ORDER if what in deleted]
    others = [what for what in deleted if what not in IN_ORDER]
    return ", ".join(amount(deleted[what], what) for what in [*known, *others] if deleted[what]) or NOTHING


def printable(text: str, most: int = MOST_SHOWN) -> str:
    """Text from outside, bounded and without what a terminal would act on."""
    return safe_text("".join(letter if letter.isprintable() else "�" for letter in text[: 2 * most]), most)
