"""The commands that tell how the pipeline and its notes are."""

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.engine.helpers import claimed, make_artifact, run_to_the_end, scheduled
from voicepipeline.models import AIServiceHealth, ClusterBeat, DroppedEvent
from voicepipeline.pipeline_status import clusters_in_words

pytestmark = pytest.mark.django_db


def output(capsys, *arguments):
    call_command(*arguments)
    return capsys.readouterr().out


def make_beat(seconds_ago=4, **fields):
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    return ClusterBeat.objects.create(
        **{
            "host": "web-1",
            "parent_pid": ClusterBeat.objects.count() + 1,
            "parent_started_at": moment,
            "sentinel_pid": 2,
            "workers": 8,
            "last_seen_at": moment,
            **fields,
        }
    )


def test_a_waiting_note_is_explained(capsys):
    make_beat()
    ahead, artifact = make_artifact(), make_artifact()
    scheduled(ahead)
    scheduled(artifact)
    paragraph = output(capsys, "explain_artifact", str(artifact.artifact_id))
    assert "Ahead of it: 1. The workers were seen 4 s ago." in paragraph
    assert "\n" not in paragraph.strip()


def test_a_failed_note_is_explained_with_the_reason_of_its_last_try(capsys):
    artifact = make_artifact(transcription=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    paragraph = output(capsys, "explain_artifact", str(artifact.artifact_id))
    assert "The audio is not readable. Trying again will not help." in paragraph


def test_a_note_that_was_tried_six_times_is_not_called_hopeless(capsys):
    artifact = make_artifact(transcription=["transient"] * 6)
    scheduled(artifact)
    run_to_the_end(artifact)
    assert "It was tried 6 times" in output(capsys, "explain_artifact", str(artifact.artifact_id))


@pytest.mark.parametrize("given", ["nonsense", "0b5e8f0a-7c1d-4e9b-8a53-2f6d1c9e4b70", "12", "\x00"])
def test_an_unknown_id_is_answered_in_words(given):
    with pytest.raises(CommandError, match="There is no voice note with the id"):
        call_command("explain_artifact", given)


def test_the_status_counts_notes_and_runs(capsys):
    make_beat()
    scheduled(make_artifact())
    done = make_artifact()
    scheduled(done)
    run_to_the_end(done)
    report = json.loads(output(capsys, "pipeline_status", "--json"))
    assert report["notes"] | {"received": 1, "completed": 1} == report["notes"]
    assert report["runs"] | {"queued": 1, "succeeded": 4, "running": 0} == report["runs"]
    assert report["due"] == 1
    assert report["oldest_waiting_seconds"] >= 0


def test_the_status_tells_of_clusters_holds_and_losses(capsys):
    make_beat()
    held = make_artifact(transcription=["provider"])
    scheduled(held)
    run_to_the_end(held, most=1)
    DroppedEvent.objects.create(event_type="x", reason="DataError")
    report = json.loads(output(capsys, "pipeline_status", "--json"))
    assert (report["on_hold"], report["dropped_events"]) == (1, 1)
    assert [(cluster["state"], cluster["workers"]) for cluster in report["clusters"]] == [("working", 8)]


def test_the_status_of_an_empty_pipeline_says_what_to_do(capsys):
    assert "none has reported in today" in output(capsys, "pipeline_status")


@time_machine.travel("2026-11-21T10:00:00Z", tick=False)
@pytest.mark.parametrize(
    ("since", "reason", "state", "words"),
    [
        ("2026-11-21T09:40:00Z", "provider_no_credit", "open", "paused, the provider credit is used up, since 09:40"),
        ("2026-11-20T09:40:00Z", "provider_error", "open", "paused, the AI service is down, since 20 Nov, 09:40"),
        ("2026-11-21T09:40:00Z", "new", "half_open", "testing, the AI service is in trouble, since 09:40"),
    ],
)
def test_the_status_tells_of_each_ai_service_that_is_not_normal(capsys, since, reason, state, words):
    AIServiceHealth.objects.create(service="chat")
    until = timezone.now() if state == "half_open" else None
    AIServiceHealth.objects.create(
        service="transcription",
        state=state,
        reason=reason,
        trouble_since=datetime.fromisoformat(since),
        probe_until=until,
    )
    told = [line for line in output(capsys, "pipeline_status").splitlines() if line.startswith("AI service")]
    assert told == [f"AI service Transcription: {words} UTC"]


def test_waiting_ends_at_once_when_nothing_is_on_its_way(capsys):
    assert "No voice note is on its way." in output(capsys, "wait_for_pipeline", "--timeout", "0")


def test_waiting_gives_up_in_words():
    claimed_note = make_artifact()
    scheduled(claimed_note)
    claimed(claimed_note)
    with pytest.raises(CommandError, match="After 0 s 1 voice note is still on its way"):
        call_command("wait_for_pipeline", "--timeout", "0")


@pytest.mark.parametrize(
    ("seconds", "words"), [(4, "seen 4 s ago"), (40, "none seen for 40 s"), (3600, "none seen for 1 h")]
)
def test_the_clusters_last_sign_of_life_in_words(seconds, words):
    make_beat(seconds)
    assert clusters_in_words() == words


def test_a_cluster_ended_by_the_watchdog_gives_no_sign_of_life():
    make_beat(ended_at=timezone.now())
    assert clusters_in_words() == "none seen yet"


def test_readyz_tells_of_the_clusters_and_stays_ready_without_them(client):
    make_beat(40)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"]["clusters"] == "none seen for 40 s"
