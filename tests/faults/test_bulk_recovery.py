"""A provider that refuses everything, and what one person does about it: previewed, tried, stopped, cured, retried."""

import json
import math
import os
import time

import pytest

from retry.limits import Limits as RetryLimits
from tests.faults.fleet import until
from tests.faults.invariants import broken
from tests.simulator.running import control, simulating
from voicepipeline.engine.limits import Limits
from voicepipeline.simulator.faults import Plan

pytestmark = [pytest.mark.faults, pytest.mark.trial]

# BULK_RECOVERY_NOTES=1000 for a thousand, as long as it takes.
NOTES = int(os.environ.get("BULK_RECOVERY_NOTES", "200"))
HELD_NOTES = min(NOTES, 200)
RECEIVED_AT_ONCE = 100
FRESH = 10
# While a fresh note is on its way, of the others not many more may end than have been begun before it.
MOST_FOR_EACH_FRESH = 3
WORKERS = 16
AT_ONCE = WORKERS * RetryLimits().share_of_workers_percent // 100
TRIED_FIRST = RetryLimits().tried_first
# The target, of a machine that does nothing else, is 0.3 s; `make bench ONLY=retry` measures it.
PREVIEW_SECONDS = 1.5
OUTAGE_SECONDS = 12
PATIENCE_SECONDS = 240
QUIET_SECONDS = 60
LOOK_SECONDS = 0.1
SCALE = 240
SHIPPED = Limits()
ENGINE = {
    "watchdog_pause": 0.2,
    "provider_pause": SHIPPED.provider_pause.total_seconds() / SCALE,
    "probe_pause": SHIPPED.probe_pause.total_seconds() / SCALE,
    "longest_probe_pause": SHIPPED.longest_probe_pause.total_seconds() / SCALE,
}

FAILED = "SELECT count(*) FROM voicepipeline_artifact WHERE id = ANY(%s) AND status = 'failed'"
READY = "SELECT count(*) FROM voicepipeline_artifact WHERE id = ANY(%s) AND completed_at IS NOT NULL"
# How many retries ended while these notes were on their way.
ENDED_MEANWHILE = """
    SELECT count(*) FROM retry_retryattempt retry, (
        SELECT min(received_at) AS first, max(completed_at) AS last FROM voicepipeline_artifact WHERE id = ANY(%s)
    ) fresh WHERE retry.finished_at BETWEEN fresh.first AND fresh.last
"""
STATE = "SELECT state FROM retry_bulkretry WHERE bulk_id = %s"
UNDER_WAY = """
    SELECT count(*) FROM retry_bulkretryitem item WHERE state = 'requested' AND NOT EXISTS (
        SELECT FROM voicepipeline_stagerun run WHERE run.artifact_id = item.artifact_id
        AND run.status = 'queued' AND run.parked_since IS NOT NULL
    )
"""
ON_HOLD = "SELECT count(*) FROM voicepipeline_stagerun WHERE status = 'queued' AND parked_since IS NOT NULL"
BEGUN = "SELECT count(*) FROM retry_retryattempt"
ENDED = "SELECT count(*) FROM retry_retryattempt WHERE outcome <> 'under_way'"
# How many retries each of these notes has had, and how many notes have had so many.
RETRIED = """
    SELECT times, count(*) FROM (
        SELECT count(retry.id) AS times FROM unnest(%s::bigint[]) AS note(id)
        LEFT JOIN retry_retryattempt retry ON retry.artifact_id = note.id GROUP BY note.id
    ) counted GROUP BY times ORDER BY times
"""
# Of the notes of this bulk retry: how often their retries were requested, by what the log says.
TOLD = """
    SELECT event_type, count(*) FROM voicepipeline_pipelineevent event WHERE event_type LIKE 'retry%%'
    AND artifact_id = ANY(%s) GROUP BY event_type
"""
CHARGED = (
    "SELECT count(*) FROM voicepipeline_stagerun WHERE artifact_id = ANY(%s) AND (transient_no > 0 OR crash_no > 0)"
)


@pytest.fixture
def working(own_installation):
    """A cluster of real stages, its watchdog, and the simulated provider that it asks."""
    fleet = own_installation
    with simulating(Plan(latency=0.05)) as simulator:
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


def receive_many(fleet, count: int, word: str) -> list[int]:
    parts = [min(RECEIVED_AT_ONCE, count - at) for at in range(0, count, RECEIVED_AT_ONCE)]
    return [note for number, part in enumerate(parts) for note in receive(fleet, part, f"{word} {number}")]


def staff(fleet, *act: str) -> dict:
    return json.loads(fleet.run("-m", "tests.faults.retrying", *act))


def refuse(simulator, everything: bool) -> None:
    """Whether the provider answers every recording with 400, for good."""
    control(simulator, "POST", rates={"transcriptions": {"bad_request": 1.0} if everything else {}})


def all_failed(fleet, simulator, count: int, word: str) -> list[int]:
    refuse(simulator, True)
    notes = receive_many(fleet, count, word)
    until(lambda: fleet.count(FAILED, notes) == count, "all have failed", PATIENCE_SECONDS)
    return notes


