from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from retry.estimates import MOST_RUNS, Rates, Spoken, at_once, calls_in, recent_rates, time_for
from tests.retry.factories import ENTRIES, NAMES, STATEMENTS, TRANSCRIPTION, make_run, make_sent
from voicepipeline.models import StageRun
from voicepipeline.stages import IN_ORDER, STAGES

SECOND = timedelta(seconds=1)
RECORDED = Spoken(is_typed=False, seconds=Decimal(60), is_silent=False)
TYPED = Spoken(is_typed=True, seconds=None, is_silent=False)
SILENT = Spoken(is_typed=False, seconds=Decimal(60), is_silent=True)
UNMEASURED = Spoken(is_typed=False, seconds=None, is_silent=False)
KNOWN = Rates(
    a_second=Decimal("0.0001"),
    a_call={STATEMENTS: Decimal("0.003")},
    works_for={stage.name: 2 * SECOND for stage in IN_ORDER},
)
FROM_STATEMENTS = STAGES[STATEMENTS].from_here


def worked(stage, *, ago=timedelta(hours=1), took=2 * SECOND, status="succeeded", **fields):
    """A try that has ended, with what it used."""
    ended = timezone.now() - ago
    note = make_sent()
    error = {"error_code": "model_refused"} if status == "failed" else {}
    return make_run(note, stage, status, started_at=ended - took, finished_at=ended, **error, **fields)


def heard(seconds, cost, **fields):
    return worked(TRANSCRIPTION, audio_seconds=seconds, cost_usd=cost, ai_model="ears-1", **fields)


def read(cost, **fields):
    return worked(STATEMENTS, cost_usd=cost, ai_model="reader-1", **fields)


# --- Rates of the last days ------------------------------------------------------------------------------------------
def test_transcription_is_known_by_the_second_of_audio(db):
    heard(Decimal(10), Decimal("0.001"))
    heard(Decimal(30), Decimal("0.007"))
    assert recent_rates(timezone.now()).a_second == Decimal("0.0002")


def test_statements_are_known_by_the_call(db):
    read(Decimal("0.002"))
    read(Decimal("0.004"))
    assert recent_rates(timezone.now()).a_call[STATEMENTS] == Decimal("0.003")


def test_a_call_of_unknown_cost_is_left_out_and_not_taken_for_nothing(db):
    read(Decimal("0.002"))
    read(None)
    assert recent_rates(timezone.now()).a_call[STATEMENTS] == Decimal("0.002")


def test_audio_of_unknown_cost_makes_other_audio_no_cheaper(db):
    heard(Decimal(10), Decimal("0.001"))
    heard(Decimal(90), None)
    assert recent_rates(timezone.now()).a_second == Decimal("0.0001")


def test_of_an_installation_that_has_done_nothing_nothing_is_known(db):
    assert recent_rates(timezone.now()) == Rates()


def test_typed_texts_say_nothing_about_what_recordings_cost(db):
    worked(TRANSCRIPTION)
    rates = recent_rates(timezone.now())
    assert rates.a_second is None
    assert rates.works_for == {TRANSCRIPTION: 2 * SECOND}


@pytest.mark.parametrize("other", [{"ago": timedelta(days=8)}, {"status": "failed", "terminal": True}])
def test_what_is_old_or_failed_does_not_count(db, other):
    read(Decimal("0.002"))
    read(Decimal("0.9"), **other)
    assert recent_rates(timezone.now()).a_call[STATEMENTS] == Decimal("0.002")


def test_only_the_newest_tries_of_a_stage_count(db):
    old = read(Decimal("0.9"))
    columns = {name: getattr(old, name) for name in ("artifact", "stage", "status", "started_at", "finished_at")}
    newer = {"generation": 1, "ai_model": "reader-1", "cost_usd": Decimal("0.002")}
    StageRun.objects.bulk_create(StageRun(attempt=2 + n, **columns, **newer) for n in range(MOST_RUNS))
    assert recent_rates(timezone.now()).a_call[STATEMENTS] == Decimal("0.002")


def test_rates_are_one_query(db):
    heard(Decimal(10), Decimal("0.001"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        recent_rates(timezone.now())
    assert len(queries) == 1


# --- One note -------------------------------------------------------------------------------------------------------
def test_a_recording_costs_by_its_length_and_one_reading():
    assert KNOWN.cost_of(IN_ORDER, RECORDED) == Decimal("0.009")


def test_a_typed_text_is_not_transcribed_by_a_model():
    assert KNOWN.cost_of(IN_ORDER, TYPED) == Decimal("0.003")
    assert [stage.name for stage in calls_in(IN_ORDER, TYPED)] == [STATEMENTS]


def test_a_recording_of_unknown_length_is_of_unknown_cost_and_not_free():
    assert KNOWN.cost_of(IN_ORDER, UNMEASURED) is None


def test_its_length_does_not_matter_when_the_transcript_stays():
    assert KNOWN.cost_of(FROM_STATEMENTS, UNMEASURED) == Decimal("0.003")


@pytest.mark.parametrize("stages", [IN_ORDER, FROM_STATEMENTS])
def test_without_a_price_for_a_call_the_whole_note_is_of_unknown_cost(stages):
    assert Rates(a_second=Decimal("0.0001")).cost_of(stages, RECORDED) is None


@pytest.mark.parametrize("stage", [NAMES, ENTRIES])
def test_stages_that_ask_no_model_cost_nothing_even_when_no_price_is_known(stage):
    assert Rates().cost_of(STAGES[stage].from_here, RECORDED) == 0


def test_a_transcript_without_speech_is_not_read_again():
    assert calls_in(FROM_STATEMENTS, SILENT) == []


def test_one_that_is_heard_anew_may_have_something_to_read():
    assert [stage.name for stage in calls_in(IN_ORDER, SILENT)] == [TRANSCRIPTION, STATEMENTS]


def test_work_is_the_sum_of_its_stages_and_unknown_when_one_of_them_is():
    assert KNOWN.work_of(FROM_STATEMENTS) == 6 * SECOND
    assert Rates(works_for={STATEMENTS: SECOND}).work_of(FROM_STATEMENTS) is None


# --- Many at once ---------------------------------------------------------------------------------------------------
def test_retries_in_bulk_have_their_share_of_the_workers():
    with override_settings(WORKERS=32, RETRY={"share_of_workers_percent": 25}):
        assert at_once() == 8


def test_one_worker_takes_up_retries_too():
    with override_settings(WORKERS=1):
        assert at_once() == 1


def test_many_workers_share_the_time():
    assert time_for([SECOND] * 100, 10) == 10 * SECOND


def test_no_number_of_workers_makes_one_note_quicker():
    assert time_for([SECOND, 7 * SECOND], 10) == 7 * SECOND


def test_nothing_takes_no_time():
    assert time_for([], 10) == timedelta()
