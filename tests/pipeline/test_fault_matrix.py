"""Every fault of the simulator at each of the two stages, in the engine's hands: what comes of the note."""

import pytest

from tests.ai.provider import HASTY, SLOW
from tests.pipeline.helpers import event_of, go_on, spoken, start, typed
from voicepipeline.ai.faults import FAULTS
from voicepipeline.models import Claim, Transcript
from voicepipeline.simulator.faults import CHAT, KINDS, TRANSCRIPTIONS
from voicepipeline.stages.contract import NeedsPersonFault

pytestmark = pytest.mark.django_db

DONE, SILENCE, MARKED = "done", "done: nobody speaks", "done: what was made up is marked"


def waits(code):
    return f"on hold until it works: {code}"


def waits_for_a_person(code):
    return f"on hold until a person acts: {code}"


def fails(code):
    return f"failed: {code}"


IN_TROUBLE, BUSY, LATE = waits("provider_error"), waits("provider_busy"), waits("provider_timeout")
NONSENSE, NO_CREDIT = waits("provider_wrong_answer"), waits_for_a_person("provider_no_credit")
UNREACHABLE, NO_KEY = waits("provider_unreachable"), waits_for_a_person("provider_key_refused")
NO_ACCESS, NO_MODEL = waits_for_a_person("provider_access_refused"), waits_for_a_person("provider_model_gone")
REFUSED, UNUSABLE = fails("request_refused"), fails("invalid_model_output")

# fault, what comes of it in transcription, in reading statements, and there when it passes with the first try
MATRIX = [
    # the provider's own trouble: nothing is charged to the note
    ("status:500", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:502", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:503", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:529", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:408", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:409", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:425", IN_TROUBLE, IN_TROUBLE, IN_TROUBLE),
    ("status:429", BUSY, BUSY, BUSY),
    ("rate_limited", BUSY, BUSY, BUSY),
    ("hang", LATE, LATE, LATE),
    ("drip:3", LATE, LATE, LATE),
    ("latency:3", LATE, LATE, LATE),
    ("latency:0.05", DONE, DONE, DONE),
    ("reset", UNREACHABLE, UNREACHABLE, UNREACHABLE),
    ("html", NONSENSE, NONSENSE, NONSENSE),
    ("bad_body", NONSENSE, NONSENSE, NONSENSE),
    ("wrong_shape", NONSENSE, NONSENSE, NONSENSE),
    ("status:302", NONSENSE, NONSENSE, NONSENSE),
    # the account: nothing is charged to the note, and somebody has to act
    ("no_credit", NO_CREDIT, NO_CREDIT, NO_CREDIT),
    ("status:402", NO_CREDIT, NO_CREDIT, NO_CREDIT),
    ("bad_key", NO_KEY, NO_KEY, NO_KEY),
    ("status:401", NO_KEY, NO_KEY, NO_KEY),
    ("forbidden", NO_ACCESS, NO_ACCESS, NO_ACCESS),
    ("status:451", NO_ACCESS, NO_ACCESS, NO_ACCESS),
    ("model_gone", NO_MODEL, NO_MODEL, NO_MODEL),
    ("status:410", NO_MODEL, NO_MODEL, NO_MODEL),
    # this note
    ("too_large", fails("audio_too_large"), fails("note_too_long"), fails("note_too_long")),
    ("unsupported_audio", fails("audio_unsupported"), None, None),
    ("status:415", fails("audio_unsupported"), REFUSED, REFUSED),
    ("status:422", fails("audio_unsupported"), REFUSED, REFUSED),
    ("bad_request", REFUSED, REFUSED, REFUSED),
    ("context_length", fails("note_too_long"), fails("note_too_long"), fails("note_too_long")),
    ("content_filter", fails("content_filtered"), fails("content_filtered"), fails("content_filtered")),
    ("refusal", None, fails("model_refused"), fails("model_refused")),
    # what the model wrote; a transcription has no JSON of its own, there the body is what is spoilt
    ("truncated", NONSENSE, UNUSABLE, DONE),
    ("malformed", NONSENSE, UNUSABLE, DONE),
    ("schema", NONSENSE, UNUSABLE, DONE),
    ("empty", SILENCE, UNUSABLE, DONE),
    ("text_on_silence", SILENCE, MARKED, MARKED),
    ("invented_name", DONE, MARKED, MARKED),  # in a transcription nobody could tell
    ("obedient", DONE, DONE, DONE),
]


