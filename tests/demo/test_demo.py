"""The whole demo with real processes: within moments its notes are done, asked about, and failed for a reason."""

import contextlib
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.postgres import connect
from tests.supervisor.upping import Up, home, until, up
from voicepipeline.supervisor.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.faults, pytest.mark.trial]

SEEN_WITHIN_SECONDS = 50
# The history has ended; what came in since the start is the running demo's.
SENT = "FROM voicepipeline_artifact note WHERE note.received_at > now() - make_interval(secs => %s)"
READY = f"SELECT count(*) {SENT} AND note.status = 'completed' AND note.outcome = ''"
NO_SPEECH = f"SELECT count(*) {SENT} AND note.outcome = 'no_speech'"
FAILED = f"SELECT count(*) {SENT} AND note.status = 'failed' AND note.error_message <> ''"
UNCLEAR = f"""
    SELECT count(*) {SENT} AND EXISTS (
        SELECT FROM voicepipeline_entityresolution match
        WHERE match.artifact_id = note.id AND match.status = 'needs_disambiguation'
    )
"""
TO_CONFIRM = f"""
    SELECT count(*) {SENT} AND EXISTS (
        SELECT FROM voicepipeline_insightdraft entry WHERE entry.artifact_id = note.id AND entry.status = 'pending'
    )
"""
RETRIES = "SELECT count(*) FROM retry_retryattempt WHERE outcome = %s"
FINISHED = "SELECT count(*) FROM retry_bulkretry WHERE state = 'finished'"
PROBLEMS = "SELECT count(*) FROM retry_failuregroup"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[Up]:
    with home(tmp_path_factory.mktemp("demo") / "var") as var_dir, up(var_dir, "--demo", WORKERS="4") as running:
        yield running.wait_until_ready()


def count(running: Up, question: str, *values: object) -> int:
    with connect(EmbeddedPostgres.for_var_dir(running.var_dir)) as connection:
        row = connection.execute(question, values).fetchone()
    assert row is not None
    return int(row[0])


def test_notes_become_ready_wait_for_a_person_and_fail_for_a_reason(demo):
    """By name, so that what is still missing is told."""
    began = time.time() - 5
    wanted = {"ready": READY, "no speech": NO_SPEECH, "failed": FAILED, "unclear": UNCLEAR, "to confirm": TO_CONFIRM}
    deadline = time.monotonic() + SEEN_WITHIN_SECONDS
    while wanted and time.monotonic() < deadline:
        wanted = {name: asked for name, asked in wanted.items() if not count(demo, asked, time.time() - began)}
        time.sleep(0.3)
    assert not wanted, demo.output


def test_it_has_its_history_and_tells_so(demo):
    until(lambda: "Made the demo's clubs and a week of 400 voice notes" in demo.output, "the history is there", 30)
    assert count(demo, "SELECT count(*) FROM voicepipeline_organization") == 3
    assert count(demo, "SELECT count(*) FROM voicepipeline_artifact WHERE received_at < now() - interval '1 day'") > 200


def test_it_has_problems_retries_of_both_endings_and_a_bulk_retry_that_is_over(demo):
    until(lambda: count(demo, FINISHED), "all notes with one problem were retried", 60)
    until(lambda: count(demo, RETRIES, "failed") and count(demo, RETRIES, "succeeded"), "retries have ended", 30)
    assert count(demo, PROBLEMS) > 2


def test_it_ends_when_it_is_asked_to(demo):
    until(lambda: demo.pid("demo"), "the notes are being sent")
    process = psutil.Process(demo.pid("demo"))
    process.terminate()
    with contextlib.suppress(psutil.NoSuchProcess):
        process.wait(10)
    until(lambda: demo.pid("demo") not in (None, process.pid), "it is started again")
