"""Both stages in the engine's hands: what stands on the note, on its runs and in its events afterwards."""

import errno
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from tests.engine.helpers import events_of, make_due, run_to_the_end, scheduled
from tests.pipeline.helpers import SCRIPT, event_of, go_on, run_of, spoken, squad, start, typed
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.execution import perform
from voicepipeline.engine.limits import limits
from voicepipeline.engine.requests import run_again_from, start_over
from voicepipeline.engine.transactions import database_now, lock_artifact
from voicepipeline.models import Artifact, Claim, ModelPrice, StageRun, Transcript
from voicepipeline.stages import STAGES

pytestmark = pytest.mark.django_db


def counts(artifact):
    return Transcript.objects.filter(artifact=artifact).count(), Claim.objects.filter(artifact=artifact).count()


def ask(artifact, request, *details):
    """What a person asks of the engine; what it says it deleted."""
    change = Change(lock_artifact(artifact.pk), database_now())
    deleted = request(change, *details, Budgets())
    change.flush()
    return deleted


def test_a_spoken_note_passes_both_stages():
    artifact = spoken()
    assert (start(artifact).status, artifact.status) == ("succeeded", "transcribed")
    assert (go_on(artifact).status, artifact.status, artifact.current_stage) == (
        "succeeded",
        "processing",
        "entity_resolution",
    )
    assert counts(artifact) == (1, 2)
    assert run_to_the_end(artifact).status == "completed"
    assert {"transcription_completed", "claims_extracted", "artifact_completed"} <= set(events_of(artifact))


def test_each_run_tells_what_it_used():
    artifact = spoken()
    heard, read = start(artifact), go_on(artifact)
    assert (heard.ai_model, heard.prompt_version, heard.audio_seconds, heard.input_tokens) == (
        "gpt-transcribe",
        "",
        12,
        120,
    )
    assert (read.ai_model, read.prompt_version, read.audio_seconds) == ("gpt-6-luna", "claims-1", None)
    assert min(read.input_tokens, read.output_tokens) > 0
    for run in (heard, read):
        assert run.cost_usd > 0
        assert run.provider_ms is not None
        assert run.request_id.startswith("req_sim")


def test_without_a_price_the_cost_is_unknown():
    ModelPrice.objects.all().delete()
    artifact = spoken()
    assert (start(artifact).cost_usd, go_on(artifact).cost_usd) == (None, None)


def test_the_events_tell_figures_and_nothing_that_was_said():
    coach, _ = squad("Niamh Kelly", "Aoife Ryan")
    artifact = spoken(sender=coach)
    start(artifact)
    go_on(artifact)
    heard = event_of(artifact, "transcription_completed").metadata
    read = event_of(artifact, "claims_extracted").metadata
    assert (heard["verdict"], heard["transcript_word_count"], heard["ai_cost"]) == ("good", 13, "0.000900")
    assert (read["claim_count"], read["claims_unsupported"], read["prompt_version"]) == (2, 0, "claims-1")
    assert not [word for word in SCRIPT.split() if len(word) > 4 and word in f"{heard}{read}"]


def test_a_typed_note_is_not_sent_to_be_heard(calls):
    artifact = typed()
    heard, read = start(artifact), go_on(artifact)
    assert (heard.ai_model, heard.cost_usd, read.ai_model) == ("", None, "gpt-6-luna")
    assert (calls()["transcriptions"], calls()["chat"], counts(artifact)) == (0, 1, (1, 2))


def test_silence_ends_ready_with_nothing_made_and_one_call(calls):
    artifact = spoken("")
    scheduled(artifact)
    run_to_the_end(artifact)
    assert (artifact.status, artifact.outcome, counts(artifact)) == ("completed", "no_speech", (1, 0))
    assert (calls()["transcriptions"], calls()["chat"]) == (1, 0)
    assert event_of(artifact, "transcription_completed").metadata["outcome"] == "no_speech"


def test_starting_over_counts_what_it_deletes_and_doubles_nothing():
    artifact = spoken()
    scheduled(artifact)
    run_to_the_end(artifact)
    deleted = ask(artifact, start_over)
    assert (deleted["transcripts"], deleted["statements"]) == (1, 2)
    assert counts(artifact) == (0, 0)
    assert (run_to_the_end(artifact).status, counts(artifact)) == ("completed", (1, 2))


def test_reading_the_statements_again_keeps_the_transcript_and_doubles_nothing(calls):
    artifact = spoken()
    scheduled(artifact)
    run_to_the_end(artifact)
    keys = list(Claim.objects.values_list("key", flat=True))
    assert ask(artifact, run_again_from, STAGES["claims_extraction"])["statements"] == 2
    run_to_the_end(artifact)
    assert list(Claim.objects.values_list("key", flat=True)) == keys
    assert (counts(artifact), calls()["transcriptions"]) == ((1, 2), 1)


def test_a_recording_that_is_gone_fails_the_note_at_once():
    artifact = spoken()
    default_storage.delete(artifact.voice_note.audio.name)
    run = start(artifact)
    assert (artifact.status, artifact.error_code, run.ai_model) == ("failed", "recording_missing", "")
    assert artifact.error_message.startswith("The recording is no longer where it was kept.")


def test_a_recording_that_cannot_be_read_is_tried_as_often_as_the_budget_has_it(settings):
    artifact = spoken()
    path = Path(settings.MEDIA_ROOT, artifact.voice_note.audio.name)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(OSError) as error:  # noqa: PT011 - its number is looked at
        path.read_bytes()
    assert error.value.errno == errno.ELOOP
    scheduled(artifact)
    run_to_the_end(artifact)
    assert (artifact.status, artifact.error_code) == ("failed", "recording_unreadable")
    assert StageRun.objects.filter(artifact=artifact).count() == limits().transient_budget


def test_after_an_outage_the_note_goes_on_where_it_stood(befall):
    befall("chat", "status:503")
    artifact = typed()
    start(artifact)
    assert go_on(artifact).parked_reason == "provider_error"
    make_due(artifact)
    perform(run_of(artifact, "claims_extraction").pk)
    artifact.refresh_from_db()
    assert (artifact.current_stage, counts(artifact)) == ("entity_resolution", (1, 2))
    assert Artifact.objects.get(pk=artifact.pk).error_code == ""
