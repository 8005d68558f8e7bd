"""What attempts used: what a run can keep of it, and what it told on the way."""

from decimal import Decimal

import pytest

from tests.engine.services import taken_up
from tests.stages.scripted import Given
from voicepipeline.engine.settling import settle
from voicepipeline.models import PipelineEvent, StageRun
from voicepipeline.stages.contract import PermanentFault, StageOutput, Usage

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
