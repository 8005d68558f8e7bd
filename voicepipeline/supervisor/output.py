"""What `up` shows: every child's lines behind the child's name, and its own words."""

import io
import os
import threading
from collections.abc import Callable
from typing import IO, TextIO

COLOURS = (36, 35, 33, 34, 32, 31)  # cyan, magenta, yellow, blue, green, red
RULE = "─" * 72
NAME_WIDTH = 9


class Output:
    """One writer for many threads. Lines are whole, and a reader who has gone away stops nothing."""

    def __init__(self, stream: TextIO) -> None:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows question marks
        self._stream = stream
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, text: str) -> None:
        self.line("up", text)

    def line(self, name: str, text: str) -> None:
        self._write(f"{self._prefix(name)} {text}")

    def block(self, lines: list[str]) -> None:
        self._write("\n".join(["", RULE, *(f"  {line}".rstrip() for line in lines), RULE, ""]))

    def _prefix(self, name: str) -> str:
        label = f"{name:<{NAME_WIDTH}}|"
        if not self._coloured:
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                print(text, file=self._stream, flush=True)
            except (OSError, ValueError):
                # The terminal is closed or the pipe's reader has left; the children must go on undisturbed.
                self._stream = open(os.devnull, "w")  # noqa: SIM115, PTH123


class Reader(threading.Thread):
    """Passes a child's lines on as they come, and remembers the last one."""

    def __init__(self, pipe: IO[bytes], on_line: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._on_line = on_line
        self.last_line = ""
        self.start()

    def run(self) -> None:
        with self._pipe:
            for raw in self._pipe:
                text = raw.decode(errors="replace").rstrip()
                if text:
                    self.last_line = text
                    self._on_line(text)
