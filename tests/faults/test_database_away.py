"""PostgreSQL stops while workers work. Nobody is declared dead for it, and nothing that was done is done again."""

import time

import pytest

from tests.faults.fleet import until
from tests.faults.invariants import broken

pytestmark = [pytest.mark.faults, pytest.mark.trial]

LEASE_SECONDS = 1.8
SHORT: dict[str, float] = {"lease": LEASE_SECONDS, "ring_again_first": 1, "watchdog_pause": 0.1, "beat_every": 0.5}
RUNNING = "SELECT count(*) FROM voicepipeline_stagerun WHERE status = 'running' AND artifact_id = ANY(%s)"
TRANSCRIPTIONS = """
    SELECT status, attempt, lease_token, transient_no, crash_no FROM voicepipeline_stagerun
    WHERE stage = 'transcription' AND artifact_id = ANY(%s)
"""


@pytest.mark.parametrize("down_for", [3 * LEASE_SECONDS, 0], ids=["down for three leases", "restarted"])
def test_nobody_is_declared_dead_while_the_database_is_away(fleet, down_for):
    fleet.start_cluster("cluster", workers=3, engine=SHORT)
    fleet.start_watchdog(engine=SHORT)
    # One ends while the database is away, the other has to keep its lease afterwards.
    notes = fleet.feed({"transcription": ["slow:2"]}, {"transcription": [f"slow:{down_for + 2 * LEASE_SECONDS}"]})
    until(lambda: fleet.count(RUNNING, notes) == 2, "both are being worked on")
    fleet.stop_database()
    time.sleep(down_for)  # its length is what this is about
    fleet.start_database()
    until(lambda: fleet.count(RUNNING, notes) == 0, "both have ended")
    assert fleet.query(TRANSCRIPTIONS, notes) == [("succeeded", 1, 1, 0, 0)] * 2
    with fleet.cursor() as cursor:
        assert broken(cursor) == []
