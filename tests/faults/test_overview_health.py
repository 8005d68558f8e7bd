"""Each sentence at the top of the overview in its real situation: real processes, a real provider, read over HTTP."""

import contextlib
import json
import re
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from tests.api.helpers import over_http
from tests.faults.fleet import CHECKOUT, PATIENCE_SECONDS, until
from tests.overview.strip import strip_of
from tests.simulator.running import control, simulating
from tests.supervisor.upping import free_port

pytestmark = [pytest.mark.faults, pytest.mark.trial]

WORKERS = 2
LONG = 3600
# Work lasts while it is told and followed, however slow the machine is, and ends before anybody gives it up.
SLOW_SECONDS, JOB_SECONDS = 40, 60
ENGINE = {
    "longest_run": JOB_SECONDS + 15,
    "beat_every": 0.5,
    "cluster_lost_after": 4,
    "watchdog_pause": 0.2,
    "provider_pause": 0.2,
    "probe_pause": 2,
    "longest_probe_pause": 2,
}
COMMANDS = {"cluster": "qcluster", "watchdog": "pipeline_watchdog"}
ANY_NOTE = "SELECT count(*) FROM voicepipeline_artifact"
RUNNING = "SELECT count(*) FROM voicepipeline_stagerun WHERE status = 'running'"
# Nobody waits for minutes: the clock is put forward for what is there.
LET_THEM_WAIT = """
    UPDATE voicepipeline_stagerun SET queued_at = queued_at - interval '5 minutes',
        not_before = not_before - interval '5 minutes' WHERE status = 'queued' RETURNING 1
"""
LET_IT_HANG = """
    WITH hanging AS (
        UPDATE voicepipeline_stagerun SET started_at = started_at - interval '1 hour' WHERE status = 'running'
        RETURNING artifact_id
    )
    UPDATE voicepipeline_artifact SET updated_at = updated_at - interval '1 hour'
    WHERE id IN (SELECT artifact_id FROM hanging) RETURNING 1
"""
ALL_WELL = ["AI service: normal", f"{WORKERS} workers in 1 cluster", "Watchdog: reporting in"]
LENGTH = re.compile(r"\b\d+ (?:ms|s|min)\b")
CLOCK = re.compile(r"\b\d\d:\d\d\b")
LISTED = re.compile(r"^\s*(\d+) (?:stage run|voice note)s?\s*$", re.MULTILINE)
ALL_DONE = ("good", "Everything is flowing and nothing waits; the last voice note was received [so long] ago.")


class Looking:
    """A viewer at the overview, and an operator who presses what is to be pressed."""

    def __init__(self, port, viewer, operator):
        self.server = f"http://127.0.0.1:{port}"
        self.viewer, self.operator = viewer, operator

    def get(self, path):
        status, _, body = over_http(self.server, "GET", path, Cookie=f"sessionid={self.viewer}")
        assert status == 200, f"{path}: {status}"
        return body.decode()

    def press(self, path, subject):
        token = "c" * 32
        cookies = f"sessionid={self.operator}; csrftoken={token}"
        body = urlencode({"subject": subject, "csrfmiddlewaretoken": token})
        kind = "application/x-www-form-urlencoded"
        assert over_http(self.server, "POST", path, body, kind, Cookie=cookies)[0] == 302

    def strip(self):
        return strip_of(self.get("/admin/"))

    def told(self):
        """Each sentence with its level; lengths of time and times of day in brackets."""
        return [(level, _timeless(words)) for level, words in self.strip().told]

    def until_told(self, level, words, seconds=PATIENCE_SECONDS):
        last = []
        try:
            until(lambda: last.append(self.told()) or last[-1] == [(level, words)], "the overview says so", seconds)
        except AssertionError:
            assert last[-1] == [(level, words)]
            raise

    def until_all_is_done(self):
        self.until_told(*ALL_DONE, PATIENCE_SECONDS + SLOW_SECONDS)
        until(lambda: self.strip().stands_on == ALL_WELL, "all that it stands on is well")

    def until_listed(self, count, words):
        """So many rows are where these words lead."""
        until(lambda: self._listed(words) == [count], f"{count} are listed")

    def _listed(self, words):
        urls = [said.links[words] for said in self.strip().sentences if words in said.links]
        return [int(LISTED.search(self.get(url))[1]) for url in urls]

    def follow_all(self):
        """Every link answers."""
        for url in self.strip().addresses:
            self.get(url)


def _timeless(words):
    return CLOCK.sub("[then]", LENGTH.sub("[so long]", words))


@pytest.fixture(scope="module")
def simulator():
    with simulating() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def installation(own_installation, simulator):
    """The stages, provider and limits of all its processes."""
    own_installation.environment |= {
        "STAGE_CODE": "{}",
        "OPENAI_BASE_URL": simulator.base_url,
        "ENGINE": json.dumps(ENGINE),
        "WORKERS": str(WORKERS),
        "JOB_TIMEOUT_SECONDS": str(JOB_SECONDS),
    }
    return own_installation


