"""Which provider, which models, and what they can do: configuration as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from voicepipeline.configuration import OPENAI


@dataclass(frozen=True)
class Capabilities:
    """What a model understands beyond the least that every OpenAI-compatible server does."""

    keywords: bool = False  # `keywords[]` with names to listen for
    prompt: bool = False  # the same as free text
    languages: bool = False  # `languages[]`, several; without it one is sent as `language`
    segments: bool = False  # `verbose_json` with times, log-probabilities and silence
    log_probabilities: bool = False  # of each token, on request
    json_schema: bool = True  # strict structured output


KNOWN = {
    "gpt-transcribe": Capabilities(keywords=True, languages=True),
    "gpt-4o-transcribe": Capabilities(prompt=True, log_probabilities=True),
    "gpt-4o-mini-transcribe": Capabilities(prompt=True, log_probabilities=True),
    "whisper-1": Capabilities(prompt=True, segments=True),
}
# As OpenAI has announced. Other servers lend themselves these names, and keep their models for as long as they like.
SHUTDOWN_DATES: Mapping[str, date] = {
    "gpt-4.1": date(2027, 1, 14),
    "gpt-4o": date(2027, 1, 14),
    "gpt-4o-mini-transcribe": date(2027, 2, 26),
    "gpt-4o-transcribe": date(2027, 2, 26),
    "gpt-4o-transcribe-diarize": date(2027, 2, 26),
    "whisper-1": date(2027, 2, 26),
}


@dataclass(frozen=True)
class Endpoint:
    """One provider; equal values share one client."""

    base_url: str
    api_key: str = field(repr=False)
    transcription_model: str = "gpt-transcribe"
    claims_model: str = "gpt-6-luna"
    connect_timeout: timedelta = timedelta(seconds=5)
    transcription_timeout: timedelta = timedelta(seconds=120)
    chat_timeout: timedelta = timedelta(seconds=60)  # of one try; an answer that cannot be read is asked for twice
    hearing: Capabilities = KNOWN["gpt-transcribe"]
    writing: Capabilities = Capabilities()


def capabilities(model: str, configured: Any) -> Capabilities:
    """What is known of this model, changed where the configuration says so."""
    names = {each.name for each in fields(Capabilities)}
    by_model = configured.values() if isinstance(configured, dict) else [None]
    for wishes in by_model:
        if not isinstance(wishes, dict) or not all(isinstance(value, bool) for value in wishes.values()):
            raise ValueError("AI_CAPABILITIES must say true or false of each capability, model by model.")
        if unknown := wishes.keys() - names:
            told = ", ".join(sorted(unknown))
            raise ValueError(f"AI_CAPABILITIES knows no {told}; it knows {', '.join(sorted(names))}.")
    return replace(KNOWN.get(model, Capabilities()), **configured.get(model, {}))


def configured_endpoint() -> Endpoint:
    """The provider that the settings name now."""
    given = settings.AI_CAPABILITIES
    return Endpoint(
        base_url=settings.OPENAI_BASE_URL,
        # The simulator, as any provider, wants some key.
        api_key=settings.OPENAI_API_KEY or "simulated",
        transcription_model=settings.AI_TRANSCRIPTION_MODEL,
        claims_model=settings.AI_CLAIMS_MODEL,
        connect_timeout=timedelta(seconds=settings.AI_CONNECT_TIMEOUT_SECONDS),
        transcription_timeout=timedelta(seconds=settings.AI_TRANSCRIPTION_TIMEOUT_SECONDS),
        chat_timeout=timedelta(seconds=settings.AI_CHAT_TIMEOUT_SECONDS),
        hearing=capabilities(settings.AI_TRANSCRIPTION_MODEL, given),
        writing=capabilities(settings.AI_CLAIMS_MODEL, given),
    )


def configured_models() -> dict[str, str]:
    """The models in use, each by the setting that names it."""
    return {name: getattr(settings, name) for name in ("AI_TRANSCRIPTION_MODEL", "AI_CLAIMS_MODEL")}


def announced_shutdown(model: str) -> date | None:
    """The day on which OpenAI, or the provider that is simulated in its place, shuts this model down."""
    openai = settings.AI_SIMULATED or settings.OPENAI_BASE_URL == OPENAI
    return SHUTDOWN_DATES.get(model) if openai else None
