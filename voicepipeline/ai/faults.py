"""What each failure of the provider means: its own trouble, something for a person, or this note's.

Status first, then code. The sentences are ours: of the provider's answer nothing but a status, a few known codes and
Retry-After is ever looked at, and nothing of it is kept.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

from voicepipeline.stages.contract import NeedsPersonFault, PermanentFault, ProviderFault, StageFault, Usage

# A provider that asks for a longer pause is asked again after this one.
LONGEST_RETRY_AFTER = timedelta(hours=1)

FAULTS: dict[str, tuple[type[StageFault], str]] = {
    "provider_busy": (ProviderFault, "The AI service is taking no more requests just now."),
    "provider_error": (ProviderFault, "The AI service has trouble of its own."),
    "provider_timeout": (ProviderFault, "The AI service did not answer in time."),
    "provider_unreachable": (ProviderFault, "The AI service could not be reached, or hung up."),
    "provider_wrong_answer": (ProviderFault, "Something answered in the AI service's place, or it answered nonsense."),
    "provider_no_credit": (NeedsPersonFault, "The credit with the AI provider is used up."),
    "provider_key_refused": (NeedsPersonFault, "The AI provider refuses the key."),
    "provider_access_refused": (NeedsPersonFault, "The AI provider does not allow this account what was asked."),
    "provider_model_gone": (NeedsPersonFault, "The AI provider no longer has the model that is configured."),
    "provider_settings_wrong": (NeedsPersonFault, "The AI provider does not understand what this version asks of it."),
    "audio_too_large": (PermanentFault, "The recording is too large for the AI service."),
    "audio_unsupported": (PermanentFault, "The AI service cannot read this recording: its format is not one it takes."),
    "note_too_long": (PermanentFault, "The note is too long for the AI model."),
    "content_filtered": (PermanentFault, "The AI service's content filter turned this note away."),
    "model_refused": (PermanentFault, "The AI model declined to work on this note."),
    "request_refused": (PermanentFault, "The AI service turned this note away."),
    "invalid_model_output": (PermanentFault, "The AI model answered twice in a form that cannot be used."),
}

NO_CREDIT_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
)
FILTER_CODES = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
TOO_LONG_CODES = frozenset({"context_length_exceeded", "string_above_max_length", "tokens_limit_reached"})
MODEL_CODES = frozenset({"model_not_found", "model_not_available", "deprecated_model"})
SETTINGS_CODES = frozenset(
    {"unsupported_parameter", "unknown_parameter", "unsupported_value", "invalid_json_schema", "invalid_type"}
)
# What our own code and settings choose, whatever the note is.
SETTINGS_PARAMS = frozenset(
    {"languages", "keywords", "include", "response_format", "model", "max_completion_tokens", "temperature"}
)

BY_STATUS = {
    401: "provider_key_refused",
    402: "provider_no_credit",
    403: "provider_access_refused",
    404: "provider_model_gone",
    405: "provider_settings_wrong",
    407: "provider_settings_wrong",
    408: "provider_error",
    409: "provider_error",
    410: "provider_model_gone",
    421: "provider_error",
    425: "provider_error",
    429: "provider_busy",
    451: "provider_access_refused",
}


class Call(Enum):
    """What was asked for."""

    TRANSCRIPTION = "transcription"
    CHAT = "chat"
    MODELS = "models"


@dataclass(frozen=True)
class Failure:
    """What is known of a call that the provider answered with an error status."""

    status: int
    code: str = ""
    param: str = ""
    retry_after: timedelta | None = None


def fault(code: str, *, retry_after: timedelta | None = None, usage: Usage | None = None) -> StageFault:
    """The fault of this code, with our sentence."""
    kind, message = FAULTS[code]
    if issubclass(kind, ProviderFault):
        return kind(code, message, retry_after=retry_after, usage=usage)
    return kind(code, message, usage=usage)


def fault_for(failure: Failure, call: Call, *, usage: Usage | None = None) -> StageFault:
    """What an error status means."""
    return fault(code_for(failure, call), retry_after=failure.retry_after, usage=usage)


def code_for(failure: Failure, call: Call) -> str:
    status, code = failure.status, failure.code
    if status == 429 and code in NO_CREDIT_CODES:
        return "provider_no_credit"
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status == 413:
        return "audio_too_large" if call is Call.TRANSCRIPTION else "note_too_long"
    if status >= 500:
        return "provider_error"
    if status < 400:
        # Redirects are not followed: a sign-in page of some network stands in the way.
        return "provider_wrong_answer"
    return _code_of_bad_request(failure, call)


def _code_of_bad_request(failure: Failure, call: Call) -> str:
    code = failure.code
    if code in FILTER_CODES:
        return "content_filtered"
    if code in TOO_LONG_CODES:
        return "note_too_long"
    if call is Call.TRANSCRIPTION and (failure.status == 415 or failure.param == "file" or not (code or failure.param)):
        return "audio_unsupported"
    if code in NO_CREDIT_CODES:
        return "provider_no_credit"
    if code in MODEL_CODES:
        return "provider_model_gone"
    if code in SETTINGS_CODES or _name(failure.param) in SETTINGS_PARAMS:
        return "provider_settings_wrong"
    return "request_refused"


def _name(param: str) -> str:
    """The parameter itself, of one of its parts such as `keywords[3]`."""
    return param.replace(".", "[").partition("[")[0]


def read_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """A Retry-After header, in seconds or as a date, between zero and an hour; None when it cannot be read."""
    if value is None:
        return None
    try:
        wait = timedelta(seconds=float(value))
    except (ValueError, OverflowError):
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        wait = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return max(timedelta(), min(wait, LONGEST_RETRY_AFTER))
