"""What the tries at a note used of the AI service and what that cost, in words. What is unknown is never shown as 0."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from voicepipeline.durations import in_words
from voicepipeline.models import StageRun
from voicepipeline.money import usd


def usage_of(run: StageRun) -> list[str]:
    """Model, prompt, amount, time and cost of one try; nothing where no AI service was asked."""
    if not _asked(run):
        return []
    words = [run.ai_model or "model unknown"]
    if run.prompt_version:
        words.append(f"prompt {run.prompt_version}")
    words.append(_amount(run))
    if run.provider_ms is not None:
        words.append(f"answered in {_time(run.provider_ms)}")
    words.append("cost unknown" if run.cost_usd is None else usd(run.cost_usd))
    return words


def total_of(runs: Sequence[StageRun]) -> str:
    """What these tries cost together, and how many of them cost we do not know what."""
    known = [run.cost_usd for run in runs if run.cost_usd is not None]
    unknown = sum(is_of_unknown_cost(run) for run in runs)
    number = len(known) + unknown
    if not number:
        return ""
    tries = f"{number} {'try' if number == 1 else 'tries'}"
    if not known:
        return f"AI cost of {tries}: unknown"
    rest = f", of which {unknown} of unknown cost" if unknown else ""
    return f"AI cost of {tries}{rest}: {usd(sum(known, Decimal()))}"


def is_of_unknown_cost(run: StageRun) -> bool:
    """As the filter of the list of stage runs has it: a model did work; a call that failed is none."""
    used = (run.input_tokens, run.output_tokens, run.audio_seconds)
    worked = run.status == StageRun.Status.SUCCEEDED or any(value is not None for value in used)
    return bool(worked and run.ai_model and run.cost_usd is None)


def _asked(run: StageRun) -> bool:
    told = (run.input_tokens, run.output_tokens, run.audio_seconds, run.provider_ms, run.cost_usd)
    return bool(run.ai_model or run.request_id) or any(value is not None for value in told)


def _amount(run: StageRun) -> str:
    amounts = []
    if run.audio_seconds is not None:
        amounts.append(f"{run.audio_seconds.normalize():f} s of audio")
    if run.input_tokens is not None or run.output_tokens is not None:
        amounts.append(f"{_count(run.input_tokens)} tokens in, {_count(run.output_tokens)} out")
    return ", ".join(amounts) or "use unknown"


def _count(tokens: int | None) -> str:
    return "unknown" if tokens is None else f"{tokens:,}"


def _time(milliseconds: int) -> str:
    seconds = Decimal(milliseconds) / 1000
    return f"{seconds:.1f} s" if 1 <= seconds < 60 else in_words(timedelta(milliseconds=milliseconds))
