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


def used_by(run: StageRun) -> Usage:
    """What stands on the run."""
    return Usage(run.ai_model, run.prompt_version, run.request_id, **{name: getattr(run, name) for name in NUMBERS})


def together(before: Usage, now: Usage) -> Usage:
    """A held try and the one after it, which are one run; the names are those of the later call.

    A call that told no amounts cost nothing that is known of; one that did, but not its cost, makes the sum unknown.
    """
    if not before.ai_model or not now.ai_model:
        return now if now.ai_model else before
    sums = {name: _sum(getattr(before, name), getattr(now, name)) for name in NUMBERS}
    if any(_told_amounts(usage) and usage.cost_usd is None for usage in (before, now)):
        sums["cost_usd"] = None
    return replace(now, **sums)


def _told_amounts(usage: Usage) -> bool:
    return any(amount is not None for amount in (usage.input_tokens, usage.output_tokens, usage.audio_seconds))


def _sum(before: Any, now: Any) -> Any:
    return now if before is None else before if now is None else before + now


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
