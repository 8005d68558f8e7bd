"""What several people ask for at nearly the same time is found once in each process, and given to all of them."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 2.0


class NotFoundNow(Exception):
    """Whoever was finding it has failed, or takes too long; it may be asked for again."""


@dataclass
class _Found(Generic[T]):
    """Its lock is held by the one who is finding it."""

    value: T | None = None
    at: float | None = None
    failed_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Shared(Generic[T]):
    """One thing for each key; a key holds everything on which the thing depends, and so whoever may see it."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self.patience = patience  # how many seconds the others wait
        self._found: dict[Hashable, _Found[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, find: Callable[[], T], *, seconds: float) -> T:
        """What was found for this key since then or since it was asked for; while one finds it, the others wait.

        Those who have waited for one who fails do not try in their turn: it would be one failure after the other.
        """
        if not seconds:
            return find()
        asked = time.monotonic()
        found = self._of(key, asked - seconds)
        if not found.lock.acquire(timeout=self.patience):
            raise NotFoundNow
        try:
            if found.value is not None and found.at is not None and found.at >= asked - seconds:
                return found.value
            if found.failed_at is not None and found.failed_at >= asked:
                raise NotFoundNow
            return self._find(found, find)
        finally:
            found.lock.release()

    def forget(self) -> None:
        with self._lock:
            self._found.clear()

    @staticmethod
    def _find(found: _Found[T], find: Callable[[], T]) -> T:
        try:
            value = find()
        except Exception:
            found.failed_at = time.monotonic()
            raise
        found.value, found.at = value, time.monotonic()
        return value

    def _of(self, key: Hashable, oldest: float) -> _Found[T]:
        """What is too old is forgotten, so that no more is kept than is asked for."""
        with self._lock:
            for other in [other for other, found in self._found.items() if found.at is not None and found.at < oldest]:
                del self._found[other]
            return self._found.setdefault(key, _Found())
