"""All four stages, from a recording to entries that wait for a person."""

import pytest

from tests.engine.helpers import run_to_the_end, scheduled
from tests.pipeline.helpers import spoken, squad
from tests.pipeline.test_way import ask
from voicepipeline.engine.requests import run_again_from, start_over
from voicepipeline.models import Claim, EntityResolution, InsightDraft, Transcript
from voicepipeline.stages import STAGES

pytestmark = pytest.mark.django_db

ROWS = (Transcript, Claim, EntityResolution, InsightDraft)


@pytest.fixture(autouse=True)
def real_stages(settings, simulator):
    settings.STAGE_CODE = {
        **settings.STAGE_CODE,
        "entity_resolution": "voicepipeline.stages.resolution",
        "draft_generation": "voicepipeline.stages.drafts",
    }


@pytest.fixture
def coach():
    coach, _ = squad("Niamh Kelly", "Aoife Ryan")
    return coach


def rows(artifact):
    return [model.objects.filter(artifact=artifact).count() for model in ROWS]


def ready(artifact):
    scheduled(artifact)
    return run_to_the_end(artifact)


def test_a_recording_becomes_entries_for_the_players_it_names(coach):
    artifact = ready(spoken(sender=coach))
    assert (artifact.status, rows(artifact)) == ("completed", [1, 2, 2, 2])
    entries = InsightDraft.objects.filter(artifact=artifact)
    assert [(str(entry.player), entry.topic, entry.status) for entry in entries] == [
        ("Aoife Ryan", "injury", "pending"),
        ("Niamh Kelly", "performance", "pending"),
    ]


def test_a_name_as_it_is_heard_leads_to_its_player(coach):
    artifact = ready(spoken("Neve Kelly was excellent tonight.", sender=coach))
    assert [str(entry.player) for entry in InsightDraft.objects.filter(artifact=artifact)] == ["Niamh Kelly"]


def test_silence_ends_ready_with_nothing_but_its_transcript(coach):
    artifact = ready(spoken("", sender=coach))
    assert (artifact.status, artifact.outcome, rows(artifact)) == ("completed", "no_speech", [1, 0, 0, 0])


def test_a_player_whom_only_the_model_named_gets_no_entry(coach, befall):
    befall("chat", "invented_name")
    artifact = ready(spoken("Niamh Kelly was excellent tonight.", sender=coach))
    assert {str(entry.player) for entry in InsightDraft.objects.filter(artifact=artifact, player__isnull=False)} == {
        "Niamh Kelly"
    }


@pytest.mark.parametrize("stage", ["transcription", "claims_extraction", "entity_resolution", "draft_generation"])
def test_running_again_from_any_stage_doubles_nothing(coach, stage):
    artifact = ready(spoken(sender=coach))
    before = rows(artifact), set(InsightDraft.objects.values_list("key", flat=True))
    ask(artifact, run_again_from, STAGES[stage])
    assert run_to_the_end(artifact).status == "completed"
    assert (rows(artifact), set(InsightDraft.objects.values_list("key", flat=True))) == before


def test_starting_over_says_what_it_deletes_and_doubles_nothing(coach):
    artifact = ready(spoken(sender=coach))
    deleted = ask(artifact, start_over)
    assert (deleted["transcripts"], deleted["statements"]) == (1, 2)
    assert rows(artifact) == [0, 0, 0, 0]
    run_to_the_end(artifact)
    assert rows(artifact) == [1, 2, 2, 2]
