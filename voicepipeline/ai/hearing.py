"""What goes into a transcription request and what comes out of its answer, by what the model is able to do."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from openai.types.audio import Transcription, TranscriptionVerbose

from voicepipeline.ai.endpoint import Capabilities
from voicepipeline.stages.contract import Usage
from voicepipeline.text import safe_text

MAX_KEYWORDS = 200
MAX_KEYWORD_CHARACTERS = 80
# The model keeps the last 224 tokens of a prompt; names are about five characters a token.
MAX_PROMPT_CHARACTERS = 700
# One of these in a keyword, and the whole request is refused.
FORBIDDEN_IN_KEYWORDS = str.maketrans(dict.fromkeys("<>\r\n\t\x00", " "))
# About three hours of speech, and what a column takes: nothing that PostgreSQL refuses.
MAX_TEXT_CHARACTERS = 200_000
MAX_LANGUAGES = 10
MAX_LANGUAGE_CHARACTERS = 20
PLACES = Decimal("0.01")


@dataclass(frozen=True)
class Segment:
    """A piece of the transcript with its time, and how likely it is that nobody spoke."""

    start_seconds: float
    end_seconds: float
    text: str
    average_log_probability: float | None = None
    no_speech_probability: float | None = None


@dataclass(frozen=True)
class Heard:
    """A transcript as the model gave it; what it did not tell is empty or None."""

    text: str
    segments: tuple[Segment, ...] = ()
    languages: tuple[str, ...] = ()
    duration_seconds: Decimal | None = None
    confidence: float | None = None


def parameters(abilities: Capabilities, *, names: Iterable[str], languages: Sequence[str]) -> dict[str, Any]:
    """What to ask for beside file and model."""
    asked: dict[str, Any] = {"response_format": "verbose_json" if abilities.segments else "json"}
    keywords = clean_keywords(names)
    if keywords and abilities.keywords:
        asked["keywords"] = keywords
    elif keywords and abilities.prompt:
        asked["prompt"] = _names_as_prompt(keywords)
    if languages and abilities.languages:
        asked["languages"] = list(languages)
    elif len(languages) == 1:
        asked["language"] = languages[0]
    if abilities.log_probabilities and not abilities.segments:
        asked["include"] = ["logprobs"]
    return asked


def clean_keywords(names: Iterable[str]) -> list[str]:
    """Names that no endpoint refuses, each once."""
    plain = (" ".join(name.translate(FORBIDDEN_IN_KEYWORDS).split())[:MAX_KEYWORD_CHARACTERS] for name in names)
    return list(dict.fromkeys(name for name in plain if name))[:MAX_KEYWORDS]


def _names_as_prompt(names: list[str]) -> str:
    """Whole names only: half a one would be listened for."""
    kept, room = [], MAX_PROMPT_CHARACTERS
    for name in names:
        room -= len(name) + 2
        if room < 0:
            break
        kept.append(name)
    return f"Names that may be spoken: {', '.join(kept)}."


def read(result: Any) -> Heard | None:
    """The transcript, or None when something else came back: the library does not check what it is given."""
    if not isinstance(result, Transcription | TranscriptionVerbose):
        return None
    text = getattr(result, "text", None)
    if not isinstance(text, str):
        return None
    segments = tuple(filter(None, map(_segment, _list(result, "segments"))))
    return Heard(
        text=safe_text(text.strip(), MAX_TEXT_CHARACTERS),
        segments=segments,
        languages=_languages(result),
        duration_seconds=_seconds(getattr(result, "duration", None)),
        confidence=_confidence(result, segments),
    )


def usage_of(result: Any, usage: Usage) -> Usage:
    """Tokens or audio seconds, whichever the model is charged by."""
    told = getattr(result, "usage", None)
    return replace(
        usage,
        input_tokens=_count(getattr(told, "input_tokens", None)),
        output_tokens=_count(getattr(told, "output_tokens", None)),
        audio_seconds=_seconds(getattr(told, "seconds", None)),
    )


def _segment(given: Any) -> Segment | None:
    start, end = _number(getattr(given, "start", None)), _number(getattr(given, "end", None))
    text = getattr(given, "text", None)
    if start is None or end is None or not isinstance(text, str):
        return None
    average, silence = getattr(given, "avg_logprob", None), getattr(given, "no_speech_prob", None)
    return Segment(start, end, safe_text(text.strip(), MAX_TEXT_CHARACTERS), _number(average), _number(silence))


def _languages(result: Any) -> tuple[str, ...]:
    codes = [getattr(each, "code", None) for each in _list(result, "languages")] or [getattr(result, "language", None)]
    told = (safe_text(code, MAX_LANGUAGE_CHARACTERS) for code in codes[:MAX_LANGUAGES] if isinstance(code, str))
    return tuple(code for code in told if code)


def _confidence(result: Any, segments: tuple[Segment, ...]) -> float | None:
    """The mean probability of a token, where the model tells log-probabilities."""
    told = [_number(getattr(each, "logprob", None)) for each in _list(result, "logprobs")]
    told = told or [segment.average_log_probability for segment in segments]
    known = [number for number in told if number is not None]
    # A logarithm above zero is no probability; far above, it would be no number.
    return math.exp(min(0.0, sum(known) / len(known))) if known else None


def _list(result: Any, name: str) -> list[Any]:
    value = getattr(result, name, None)
    return value if isinstance(value, list) else []


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:
        return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**31 else None


def _seconds(value: object) -> Decimal | None:
    number = _number(value)
    try:
        seconds = None if number is None else Decimal(str(number)).quantize(PLACES)
    except InvalidOperation:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1_000_000 else None
