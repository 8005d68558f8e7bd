"""Amounts of money in words."""

from decimal import ROUND_HALF_UP, Decimal

SMALLEST = Decimal("0.0001")


def usd(amount: Decimal) -> str:
    """An amount to a hundredth of a cent: most tries cost less than one."""
    if 0 < amount < SMALLEST:
        return f"under ${SMALLEST}"
    places = "0.01" if amount == amount.quantize(Decimal("0.01")) else str(SMALLEST)
    return f"${amount.quantize(Decimal(places), ROUND_HALF_UP):,}"
