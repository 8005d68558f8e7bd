"""A worker that has done a stage goes on with the note's next ones, while its job has time for them."""

import pytest
from django.utils import timezone

from tests.engine.helpers import active_run, doorbells, make_artifact, past, results, scheduled
from voicepipeline.engine import doorbell, stopping
from voicepipeline.engine.execution import perform_and_go_on, seconds_to_go_on
from voicepipeline.models import StageName, StageRun

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_doorbell_takes_a_note_through_all_its_stages():
    artifact = make_artifact()
    perform_and_go_on(scheduled(artifact).pk)
    assert results(artifact) == StageName.values
    assert len(doorbells()) == 1


def test_what_the_job_has_no_time_for_is_rung_for(settings):
    settings.JOB_TIMEOUT_SECONDS = 0
    artifact = make_artifact()
    perform_and_go_on(scheduled(artifact).pk)
    assert results(artifact) == [StageName.TRANSCRIPTION]
    assert doorbells()[1:] == [("voicepipeline.tasks.extract_claims", (artifact.pk, active_run(artifact).pk))]


@pytest.mark.parametrize(("job", "call", "seconds"), [(180, 60, 42), (60, 24, 6), (60, 30, 0), (10, 1, 7)])
def test_a_further_stage_is_begun_only_while_its_longest_calls_still_fit(settings, job, call, seconds):
    settings.JOB_TIMEOUT_SECONDS, settings.AI_CHAT_TIMEOUT_SECONDS = job, call
    assert seconds_to_go_on() == pytest.approx(seconds)


def test_a_stage_that_fails_for_now_ends_the_going_on():
    artifact = make_artifact(claims_extraction=["transient"])
    perform_and_go_on(scheduled(artifact).pk)
    waiting = active_run(artifact)
    assert (waiting.stage, waiting.transient_no, waiting.rung_at) == (StageName.CLAIMS_EXTRACTION, 1, None)
    assert len(doorbells()) == 1


def test_a_worker_of_a_cluster_that_stops_begins_nothing_and_has_it_rung_for_again():
    run = scheduled(make_artifact())
    stopping.note_cluster_stops()
    try:
        perform_and_go_on(run.pk)
    finally:
        stopping.note_cluster_stops(False)
    run.refresh_from_db()
    assert (run.status, run.lease_token, run.rung_at, run.ring_count) == ("queued", 0, None, 0)


def test_a_stage_nobody_went_on_with_is_rung_for_by_the_watchdog():
    artifact = make_artifact()
    with doorbell.answering_own() as own:
        run = scheduled(artifact)
    assert [bell.run_id for bell in own] == [run.pk]
    assert doorbells() == []
    StageRun.objects.filter(pk=run.pk).update(rung_at=past(31))
    assert doorbell.ring_due(timezone.now()) == 1
    assert len(doorbells()) == 1