def rows(endpoint, column):
    """The faults that can befall this endpoint, with what is expected."""
    possible = [row for row in MATRIX if endpoint in KINDS[row[0].partition(":")[0]]]
    return [pytest.param(row[0], row[column], id=row[0]) for row in possible]


@pytest.fixture
def meet(settings, befall):
    """Let the next calls fail; where the fault is slowness, with a client that gives up soon."""

    def prepare(endpoint, *faults):
        if faults[0].startswith(SLOW):
            settings.AI_TRANSCRIPTION_TIMEOUT_SECONDS = settings.AI_CHAT_TIMEOUT_SECONDS = HASTY.total_seconds()
        befall(endpoint, *faults)

    return prepare


def outcome(artifact, run):
    """What came of the note, in the words of the table; whatever else must hold then is looked at here."""
    if run.status == "queued":
        assert (artifact.status, artifact.error_code) == (run_status(run), "")
        assert (run.attempt, run.transient_no, run.crash_no, made(run)) == (1, 0, 0, 0)
        return (waits_for_a_person if needs_person(run.parked_reason) else waits)(run.parked_reason)
    if run.status == "failed":
        assert (artifact.status, artifact.failed_stage, run.terminal) == ("failed", run.stage, True)
        assert artifact.error_message == FAULTS[artifact.error_code][1]
        assert (run.transient_no, made(run), run.ai_model != "") == (0, 0, True)
        return fails(artifact.error_code)
    assert (run.status, run.effective, artifact.error_code) == ("succeeded", True, "")
    return of_good_answer(artifact, run)


def of_good_answer(artifact, run):
    if run.stage == "transcription":
        return SILENCE if artifact.outcome == "no_speech" else DONE
    assert made(run) > 0
    told = event_of(artifact, "claims_extracted").metadata
    return MARKED if told["claims_unsupported"] or told["claims_dropped_ids"] else DONE


def run_status(run):
    return "transcribing" if run.stage == "transcription" else "processing"


def needs_person(code):
    return issubclass(FAULTS[code][0], NeedsPersonFault)


def made(run):
    model = Transcript if run.stage == "transcription" else Claim
    return model.objects.filter(artifact=run.artifact).count()


def test_the_matrix_holds_every_fault():
    assert {fault.partition(":")[0] for fault, *_ in MATRIX} == set(KINDS)


@pytest.mark.parametrize(("fault", "expected"), rows(TRANSCRIPTIONS, 1))
def test_a_recording_whose_transcription_meets(meet, fault, expected):
    meet(TRANSCRIPTIONS, fault)
    artifact = spoken()
    assert outcome(artifact, start(artifact)) == expected


@pytest.mark.parametrize(("fault", "expected"), rows(CHAT, 2))
def test_a_note_whose_statements_meet(meet, fault, expected):
    artifact = typed()
    start(artifact)
    meet(CHAT, fault, fault)
    assert outcome(artifact, go_on(artifact)) == expected


@pytest.mark.parametrize(("fault", "expected"), rows(CHAT, 3))
def test_a_note_whose_statements_meet_once(meet, fault, expected):
    artifact = typed()
    start(artifact)
    meet(CHAT, fault)
    assert outcome(artifact, go_on(artifact)) == expected


@pytest.mark.parametrize("fault", ["truncated", "malformed", "schema", "empty"])
def test_a_repair_is_one_more_call_and_one_run(meet, calls, fault):
    artifact = typed()
    start(artifact)
    meet(CHAT, fault)
    run = go_on(artifact)
    assert (calls()[CHAT], run.attempt, run.transient_no) == (2, 1, 0)


def test_an_unusable_answer_is_asked_for_twice_and_no_more(meet, calls):
    artifact = typed()
    start(artifact)
    meet(CHAT, "schema", "schema", "schema")
    go_on(artifact)
    assert (calls()[CHAT], artifact.error_code) == (2, "invalid_model_output")
