"""The provider's client: three calls over real HTTP, one client a process, nothing taken from OPENAI_* behind our back.

What comes back is a plain value with what it used, or a StageFault in our words. The provider's own errors end here:
their texts hold what was sent, so they are neither chained nor kept.
"""

import contextlib
import functools
import os
import re
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import httpx2
import openai
from openai.types import Model
from pydantic import BaseModel

from voicepipeline.ai import hearing, repairing
from voicepipeline.ai.endpoint import Endpoint, configured_endpoint
from voicepipeline.ai.faults import Call, Failure, fault, fault_for, read_retry_after
from voicepipeline.ai.hearing import Heard
from voicepipeline.ai.pricing import Price, with_cost
from voicepipeline.ai.prompts import Prompt
from voicepipeline.ai.transport import Session
from voicepipeline.configuration import is_loopback
from voicepipeline.stages.contract import StageFault, Usage

T = TypeVar("T")
Shaped = TypeVar("Shaped", bound=BaseModel)
MAX_ANSWER_TOKENS = 8_000
REQUEST_ID = re.compile(r"[\w-]{1,120}", re.ASCII)


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a call gave, what it used, and how long it took."""

    data: T
    usage: Usage
    latency: timedelta


@dataclass(frozen=True)
class ModelInfo:
    """A model that the provider offers, and the day on which it stops doing so."""

    name: str
    shutdown_date: date | None


class Provider:
    """The AI provider at one endpoint. Safe for threads; get it from `provider()`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client = openai.OpenAI(
            api_key=endpoint.api_key,
            base_url=endpoint.base_url,
            # Empty, not None: for None the library would look into the environment.
            organization="",
            project="",
            webhook_secret="",
            max_retries=0,
            http_client=Session(
                api_key=endpoint.api_key, trust_environment=not is_loopback(urlsplit(endpoint.base_url).hostname or "")
            ),
        )
        # One that `provider()` no longer keeps is closed as soon as the last call that uses it has ended.
        weakref.finalize(self, self._client.close).atexit = False

    def close(self) -> None:
        """Give its connections back; it cannot be used again."""
        self._client.close()

    def transcribe(
        self,
        audio: bytes,
        *,
        extension: str,
        names: Iterable[str] = (),
        languages: Sequence[str] = (),
        duration_seconds: Decimal | None = None,
        prices: Sequence[Price] = (),
    ) -> Answer[Heard]:
        """What is said in this recording. `extension` is one that `upload_extension` gave.

        `duration_seconds`, where it is known, stands for the seconds that a provider charges but does not tell.
        """
        model, abilities = self.endpoint.transcription_model, self.endpoint.hearing
        started = time.monotonic()
        result, used = self._call(
            lambda: self._client.audio.transcriptions.create(
                file=(f"recording.{extension}", audio),
                model=model,
                timeout=self._timeout(self.endpoint.transcription_timeout),
                **hearing.parameters(abilities, names=names, languages=languages),
            ),
            Call.TRANSCRIPTION,
            Usage(ai_model=model),
        )
        heard = hearing.read(result)
        usage = hearing.usage_of(result, used)
        if heard is None:
            raise fault("provider_wrong_answer", usage=with_cost(usage, prices))
        if usage.audio_seconds is None:
            usage = replace(usage, audio_seconds=heard.duration_seconds or duration_seconds)
        return Answer(heard, with_cost(usage, prices), _since(started))

    def complete_json(self, prompt: Prompt, shape: type[Shaped], *, prices: Sequence[Price] = ()) -> Answer[Shaped]:
        """The model's answer in this shape. One that cannot be used is asked for once more, then given up."""
        started = time.monotonic()
        try:
            data, usage = self._ask_until_usable(prompt, shape)
        except StageFault as failed:
            failed.usage = with_cost(failed.usage, prices)
            raise
        return Answer(data, with_cost(usage, prices), _since(started))

    def models(self) -> Answer[tuple[ModelInfo, ...]]:
        """What the provider offers, and until when."""
        started = time.monotonic()
        page, _ = self._call(
            lambda: self._client.models.list(timeout=self._timeout(self.endpoint.chat_timeout)), Call.MODELS, Usage()
        )
        rows = getattr(page, "data", None)
        if not isinstance(rows, list) or not all(isinstance(row, Model) for row in rows):
            raise fault("provider_wrong_answer")
        found = tuple(ModelInfo(str(row.id), _date(row.shutdown_date)) for row in rows)
        return Answer(found, Usage(), _since(started))

    def _ask_until_usable(self, prompt: Prompt, shape: type[Shaped]) -> tuple[Shaped, Usage]:
        first = self._ask(prompt, MAX_ANSWER_TOKENS)
        data, problem = repairing.read(first, shape)
        usage = first.usage
        if data is None:
            try:
                second = self._ask(prompt, 2 * MAX_ANSWER_TOKENS, problem=problem)
            except StageFault as failed:
                failed.usage = repairing.together(usage, failed.usage)
                raise
            data, problem = repairing.read(second, shape)
            usage = repairing.together(usage, second.usage)
        if data is None:
            raise fault("invalid_model_output", usage=usage)
        return data, usage

    def _ask(self, prompt: Prompt, max_tokens: int, *, problem: str = "") -> repairing.Reply:
        model = self.endpoint.claims_model
        result, used = self._call(
            lambda: self._client.chat.completions.create(
                model=model,
                max_completion_tokens=max_tokens,
                timeout=self._timeout(self.endpoint.chat_timeout),
                **repairing.parameters(prompt, problem=problem, json_schema=self.endpoint.writing.json_schema),
            ),
            Call.CHAT,
            Usage(ai_model=model, prompt_version=prompt.version),
        )
        return repairing.reply_of(result, used)

    def _call(self, send: Callable[[], T], call: Call, asked: Usage) -> tuple[T, Usage]:
        """Send, and say which request it was and how long it took; turn every way to fail into a fault of ours."""
        started = time.monotonic()
        request_id = ""
        try:
            result = send()
            return result, _used(asked, started, getattr(result, "_request_id", None))
        except openai.APIStatusError as error:
            request_id = _known_form(error.request_id)
            found = fault_for(_failure(error), call)
        except openai.APITimeoutError:
            found = fault("provider_timeout")
        except openai.APIConnectionError:
            found = fault("provider_unreachable")
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, RecursionError):
            # A body that is no JSON, or JSON of a shape that the library trips over, comes out as one of these.
            found = fault("provider_wrong_answer")
        found.usage = _used(asked, started, request_id)
        # Outside the handlers: what the provider's error holds must not travel along as this one's context.
        raise found

    def _timeout(self, total: timedelta) -> httpx2.Timeout:
        return httpx2.Timeout(total.total_seconds(), connect=self.endpoint.connect_timeout.total_seconds())


def provider(endpoint: Endpoint | None = None) -> Provider:
    """The provider that the settings name. One client a process: making one takes 40 ms, and forks share no sockets."""
    return _provider(endpoint or configured_endpoint(), os.getpid())


def warm_up() -> None:
    """Import whatever a first call would: once, in the process that workers are forked from, instead of in each."""
    with contextlib.closing(Provider(configured_endpoint())) as caller:
        _ = caller._client.audio.transcriptions, caller._client.chat.completions, caller._client.models


@functools.lru_cache(maxsize=4)
def _provider(endpoint: Endpoint, pid: int) -> Provider:
    return Provider(endpoint)


def _failure(error: openai.APIStatusError) -> Failure:
    retry_after = read_retry_after(error.response.headers.get("retry-after"), now=datetime.now(UTC))
    return Failure(error.status_code, str(error.code or ""), str(error.param or ""), retry_after)


def _used(asked: Usage, started: float, request_id: object) -> Usage:
    took = round((time.monotonic() - started) * 1000)
    return replace(asked, request_id=_known_form(request_id), provider_ms=took)


def _known_form(request_id: object) -> str:
    """A header is the provider's text too: it is kept only when it looks like an id."""
    return request_id if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id) else ""


def _date(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _since(started: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - started)
