"""Every fault of the simulator against every call of ours: what it is taken for."""

import pytest

from voicepipeline.ai.prompts import RosterLine, claims_prompt
from voicepipeline.ai.schemas import ClaimsShape
from voicepipeline.simulator.audio import make_wav
from voicepipeline.simulator.faults import CHAT, KINDS, TRANSCRIPTIONS
from voicepipeline.stages.contract import NeedsPersonFault, PermanentFault, ProviderFault, StageFault

SCRIPT = "Niamh Kelly was excellent tonight. Aoife hurt her ankle."
WAV = make_wav(SCRIPT, 1.0)
PROVIDER, PERSON, NOTE, FINE = ProviderFault, NeedsPersonFault, PermanentFault, None

# fault, then what comes of a transcription, then of a completion
MATRIX = [
    ("status:500", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:502", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:503", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:529", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:408", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:409", (PROVIDER, "provider_error"), (PROVIDER, "provider_error")),
    ("status:429", (PROVIDER, "provider_busy"), (PROVIDER, "provider_busy")),
    ("rate_limited", (PROVIDER, "provider_busy"), (PROVIDER, "provider_busy")),
    ("hang", (PROVIDER, "provider_timeout"), (PROVIDER, "provider_timeout")),
    ("drip:3", (PROVIDER, "provider_timeout"), (PROVIDER, "provider_timeout")),
    ("latency:3", (PROVIDER, "provider_timeout"), (PROVIDER, "provider_timeout")),
    ("latency:0.05", FINE, FINE),
    ("reset", (PROVIDER, "provider_unreachable"), (PROVIDER, "provider_unreachable")),
    ("html", (PROVIDER, "provider_wrong_answer"), (PROVIDER, "provider_wrong_answer")),
    ("bad_body", (PROVIDER, "provider_wrong_answer"), (PROVIDER, "provider_wrong_answer")),
    ("wrong_shape", (PROVIDER, "provider_wrong_answer"), (PROVIDER, "provider_wrong_answer")),
    ("status:302", (PROVIDER, "provider_wrong_answer"), (PROVIDER, "provider_wrong_answer")),
    ("no_credit", (PERSON, "provider_no_credit"), (PERSON, "provider_no_credit")),
    ("status:402", (PERSON, "provider_no_credit"), (PERSON, "provider_no_credit")),
    ("bad_key", (PERSON, "provider_key_refused"), (PERSON, "provider_key_refused")),
    ("status:401", (PERSON, "provider_key_refused"), (PERSON, "provider_key_refused")),
    ("forbidden", (PERSON, "provider_access_refused"), (PERSON, "provider_access_refused")),
    ("model_gone", (PERSON, "provider_model_gone"), (PERSON, "provider_model_gone")),
    ("too_large", (NOTE, "audio_too_large"), (NOTE, "note_too_long")),
    ("unsupported_audio", (NOTE, "audio_unsupported"), None),
    ("status:415", (NOTE, "audio_unsupported"), (NOTE, "request_refused")),
    ("bad_request", (NOTE, "request_refused"), (NOTE, "request_refused")),
    ("status:422", (NOTE, "audio_unsupported"), (NOTE, "request_refused")),
    ("context_length", (NOTE, "note_too_long"), (NOTE, "note_too_long")),
    ("content_filter", (NOTE, "content_filtered"), (NOTE, "content_filtered")),
    ("refusal", None, (NOTE, "model_refused")),
    # A transcription has no JSON of its own: there the body is what is spoilt.
    ("truncated", (PROVIDER, "provider_wrong_answer"), (NOTE, "invalid_model_output")),
    ("malformed", (PROVIDER, "provider_wrong_answer"), (NOTE, "invalid_model_output")),
    ("schema", (PROVIDER, "provider_wrong_answer"), (NOTE, "invalid_model_output")),
    ("empty", FINE, (NOTE, "invalid_model_output")),
    ("invented_name", FINE, FINE),
    ("text_on_silence", FINE, FINE),
    ("obedient", FINE, FINE),
]


def outcome(call):
    try:
        call()
    except StageFault as fault:
        return type(fault), fault.code
    return None


def rows(column, endpoint):
    possible = [row for row in MATRIX if endpoint in KINDS[row[0].partition(":")[0]]]
    return [pytest.param(fault, expected[column], id=fault) for fault, *expected in possible]


def complete(ours):
    return ours.complete_json(claims_prompt(SCRIPT, [RosterLine("player:1", "Niamh Kelly")]), ClaimsShape)


def test_the_matrix_holds_every_fault():
    assert {fault.partition(":")[0] for fault, *_ in MATRIX} == set(KINDS)


@pytest.mark.parametrize(("fault", "expected"), rows(0, TRANSCRIPTIONS))
def test_a_transcription_that_meets(caller_for, befall, fault, expected):
    befall(TRANSCRIPTIONS, fault)
    assert outcome(lambda: caller_for(fault).transcribe(WAV, extension="wav")) == expected


@pytest.mark.parametrize(("fault", "expected"), rows(1, CHAT))
def test_a_completion_that_meets(caller_for, befall, fault, expected):
    befall(CHAT, fault, fault)
    assert outcome(lambda: complete(caller_for(fault))) == expected


@pytest.mark.parametrize("fault", ["truncated", "malformed", "schema", "empty"])
def test_an_answer_that_cannot_be_used_is_asked_for_once_more(ours, simulator, befall, fault):
    befall(CHAT, fault)
    assert outcome(lambda: complete(ours)) is None
    assert simulator.plan.report()["calls"][CHAT] == 2


def test_what_both_tries_used_is_added_up(ours, befall):
    alone = complete(ours).usage
    befall(CHAT, "malformed")
    twice = complete(ours).usage
    assert twice.input_tokens > 2 * alone.input_tokens
    assert twice.output_tokens > alone.output_tokens


def test_a_repair_that_fails_otherwise_still_tells_what_the_first_try_used(ours, befall):
    befall(CHAT, "malformed", "status:503")
    with pytest.raises(ProviderFault) as failed:
        complete(ours)
    assert (failed.value.code, failed.value.usage.ai_model) == ("provider_error", "gpt-6-luna")
    assert failed.value.usage.request_id
