"""What several people ask for at nearly the same time is found once in each process, and given to all of them."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Found(Generic[T]):
    """Its lock is held by the one who is finding it."""

    value: T | None = None
    at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Shared(Generic[T]):
    """One thing for each key; a key holds everything on which the thing depends, and so whoever may see it."""

    def __init__(self) -> None:
        self._found: dict[Hashable, _Found[T]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, find: Callable[[], T], *, seconds: float) -> T:
        """What was found for this key since then or since it was asked for; while one finds it, the others wait."""
        if not seconds:
            return find()
        asked = time.monotonic()
        found = self._of(key, asked - seconds)
        with found.lock:
            if found.value is not None and found.at is not None and found.at >= asked - seconds:
                return found.value
            value = find()
            found.value, found.at = value, time.monotonic()
            return value

    def forget(self) -> None:
        with self._lock:
            self._found.clear()

    def _of(self, key: Hashable, oldest: float) -> _Found[T]:
        """What is too old is forgotten, so that no more is kept than is asked for."""
        with self._lock:
            for other in [other for other, found in self._found.items() if found.at is not None and found.at < oldest]:
                del self._found[other]
            return self._found.setdefault(key, _Found())
