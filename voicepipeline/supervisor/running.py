"""One child while it runs: its process, its output, its deaths."""

import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable

from voicepipeline.refusals import StartError
from voicepipeline.supervisor.children import Child
from voicepipeline.supervisor.output import Reader
from voicepipeline.supervisor.processes import Known, start_mark

DEATHS_ALLOWED = 5
WINDOW_SECONDS = 60.0
FIRST_DELAY_SECONDS = 0.5
LAST_LINES_SECONDS = 2.0
# What cannot work at all has died by then.
SETTLED_SECONDS = 1.5


def in_words(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"


class Running:
    """A child and what became of it. `start` may be called again after `bury`."""

    def __init__(self, child: Child, on_line: Callable[[str], None]) -> None:
        self.child = child
        self._on_line = on_line
        self._deaths: deque[float] = deque(maxlen=DEATHS_ALLOWED)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Reader | None = None
        self.known: Known | None = None
        self.start_at = 0.0
        self._started = 0.0

    @property
    def last_line(self) -> str:
        return self._reader.last_line if self._reader else ""

    def start(self) -> None:
        self.child.before_start()
        self._process = self._open()
        self._started = time.monotonic()
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self._reader = Reader(self._process.stdout, self._on_line)
        self.known = Known(
            self.child.name,
            self._process.pid,
            start_mark(self._process.pid) or "died at once",
            str(self.child.popen_options["cwd"]),
            self.child.stop_signal,
        )

    def _open(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self.child.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **self.child.popen_options,
            )
        except OSError as error:
            raise StartError(f"{self.child.name} cannot be started: {error}.") from error

    def has_died(self) -> bool:
        return self.known is not None and not self.known.is_alive()

    def is_settled(self) -> bool:
        return self.known is not None and time.monotonic() - self._started > SETTLED_SECONDS

    def bury(self) -> int:
        """Kill what is left of the group, then collect the leader: until then its number cannot pass to others."""
        assert self._process is not None and self._reader is not None  # noqa: S101, PT018 - only started ones die
        if self.known:
            self.known.kill_group()
        self.known = None
        returncode = self._process.wait()
        self._reader.join(LAST_LINES_SECONDS)
        return returncode

    def count_death(self) -> bool:
        """Note a death and when to try again; False when there were too many."""
        now = time.monotonic()
        self._deaths.append(now)
        recent = sum(now - death < WINDOW_SECONDS for death in self._deaths)
        self.start_at = now + FIRST_DELAY_SECONDS * 2 ** (recent - 1)
        return recent < DEATHS_ALLOWED
