"""What attempts used: what a run can keep of it, and what it told on the way."""

from decimal import Decimal

import pytest

from tests.engine.helpers import make_due
from tests.engine.services import taken_up
from tests.stages.scripted import Given
from voicepipeline.engine.settling import settle
from voicepipeline.models import Artifact, PipelineEvent, StageRun
from voicepipeline.stages.contract import PermanentFault, ProviderFault, StageOutput, Usage

pytestmark = pytest.mark.django_db

SOUND = {
    "input_tokens": 2**31 - 1,
    "output_tokens": 0,
    "audio_seconds": Decimal("999999.99"),
    "provider_ms": 2**31 - 1,
    "cost_usd": Decimal("999999.999999"),
}
IMPOSSIBLE = [
    ("input_tokens", 2**31),
    ("output_tokens", -1),
    ("audio_seconds", Decimal("999999.995")),
    ("audio_seconds", Decimal("1E+400")),
    ("provider_ms", 2**31),
    ("cost_usd", Decimal("1000000")),
    ("cost_usd", Decimal("999999.9999996")),
    ("cost_usd", Decimal("NaN")),
    ("cost_usd", Decimal("Infinity")),
]


def done(taken, usage):
    settle(taken, StageOutput(Given(taken.stage.name, "ok", taken.run_id, taken.token), usage=usage))


def test_the_largest_numbers_that_a_run_can_hold_are_kept():
    taken = taken_up()
    done(taken, Usage(ai_model="m", **SOUND))
    assert StageRun.objects.filter(pk=taken.run_id, status="succeeded", **SOUND).exists()


@pytest.mark.parametrize(("name", "value"), IMPOSSIBLE)
def test_a_number_that_a_run_cannot_hold_is_unknown_and_costs_no_result(name, value):
    taken = taken_up()
    done(taken, Usage(ai_model="m", **{**SOUND, name: value}))
    kept = {**SOUND, name: None}
    assert StageRun.objects.filter(pk=taken.run_id, status="succeeded").values(*SOUND).get() == kept


def test_a_cost_that_cannot_be_is_unknown_in_the_event_too():
    taken = taken_up()
    settle(taken, PermanentFault("x", "No.", usage=Usage(ai_model="m", cost_usd=Decimal("1E+9"))))
    event = PipelineEvent.objects.get(artifact=taken.artifact_pk, event_type="transcription_failed")
    assert "ai_cost" not in event.metadata or event.metadata["ai_cost"] is None


TOLD = Usage("m", "v1", "req-held", 100, 7, None, 900, Decimal("0.5"))
LATER = Usage("m", "v2", "req-later", 30, 2, None, 80, Decimal("0.25"))
TOLD_NOTHING = Usage("m", "v1", "req-held", provider_ms=900)
UNPRICED = Usage("m", "v1", "req-held", 100, 7)


def held_and_taken_up_again(usage):
    taken = taken_up()
    settle(taken, ProviderFault("provider_wrong_answer", "Nonsense.", usage=usage))
    artifact = Artifact.objects.get(pk=taken.artifact_pk)
    make_due(artifact)
    return taken_up(artifact)


def kept(taken, *names):
    return StageRun.objects.values_list(*names).get(pk=taken.run_id)


def test_what_a_try_used_stands_on_the_run_that_is_on_hold():
    taken = taken_up()
    settle(taken, ProviderFault("provider_wrong_answer", "Nonsense.", usage=TOLD))
    columns = ("status", "request_id", "input_tokens", "provider_ms", "cost_usd")
    assert kept(taken, *columns) == ("queued", "req-held", 100, 900, Decimal("0.5"))


@pytest.mark.parametrize(
    ("held", "numbers"),
    [
        (TOLD, (130, 9, 980, Decimal("0.75"))),
        (TOLD_NOTHING, (30, 2, 980, Decimal("0.25"))),
        (UNPRICED, (130, 9, 80, None)),
        (Usage(), (30, 2, 80, Decimal("0.25"))),
    ],
    ids=["told", "told nothing", "unpriced", "no call"],
)
def test_a_run_keeps_what_its_held_tries_used_too(held, numbers):
    taken = held_and_taken_up_again(held)
    done(taken, LATER)
    assert kept(taken, "input_tokens", "output_tokens", "provider_ms", "cost_usd") == numbers
    assert kept(taken, "request_id", "prompt_version") == ("req-later", "v2")


def test_an_end_without_a_call_keeps_what_a_held_try_used():
    taken = held_and_taken_up_again(TOLD)
    settle(taken, PermanentFault("x", "No."))
    assert kept(taken, "request_id", "cost_usd") == ("req-held", Decimal("0.5"))


def test_each_tries_cost_is_in_one_event():
    taken = held_and_taken_up_again(TOLD)
    done(taken, LATER)
    events = PipelineEvent.objects.filter(artifact=taken.artifact_pk, metadata__has_key="ai_cost").order_by("id")
    costs = [(event.event_type, Decimal(event.metadata["ai_cost"])) for event in events]
    assert costs == [("stage_parked", Decimal("0.5")), ("transcription_completed", Decimal("0.25"))]
