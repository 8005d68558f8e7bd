from decimal import Decimal

import pytest

from voicepipeline.ai.pricing import Price, cost_usd
from voicepipeline.stages.contract import Usage

TOKENS = Price("by-token", Decimal("2.50"), Decimal("10"))
MINUTES = Price("by-minute", audio_usd_per_minute=Decimal("0.006"))
PRICES = [MINUTES, TOKENS]


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage("by-token", input_tokens=1_000_000, output_tokens=0), Decimal("2.50")),
        (Usage("by-token", input_tokens=1_200, output_tokens=340), Decimal("0.0064")),
        (Usage("by-minute", audio_seconds=Decimal("90")), Decimal("0.009")),
        # Listed by the minute, whatever tokens are told beside.
        (Usage("by-minute", input_tokens=900, output_tokens=9, audio_seconds=Decimal("90")), Decimal("0.009")),
        # Tokens count where the provider tells both.
        (Usage("by-token", input_tokens=100, output_tokens=0, audio_seconds=Decimal(60)), Decimal("0.00025")),
    ],
)
def test_a_known_price_makes_a_cost(usage, cost):
    assert cost_usd(usage, PRICES) == cost


@pytest.mark.parametrize(
    "usage",
    [
        Usage("nobody-knows", input_tokens=10, output_tokens=10),
        Usage("by-token"),
        Usage("by-token", input_tokens=10),
        Usage("by-token", audio_seconds=Decimal(60)),
        Usage("by-minute", input_tokens=10, output_tokens=10),
        Usage(),
    ],
)
def test_what_is_not_known_costs_none_and_never_zero(usage):
    assert cost_usd(usage, PRICES) is None


def test_without_prices_nothing_has_a_cost():
    assert cost_usd(Usage("by-token", input_tokens=1, output_tokens=1), []) is None
