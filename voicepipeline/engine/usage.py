"""What attempts used of the AI provider, as it is kept on runs and told in events."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, PositiveIntegerField

from voicepipeline.models import StageRun
from voicepipeline.stages.contract import Usage
from voicepipeline.text import safe_text

NUMBERS = ("input_tokens", "output_tokens", "audio_seconds", "provider_ms", "cost_usd")


def keepable(usage: Usage) -> Usage:
    """The same with texts cut to what a run can hold, and numbers that it cannot hold unknown.

    They are the provider's: one that the database refuses would cost the run its result, and be paid for again.
    """
    return replace(
        usage,
        ai_model=safe_text(usage.ai_model, 80),
        prompt_version=safe_text(usage.prompt_version, 40),
        request_id=safe_text(usage.request_id, 120),
        **{name: _number(name, getattr(usage, name)) for name in NUMBERS},
    )


def _number(name: str, value: Any) -> Any:
    column = StageRun._meta.get_field(name)
    if value is None:
        return None
    if isinstance(column, DecimalField):
        most = Decimal(10) ** (column.max_digits - column.decimal_places)
        fits = Decimal(value).is_finite() and 0 <= value < most and round(value, column.decimal_places) < most
    else:
        assert isinstance(column, PositiveIntegerField)  # noqa: S101 — for the type checker
        fits = 0 <= value < 2**31
    return value if fits else None


def usage_columns(usage: Usage) -> dict[str, Any]:
    """The columns of a run that say what it used."""
    usage = keepable(usage)
    return {name: getattr(usage, name) for name in ("ai_model", "prompt_version", "request_id", *NUMBERS)}


def usage_metadata(usage: Usage) -> dict[str, Any]:
    """What an event says of it."""
    usage = keepable(usage)
    return {
        "ai_model": usage.ai_model or None,
        "ai_cost": usage.cost_usd,
        "prompt_version": usage.prompt_version or None,
    }