class Watched:
    """How a bulk retry fares, and the most that was ever under way of all of them."""

    def __init__(self, fleet, bulk: str) -> None:
        self.fleet, self.bulk, self.most = fleet, bulk, 0

    def until_it_is(self, state: str) -> None:
        self._until(lambda: self._is(state), f"the bulk retry is {state}")

    def until_ended(self, count: int) -> None:
        self._until(lambda: self._is("finished") or self.fleet.count(ENDED) >= count, f"{count} have ended")

    def _until(self, true, what: str) -> None:
        """However long it takes on a busy machine, as long as some end."""
        ended, moved = -1, 0.0
        while not true():
            if (now := self.fleet.count(ENDED)) != ended:
                ended, moved = now, time.monotonic()
            assert time.monotonic() < moved + QUIET_SECONDS, f"{ended} have ended, and no more: {what}"

    def _is(self, state: str) -> bool:
        self.most = max(self.most, self.fleet.count(UNDER_WAY))
        time.sleep(LOOK_SECONDS)
        return self.fleet.query(STATE, self.bulk) == [(state,)]


def test_many_notes_of_one_problem_are_tried_given_up_cured_and_retried(working):
    fleet, simulator = working
    notes = all_failed(fleet, simulator, NOTES, "refused")

    preview = staff(fleet, "preview")
    assert (preview["expected"], preview["refused"], preview["kinds"]) == (NOTES, 0, {"transcription": NOTES})
    assert preview["queries"][0] == preview["queries"][1]
    assert preview["seconds"] < PREVIEW_SECONDS

    assert staff(fleet, "start", preview["bulk"])["done"]
    Watched(fleet, preview["bulk"]).until_it_is("halted")
    halted = staff(fleet, "look", preview["bulk"])
    assert (halted["failed"], halted["waiting"], halted["requested"]) == (TRIED_FIRST, NOTES - TRIED_FIRST, 0)
    assert "came back on 3 of the last 3" in halted["why"]

    refuse(simulator, False)
    again = staff(fleet, "preview")
    assert (again["expected"], again["failures"]) == (NOTES, preview["failures"] + TRIED_FIRST)
    assert staff(fleet, "start", again["bulk"])["done"]
    watched = Watched(fleet, again["bulk"])
    watched.until_ended(NOTES // 4)
    fresh = receive(fleet, FRESH, "meanwhile")
    until(lambda: fleet.count(READY, fresh) == FRESH, "the fresh notes are ready", 120)
    assert fleet.query(STATE, again["bulk"]) == [("running",)], "the fresh notes were not ready before all was over"
    watched.until_it_is("finished")

    done = staff(fleet, "look", again["bulk"])
    assert (done["succeeded"], done["failed"], done["refused"], done["superseded"]) == (NOTES, 0, 0, 0)
    assert dict(fleet.query(RETRIED, notes)) == {1: NOTES - TRIED_FIRST, 2: TRIED_FIRST}
    assert dict(fleet.query(TOLD, notes)) == {
        "retry_initiated": NOTES + TRIED_FIRST,
        "retry_failed": TRIED_FIRST,
        "retry_succeeded": NOTES,
    }
    assert 0 < watched.most <= AT_ONCE
    # By what was done, and not by the clock: on a busy machine both take longer.
    assert fleet.count(ENDED_MEANWHILE, fresh) <= MOST_FOR_EACH_FRESH * FRESH
    assert fleet.count(READY, notes) == NOTES
    check(fleet)


def test_while_the_provider_is_down_it_waits_says_so_and_goes_on_by_itself(working):
    fleet, simulator = working
    notes = all_failed(fleet, simulator, HELD_NOTES, "down")
    refuse(simulator, False)
    preview = staff(fleet, "preview")
    before = fleet.count(ENDED)
    assert staff(fleet, "start", preview["bulk"])["done"]
    watched = Watched(fleet, preview["bulk"])
    watched.until_ended(before + HELD_NOTES // 4)
    control(simulator, "POST", outage={"for": OUTAGE_SECONDS, "fault": "status:503"})
    over = time.monotonic() + OUTAGE_SECONDS
    until(lambda: fleet.count(ON_HOLD), "notes are on hold")
    until(lambda: staff(fleet, "look", preview["bulk"])["waits_for"], "its page says that it waits", OUTAGE_SECONDS)
    said, begun = staff(fleet, "look", preview["bulk"]), fleet.count(BEGUN)
    until(lambda: time.monotonic() > over - 1, "the outage is nearly over", OUTAGE_SECONDS)
    begun_meanwhile = fleet.count(BEGUN) - begun
    watched.until_it_is("finished")

    assert (said["state"], said["waits_for"]) == ("running", "the AI service is down")
    assert begun_meanwhile <= math.ceil(OUTAGE_SECONDS / ENGINE["probe_pause"])  # one at most for each test of it
    done = staff(fleet, "look", preview["bulk"])
    assert (done["succeeded"], done["failed"], done["refused"]) == (HELD_NOTES, 0, 0)
    assert dict(fleet.query(RETRIED, notes)) == {1: HELD_NOTES}
    assert fleet.count(CHARGED, notes) == 0
    assert watched.most <= AT_ONCE
    check(fleet)


def check(fleet) -> None:
    with fleet.cursor() as cursor:
        cursor.execute("ANALYZE")  # what was filled a minute ago is planned for as if it were empty
        assert broken(cursor) == []
