"""The words and shapes of the real API: models, errors, usage."""

import hashlib
from collections.abc import Callable
from typing import Any

from voicepipeline.simulator.faults import Fault

MAX_BODY = 26_214_400
EXTENSIONS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
# The documentation lists .oga; the service refuses it.
ACCEPTED_EXTENSIONS = frozenset(EXTENSIONS) - {"oga"}
TRANSCRIBING_MODELS = {
    "gpt-transcribe": "tokens",
    "gpt-4o-transcribe": "tokens",
    "gpt-4o-mini-transcribe": "tokens",
    "whisper-1": "duration",
}
CHAT_MODELS = ("gpt-6-luna", "gpt-4o", "gpt-4.1")
SHUTDOWN_DATES = {
    "whisper-1": "2027-02-26",
    "gpt-4o-transcribe": "2027-02-26",
    "gpt-4o-mini-transcribe": "2027-02-26",
    "gpt-4o": "2027-01-14",
    "gpt-4.1": "2027-01-14",
}
CREATED = 1_760_000_000
CONTEXT_CHARACTERS = 500_000


class Refused(Exception):
    """An answer with an error status, in the real API's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}


def no_key() -> Refused:
    return Refused(401, "You didn't provide an API key.")


def bad_key(key: str) -> Refused:
    shown = f"{key[:8]}{'*' * 8}{key[-4:]}"
    message = f"Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com."
    return Refused(401, message, code="invalid_api_key")


def no_credit() -> Refused:
    message = "You exceeded your current quota, please check your plan and billing details."
    return Refused(429, message, "insufficient_quota", code="insufficient_quota")


def model_gone(model: str) -> Refused:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return Refused(404, message, code="model_not_found", param="model")


def too_large(size: int) -> Refused:
    return Refused(413, f"413: Maximum content size limit ({MAX_BODY}) exceeded ({size} bytes read)", "server_error")


def unsupported() -> Refused:
    message = f"Unrecognized file format. Supported formats: {list(EXTENSIONS)}"
    return Refused(400, message, code="unsupported_value", param="file")


def corrupted() -> Refused:
    return Refused(400, "Audio file might be corrupted or unsupported", code="invalid_value", param="file")


def too_much_text() -> Refused:
    message = "This model's maximum context length is 128000 tokens. Please reduce the length of the messages."
    return Refused(400, message, code="context_length_exceeded", param="messages")


def filtered() -> Refused:
    return Refused(400, "The input was rejected by our content management policy.", code="content_filter")


def refused_by(fault: Fault, *, model: str, key: str, said: str) -> Refused | None:
    """The error that this fault is; None when it is not one of status. Real errors quote the input, so these do."""
    about = said[:200]
    ready: dict[str, Callable[[], Refused]] = {
        "status": lambda: Refused(
            fault.status,
            f"The server had an error while processing your request about: {about}",
            "server_error",
            code=fault.code,
            retry_after=fault.retry_after,
        ),
        "rate_limited": lambda: Refused(
            429,
            f"Rate limit reached for {model} in organization org-simulated on requests per min (RPM).",
            "requests",
            code="rate_limit_exceeded",
            retry_after=fault.retry_after or "1",
        ),
        "no_credit": no_credit,
        "bad_key": lambda: bad_key(key),
        "forbidden": lambda: Refused(403, f"No access to model {model}, asked: {about}", code="model_not_allowed"),
        "model_gone": lambda: model_gone(model),
        "too_large": lambda: too_large(MAX_BODY + 1),
        "unsupported_audio": unsupported,
        "context_length": too_much_text,
        "bad_request": lambda: Refused(400, f"Invalid value: {about}", code="invalid_value"),
    }
    make = ready.get(fault.kind)
    return make() if make else None


def models() -> dict[str, Any]:
    names = (*TRANSCRIBING_MODELS, *CHAT_MODELS)
    rows = [
        {
            "id": name,
            "object": "model",
            "created": CREATED,
            "owned_by": "system",
            "shutdown_date": SHUTDOWN_DATES.get(name),
        }
        for name in names
    ]
    return {"object": "list", "data": rows}


def tokens(text: str) -> int:
    """About four characters each, as in the real ones."""
    return max(1, len(text) // 4)


def stable_id(prefix: str, *parts: str) -> str:
    return prefix + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
