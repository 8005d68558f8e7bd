"""The HTTP session under the provider's client: a deadline for the whole call, and no more headers than it needs."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2

# What an answer may hold; a transcript of an hour is a hundredth of it.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
# How long an answer that has begun may pause.
LONGEST_PAUSE_SECONDS = 10.0
LEAST_SECONDS = 0.01
# The library adds facts about this machine, and whatever OPENAI_CUSTOM_HEADERS and its like hold.
HEADERS = frozenset(
    {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "transfer-encoding"}
)


class Session(httpx2.Client):
    """Ends each call after its read timeout as a whole; httpx2 alone would begin anew with every byte."""

    def __init__(self, *, api_key: str, trust_environment: bool) -> None:
        # Proxies of the environment are for the world outside, never for a provider on this machine.
        super().__init__(follow_redirects=False, trust_env=trust_environment)
        self._authorization = f"Bearer {api_key}"

    def send(self, request: httpx2.Request, *, stream: bool = False, **kwargs: Any) -> httpx2.Response:
        limits: dict[str, float | None] = request.extensions["timeout"]
        clock = _Clock(limits)
        for name in set(request.headers) - HEADERS:
            del request.headers[name]
        request.headers["Authorization"] = self._authorization
        if isinstance(request.stream, httpx2.SyncByteStream):
            request.stream = _Upload(request.stream, clock)
        response = super().send(request, stream=True, **kwargs)
        clock.allow_pause(LONGEST_PAUSE_SECONDS)
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Download(response.stream, clock)
        if not stream:
            try:
                response.read()
            finally:
                response.close()
        return response


class _Clock:
    """What is left of a call's time. The transport looks its limits up anew in each phase."""

    def __init__(self, limits: dict[str, float | None]) -> None:
        self._limits = limits
        self._deadline = time.monotonic() + (limits["read"] or 0)

    def left(self) -> float:
        return self._deadline - time.monotonic()

    def allow_pause(self, longest: float) -> None:
        self._limits["read"] = max(LEAST_SECONDS, min(longest, self.left()))


class _Upload(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            if self._clock.left() <= 0:
                raise httpx2.WriteTimeout("sending took too long")
            yield piece
        self._clock.allow_pause(self._clock.left())

    def close(self) -> None:
        self._inner.close()


class _Download(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._inner:
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise httpx2.ReadError("the answer is too large")
            if self._clock.left() <= 0:
                raise httpx2.ReadTimeout("the answer took too long")
            yield piece

    def close(self) -> None:
        self._inner.close()
