"""Reading a chat completion into a shape of ours, and asking once more when it does not fit."""

import json
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from openai.types.chat import ChatCompletion
from pydantic import BaseModel, ValidationError

from voicepipeline.ai.faults import fault
from voicepipeline.ai.prompts import Prompt
from voicepipeline.stages.contract import Usage

Shaped = TypeVar("Shaped", bound=BaseModel)
MAX_PROBLEMS = 5


@dataclass(frozen=True)
class Reply:
    content: str
    cut_short: bool
    usage: Usage


def parameters(prompt: Prompt, *, problem: str, json_schema: bool) -> dict[str, Any]:
    """The messages, and how the answer is to look."""
    system = prompt.system
    if problem:
        system += f"\n\nAn earlier answer could not be used: {problem}. Answer with one JSON object of the schema only."
    if json_schema:
        form = {"name": "answer", "strict": True, "schema": dict(prompt.schema)}
        wanted: dict[str, Any] = {"type": "json_schema", "json_schema": form}
    else:
        wanted = {"type": "json_object"}
        system += f"\n\nAnswer with one JSON object that fits this JSON schema:\n{json.dumps(dict(prompt.schema))}"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt.user}]
    return {"messages": messages, "response_format": wanted}


def reply_of(result: Any, used: Usage) -> Reply:
    """The model's words; a fault when it would not answer, or when something else answered in its place."""
    used = _used(result, used)
    choices = getattr(result, "choices", None)
    if not isinstance(result, ChatCompletion) or not isinstance(choices, list) or not choices:
        raise fault("provider_wrong_answer", usage=used)
    message, reason = getattr(choices[0], "message", None), getattr(choices[0], "finish_reason", None)
    content = getattr(message, "content", None)
    if message is None or not isinstance(content, str | None):
        raise fault("provider_wrong_answer", usage=used)
    if getattr(message, "refusal", None):
        raise fault("model_refused", usage=used)
    if reason == "content_filter":
        raise fault("content_filtered", usage=used)
    return Reply(content or "", reason == "length", used)


def read(reply: Reply, shape: type[Shaped]) -> tuple[Shaped | None, str]:
    """The answer in its shape, or what is wrong with it in words for the model."""
    if reply.cut_short:
        return None, "it was cut short; be brief"
    if not reply.content.strip():
        return None, "it was empty"
    try:
        return shape.model_validate_json(reply.content), ""
    except ValidationError as error:
        # Kinds of problems only: the words of the answer go nowhere.
        kinds = [each["type"] for each in error.errors(include_url=False, include_input=False, include_context=False)]
        return None, ", ".join(dict.fromkeys(kinds[:MAX_PROBLEMS]))


def together(first: Usage, second: Usage) -> Usage:
    """Both tries as one: what either does not tell is unknown for both."""
    return replace(
        second,
        request_id=second.request_id or first.request_id,
        input_tokens=_sum(first.input_tokens, second.input_tokens),
        output_tokens=_sum(first.output_tokens, second.output_tokens),
        provider_ms=_sum(first.provider_ms, second.provider_ms),
    )


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _used(result: Any, used: Usage) -> Usage:
    told = getattr(result, "usage", None)
    return replace(
        used,
        input_tokens=_count(getattr(told, "prompt_tokens", None)),
        output_tokens=_count(getattr(told, "completion_tokens", None)),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**31 else None
