"""What an attempt cost, from what it used and the prices in force. What is not known costs None, never zero."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from voicepipeline.stages.contract import Usage

MILLION = Decimal(1_000_000)
SECONDS_A_MINUTE = Decimal(60)
PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Price:
    """A model's price in US dollars; None is not known, or not how this model is charged."""

    model: str
    input_usd_per_million_tokens: Decimal | None = None
    output_usd_per_million_tokens: Decimal | None = None
    audio_usd_per_minute: Decimal | None = None

    @property
    def is_by_time_alone(self) -> bool:
        tokens = (self.input_usd_per_million_tokens, self.output_usd_per_million_tokens)
        return self.audio_usd_per_minute is not None and tokens == (None, None)


def cost_usd(usage: Usage, prices: Sequence[Price]) -> Decimal | None:
    """The cost to a millionth of a dollar, by tokens where they are told and have a price, else by audio seconds."""
    price = next((each for each in prices if each.model == usage.ai_model), None)
    if price is None:
        return None
    told = usage.input_tokens is not None or usage.output_tokens is not None
    if told and not price.is_by_time_alone:
        parts = [
            _part(usage.input_tokens, price.input_usd_per_million_tokens, MILLION),
            _part(usage.output_tokens, price.output_usd_per_million_tokens, MILLION),
        ]
    else:
        parts = [_part(usage.audio_seconds, price.audio_usd_per_minute, SECONDS_A_MINUTE)]
    known = [part for part in parts if part is not None]
    return sum(known, Decimal()).quantize(PLACES, ROUND_HALF_UP) if len(known) == len(parts) else None


def with_cost(usage: Usage, prices: Sequence[Price]) -> Usage:
    return replace(usage, cost_usd=cost_usd(usage, prices))


def _part(amount: int | Decimal | None, price: Decimal | None, per: Decimal) -> Decimal | None:
    return None if amount is None or price is None else amount * price / per
