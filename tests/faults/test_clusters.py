"""Real clusters whose processes are killed, stopped, or killed by the work itself."""

import signal
import socket
import subprocess
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from django.utils import timezone
from django_q.models import OrmQ

from tests.faults.crashing import Before, crash, watch_until_killed
from tests.faults.fleet import Fleet, members_of, until, waits_for_a_pipe
from tests.faults.invariants import broken
from voicepipeline.engine.limits import Limits
from voicepipeline.engine.watchdog import Watchdog
from voicepipeline.models import ClusterBeat

pytestmark = [pytest.mark.faults, pytest.mark.trial]

SHORT: dict[str, float] = {
    "lease": 2.4,
    "ring_again_first": 1,
    "watchdog_pause": 0.2,
    "beat_every": 0.5,
    "cluster_lost_after": 5,
    "self_test_after": 1,
    "wedged_after": 5,
    "stopping_grace": 1,
}
STATUS = "SELECT status FROM voicepipeline_artifact WHERE id = %s"
RUNS = """
    SELECT status, attempt, transient_no, crash_no, error_code FROM voicepipeline_stagerun
    WHERE artifact_id = %s ORDER BY id
"""
RUNNING = "SELECT count(*) FROM voicepipeline_stagerun WHERE status = 'running' AND artifact_id = %s"
NEXT_RUN = "SELECT lease_token, rung_at FROM voicepipeline_stagerun WHERE status = 'queued' AND artifact_id = %s"
ENDED = "SELECT ended_reason FROM voicepipeline_clusterbeat WHERE parent_pid = %s AND ended_at IS NOT NULL"


def wait_for(fleet: Fleet, artifact: int, status: str) -> None:
    until(lambda: fleet.query(STATUS, artifact) == [(status,)], f"the note is {status}")


def check(fleet: Fleet) -> None:
    with fleet.cursor() as cursor:
        assert broken(cursor) == []


def test_a_poison_stage_fails_after_three_crashes_and_harms_no_neighbour(fleet):
    parent = fleet.start_cluster("cluster", workers=3, engine=SHORT)
    fleet.start_watchdog(engine=SHORT)
    slowly = {"transcription": ["slow:1"], "claims_extraction": ["slow:1"]}
    poison, *neighbours = fleet.feed({"transcription": ["die"] * 9}, *[slowly] * 6)
    wait_for(fleet, poison, "failed")
    crashes = [("failed", attempt, 0, attempt - 1, "worker_died") for attempt in (1, 2, 3)]
    assert fleet.query(RUNS, poison) == crashes
    for neighbour in neighbours:
        wait_for(fleet, neighbour, "completed")
        assert fleet.query(RUNS, neighbour) == [("succeeded", 1, 0, 0, "")] * 4
    assert fleet.query(ENDED, parent) == []  # it has worked for longer than a wedged one may stand still
    check(fleet)


def test_a_cluster_whose_idle_worker_died_with_the_queues_lock_is_named_and_replaced(fleet):
    parent = fleet.start_cluster("cluster", workers=1, engine=SHORT)
    fleet.start_watchdog(engine=SHORT)
    holders = until(
        lambda: [worker for worker in members_of(parent)["idle"] if waits_for_a_pipe(worker)], "a worker with the lock"
    )
    holders[0].kill()
    (artifact,) = fleet.feed({})
    (reason,) = until(lambda: fleet.query(ENDED, parent), "the wedged cluster is named")[0]
    assert reason == "Processing had stopped: it took up no work while work was waiting."
    wait_for(fleet, artifact, "completed")
    assert fleet.pid("cluster") != parent
    check(fleet)


@pytest.mark.django_db(transaction=True)
def test_a_watchdog_that_dies_before_it_kills_a_wedged_cluster_leaves_that_to_the_next(settings):
    settings.ENGINE = SHORT
    long_ago = timezone.now() - timedelta(hours=1)
    OrmQ.objects.create(key="voicepipeline", payload="-", lock=long_ago)
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as cluster:
        beat = ClusterBeat.objects.create(
            host=socket.gethostname(),
            parent_pid=cluster.pid,
            parent_started_at=datetime.fromtimestamp(psutil.Process(cluster.pid).create_time(), UTC),
            sentinel_pid=cluster.pid,
            workers=1,
            started_at=long_ago,
        )
        crash(Before("os:killpg"), watch_until_killed)
        assert cluster.poll() is None
        Watchdog().round()
        assert cluster.wait(10) == -signal.SIGKILL
    beat.refresh_from_db()
    assert beat.ended_reason


def test_a_wedged_cluster_is_ended_within_three_minutes_of_its_last_work():
    usual = Limits()
    found = usual.wedged_after + 2 * usual.beat_every
    assert usual.self_test_after * 4 / 3 < usual.wedged_after
    assert found < timedelta(minutes=3)


def test_work_goes_on_while_a_killed_monitor_records_nothing_and_then_the_cluster_is_replaced(fleet):
    parent = fleet.start_cluster("cluster", workers=2, engine=SHORT)
    fleet.start_watchdog(engine=SHORT)
    monitor = until(lambda: [p for p in members_of(parent)["monitor"] if waits_for_a_pipe(p)], "a waiting monitor")
    monitor[0].kill()
    before, at_work = fleet.feed({}, {"transcription": ["slow:2", "ok"]})
    wait_for(fleet, before, "completed")
    (reason,) = until(lambda: fleet.query(ENDED, parent), "the cluster has ended itself")[0]
    assert reason == "Its results were no longer recorded: it took up jobs and ended none."
    until(lambda: fleet.ready_cluster("cluster", 2), "a new cluster")
    (after,) = fleet.feed({})
    wait_for(fleet, after, "completed")
    wait_for(fleet, at_work, "completed")
    assert (
        fleet.count("SELECT count(*) FROM voicepipeline_stagerun WHERE artifact_id = %s AND crash_no > 0", at_work) == 0
    )
    check(fleet)


def test_a_stopped_cluster_gives_its_run_back_uncharged_and_soon(fleet):
    fleet.start_cluster("cluster", workers=2, engine=SHORT)
    (artifact,) = fleet.feed({"transcription": ["slow:15"]})
    until(lambda: fleet.count(RUNNING, artifact), "the note is being worked on")
    assert fleet.stop("cluster") < 8
    assert fleet.query(RUNS, artifact) == [("queued", 1, 0, 0, "")]
    fleet.start_cluster("another", workers=2, engine=SHORT)
    fleet.start_watchdog(engine=SHORT)
    wait_for(fleet, artifact, "completed")
    check(fleet)


def test_a_worker_of_a_stopping_cluster_ends_its_stage_and_leaves_the_next_to_another(fleet):
    fleet.start_cluster("cluster", workers=2, engine={**SHORT, "stopping_grace": 15})
    (artifact,) = fleet.feed({"transcription": ["slow:2"]})
    until(lambda: fleet.count(RUNNING, artifact), "the note is being worked on")
    assert fleet.stop("cluster") < 12
    assert fleet.query(RUNS, artifact) == [("succeeded", 1, 0, 0, ""), ("queued", 1, 0, 0, "")]
    assert fleet.query(NEXT_RUN, artifact) == [(0, None)]
    fleet.start_watchdog(engine=SHORT)
    fleet.start_cluster("another", workers=2, engine=SHORT)
    wait_for(fleet, artifact, "completed")
    assert fleet.query(RUNS, artifact) == [("succeeded", 1, 0, 0, "")] * 4
    check(fleet)
