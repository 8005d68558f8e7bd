"""What the database itself refuses, whatever the code tries."""

from itertools import permutations

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests.engine.helpers import claimed, make_artifact, run_to_the_end, scheduled, write_unguarded
from tests.factories import make_user
from voicepipeline.models import Artifact, NoteDecision, PipelineEvent, StageRun

pytestmark = pytest.mark.django_db


def refused(change) -> bool:
    try:
        with transaction.atomic():
            change()
            connection.check_constraints()
    except IntegrityError:
        return True
    return False


def artifact_in(status: str) -> Artifact:
    """A row in this status, put there with the guards off."""
    artifact = make_artifact()
    now = timezone.now()
    fields = {
        "failed": {"error_code": "x", "failed_stage": "transcription"},
        "completed": {"completed_at": now, "first_completed_at": now},
    }.get(status, {})
    write_unguarded(Artifact, artifact.pk, status=status, **fields)
    return artifact


def run_in(status: str) -> StageRun:
    run = scheduled(make_artifact())
    write_unguarded(StageRun, run.pk, **run_fields(status))
    return run


def run_fields(status: str) -> dict:
    now = timezone.now()
    return {
        "status": status,
        "lease_until": now if status == "running" else None,
        "hard_deadline": now if status == "running" else None,
        "finished_at": None if status in ("queued", "running") else now,
        "error_code": "x" if status == "failed" else "",
    }


@pytest.mark.parametrize(("before", "after"), list(permutations(Artifact.Status.values, 2)))
def test_an_artifact_moves_only_as_the_table_says(before, after):
    artifact = artifact_in(before)
    now = timezone.now()
    failed = after == "failed"
    values = {
        "status": after,
        "error_code": "x" if failed else "",
        "failed_stage": "transcription" if failed else "",
        "completed_at": now if after == "completed" else None,
        "first_completed_at": now,
    }
    allowed = after in Artifact.TRANSITIONS[Artifact.Status(before)]
    assert refused(lambda: Artifact.objects.filter(pk=artifact.pk).update(**values)) is not allowed


@pytest.mark.parametrize(("before", "after"), list(permutations(StageRun.Status.values, 2)))
def test_a_run_moves_only_as_the_table_says(before, after):
    run = run_in(before)
    allowed = after in StageRun.TRANSITIONS[StageRun.Status(before)]
    assert refused(lambda: StageRun.objects.filter(pk=run.pk).update(**run_fields(after))) is not allowed


@pytest.mark.parametrize("status", ["succeeded", "failed", "superseded", "cancelled"])
def test_an_ended_run_does_not_change(status):
    run = run_in(status)
    assert refused(lambda: StageRun.objects.filter(pk=run.pk).update(worker="somebody"))


def test_an_ended_run_may_go_out_of_use_but_not_come_back():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    run = StageRun.objects.get(artifact=artifact, stage="transcription")
    assert not refused(lambda: StageRun.objects.filter(pk=run.pk).update(effective=False))
    assert refused(lambda: StageRun.objects.filter(pk=run.pk).update(effective=True))


@pytest.mark.parametrize(
    "values",
    [
        {"lease_until": None},
        {"effective": True},
        {"finished_at": timezone.now()},
        {"parked_reason": "provider_down"},
        {"parked_reason": "provider_down", "parked_since": timezone.now()},
        {"terminal": True},
        {"stage": "cooking"},
        {"attempt": 0},
    ],
)
def test_a_running_run_cannot_be_made_to_contradict_itself(values):
    artifact = make_artifact()
    scheduled(artifact)
    taken = claimed(artifact)
    assert refused(lambda: StageRun.objects.filter(pk=taken.run_id).update(**values))


def test_a_note_has_one_active_run():
    artifact = make_artifact()
    scheduled(artifact)
    assert refused(
        lambda: StageRun.objects.create(artifact=artifact, stage="claims_extraction", generation=1, attempt=1)
    )


def test_a_try_has_its_number_once():
    artifact = make_artifact(transcription=["permanent"])
    run = scheduled(artifact)
    run_to_the_end(artifact)
    assert refused(
        lambda: StageRun.objects.create(artifact=artifact, stage=run.stage, generation=1, attempt=run.attempt)
    )


@pytest.mark.parametrize(
    "values",
    [
        {"completed_at": timezone.now()},
        {"error_code": "x"},
        {"closed_at": timezone.now()},
        {"closed_reason": "because"},
        {"source_channel": "pigeon"},
        {"generation": 0},
    ],
)
def test_a_received_note_cannot_be_made_to_contradict_itself(values):
    artifact = make_artifact()
    assert refused(lambda: Artifact.objects.filter(pk=artifact.pk).update(**values))


def test_a_decision_never_changes_and_never_goes():
    decision = NoteDecision.objects.create(artifact=make_artifact(), kind="released", by=make_user("Operator"))
    assert refused(lambda: NoteDecision.objects.filter(pk=decision.pk).update(reason="another"))
    assert refused(lambda: NoteDecision.objects.filter(pk=decision.pk).delete())


def test_an_event_never_changes():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    assert refused(lambda: PipelineEvent.objects.filter(artifact=artifact).update(metadata={}))
