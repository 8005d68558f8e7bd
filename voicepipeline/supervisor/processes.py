"""Processes known by pid and start, and how they are ended: the leader by a signal, its group by SIGKILL."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
POLL_SECONDS = 0.05
GROUP_END_SECONDS = 5.0


def start_mark(pid: int) -> str | None:
    """What tells this process from all others that ever have its pid; None once it has died.

    On Linux ticks since boot, not the wall clock: a corrected clock must not make a child look like a stranger.
    """
    try:
        # The name, in parentheses, may hold anything, spaces and parentheses too.
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if after_name[0] in "ZX" else f"{BOOT_ID.read_text().strip()}/{after_name[19]}"
    except (FileNotFoundError, ProcessLookupError):
        return None if BOOT_ID.exists() else _start_mark_without_proc(pid)


def _start_mark_without_proc(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return None


@dataclass(frozen=True)
class Known:
    """A process that leads a session and a group of its own."""

    name: str
    pid: int
    mark: str
    folder: str
    stop_signal: int = signal.SIGTERM

    def is_alive(self) -> bool:
        return start_mark(self.pid) == self.mark

    def send_stop(self) -> None:
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, self.stop_signal)

    def kill_group(self) -> None:
        """End what is left of the group. While a member lives, its number belongs to nobody else."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def orphans(self) -> list[psutil.Process]:
        """Members of the group that live although their leader may be dead.

        A later stranger with the same group number is told apart by its folder.
        """
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if os.getpgid(process.pid) == self.pid == os.getsid(process.pid) and self._is_ours(process):
                    found.append(process)
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        return process.status() != psutil.STATUS_ZOMBIE and process.cwd() == self.folder


def end(processes: Sequence[Known], *, grace_seconds: float, reap: Callable[[Known], object] | None = None) -> None:
    """Ask each leader to stop, never its group (django-q2 hangs on that), then kill what is left of the groups."""
    for process in processes:
        process.send_stop()
    deadline = time.monotonic() + grace_seconds
    waiting = list(processes)
    while waiting:
        for process in list(waiting):
            if not process.is_alive() or time.monotonic() > deadline:
                waiting.remove(process)
                process.kill_group()
                if reap:
                    reap(process)
                _wait_for_group(process)
        if waiting:
            time.sleep(POLL_SECONDS)


def end_leftovers(processes: Sequence[Known], *, grace_seconds: float) -> list[str]:
    """End the processes of a supervisor that was killed, in the order given; returns the names of those found."""
    found = [process for process in processes if process.is_alive() or process.orphans()]
    end(found, grace_seconds=grace_seconds)
    return [process.name for process in found]


def _wait_for_group(leader: Known) -> None:
    deadline = time.monotonic() + GROUP_END_SECONDS
    while leader.orphans() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


class Register:
    """The file that tells the next supervisor what this one has started."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, processes: Sequence[Known]) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps([asdict(process) for process in processes], indent=1))
        draft.replace(self.path)

    def read(self) -> list[Known]:
        try:
            return [Known(**entry) for entry in json.loads(self.path.read_text())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            # Written by another release, or torn by a full disk; its processes can no longer be told from strangers.
            return []
