"""An hour without the provider, in a quarter of a minute: every interval is a 240th of what is shipped."""

import itertools
import json
import statistics
import time

import pytest

from tests.faults.fleet import until
from tests.faults.invariants import broken
from tests.simulator.running import control, simulating
from voicepipeline.engine.limits import Limits
from voicepipeline.simulator.faults import Plan

pytestmark = [pytest.mark.faults, pytest.mark.trial]

SCALE = 240
OUTAGE_SECONDS = 3600 / SCALE
WORKERS = 8
NOTES, USUAL, FRESH = 300, 20, 10
SHIPPED = Limits()
# A worker that looks between the decision and its commit finds the service well, and calls it: that is no test of it.
COMMITTED_WITHIN_SECONDS = 0.1
ENGINE = {
    "watchdog_pause": 0.2,
    "provider_pause": SHIPPED.provider_pause.total_seconds() / SCALE,
    "probe_pause": SHIPPED.probe_pause.total_seconds() / SCALE,
    "longest_probe_pause": SHIPPED.longest_probe_pause.total_seconds() / SCALE,
}
SECONDS = """
    SELECT extract(epoch FROM completed_at - received_at)::float FROM voicepipeline_artifact
    WHERE id = ANY(%s) AND completed_at IS NOT NULL
"""
ON_THEIR_WAY = "SELECT count(*) FROM voicepipeline_artifact WHERE status NOT IN ('completed', 'failed')"
ON_HOLD = "SELECT count(*) FROM voicepipeline_stagerun WHERE status = 'queued' AND parked_since IS NOT NULL"
CHARGED = """
    SELECT count(*) FROM voicepipeline_stagerun
    WHERE artifact_id = ANY(%s) AND (transient_no > 0 OR crash_no > 0 OR status = 'failed')
"""
SAID = """
    SELECT pipeline_stage, count(*) FROM voicepipeline_pipelineevent
    WHERE event_type = %s GROUP BY pipeline_stage
"""
FAILED_CALLS = """
    SELECT extract(epoch FROM started_at)::float FROM voicepipeline_providercall
    WHERE service = 'transcription' AND NOT succeeded ORDER BY started_at
"""
# When it was decided; the event itself is written a little later, after what the last calls before it had to say.
OPENED_AT = """
    SELECT extract(epoch FROM stage_started_at)::float FROM voicepipeline_pipelineevent
    WHERE event_type = 'circuit_breaker_opened' AND pipeline_stage = 'transcription'
"""


@pytest.fixture
def working(own_installation):
    """A cluster of real stages, its watchdog, and the simulated provider that it asks."""
    fleet = own_installation
    with simulating(Plan(latency=0.1)) as simulator:
        fleet.environment |= {
            "STAGE_CODE": "{}",
            "OPENAI_BASE_URL": simulator.base_url,
            "ENGINE": json.dumps({"longest_run": 25, **ENGINE}),
            "WORKERS": str(WORKERS),
        }
        fleet.start("cluster", "qcluster")
        fleet.start("watchdog", "pipeline_watchdog")
        until(lambda: fleet.ready_cluster("cluster", WORKERS), "the cluster is ready")
        yield fleet, simulator
        fleet.end_processes()


def receive(fleet, count: int, word: str) -> list[int]:
    return [int(line) for line in fleet.run("-m", "tests.faults.recordings", str(count), word).split()]


def seconds_of(fleet, artifacts: list[int]) -> list[float]:
    until(lambda: len(fleet.query(SECONDS, artifacts)) == len(artifacts), "these notes are ready", 120)
    return [seconds for (seconds,) in fleet.query(SECONDS, artifacts)]


def test_an_outage_of_an_hour_fails_nothing_and_uses_no_budget(working):
    fleet, simulator = working
    usual = seconds_of(fleet, receive(fleet, USUAL, "before"))
    control(simulator, "POST", outage={"for": OUTAGE_SECONDS, "fault": "status:503"})
    over = time.monotonic() + OUTAGE_SECONDS
    held = receive(fleet, NOTES, "meanwhile")
    until(lambda: fleet.count(ON_HOLD) >= NOTES - WORKERS, "all are on hold")
    until(lambda: time.monotonic() > over, "the outage is over", OUTAGE_SECONDS + 5)
    until(lambda: fleet.count(ON_HOLD) < NOTES - WORKERS, "the backlog is being released")
    fresh = seconds_of(fleet, receive(fleet, FRESH, "after"))
    assert fleet.count(ON_HOLD) > 0, "the fresh notes were not ready before the backlog was worked off"
    until(lambda: fleet.count(ON_THEIR_WAY) == 0, "everything is worked off", 120)

    assert len(seconds_of(fleet, held)) == NOTES
    assert fleet.count(CHARGED, held) == 0
    assert dict(fleet.query(SAID, "circuit_breaker_opened")) == dict(fleet.query(SAID, "circuit_breaker_closed"))
    assert dict(fleet.query(SAID, "circuit_breaker_opened"))["transcription"] == 1
    assert min(probe_pauses(fleet)) >= ENGINE["probe_pause"]
    assert statistics.median(fresh) < 3 * max(usual)
    with fleet.cursor() as cursor:
        assert broken(cursor) == []


def probe_pauses(fleet) -> list[float]:
    """The times between the calls that were made while the service was paused, shortest first."""
    ((opened,),) = fleet.query(OPENED_AT)
    times = [opened, *(at for (at,) in fleet.query(FAILED_CALLS) if at > opened + COMMITTED_WITHIN_SECONDS)]
    return sorted(later - earlier for earlier, later in itertools.pairwise(times))
