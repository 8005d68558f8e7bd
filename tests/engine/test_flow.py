"""A note on its whole way, stage by stage."""

from datetime import timedelta

import pytest

from tests.engine.helpers import (
    claimed,
    doorbells,
    events_of,
    make_artifact,
    results,
    run_to_the_end,
    scheduled,
)
from voicepipeline.engine.execution import perform
from voicepipeline.models import Artifact, PipelineEvent, StageRun

pytestmark = pytest.mark.django_db

WHOLE_WAY = [
    "artifact_status_changed",
    "transcription_started",
    "transcription_completed",
    "artifact_status_changed",
    "artifact_status_changed",
    "claims_extraction_started",
    "claims_extracted",
    "entity_resolution_started",
    "entity_resolution_completed",
    "draft_generation_started",
    "drafts_generated",
    "artifact_status_changed",
    "artifact_completed",
]


def test_a_note_passes_every_stage_and_is_ready():
    artifact = make_artifact()
    scheduled(artifact)
    assert run_to_the_end(artifact).status == Artifact.Status.COMPLETED
    assert results(artifact) == ["transcription", "claims_extraction", "entity_resolution", "draft_generation"]
    assert sorted(events_of(artifact)) == sorted(WHOLE_WAY)


def test_every_status_is_really_written():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    changes = PipelineEvent.objects.filter(artifact=artifact, event_type="artifact_status_changed").order_by("id")
    assert list(changes.values_list("previous_status", "new_status")) == [
        ("received", "transcribing"),
        ("transcribing", "transcribed"),
        ("transcribed", "processing"),
        ("processing", "completed"),
    ]


def test_the_first_doorbell_carries_the_voice_notes_id(django_capture_on_commit_callbacks):
    make_artifact()  # so that the two ids differ
    artifact = make_artifact()
    Artifact.objects.filter(pk=artifact.pk).update(voice_note=None)
    artifact = make_artifact()
    with django_capture_on_commit_callbacks(execute=True):
        run = scheduled(artifact)
    assert doorbells() == [("voicepipeline.tasks.transcribe_audio", (artifact.voice_note_id, run.pk))]


def test_a_later_doorbell_carries_the_artifacts_id(django_capture_on_commit_callbacks):
    artifact = make_artifact()
    run = scheduled(artifact)
    with django_capture_on_commit_callbacks(execute=True):
        perform(run.pk)
    claims = StageRun.objects.get(artifact=artifact, stage="claims_extraction")
    assert doorbells() == [("voicepipeline.tasks.extract_claims", (artifact.pk, claims.pk))]


def test_a_second_doorbell_for_the_same_run_does_nothing():
    artifact = make_artifact()
    run = scheduled(artifact)
    perform(run.pk)
    before = events_of(artifact)
    perform(run.pk)
    assert events_of(artifact) == before
    assert results(artifact) == ["transcription"]


def test_the_whole_way_keeps_one_origin():
    artifact = make_artifact(transcription=["transient"])
    scheduled(artifact)
    run_to_the_end(artifact)
    assert StageRun.objects.filter(artifact=artifact).values("origin").distinct().count() == 1


def test_completion_measures_from_receipt_not_from_when_it_was_recorded():
    artifact = make_artifact()
    Artifact.objects.filter(pk=artifact.pk).update(received_at=artifact.received_at - timedelta(days=3))
    scheduled(artifact)
    run_to_the_end(artifact)
    event = PipelineEvent.objects.get(artifact=artifact, event_type="artifact_completed")
    artifact.refresh_from_db()
    assert artifact.voice_note is not None
    assert event.stage_started_at == artifact.voice_note.created_at
    assert event.stage_completed_at == artifact.completed_at
    assert event.metadata["repeat"] is False


def test_the_attempts_cost_stands_in_its_event_and_its_run():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    event = PipelineEvent.objects.get(artifact=artifact, event_type="transcription_completed")
    assert event.metadata["ai_cost"] == "0.0125"
    assert str(StageRun.objects.get(artifact=artifact, stage="transcription").cost_usd) == "0.012500"


def test_a_running_run_is_leased():
    artifact = make_artifact()
    scheduled(artifact)
    taken = claimed(artifact)
    run = StageRun.objects.get(pk=taken.run_id)
    assert run.lease_until is not None
    assert run.lease_until <= run.hard_deadline
    assert (run.status, run.lease_token, run.worker) == ("running", 1, "test:1:1")