@pytest.fixture(scope="module")
def looking(installation):
    viewer, operator = installation.run("-m", "tests.faults.looking", "Viewer", "Operator").split()
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "voicepipeline.wsgi:application"]
    options = ["--config", "python:voicepipeline.supervisor.web", "--bind", f"127.0.0.1:{port}"]
    # Without the files of the pages, which nobody looks at.
    environment = {**installation.environment, "WEB_WORKERS": "1", "DEBUG": "yes"}
    with subprocess.Popen([*command, *options], cwd=CHECKOUT, env=environment) as process:
        looking = Looking(port, viewer, operator)
        try:
            until(lambda: _answers(looking), "the pages answer")
            yield looking
        finally:
            process.terminate()


def _answers(looking):
    with contextlib.suppress(OSError):
        return bool(looking.get("/admin/"))
    return False


@pytest.fixture
def working(installation, simulator, looking):
    """A cluster and its watchdog, a provider that answers, and nothing to do."""
    control(simulator, "DELETE")
    start(installation, "cluster", "watchdog")
    if not installation.count(ANY_NOTE):
        receive(installation, 1)
    looking.until_all_is_done()
    return installation


def start(fleet, *names):
    for name in names:
        if not fleet.runs(name):
            fleet.start(name, COMMANDS[name])
    until(lambda: fleet.ready_cluster("cluster", WORKERS), "the cluster is ready")


def receive(fleet, count):
    """None of them alike: the same recording again would be the same note."""
    fleet.run("-m", "tests.faults.recordings", str(count), f"evening {fleet.count(ANY_NOTE)}")


def test_notes_flow(working, looking, simulator):
    control(simulator, "POST", latency=SLOW_SECONDS)
    receive(working, 1)
    looking.until_told("good", "Everything is flowing; the only voice note on its way has waited [so long].")
    looking.until_listed(1, "voice note on its way")
    looking.follow_all()
    control(simulator, "POST", latency=0)
    looking.until_all_is_done()


def test_the_provider_is_down(working, looking, simulator):
    control(simulator, "POST", outage={"for": LONG, "fault": "status:503"})
    receive(working, 6)
    looking.until_told(
        "trouble",
        "Transcription is on hold for all clubs since [then]: the AI service is down; 6 voice notes wait, nothing is "
        "lost. It is tried again by itself.",
    )
    until(lambda: looking.strip().stands_on[0] == "AI service: paused for transcription", "the state is told")
    looking.until_listed(6, "6 voice notes")
    looking.follow_all()
    control(simulator, "POST", outage=None)
    looking.until_all_is_done()


def test_the_credit_is_used_up(working, looking, simulator):
    no_credit = (
        "trouble",
        "Transcription is on hold for all clubs since [then]: the provider credit is used up; 2 voice notes wait, "
        "nothing is lost. Somebody has to add credit with the AI provider and press Resume.",
    )
    control(simulator, "POST", outage={"for": LONG, "fault": "no_credit"})
    receive(working, 2)
    looking.until_told(*no_credit)
    looking.until_listed(2, "2 voice notes")
    looking.follow_all()
    control(simulator, "POST", outage=None)
    assert looking.told() == [no_credit], "not before somebody says so"
    looking.press("/admin/voicepipeline/aiservicehealth/resume/", "transcription")
    looking.until_all_is_done()


def test_the_cluster_is_dead(working, looking):
    working.kill("cluster")
    receive(working, 3)
    looking.until_told(
        "trouble",
        "Processing has stopped: no workers have reported in for [so long]; 3 voice notes wait, nothing is lost. "
        "Ask an engineer to start the workers.",
    )
    assert looking.strip().stands_on[1] == "Workers: none"
    looking.until_listed(3, "3 voice notes")
    looking.follow_all()
    start(working, "cluster")
    looking.until_all_is_done()


def test_the_watchdog_is_dead(working, looking):
    working.kill("watchdog")
    looking.until_told(
        "trouble",
        "The watchdog has not reported in for [so long]: voice notes that are on hold or were interrupted do not go "
        "on. Ask an engineer to start it.",
    )
    assert _timeless(looking.strip().stands_on[2]) == "Watchdog: silent for [so long]"
    looking.follow_all()
    start(working, "watchdog")
    looking.until_all_is_done()


def test_more_comes_in_than_the_workers_can_do(working, looking, simulator):
    control(simulator, "POST", latency=SLOW_SECONDS)
    receive(working, WORKERS + 3)
    until(lambda: working.count(RUNNING) == WORKERS, "all workers are busy")
    assert len(working.query(LET_THEM_WAIT)) == 3
    looking.until_told(
        "notice",
        "3 voice notes wait for a worker, the oldest for [so long]: more came in than 2 workers can do. Nothing is "
        "lost; if this lasts, ask an engineer for more workers.",
    )
    looking.until_listed(3, "3 voice notes")
    looking.follow_all()
    control(simulator, "POST", latency=0)
    looking.until_all_is_done()


def test_a_worker_hangs(working, looking, simulator):
    control(simulator, "POST", latency=SLOW_SECONDS)
    receive(working, 1)
    until(lambda: working.count(RUNNING) == 1, "a worker has taken it up")
    assert len(working.query(LET_IT_HANG)) == 1
    looking.until_told("trouble", "1 voice note has made no progress for too long: open it to see why.")
    looking.until_listed(1, "1 voice note")
    looking.follow_all()
    control(simulator, "POST", latency=0)
    looking.until_all_is_done()
