"""A real `manage.py up` for tests: started on a free port with a `var` folder of its own, watched, and ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.environment import CHECKOUT, remove
from voicepipeline.supervisor.children import SIMULATOR_OFFSET
from voicepipeline.supervisor.embedded import EmbeddedPostgres

READY = "Voice pipeline is ready"
START_SECONDS = 60
RECOVERY_SECONDS = 15
# What the person at the terminal may have set, and what the test run sets for itself.
LEFT_OUT = {"SECRET_KEY", "DATABASE_URL", "SITE_URL", "WEB_HOST", "PORT", "DEBUG", "LOG_FORMAT", "LOG_LEVEL"}
LEFT_OUT |= {"PYTHONPATH", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def environment(var_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return {**kept, "VAR_DIR": str(var_dir), "ENV_FILE": os.devnull, "WORKERS": "2", "WEB_WORKERS": "1", **more}


def manage(*arguments: str, var_dir: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment(var_dir, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    """A port for the pages whose companion, the simulated provider's, is free as well."""
    while True:
        with socket.socket() as probe, socket.socket() as companion:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            with contextlib.suppress(OSError, OverflowError):
                companion.bind(("127.0.0.1", port + SIMULATOR_OFFSET))
                return port


def until(true: Callable[[], object], what: str, seconds: float = RECOVERY_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.05)


class Up:
    def __init__(self, var_dir: Path, *arguments: str, **more: str) -> None:
        self.var_dir = var_dir
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port), *arguments],
            cwd=CHECKOUT,
            env=environment(var_dir, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as lines:
            self.lines.extend(iter(lines.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_until_ready(self) -> "Up":
        until(lambda: READY in self.output or self.process.poll() is not None, "ready", START_SECONDS)
        assert READY in self.output, self.output
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send this signal and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        returncode = self.process.wait(timeout=40)
        self._reader.join(5)
        return returncode

    def pid(self, name: str) -> int | None:
        """The pid of this child, None while it is being started again."""
        return self.leaders().get(name)

    def leaders(self) -> dict[str, int]:
        register = self.var_dir / "children.json"
        known = json.loads(register.read_text()) if register.exists() else []
        return {entry["name"]: entry["pid"] for entry in known}

    def ready(self) -> bool:
        """Whether pages and database answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(json.load(answer)["ready"])
        except (OSError, urllib.error.URLError):
            return False

    def family(self, name: str) -> list[psutil.Process]:
        """This child and everything that it has started."""
        leader = psutil.Process(self.pid(name))
        return [leader, *leader.children(recursive=True)]

    def everybody(self) -> list[psutil.Process]:
        return [process for name in self.leaders() for process in self.family(name)]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@contextlib.contextmanager
def up(var_dir: Path, *arguments: str, **more: str) -> Iterator[Up]:
    """Running, not necessarily ready; ended at the end in any case."""
    running = Up(var_dir, *arguments, **more)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()


@contextlib.contextmanager
def home(var_dir: Path) -> Iterator[Path]:
    """A `var` folder whose database goes when the test has ended."""
    var_dir.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres.for_var_dir(var_dir)
    try:
        yield var_dir
    finally:
        remove(postgres, var_dir)
