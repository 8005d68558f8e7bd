"""What tries used and cost, in words."""

from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import make_note
from voicepipeline.admin.note_costs import is_of_unknown_cost, total_of, usage_of
from voicepipeline.admin.run_filters import of_unknown_cost
from voicepipeline.models import StageRun
from voicepipeline.money import usd


def test_a_try_that_asked_no_ai_service_says_nothing():
    assert usage_of(StageRun()) == []
    assert total_of([StageRun(), StageRun()]) == ""


def test_a_try_tells_model_prompt_tokens_time_and_cost():
    run = StageRun(
        ai_model="gpt-6-luna",
        prompt_version="claims-3",
        input_tokens=2_340,
        output_tokens=210,
        provider_ms=1_234,
        cost_usd=Decimal("0.000839"),
    )
    assert usage_of(run) == [
        "gpt-6-luna",
        "prompt claims-3",
        "2,340 tokens in, 210 out",
        "answered in 1.2 s",
        "$0.0008",
    ]


def test_a_transcription_tells_its_seconds():
    run = StageRun(ai_model="gpt-transcribe", audio_seconds=Decimal("60.00"), provider_ms=240)
    assert usage_of(run) == ["gpt-transcribe", "60 s of audio", "answered in 240 ms", "cost unknown"]


def test_what_is_not_known_is_called_unknown_and_never_zero():
    run = StageRun(provider_ms=70_000, output_tokens=5)
    assert usage_of(run) == ["model unknown", "unknown tokens in, 5 out", "answered in 1 min", "cost unknown"]
    assert usage_of(StageRun(ai_model="m", cost_usd=Decimal(0)))[-1] == "$0.00"
    assert usage_of(StageRun(ai_model="gpt-6-luna")) == ["gpt-6-luna", "use unknown", "cost unknown"]


@pytest.mark.parametrize(
    ("costs", "words"),
    [
        (["0.5", "0.25"], "AI cost of 2 tries: $0.75"),
        (["0.5", None], "AI cost of 2 tries, of which 1 of unknown cost: $0.50"),
        (["0", None, None], "AI cost of 3 tries, of which 2 of unknown cost: $0.00"),
        ([None], "AI cost of 1 try: unknown"),
        ([None, None], "AI cost of 2 tries: unknown"),
        (["0"], "AI cost of 1 try: $0.00"),
    ],
)
def test_a_round_tells_what_is_known_and_how_many_costs_are_not(costs, words):
    known = [None if cost is None else Decimal(cost) for cost in costs]
    runs = [StageRun(ai_model="m", status="succeeded", cost_usd=cost) for cost in known]
    assert total_of([*runs, StageRun()]) == words


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["m", ""])
@pytest.mark.parametrize("cost", [None, Decimal(1)])
@pytest.mark.parametrize("status", ["succeeded", "failed"])
@pytest.mark.parametrize("used", [{}, {"input_tokens": 1}, {"output_tokens": 0}, {"audio_seconds": Decimal(3)}])
def test_a_note_and_the_list_of_stage_runs_call_the_same_cost_unknown(model, cost, status, used):
    now = timezone.now()
    ended = {"started_at": now, "finished_at": now, "error_code": "" if status == "succeeded" else "x"}
    run = StageRun.objects.create(
        artifact=make_note(),
        stage="transcription",
        generation=1,
        attempt=1,
        status=status,
        ai_model=model,
        cost_usd=cost,
        **ended,
        **used,
    )
    assert is_of_unknown_cost(run) == of_unknown_cost(StageRun.objects.all(), now=now).exists()


def test_a_call_that_was_never_answered_is_none_of_unknown_cost():
    timed_out = StageRun(ai_model="m", status="failed", provider_ms=60_000, request_id="x")
    assert total_of([timed_out]) == ""
    assert total_of([timed_out, StageRun(ai_model="m", status="succeeded", cost_usd=Decimal(1))]) == (
        "AI cost of 1 try: $1.00"
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [("12.5", "$12.50"), ("0.0125", "$0.0125"), ("0.00004", "under $0.0001"), ("1234.5", "$1,234.50"), ("0", "$0.00")],
)
def test_amounts_are_told_to_a_hundredth_of_a_cent(amount, words):
    assert usd(Decimal(amount)) == words
