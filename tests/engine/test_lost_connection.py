"""A worker whose database connection breaks."""

import pytest

from tests.engine.helpers import active_run, events_of, make_artifact, run_to_the_end, scheduled
from voicepipeline.engine.execution import perform
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _disconnecting(settings):
    settings.STAGE_CODE = {**settings.STAGE_CODE, "transcription": "tests.stages.disconnecting"}


def test_a_connection_lost_while_the_input_is_read_is_not_charged_to_the_note():
    artifact = make_artifact()
    perform(scheduled(artifact).pk)
    run = active_run(artifact)
    assert (run.status, run.attempt, run.transient_no, run.crash_no) == ("queued", 1, 0, 0)
    released = PipelineEvent.objects.get(artifact=artifact, event_type="stage_released")
    assert released.metadata["reason"] == "database_lost"
    assert run_to_the_end(artifact).status == "completed"
    assert events_of(artifact).count("transcription_started") == 2
