"""Real processes on a database of their own: clusters and watchdogs, started and started again as `up` would do it."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.faults.surroundings import environment
from tests.postgres import connect, wait_until_answering
from voicepipeline.supervisor.children import Child
from voicepipeline.supervisor.embedded import EmbeddedPostgres
from voicepipeline.supervisor.running import Running

CHECKOUT = Path(__file__).resolve().parent.parent.parent
# Not synchronous_commit: a server that is stopped at once must keep what it has said to be committed.
NO_WAIT_FOR_DISK = {"fsync": "off", "full_page_writes": "off"}
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
# A command on a busy machine, such as the one that makes every table.
COMMAND_SECONDS = 180.0
LAST_LINES = 4000


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait for this and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(LOOK_SECONDS)
    return found


class Fleet:
    """One installation. What dies of its processes is buried and started again until the fleet is stopped."""

    def __init__(self, var_dir: Path, *, workers: int, engine: dict[str, float]) -> None:
        var_dir.mkdir(parents=True, exist_ok=True)
        self.var_dir = var_dir
        self.environment = environment(var_dir, workers=workers, engine=engine)
        self.postgres = EmbeddedPostgres.for_var_dir(var_dir)
        self.lines: list[str] = []
        self._server: subprocess.Popen[bytes] | None = None
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="fleet-supervisor", daemon=True)

    # --- Database ----------------------------------------------------------------------------------------------

    def start_database(self) -> None:
        self.postgres.prepare()
        self._server = subprocess.Popen(
            self.postgres.command(**NO_WAIT_FOR_DISK),
            **self.postgres.popen_options(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_answering(self.postgres)

    def stop_database(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends sessions in order, SIGQUIT at once; both keep what is committed."""
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(timeout=PATIENCE_SECONDS)
            self._server = None

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with connect(self.postgres) as connection:
            return connection.execute(statement, parameters or None).fetchall()

    def count(self, statement: str, *parameters: object) -> int:
        return int(self.query(statement, *parameters)[0][0])

    @contextlib.contextmanager
    def cursor(self) -> Iterator["psycopg.Cursor[Any]"]:
        with connect(self.postgres) as connection, connection.cursor() as cursor:
            yield cursor

    # --- Processes ---------------------------------------------------------------------------------------------

    def run(self, *arguments: str, feed: str = "") -> str:
        """One command, to its end."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            input=feed,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def feed(self, *scripts: dict[str, list[str]]) -> list[int]:
        """A note for each of these scripts, its first stage queued; returns the artifacts' keys."""
        printed = self.run("-m", "tests.faults.feeding", feed="".join(f"{json.dumps(script)}\n" for script in scripts))
        return [int(line) for line in printed.split()]

    def start_cluster(self, name: str, *, workers: int, engine: dict[str, float]) -> int:
        """A cluster whose workers are ready; returns its parent's pid."""
        more = environment(self.var_dir, workers=workers, engine=engine)
        self.start(name, "qcluster", **more)
        return until(lambda: self.ready_cluster(name, workers), f"{name} is ready")

    def ready_cluster(self, name: str, workers: int) -> int | None:
        pid = self.pid(name)
        return pid if pid and len(members_of(pid)["idle"]) == workers else None

    def start_watchdog(self, *, engine: dict[str, float]) -> None:
        self.start("watchdog", "pipeline_watchdog", **environment(self.var_dir, workers=3, engine=engine))

    def start(self, name: str, command: str, **more: str) -> Running:
        """Start this command and keep it going."""
        popen_options = {"cwd": CHECKOUT, "env": {**self.environment, **more}, "start_new_session": True}
        child = Child(name, [sys.executable, "manage.py", command], popen_options)
        running = Running(child, lambda line: self.note(name, line))
        with self._lock:
            running.start()
            self._running[name] = running
        return running

    def pid(self, name: str) -> int | None:
        """The pid of this child; None while it is dead."""
        known = self._running[name].known
        return known.pid if known and known.is_alive() else None

    def stop(self, name: str) -> float:
        """Ask this child to stop, as `up` does, and for good; returns how many seconds it took."""
        with self._lock:
            running = self._running.pop(name)
        began = time.monotonic()
        assert running.known is not None
        running.known.send_stop()
        until(running.has_died, f"{name} has stopped")
        took = time.monotonic() - began
        running.bury()
        return took

    def runs(self, name: str) -> bool:
        return name in self._running

    def kill(self, name: str) -> None:
        """Kill all processes of this child at once; it is not started again."""
        with self._lock:
            running = self._running.pop(name)
        running.bury()

    def _supervise(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with self._lock:
                for running in self._running.values():
                    if running.has_died():
                        running.bury()
                        running.start()

    def note(self, name: str, line: str) -> None:
        self.lines.append(f"{time.strftime('%H:%M:%S')} {name}: {line}")
        del self.lines[:-LAST_LINES]

    # --- Beginning and end -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def up(self) -> Iterator["Fleet"]:
        """With a fresh and migrated database, which is gone afterwards."""
        with self.postgres.lock():
            try:
                self.start_database()
                self.run("-m", "tests.faults.feeding", "--prepare")
                self._supervisor.start()
                yield self
            finally:
                self._end()
                shutil.rmtree(self.postgres.home, ignore_errors=True)

    def _end(self) -> None:
        self._over.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        self.end_processes()
        self.stop_database(signal.SIGQUIT)

    def end_processes(self) -> None:
        """Kill every cluster and watchdog; none is started again."""
        with self._lock:
            ended = list(self._running.values())
            self._running.clear()
        for running in ended:
            if running.known is not None:
                running.bury()


# --- The anatomy of a cluster ----------------------------------------------------------------------------------


def waits_for_a_pipe(process: psutil.Process) -> bool:
    """Of the idle workers only the one that holds the queue's read lock does; the others wait for the lock."""
    return "pipe_read" in Path(f"/proc/{process.pid}/wchan").read_text()


def sentinel_of(parent_pid: int) -> psutil.Process | None:
    try:
        return next(iter(psutil.Process(parent_pid).children()), None)
    except psutil.NoSuchProcess:
        return None


def members_of(parent_pid: int) -> dict[str, list[psutil.Process]]:
    """The processes under a cluster's sentinel by what their titles say: idle, busy, pusher, monitor."""
    members: dict[str, list[psutil.Process]] = {"idle": [], "busy": [], "pusher": [], "monitor": []}
    sentinel = sentinel_of(parent_pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in sentinel.children() if sentinel else []:
            words = " ".join(process.cmdline()).split()
            kind = "busy" if "processing" in words else words[-1] if words else ""
            if kind in members:
                members[kind].append(process)
    return members
