"""Runs on hold, and what is said when they leave it."""

import pytest

from tests.engine.helpers import active_run, claimed, events_of, make_artifact, make_due, scheduled
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import give_back

pytestmark = pytest.mark.django_db


def test_a_run_given_back_right_after_its_hold_is_told_twice():
    artifact = make_artifact(transcription=["provider"])
    perform(scheduled(artifact).pk)
    make_due(artifact)
    give_back(claimed(artifact))
    assert active_run(artifact).status == "queued"
    assert events_of(artifact).count("stage_released") == 2
