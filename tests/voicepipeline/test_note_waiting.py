"""What a note's page says where there is nothing yet."""

from datetime import UTC, datetime

import pytest

from voicepipeline.admin.note_waiting import nothing_yet
from voicepipeline.explanations import Run
from voicepipeline.models import Artifact, StageName

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
STATEMENTS, ENTRIES = StageName.CLAIMS_EXTRACTION, StageName.DRAFT_GENERATION


def a_run(**fields):
    return Run(**{"stage": "x", "running": False, "attempt": 1, "queued_at": NOW, "not_before": NOW, **fields})


def a_note(status="transcribing", stage="transcription", **fields):
    return Artifact(status=status, current_stage=stage, **fields)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (None, "No transcript yet: transcription has not been queued. It will be within a minute."),
        (a_run(), "No transcript yet: transcription is waiting for a worker."),
        (a_run(running=True), "No transcript yet: transcription is under way."),
        (
            a_run(parked_since=NOW, parked_reason="provider_no_credit"),
            "No transcript yet: transcription is on hold because the provider credit is used up. "
            "When it goes on stands at the top of this page.",
        ),
    ],
)
@pytest.mark.parametrize("stage", ["", "transcription"])
def test_the_stage_at_work_says_what_it_waits_for(run, words, stage):
    assert nothing_yet(StageName.TRANSCRIPTION, a_note(stage=stage), run) == words


def test_later_parts_say_what_comes_before_them():
    assert nothing_yet(STATEMENTS, a_note(), a_run()) == (
        "No statements yet: they are read from the transcript, once it is there."
    )
    assert nothing_yet(ENTRIES, a_note("processing", "claims_extraction"), a_run()).startswith(
        "No suggested entries yet: they are suggested once"
    )


def test_a_stage_that_is_through_and_found_nothing_says_so():
    note = a_note("processing", "entity_resolution")
    assert nothing_yet(STATEMENTS, note, a_run()).startswith("No statements. Nothing that is said is a statement")
    assert nothing_yet(ENTRIES, a_note("completed", "draft_generation"), None).startswith(
        "No suggested entries. No statement led to one."
    )


def test_silence_is_told_as_the_reason():
    note = a_note("completed", "draft_generation", outcome="no_speech")
    assert nothing_yet(STATEMENTS, note, None) == "No statements: nobody speaks in this note."


def test_after_a_failure_the_stage_that_failed_is_named():
    note = a_note("failed", "claims_extraction", failed_stage="claims_extraction")
    assert nothing_yet(ENTRIES, note, None).startswith("No suggested entries: the stage Statements failed.")
    assert nothing_yet(STATEMENTS, note, None).startswith("No statements: the stage Statements failed.")
    assert nothing_yet(StageName.TRANSCRIPTION, note, None) == "No transcript. It was not kept."


@pytest.mark.parametrize("stage", StageName)
@pytest.mark.parametrize("status", Artifact.Status)
@pytest.mark.parametrize("current", ["", *StageName])
def test_there_are_words_for_every_place_a_note_can_be_in(stage, status, current):
    note = a_note(status, current, failed_stage=(current or "transcription") if status == "failed" else "")
    assert nothing_yet(stage, note, None).startswith("No ")
