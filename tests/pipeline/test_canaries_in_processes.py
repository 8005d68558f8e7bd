"""What real processes write to their output: a cluster whose work breaks in every way, and a command that does."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from django.conf import settings as ours
from django.db import connection
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from tests.faults.fleet import CHECKOUT, until
from tests.faults.surroundings import KEPT
from tests.pipeline.canaries import DATABASE_PASSWORD, KEY, MESSAGE_ID, SAID, found_in, leaks_in_rows, make_people
from tests.simulator.running import control
from voicepipeline.intake.receiving import receive_voice_note
from voicepipeline.models import Artifact, StageRun
from voicepipeline.simulator.audio import make_wav

pytestmark = [pytest.mark.faults, pytest.mark.trial, pytest.mark.django_db(transaction=True)]

ROLE = "leak_watcher"
STAGES = {"transcription": "tests.stages.leaking"}
BROKEN = ("value", "chained", "load_query", "shape", "row_refused", "bad_json", "own_words")
# Of four notes, call by call; the last pauses the service.
FAULTS = ("schema", "schema", "bad_body", "wrong_shape", "forbidden")
NOTES = 4


@pytest.fixture
def role():
    """Somebody whose password tells that a connection string has come out."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN SUPERUSER PASSWORD '{DATABASE_PASSWORD}'")
    yield ROLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE {ROLE}")


def environment(tmp_path, simulator, *, password=DATABASE_PASSWORD, style="json"):
    where = connection.settings_dict
    query = urlencode({"host": where["HOST"], "port": where["PORT"]})
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"postgresql://{ROLE}:{password}@/{where['NAME']}?{query}",
        "SECRET_KEY": ours.SECRET_KEY,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": simulator.base_url,
        "OPENAI_LOG": "debug",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": style,
        "WORKERS": "1",
        "STAGE_CODE": json.dumps(STAGES),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "always,ignore::ResourceWarning",
    }


@contextlib.contextmanager
def cluster(env, output):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=CHECKOUT,
        env=env,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def send(coach, text, number):
    sent = {"source_channel": "whatsapp_text", "sender": coach, "organization": None}
    return receive_voice_note(audio=None, text=text, channel_message_id=f"{MESSAGE_ID}-{number}", **sent)


def has_begun():
    return not OrmQ.objects.exists() and not StageRun.objects.filter(status="running").exists()


@pytest.mark.parametrize("style", ["json", "text"])
def test_nothing_leaks_from_a_cluster_whose_work_breaks(style, role, tmp_path, simulator):
    coach = make_people()
    control(simulator, "POST", queue={"chat": list(FAULTS)})
    with (tmp_path / "output").open("wb") as output, cluster(environment(tmp_path, simulator, style=style), output):
        for number, how in enumerate(BROKEN):
            send(coach, f"{how}: {SAID}", number)
        for number in range(NOTES):
            send(coach, f"{SAID} {number}", f"fault-{number}")
        until(has_begun, "every note has been taken up", 30)
        leaks = leaks_in_rows()
        # What no bell of ours carries: only what becomes of it is looked at.
        async_task("voicepipeline.tasks.extract_claims", 1, SAID)
        until(Task.objects.exists, "the broken job has been recorded", 20)
    told = (tmp_path / "output").read_text()
    assert (found_in(told), leaks, found_in(Task.objects.get().result)) == ([], {}, [])
    assert told.count("a stage raised an unexpected error") == 4
    assert told.count("a stage's result could not be stored") == 3
    assert "Failed 'voicepipeline.tasks.extract_claims'" in told
    assert told.count("HTTP Response: POST 200") == told.count("HTTP Response: POST 403") + 3
    assert Artifact.objects.filter(error_code="result_not_storable").count() == 3
    if style == "json":
        lines = [json.loads(line) for line in told.splitlines()]
        assert {"debug", "error"} <= {line["level"] for line in lines}


def test_a_command_that_cannot_reach_its_database_tells_no_password(role, tmp_path, simulator):
    env = environment(tmp_path, simulator, password=f"{DATABASE_PASSWORD}-wrong")
    done = subprocess.run(
        [sys.executable, "manage.py", "pipeline_status"],
        cwd=CHECKOUT,
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    line = json.loads(done.stderr.splitlines()[-1])
    assert line["event"] == "nothing caught an error"
    assert "password authentication failed" in line["exception"]
    assert found_in(done.stderr) == []


def test_a_recording_taken_in_by_command_tells_nothing(role, tmp_path, simulator):
    coach = make_people()
    (tmp_path / "Filenamia.wav").write_bytes(make_wav(SAID, 3))
    (tmp_path / "Filenamia.mp3").write_bytes(f"<html>{SAID}".encode())
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "ingest_voice_notes", str(tmp_path / "Filenamia.wav")),
            *(str(tmp_path / "Filenamia.mp3"), "--organization", coach.organization.slug, "--coach", coach.phone),
        ],
        cwd=CHECKOUT,
        env=environment(tmp_path, simulator),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, found_in(done.stderr), leaks_in_rows()) == (1, [], {})
    # It names the files that it was given, and nothing else.
    assert set(found_in(done.stdout)) == {"Filenamia"}
