"""`manage.py up` with real processes, and what becomes of it when they are killed."""

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.postgres import connect
from tests.supervisor.upping import READY, Up, home, living, manage, until, up
from voicepipeline.operations.first_run import DEMO_ACCOUNTS
from voicepipeline.supervisor.embedded import EmbeddedPostgres

pytestmark = [pytest.mark.faults, pytest.mark.trial]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[Up]:
    with home(tmp_path_factory.mktemp("demo") / "var") as var_dir, up(var_dir, "--demo") as running:
        yield running.wait_until_ready()


def kill_and_wait_for_another(running: Up, name: str, victim: int) -> None:
    """Kill this process; wait until the child that it belongs to is a new one and everything answers."""
    old = running.pid(name)
    os.kill(victim, signal.SIGKILL)
    until(lambda: running.pid(name) not in (None, old), f"a new {name}")
    until(running.ready, "the page and its database answer")


def test_the_block_shows_the_address_and_the_demo_accounts(demo):
    assert f"{READY}:  http://localhost:{demo.port}/\n" in demo.output
    for account in DEMO_ACCOUNTS:
        assert f"Sign in as {account.username:<14} with the password {account.password}\n" in demo.output


def test_without_a_key_the_simulated_provider_runs_and_every_part_is_pointed_at_it(demo):
    address = f"http://127.0.0.1:{demo.port + 741}/v1"
    until(
        lambda: f"The simulated AI provider answers at {address}." in demo.output, "the simulated provider has said so"
    )
    assert psutil.Process(demo.pid("watchdog")).environ()["OPENAI_BASE_URL"] == address


def test_a_killed_simulator_is_replaced(demo):
    kill_and_wait_for_another(demo, "simulator", demo.pid("simulator"))


def test_each_child_leads_a_session_of_its_own(demo):
    leaders = list(demo.leaders().values())
    assert len(leaders) >= 4
    assert [os.getsid(pid) for pid in leaders] == leaders


def test_a_killed_web_master_is_replaced_and_leaves_no_worker(demo):
    old = demo.family("web")
    kill_and_wait_for_another(demo, "web", demo.pid("web"))
    assert living(old) == []
    assert "web ended (killed by SIGKILL). Starting it again in 0.5 s." in demo.output


def test_a_killed_cluster_parent_is_replaced_and_leaves_no_worker(demo):
    old = demo.family("workers")
    kill_and_wait_for_another(demo, "workers", demo.pid("workers"))
    assert living(old) == []


def test_a_killed_watchdog_is_replaced(demo):
    kill_and_wait_for_another(demo, "watchdog", demo.pid("watchdog"))


def test_a_killed_sentinel_takes_its_whole_cluster_with_it(demo):
    until(lambda: len(demo.family("workers")) > 3, "the cluster has forked its workers")
    old = demo.family("workers")
    sentinel = old[0].children()[0]
    kill_and_wait_for_another(demo, "workers", sentinel.pid)
    assert living(old) == []


def test_a_killed_postmaster_is_replaced_and_keeps_the_data(demo):
    old = demo.family("postgres")
    kill_and_wait_for_another(demo, "postgres", demo.pid("postgres"))
    assert living(old) == []
    with connect(EmbeddedPostgres.for_var_dir(demo.var_dir)) as connection:
        found = connection.execute("SELECT count(*) FROM voicepipeline_user").fetchone()
    assert found == (len(DEMO_ACCOUNTS),)


def test_a_second_one_on_the_same_folder_is_refused(demo):
    done = manage("up", var_dir=demo.var_dir)
    assert done.stderr == (
        f"Cannot start: it is running already, as process {demo.process.pid}, with its data in {demo.var_dir}.\n"
    )
    assert (done.returncode, done.stdout) == (1, "")


def test_ctrl_c_ends_everything_and_the_next_start_finds_its_data(tmp_path):
    with home(tmp_path / "var") as var_dir:
        with up(var_dir) as first:
            everybody = first.wait_until_ready().everybody()
            assert first.output.count("Sign in as admin with the password ") == 1
            started = time.monotonic()
            first.process.send_signal(signal.SIGINT)
            assert first.end(signal.SIGINT) == 0  # an impatient second Ctrl-C changes nothing
        assert time.monotonic() - started < 10
        assert living(everybody) == []
        assert first.lines[-1] == "up       | Stopped.\n"
        with up(var_dir) as second:
            second.wait_until_ready()
        assert "Sign in as" not in second.output


def test_the_next_start_ends_what_a_killed_one_left(demo, tmp_path):
    with home(tmp_path / "var") as var_dir:
        with up(var_dir) as killed:  # nothing of it is ended at the end of this block: it has been killed
            killed.wait_until_ready()
            until(lambda: len(killed.family("workers")) > 2, "the cluster has forked its workers")
            left = killed.everybody()
            killed.end(signal.SIGKILL)
        leader, sentinel, *orphans = killed.family("workers")
        for gone in (sentinel, leader):
            gone.kill()
        until(lambda: not leader.is_running(), "the leader is gone")
        assert living(orphans)
        neighbours = demo.leaders()
        with up(var_dir) as second:
            second.wait_until_ready()
            assert living(left) == []
        ended = next(line for line in second.lines if "Ended what an earlier run left behind: " in line)
        assert all(name in ended for name in ("web", "workers", "postgres"))
        assert demo.leaders() == neighbours
        assert demo.ready()


def test_what_dies_five_times_in_a_minute_ends_everything(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'qcluster' in sys.orig_argv:\n    sys.exit('broken on purpose')\n"
    )
    with home(tmp_path / "var") as var_dir, up(var_dir, PYTHONPATH=str(tmp_path)) as running:
        until(lambda: running.pid("web"), "the pages are started", 60)
        everybody = [process for name in ("postgres", "web") for process in running.family(name)]
        assert running.process.wait(timeout=60) == 1
        until(lambda: running.lines[-1].startswith("Stopped:"), "last words")
    assert running.lines[-1] == (
        "Stopped: workers ended 5 times within a minute, last with exit code 1. "
        "Its last line: SystemExit: broken on purpose\n"
    )
    assert READY not in running.output
    assert living(everybody) == []


def test_a_stop_while_it_is_still_starting_is_clean(tmp_path):
    with home(tmp_path / "var") as var_dir, up(var_dir) as running:
        until(lambda: running.pid("postgres"), "the database is started", 30)
        database = psutil.Process(running.pid("postgres"))
        assert running.end(signal.SIGINT) == 0
        assert living([database]) == []
