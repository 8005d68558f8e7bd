"""What an error status and a code mean, as a table, and how Retry-After is read."""

from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.ai.faults import (
    FAULTS,
    LONGEST_RETRY_AFTER,
    Call,
    Failure,
    code_for,
    fault,
    fault_for,
    read_retry_after,
)
from voicepipeline.stages.contract import NeedsPersonFault, PermanentFault, ProviderFault, TransientFault, Usage

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MEANINGS = [
    (Failure(429, "rate_limit_exceeded"), "provider_busy"),
    (Failure(429, "insufficient_quota"), "provider_no_credit"),
    (Failure(429, "billing_hard_limit_reached"), "provider_no_credit"),
    # Status first: a code that would mean something else changes nothing.
    (Failure(500, "insufficient_quota"), "provider_error"),
    (Failure(401, "context_length_exceeded"), "provider_key_refused"),
    (Failure(503, "content_filter"), "provider_error"),
    (Failure(404, ""), "provider_model_gone"),
    (Failure(410, ""), "provider_model_gone"),
    (Failure(400, "model_not_found"), "provider_model_gone"),
    (Failure(400, "invalid_json_schema"), "provider_settings_wrong"),
    (Failure(400, "unsupported_parameter"), "provider_settings_wrong"),
    (Failure(400, "insufficient_balance"), "provider_no_credit"),
    (Failure(400, "context_length_exceeded"), "note_too_long"),
    (Failure(400, "content_policy_violation"), "content_filtered"),
    (Failure(400, "something_new"), "request_refused"),
    (Failure(400, "invalid_value", "messages"), "request_refused"),
    (Failure(400, "invalid_value", "max_completion_tokens"), "provider_settings_wrong"),
    (Failure(422, "invalid_request_error", "temperature"), "provider_settings_wrong"),
    (Failure(400, "invalid_value", "response_format.json_schema"), "provider_settings_wrong"),
    (Failure(400, "model_not_found", "model"), "provider_model_gone"),
    (Failure(418, ""), "request_refused"),
    (Failure(451, ""), "provider_access_refused"),
    (Failure(301, ""), "provider_wrong_answer"),
    (Failure(599, ""), "provider_error"),
]


@pytest.mark.parametrize(
    ("failure", "meaning"), MEANINGS, ids=[f"{row[0].status}-{row[0].code}-{row[0].param}" for row in MEANINGS]
)
def test_an_error_of_a_completion_means(failure, meaning):
    assert code_for(failure, Call.CHAT) == meaning


@pytest.mark.parametrize(
    ("failure", "meaning"),
    [
        (Failure(400, "unsupported_value", "file"), "audio_unsupported"),
        (Failure(400, "unsupported_value", "response_format"), "provider_settings_wrong"),
        (Failure(400), "audio_unsupported"),
        (Failure(422, "", "file"), "audio_unsupported"),
        (Failure(400, "", "languages"), "provider_settings_wrong"),
        (Failure(400, "invalid_value", "keywords[3]"), "provider_settings_wrong"),
        (Failure(422, "invalid_value", "include"), "provider_settings_wrong"),
        (Failure(400, "", "prompt"), "request_refused"),
        (Failure(415, "anything"), "audio_unsupported"),
        (Failure(413), "audio_too_large"),
        (Failure(400, "content_filter"), "content_filtered"),
    ],
)
def test_an_error_of_a_transcription_means(failure, meaning):
    assert code_for(failure, Call.TRANSCRIPTION) == meaning


def test_what_needs_a_person_is_put_on_hold_like_any_trouble_of_the_provider():
    assert issubclass(NeedsPersonFault, ProviderFault)


@pytest.mark.parametrize("code", FAULTS)
def test_every_sentence_is_one_and_ends(code):
    kind, message = FAULTS[code]
    assert issubclass(kind, ProviderFault | PermanentFault)
    assert message[0].isupper()
    assert message.endswith(".")
    assert len(message) < 120


def test_a_fault_keeps_what_was_used_and_how_long_to_wait():
    failure = Failure(429, retry_after=timedelta(seconds=7))
    found = fault_for(failure, Call.CHAT, usage=Usage(request_id="req_1"))
    assert isinstance(found, TransientFault)
    assert (found.retry_after, found.usage.request_id) == (timedelta(seconds=7), "req_1")


def test_a_note_of_its_own_fault_never_waits():
    assert not isinstance(fault("model_refused", retry_after=timedelta(1)), TransientFault)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("7", timedelta(seconds=7)),
        ("0.5", timedelta(seconds=0.5)),
        ("-3", timedelta()),
        ("86400", LONGEST_RETRY_AFTER),
        ("1e400", None),
        ("nan", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Sat, 21 Nov 2026 11:00:00 GMT", timedelta()),
        ("Sat, 21 Nov 2099 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(value, wait):
    assert read_retry_after(value, now=NOW) == wait


def test_the_pause_that_the_provider_asks_for_arrives(ours, befall):
    befall("chat", {"kind": "status", "status": 503, "retry_after": "17"})
    from voicepipeline.ai.prompts import ping_prompt
    from voicepipeline.ai.schemas import PongShape

    with pytest.raises(ProviderFault) as failed:
        ours.complete_json(ping_prompt(), PongShape)
    assert failed.value.retry_after == timedelta(seconds=17)
