"""Knowing a process again, and ending what a killed supervisor left: never a stranger."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from tests.supervisor.upping import living, until
from voicepipeline.supervisor import processes
from voicepipeline.supervisor.processes import Known, Register, start_mark
from voicepipeline.supervisor.running import in_words

pytestmark = pytest.mark.faults

SLEEPER = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); {SLEEPER}"
# A leader whose one child stays in its group.
LEADER = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEPER!r}]).pid, flush=True)
{SLEEPER}
"""


class Group:
    def __init__(self, folder: str, code: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=folder, start_new_session=True, stdout=subprocess.PIPE, text=True
        )
        self.known = Known("sleeper", self.process.pid, start_mark(self.process.pid), folder)

    def first_line(self) -> str:
        return self.process.stdout.readline()

    def kill(self) -> None:
        self.known.kill_group()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path) -> Iterator[object]:
    groups = []

    def start(code: str = SLEEPER) -> Group:
        groups.append(Group(str(tmp_path), code))
        return groups[-1]

    yield start
    for group in groups:
        group.kill()


def test_a_process_keeps_its_mark_and_two_never_share_one(start):
    first, second = start(), start()
    assert start_mark(first.process.pid) == first.known.mark
    assert first.known.mark != second.known.mark or first.process.pid != second.process.pid


def test_a_dead_process_has_no_mark_even_before_it_is_collected(start):
    group = start()
    group.process.kill()
    until(lambda: start_mark(group.process.pid) is None, "the mark is gone")
    assert psutil.Process(group.process.pid).status() == psutil.STATUS_ZOMBIE


def test_a_stranger_that_has_the_pid_now_is_left_alone(start):
    stranger = start()
    known = replace(stranger.known, mark="another", folder="/another")
    assert processes.end_leftovers([known], grace_seconds=1) == []
    assert living([psutil.Process(stranger.process.pid)])


def test_members_whose_leader_has_died_are_ended(start):
    group = start(LEADER)
    member = psutil.Process(int(group.first_line()))
    group.process.kill()
    group.process.wait()
    assert processes.end_leftovers([group.known], grace_seconds=1) == ["sleeper"]
    assert living([member]) == []


def test_a_group_of_that_number_in_another_folder_is_left_alone(start):
    group = start(LEADER)
    member = psutil.Process(int(group.first_line()))
    group.process.kill()
    group.process.wait()
    assert processes.end_leftovers([replace(group.known, folder="/another")], grace_seconds=1) == []
    assert living([member])


def test_one_that_does_not_listen_is_killed_after_its_grace(start):
    group = start(STUBBORN)
    group.first_line()
    processes.end([group.known], grace_seconds=0.2)
    assert group.process.wait(timeout=5) == -signal.SIGKILL


def test_only_the_leader_is_asked_to_stop(start):
    """django-q2 hangs when its whole group gets the signal."""
    group = start(LEADER)
    member = psutil.Process(int(group.first_line()))
    group.known.send_stop()
    until(lambda: not group.known.is_alive(), "the leader has ended")
    assert living([member])


def test_the_register_gives_back_what_was_written(tmp_path, start):
    register = Register(tmp_path / "children.json")
    known = start().known
    register.write([known])
    assert register.read() == [known]


@pytest.mark.parametrize("content", [None, "", "torn {", '[{"name": "of another release"}]'])
def test_a_register_that_cannot_be_read_is_an_empty_one(tmp_path, content):
    register = Register(tmp_path / "children.json")
    if content is not None:
        register.path.write_text(content)
    assert register.read() == []


@pytest.mark.parametrize(
    ("returncode", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-9, "killed by SIGKILL"), (-60, "killed by signal 60")],
)
def test_how_a_process_ended_is_told_in_words(returncode, words):
    assert in_words(returncode) == words


def test_this_process_is_alive():
    assert Known("pytest", os.getpid(), start_mark(os.getpid()), "/").is_alive()
