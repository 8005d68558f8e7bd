"""What becomes of a note when its stage fails."""

from datetime import timedelta

import pytest

from tests.engine.helpers import (
    active_run,
    claimed,
    events_of,
    make_artifact,
    make_due,
    results,
    run_to_the_end,
    scheduled,
)
from tests.stages.scripted import Given
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import finish, give_back
from voicepipeline.models import Artifact, PipelineEvent, StageRun
from voicepipeline.stages.contract import StageOutput

pytestmark = pytest.mark.django_db


def statuses(artifact: Artifact) -> list[str]:
    return list(StageRun.objects.filter(artifact=artifact).order_by("id").values_list("status", flat=True))


def test_a_transient_fault_is_tried_again_later():
    artifact = make_artifact(transcription=["transient"])
    perform(scheduled(artifact).pk)
    successor = active_run(artifact)
    assert statuses(artifact) == ["failed", "queued"]
    assert (successor.attempt, successor.transient_no, successor.crash_no) == (2, 1, 0)
    pause = successor.not_before - successor.queued_at
    assert timedelta(seconds=3.7) < pause < timedelta(seconds=6.3)
    artifact.refresh_from_db()
    assert artifact.status == "transcribing"


def test_a_transient_faults_event_says_that_it_will_be_tried_again():
    artifact = make_artifact(transcription=["transient"])
    perform(scheduled(artifact).pk)
    event = PipelineEvent.objects.get(artifact=artifact, event_type="transcription_failed")
    assert event.metadata["will_retry"] is True
    assert event.metadata["ai_cost"] == "0.0125"


def test_a_longer_retry_after_is_honoured():
    artifact = make_artifact(transcription=["patient:600"])
    perform(scheduled(artifact).pk)
    successor = active_run(artifact)
    assert successor.not_before - successor.queued_at == timedelta(seconds=600)


def test_a_run_is_not_taken_up_before_it_is_due():
    artifact = make_artifact(transcription=["transient"])
    perform(scheduled(artifact).pk)
    perform(active_run(artifact).pk)
    assert statuses(artifact) == ["failed", "queued"]


def test_six_transient_faults_fail_the_note():
    artifact = make_artifact(transcription=["transient"] * 6)
    scheduled(artifact)
    run_to_the_end(artifact)
    assert statuses(artifact) == ["failed"] * 6
    assert (artifact.status, artifact.failed_stage, artifact.error_code) == ("failed", "transcription", "rough_audio")
    assert events_of(artifact).count("artifact_failed") == 1


def test_the_budget_of_the_next_stage_is_its_own():
    artifact = make_artifact(transcription=["transient"] * 5, claims_extraction=["transient"] * 5)
    scheduled(artifact)
    assert run_to_the_end(artifact).status == "completed"


def test_a_permanent_fault_fails_the_note_at_once():
    artifact = make_artifact(claims_extraction=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    assert (artifact.status, artifact.failed_stage) == ("failed", "claims_extraction")
    assert artifact.error_message == "The audio is not readable."
    assert artifact.fingerprint
    event = PipelineEvent.objects.get(artifact=artifact, event_type="claims_extraction_failed")
    assert event.metadata["will_retry"] is False


def test_the_run_that_ended_the_note_is_marked():
    artifact = make_artifact(transcription=["permanent"])
    perform(scheduled(artifact).pk)
    assert StageRun.objects.get(artifact=artifact).terminal


def test_an_unexpected_error_is_counted_and_not_shown():
    artifact = make_artifact(transcription=["bug"])
    perform(scheduled(artifact).pk)
    run = StageRun.objects.get(artifact=artifact, status="failed")
    assert run.error_code == "unexpected_error"
    assert "secret" not in run.error_message
    assert active_run(artifact).transient_no == 1


def test_a_result_that_cannot_be_stored_is_not_paid_for_again():
    artifact = make_artifact(transcription=["bad_result"])
    perform(scheduled(artifact).pk)
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "result_not_storable")
    assert results(artifact) == []


def test_provider_trouble_puts_the_note_on_hold_and_charges_nothing(settings):
    settings.ENGINE = {"probe_pause": 0, "longest_probe_pause": 0}
    artifact = make_artifact(transcription=["provider"] * 8)
    scheduled(artifact)
    for _ in range(8):
        make_due(artifact)
        perform(active_run(artifact).pk)
    run = active_run(artifact)
    assert (run.status, run.parked_reason, run.attempt) == ("queued", "provider_down", 1)
    assert (run.transient_no, run.crash_no) == (0, 0)
    assert run_to_the_end(artifact).status == "completed"
    assert events_of(artifact).count("stage_parked") == events_of(artifact).count("stage_released") == 8


def test_a_worker_told_to_stop_gives_its_run_back_uncharged():
    artifact = make_artifact()
    scheduled(artifact)
    give_back(claimed(artifact))
    run = active_run(artifact)
    assert (run.status, run.transient_no, run.crash_no, run.lease_until) == ("queued", 0, 0, None)
    assert run_to_the_end(artifact).status == "completed"


def test_a_choice_made_meanwhile_has_the_stage_run_again():
    artifact = make_artifact()
    scheduled(artifact)
    for _ in range(2):
        perform(active_run(artifact).pk)
    taken = claimed(artifact)
    Artifact.objects.filter(pk=artifact.pk).update(input_version=1)
    finish(taken, StageOutput(None))
    assert StageRun.objects.get(pk=taken.run_id).status == "superseded"
    run = active_run(artifact)
    assert (run.stage, run.attempt) == ("entity_resolution", 2)
    assert run_to_the_end(artifact).status == "completed"
    assert results(artifact).count("entity_resolution") == 1


def test_a_choice_does_not_repeat_a_stage_that_uses_no_choices():
    artifact = make_artifact()
    run = scheduled(artifact)
    taken = claimed(artifact)
    Artifact.objects.filter(pk=artifact.pk).update(input_version=1)
    finish(taken, StageOutput(Given("transcription", "ok", run.pk, 1)))
    assert StageRun.objects.get(pk=taken.run_id).status == "succeeded"


def test_a_stage_without_code_fails_the_note_in_words(settings):
    settings.STAGE_CODE = {}
    artifact = make_artifact()
    perform(scheduled(artifact).pk)
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "stage_not_installed")
