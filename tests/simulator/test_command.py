"""`manage.py simulate_provider` as a person starts it."""

import os
import signal
import subprocess
import sys

import pytest

from tests.environment import CHECKOUT
from tests.simulator.asking import ask
from tests.supervisor.upping import free_port, manage

READY = "The simulated AI provider answers at "


def test_it_says_where_it_answers_and_stops_when_told(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "simulate_provider", "--port", str(port), "--latency", "0.01", "--seed", "5"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == f"{READY}http://127.0.0.1:{port}/v1.\n"
        assert ask(f"http://127.0.0.1:{port}/_control").body["seed"] == 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 is not a loopback address"),
        (["--port", "0"], "--port must be a whole number from 1 to 65535, not 0."),
        (["--latency", "-1"], "--latency must be a number from 0 to 600, not -1."),
        (["--fault-rate", "2"], "--fault-rate must be a number from 0 to 1, not 2."),
        (["--fault-rate", "explosion=0.1"], "There is no fault"),
    ],
)
def test_what_cannot_be_is_refused_in_words(tmp_path, arguments, words):
    done = manage("simulate_provider", *arguments, var_dir=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Cannot start: ")
    assert words in done.stderr
