"""What staff may do to one note: release, close, reopen; and what the engine does when a round or stage is redone."""

import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from tests.engine.helpers import active_run, claimed, events_of, make_artifact, results, run_to_the_end, scheduled
from tests.factories import make_user
from tests.stages.scripted import Given
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.execution import perform
from voicepipeline.engine.requests import run_again_from, start_over
from voicepipeline.engine.settling import finish
from voicepipeline.engine.transactions import database_now
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact, NoteDecision, PipelineEvent, StageRun
from voicepipeline.operations.notes import close_artifact, release_and_requeue, reopen_artifact
from voicepipeline.stages import STAGES
from voicepipeline.stages.contract import StageOutput

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return make_user("Operator")


def long_ago(artifact: Artifact) -> None:
    """As if nothing had moved for an hour."""
    hour = timedelta(hours=1)
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=artifact.received_at - hour)
    for run in StageRun.objects.filter(artifact=artifact).active():
        started = run.started_at - hour if run.started_at else None
        StageRun.objects.filter(pk=run.pk).update(not_before=run.not_before - hour, started_at=started)


def failed_artifact() -> Artifact:
    artifact = make_artifact(transcription=["permanent"])
    perform(scheduled(artifact).pk)
    artifact.refresh_from_db()
    return artifact


def test_a_stalled_running_note_is_released_uncharged(operator):
    artifact = make_artifact()
    scheduled(artifact)
    claimed(artifact)
    long_ago(artifact)
    assert release_and_requeue(artifact.artifact_id, by=operator).done
    run = active_run(artifact)
    assert (run.status, run.transient_no, run.crash_no, run.lease_until) == ("queued", 0, 0, None)
    assert run_to_the_end(artifact).status == "completed"


def test_the_worker_it_was_taken_from_writes_too_late(operator):
    artifact = make_artifact()
    run = scheduled(artifact)
    taken = claimed(artifact)
    long_ago(artifact)
    release_and_requeue(artifact.artifact_id, by=operator)
    finish(taken, StageOutput(Given("transcription", "ok", run.pk, 1)))
    assert results(artifact) == []
    assert "stage_result_discarded" in events_of(artifact)


def test_a_stalled_note_with_nothing_scheduled_is_scheduled(operator):
    artifact = make_artifact()
    long_ago(artifact)
    assert release_and_requeue(artifact.artifact_id, by=operator).done
    assert active_run(artifact).stage == "transcription"


def test_a_release_says_who_did_it(operator):
    artifact = make_artifact()
    scheduled(artifact)
    long_ago(artifact)
    release_and_requeue(artifact.artifact_id, by=operator)
    assert PipelineEvent.objects.get(artifact=artifact, event_type="stage_released").actor == operator


def test_a_note_that_moves_is_not_released(operator):
    artifact = make_artifact()
    scheduled(artifact)
    outcome = release_and_requeue(artifact.artifact_id, by=operator)
    assert not outcome.done
    assert "moving on by itself" in outcome.message


def test_an_ended_note_is_not_released(operator):
    artifact = failed_artifact()
    assert release_and_requeue(artifact.artifact_id, by=operator).message.startswith("It is failed")


def test_a_failed_note_is_closed_with_its_reason(operator):
    artifact = failed_artifact()
    assert close_artifact(artifact.artifact_id, by=operator, reason="The phone was in a pocket").done
    artifact.refresh_from_db()
    assert (artifact.closed_by, artifact.closed_reason) == (operator, "The phone was in a pocket")
    assert not Artifact.objects.failed().exists()


def test_a_note_that_waits_in_vain_is_cancelled_by_closing_it(operator):
    artifact = make_artifact()
    scheduled(artifact)
    long_ago(artifact)
    assert close_artifact(artifact.artifact_id, by=operator, reason="Sent twice").done
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "cancelled")
    assert StageRun.objects.get(artifact=artifact).status == "cancelled"


def test_a_running_note_is_not_closed(operator):
    artifact = make_artifact()
    scheduled(artifact)
    claimed(artifact)
    assert not close_artifact(artifact.artifact_id, by=operator, reason="Sent twice").done
    assert active_run(artifact).status == "running"


