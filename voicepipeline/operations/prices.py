"""The list prices of the models that are configured by default; people enter the others, and those that change."""

from datetime import date
from decimal import Decimal
from typing import Any

from voicepipeline.ai.pricing import Price
from voicepipeline.models import ModelPrice

# As OpenAI's pages on these models had them on these days.
DEFAULTS = (
    (Price("gpt-transcribe", audio_usd_per_minute=Decimal("0.0045")), date(2026, 9, 22)),
    (
        Price(
            "gpt-6-luna",
            input_usd_per_million_tokens=Decimal("0.10"),
            output_usd_per_million_tokens=Decimal("0.50"),
        ),
        date(2026, 9, 22),
    ),
)


def add_default_prices(**kwargs: Any) -> None:
    """Enter the list price of a default model for which nobody has entered one."""
    known = set(ModelPrice.objects.values_list("model", flat=True))
    ModelPrice.objects.bulk_create(
        [
            ModelPrice(
                model=price.model,
                valid_from=since,
                input_usd_per_million_tokens=price.input_usd_per_million_tokens,
                output_usd_per_million_tokens=price.output_usd_per_million_tokens,
                audio_usd_per_minute=price.audio_usd_per_minute,
            )
            for price, since in DEFAULTS
            if price.model not in known
        ],
        ignore_conflicts=True,
    )


def prices_on(day: date) -> tuple[Price, ...]:
    """Each model's price in force on this day."""
    rows = ModelPrice.objects.filter(valid_from__lte=day).order_by("model", "-valid_from").distinct("model")
    return tuple(
        Price(row.model, row.input_usd_per_million_tokens, row.output_usd_per_million_tokens, row.audio_usd_per_minute)
        for row in rows
    )
