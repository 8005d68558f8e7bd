"""What the watchdog mends: silent workers, lost doorbells, forgotten notes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from tests.engine.helpers import (
    active_run,
    claimed,
    doorbells,
    events_of,
    make_artifact,
    make_due,
    past,
    run_to_the_end,
    scheduled,
    write_unguarded,
)
from voicepipeline.engine import doorbell
from voicepipeline.engine.execution import perform
from voicepipeline.engine.heartbeat import extend_lease
from voicepipeline.engine.reclaiming import find_suspects
from voicepipeline.engine.watchdog import Watchdog, mend_forgotten
from voicepipeline.models import Artifact, StageRun
from voicepipeline.registry import Tick, registry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_pauses(settings):
    """A lease long enough not to end by itself; one heartbeat is no time at all."""
    settings.ENGINE = {"forgotten_after": 30}


def silent_run(artifact: Artifact) -> StageRun:
    """Running, with its lease over long ago, on a server that has been up for long."""
    scheduled(artifact)
    taken = claimed(artifact)
    StageRun.objects.filter(pk=taken.run_id).update(lease_until=past(3600))
    return StageRun.objects.get(pk=taken.run_id)


def look_twice(settings) -> Watchdog:
    settings.ENGINE = {"lease": 0}
    watchdog = Watchdog()
    watchdog.round()
    watchdog.round()
    return watchdog


def test_a_silent_workers_run_is_picked_up_again(settings):
    artifact = make_artifact()
    run = silent_run(artifact)
    look_twice(settings)
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "worker_died")
    assert (active_run(artifact).crash_no, active_run(artifact).transient_no) == (1, 0)
    assert "stage_run_reclaimed" in events_of(artifact)


def test_nobody_is_declared_dead_at_first_sight(settings):
    settings.ENGINE = {"lease": 0.3}
    artifact = make_artifact()
    run = silent_run(artifact)
    StageRun.objects.filter(pk=run.pk).update(lease_until=past(3600))
    Watchdog().round()
    run.refresh_from_db()
    assert run.status == "running"


def test_a_lease_extended_between_two_looks_saves_the_run(settings):
    artifact = make_artifact()
    scheduled(artifact)
    taken = claimed(artifact)
    StageRun.objects.filter(pk=taken.run_id).update(lease_until=past(3600))
    settings.ENGINE = {"lease": 0}
    watchdog = Watchdog()
    watchdog.seen = dict.fromkeys(find_suspects(), 0.0)
    settings.ENGINE = {"lease": 60}
    assert extend_lease(taken)
    watchdog.round()
    assert active_run(artifact).status == "running"


def test_a_restarted_database_gives_everybody_one_lease(settings):
    """The throw-away server of this run has been up for less than this lease."""
    settings.ENGINE = {"lease": 24 * 3600}
    silent_run(make_artifact())
    assert find_suspects() == []


def test_three_crashes_fail_the_note(settings):
    artifact = make_artifact()
    scheduled(artifact)
    for _ in range(3):
        taken = claimed(artifact)
        StageRun.objects.filter(pk=taken.run_id).update(lease_until=past(3600))
        look_twice(settings)
        settings.ENGINE = {}
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "worker_died")
    assert StageRun.objects.filter(artifact=artifact, error_code="worker_died").count() == 3


def test_a_heartbeat_never_goes_past_the_hard_deadline():
    artifact = make_artifact()
    scheduled(artifact)
    taken = claimed(artifact)
    deadline = timezone.now() + timedelta(seconds=5)
    StageRun.objects.filter(pk=taken.run_id).update(hard_deadline=deadline)
    extend_lease(taken)
    assert StageRun.objects.get(pk=taken.run_id).lease_until == deadline


def test_a_run_that_was_never_rung_is_rung():
    artifact = make_artifact()
    run = scheduled(artifact)
    StageRun.objects.filter(pk=run.pk).update(rung_at=None, ring_count=0)
    assert doorbell.ring_due(timezone.now()) == 1
    assert doorbells() == [("voicepipeline.tasks.transcribe_audio", (artifact.voice_note_id, run.pk))]


def test_a_run_just_rung_is_left_alone():
    run = scheduled(make_artifact())
    StageRun.objects.filter(pk=run.pk).update(rung_at=timezone.now(), ring_count=1)
    assert doorbell.ring_due(timezone.now()) == 0


@pytest.mark.parametrize(("rings", "seconds"), [(1, 30), (2, 60), (3, 120), (9, 600)])
def test_an_unanswered_ring_is_repeated_ever_more_slowly(rings, seconds):
    run = scheduled(make_artifact())
    now = timezone.now()
    StageRun.objects.filter(pk=run.pk).update(rung_at=now - timedelta(seconds=seconds - 1), ring_count=rings)
    assert doorbell.ring_due(now) == 0
    assert doorbell.ring_due(now + timedelta(seconds=2)) == 1


def test_a_future_run_is_not_rung():
    artifact = make_artifact(transcription=["transient"])
    perform(scheduled(artifact).pk)
    assert doorbell.ring_due(timezone.now()) == 0


def test_a_note_with_nothing_scheduled_is_put_back(settings):
    artifact = make_artifact(claims_extraction=["permanent"])
    scheduled(artifact)
    perform(active_run(artifact).pk)
    StageRun.objects.filter(artifact=artifact, status="queued").delete()
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(60))
    assert mend_forgotten(timezone.now()) == 1
    assert active_run(artifact).stage == "claims_extraction"
    assert "stage_released" in events_of(artifact)


def test_a_note_that_has_just_changed_is_not_taken_for_forgotten():
    make_artifact()
    assert mend_forgotten(timezone.now()) == 0


def test_ticks_run_when_their_time_has_come():
    ran = []
    registry.add_tick(Tick("test-tick", timedelta(hours=1), lambda: ran.append(1)))
    try:
        watchdog = Watchdog()
        watchdog.round()
        watchdog.round()
    finally:
        del registry.ticks["test-tick"]
    assert ran == [1]


@pytest.mark.trial
def test_ten_thousand_waiting_notes_are_rung_within_the_cap_and_oldest_first(settings):
    settings.WORKERS = 32
    count = 10_000
    waiting_notes(count)
    cap = settings.WORKERS * 4
    answered: list[int] = []
    while len(answered) < count:
        doorbell.ring_due(timezone.now())
        assert OrmQ.objects.count() <= cap
        bells = [args[1] for _, args in doorbells()][: cap * 3 // 4]  # the others are still being answered
        assert bells
        answered += bells
        StageRun.objects.filter(pk__in=bells).update(not_before=timezone.now() + timedelta(days=1))
        OrmQ.objects.filter(pk__in=OrmQ.objects.order_by("pk").values("pk")[: len(bells)]).delete()
    assert answered == sorted(answered)


def waiting_notes(count: int) -> None:
    notes = [Artifact(source_channel="app_typed", current_stage="claims_extraction") for _ in range(count)]
    artifacts = Artifact.objects.bulk_create(notes)
    moment = past(count)
    StageRun.objects.bulk_create(
        StageRun(
            artifact=artifact,
            stage="claims_extraction",
            generation=1,
            attempt=1,
            queued_at=moment + timedelta(seconds=number),
            not_before=moment,
        )
        for number, artifact in enumerate(artifacts)
    )


def test_no_stage_starves_behind_the_backlog_of_another(settings):
    settings.WORKERS = 2
    waiting_notes(200)
    artifact = make_artifact()
    fresh = scheduled(artifact)
    StageRun.objects.filter(pk=fresh.pk).update(rung_at=None, ring_count=0)
    doorbell.ring_due(timezone.now())
    assert fresh.pk in [args[1] for _, args in doorbells()]


def test_a_deep_queue_is_not_rung_directly(settings, django_capture_on_commit_callbacks):
    settings.WORKERS = 1
    for _ in range(5):
        with django_capture_on_commit_callbacks(execute=True):
            scheduled(make_artifact())
    assert StageRun.objects.filter(rung_at=None).count() == 3
    assert OrmQ.objects.count() == 2


def test_what_was_not_rung_directly_still_gets_done(settings):
    settings.WORKERS = 1
    artifact = make_artifact()
    scheduled(artifact)
    StageRun.objects.filter(artifact=artifact).update(rung_at=None)
    make_due(artifact)
    assert run_to_the_end(artifact).status == "completed"


def test_a_note_that_can_never_be_worked_on_fails_and_says_why():
    artifact = Artifact.objects.create(source_channel="api", updated_at=past(60))
    mend_forgotten(timezone.now())
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "nothing_to_work_on")
    assert "no recording" in artifact.error_message
    assert "artifact_failed" in events_of(artifact)


def test_one_broken_tick_does_not_stop_the_others():
    ran = []

    def broken():
        raise ZeroDivisionError

    registry.add_tick(Tick("broken", timedelta(hours=1), broken))
    registry.add_tick(Tick("sound", timedelta(hours=1), lambda: ran.append(1)))
    try:
        Watchdog().round()
    finally:
        del registry.ticks["broken"], registry.ticks["sound"]
    assert ran == [1]


def test_a_note_with_every_result_is_completed():
    artifact = make_artifact()
    scheduled(artifact)
    run_to_the_end(artifact)
    write_unguarded(
        Artifact, artifact.pk, status="processing", completed_at=None, first_completed_at=None, updated_at=past(60)
    )
    assert mend_forgotten(timezone.now()) == 1
    artifact.refresh_from_db()
    assert artifact.status == "completed"