def test_a_note_that_moves_is_not_closed(operator):
    artifact = make_artifact()
    scheduled(artifact)
    assert "Only a voice note that failed" in close_artifact(artifact.artifact_id, by=operator, reason="x").message
    assert active_run(artifact).status == "queued"


def test_who_did_what_and_why_is_kept(operator):
    artifact = failed_artifact()
    close_artifact(artifact.artifact_id, by=operator, reason="Sent twice")
    reopen_artifact(artifact.artifact_id, by=operator)
    decisions = NoteDecision.objects.filter(artifact=artifact).order_by("id")
    assert [(d.kind, d.by, d.reason) for d in decisions] == [
        ("closed", operator, "Sent twice"),
        ("reopened", operator, ""),
    ]


def test_a_refusal_leaves_no_decision(operator):
    artifact = failed_artifact()
    release_and_requeue(artifact.artifact_id, by=operator)
    close_artifact(artifact.artifact_id, by=operator, reason="")
    assert not NoteDecision.objects.exists()


def test_closing_needs_a_reason(operator):
    assert not close_artifact(failed_artifact().artifact_id, by=operator, reason="  ").done


def test_a_closed_note_is_opened_again(operator):
    artifact = failed_artifact()
    close_artifact(artifact.artifact_id, by=operator, reason="Sent twice")
    assert reopen_artifact(artifact.artifact_id, by=operator).done
    assert Artifact.objects.failed().get() == artifact


def test_closing_twice_tells_who_did_it(operator):
    artifact = failed_artifact()
    close_artifact(artifact.artifact_id, by=operator, reason="Sent twice")
    outcome = close_artifact(artifact.artifact_id, by=make_user("Administrator"), reason="Mine")
    assert operator.username in outcome.message


@pytest.mark.parametrize(
    "request_by",
    [
        lambda user: release_and_requeue(uuid.uuid4(), by=user),
        lambda user: close_artifact(uuid.uuid4(), by=user, reason="x"),
        lambda user: reopen_artifact(uuid.uuid4(), by=user),
    ],
)
def test_a_viewer_may_do_none_of_it(request_by):
    with pytest.raises(PermissionDenied):
        request_by(make_user("Viewer"))


def test_an_unknown_id_is_told(operator):
    assert release_and_requeue(uuid.uuid4(), by=operator).message == "There is no voice note with this id."


def test_start_over_supersedes_a_stalled_run_and_counts_what_it_deletes():
    artifact = make_artifact()
    scheduled(artifact)
    perform(active_run(artifact).pk)
    taken = claimed(artifact)
    artifact.refresh_from_db()
    change = Change(artifact, database_now())
    deleted = start_over(change, Budgets())
    change.flush()
    assert deleted["transcription results"] == 1
    assert StageRun.objects.get(pk=taken.run_id).status == "superseded"
    artifact.refresh_from_db()
    assert (artifact.status, artifact.generation) == ("received", 2)
    assert run_to_the_end(artifact).status == "completed"
    assert len(results(artifact)) == 4


def test_running_again_from_a_stage_keeps_what_came_before():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    change = Change(artifact, database_now())
    run_again_from(change, STAGES["entity_resolution"], Budgets())
    change.flush()
    assert results(artifact) == ["transcription", "claims_extraction"]
    artifact.refresh_from_db()
    assert (artifact.status, artifact.completed_at) == ("processing", None)
    assert run_to_the_end(artifact).status == "completed"


def test_a_second_completion_is_marked_as_a_repeat():
    artifact = make_artifact()
    scheduled(artifact)
    first = run_to_the_end(artifact).first_completed_at
    change = Change(artifact, database_now())
    run_again_from(change, STAGES["draft_generation"], Budgets())
    change.flush()
    assert run_to_the_end(artifact).first_completed_at == first
    completions = PipelineEvent.objects.filter(artifact=artifact, event_type="artifact_completed").order_by("id")
    assert [event.metadata["repeat"] for event in completions] == [False, True]


def test_running_again_needs_the_result_before():
    artifact = failed_artifact()
    with pytest.raises(InvalidTransition, match="no result of Statements"):
        run_again_from(Change(artifact, database_now()), STAGES["entity_resolution"], Budgets())
