"""Runs on hold: what is said when they leave it, and that they are not taken for stalled."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.engine.helpers import active_run, claimed, events_of, make_artifact, make_due, past, scheduled
from tests.engine.services import HEARING, paused, turned_away
from tests.factories import make_user
from voicepipeline.engine.execution import perform
from voicepipeline.engine.health import resume_service
from voicepipeline.engine.settling import give_back
from voicepipeline.engine.watchdog import mend_forgotten
from voicepipeline.models import Artifact, Pause, StageRun
from voicepipeline.operations.notes import close_artifact, release_and_requeue
from voicepipeline.pipeline_status import status_report
from voicepipeline.queries import stalled_notes
from voicepipeline.situations import explain_artifact

pytestmark = pytest.mark.django_db


def on_hold_for_an_hour() -> Artifact:
    run = turned_away()
    StageRun.objects.filter(pk=run.pk).update(parked_since=past(3600), not_before=past(3600), queued_at=past(3600))
    Artifact.objects.filter(pk=run.artifact_id).update(updated_at=past(3600))
    return Artifact.objects.get(pk=run.artifact_id)


def test_a_run_given_back_right_after_its_hold_is_told_twice():
    artifact = make_artifact(transcription=["provider"])
    perform(scheduled(artifact).pk)
    make_due(artifact)
    give_back(claimed(artifact))
    assert active_run(artifact).status == "queued"
    assert events_of(artifact).count("stage_released") == 2


def test_a_note_on_hold_is_neither_stalled_nor_forgotten():
    paused(needs_person=True)
    artifact = on_hold_for_an_hour()
    assert list(stalled_notes(Artifact.objects.all())) == []
    assert mend_forgotten(timezone.now()) == 0
    assert "No progress" not in explain_artifact(artifact).paragraph


def test_people_cannot_push_a_note_past_what_holds_it():
    paused(needs_person=True)
    artifact = on_hold_for_an_hour()
    outcome = release_and_requeue(artifact.artifact_id, by=make_user("Operator"))
    assert (outcome.done, outcome.message) == (
        False,
        "It is on hold, and goes on by itself once what holds it is over.",
    )
    assert not close_artifact(artifact.artifact_id, by=make_user("Operator"), reason="Nobody needs it.").done
    assert active_run(artifact).parked_since


def test_a_note_let_go_after_a_long_hold_is_not_stalled():
    paused(needs_person=True)
    artifact = on_hold_for_an_hour()
    make_due(artifact)
    StageRun.objects.filter(artifact=artifact).update(not_before=timezone.now())
    assert list(stalled_notes(Artifact.objects.all())) == []


def test_a_note_taken_up_after_a_long_hold_is_stalled_only_once_it_has_been_at_work_for_too_long():
    artifact = make_artifact(transcription=["provider"])
    perform(scheduled(artifact).pk)
    make_due(artifact)
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(3600))
    taken = claimed(artifact)
    assert list(stalled_notes(Artifact.objects.all())) == []
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(3600))
    StageRun.objects.filter(pk=taken.run_id).update(started_at=past(3600))
    assert list(stalled_notes(Artifact.objects.all())) == [artifact]


@pytest.mark.parametrize(
    ("needs_person", "words"), [(True, "once somebody has put that right"), (False, "is tested again on")]
)
def test_a_note_on_hold_says_what_has_to_happen(needs_person, words):
    paused(next_probe_at=timezone.now() + timedelta(days=1), needs_person=needs_person)
    assert words in explain_artifact(turned_away().artifact).paragraph


def test_a_paused_note_says_that_people_have_paused_it():
    Pause.objects.create(subject="everything", reason="Works.", paused_by=make_user("Operator"))
    paragraph = explain_artifact(turned_away().artifact).paragraph
    assert "It waits because people have paused this work" in paragraph
    assert "It goes on when the pause is ended." in paragraph


def test_the_status_tells_of_the_services():
    assert status_report()["ai_services"]["transcription"]["state"] == "closed"
    paused()
    assert status_report()["ai_services"]["transcription"]["reason"] == "provider_error"
    resume_service(HEARING, by_id=make_user("Operator").pk)
    assert status_report()["ai_services"]["transcription"]["reason"] == ""
