"""How long is waited for what somebody sends: each waiting keeps a thread that pages are served from as well."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.http import HttpRequest

# Of each process's threads, the slow take half at most.
SLOW_ONES = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


class Patience:
    """Ends the reading of a request once it is silent, has lasted too long, or is slow like too many others.

    The server goes on waiting however little comes, so a thread beside it closes the connection's reading half: what
    waits for more is told that there is none, and an answer can still be sent.
    """

    def __init__(self, request: HttpRequest, seconds: float) -> None:
        self.connection: Any = request.META.get("gunicorn.socket")
        self.until = time.monotonic() + seconds
        self.crowded = False
        self.ended = threading.Event()

    @property
    def is_over(self) -> bool:
        return self.crowded or time.monotonic() >= self.until

    def __enter__(self) -> Self:
        if self.connection is not None:
            self.connection.settimeout(settings.API_SILENT_SECONDS)
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended.set()

    def _watch(self) -> None:
        if self.ended.wait(min(settings.API_SLOW_SECONDS, self._left())):
            return
        if not SLOW_ONES.acquire(blocking=False):
            self.crowded = True
            self._hang_up()
            return
        try:
            if not self.ended.wait(self._left()):
                self._hang_up()
        finally:
            SLOW_ONES.release()

    def _left(self) -> float:
        return max(self.until - time.monotonic(), 0)

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)
