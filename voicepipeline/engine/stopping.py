"""Telling a busy worker to stop: only work can be interrupted, never a write."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

STOP_SIGNAL = signal.SIGUSR1


class WorkerStopping(BaseException):
    """Raised inside the work of a stage; not an Exception, so that no stage code can swallow it by accident."""


class _State:
    working = False
    told = False


def prepare_worker(**kwargs: Any) -> None:
    """Make this worker process listen for the stop signal."""
    signal.signal(STOP_SIGNAL, _on_stop)


def _on_stop(number: int, frame: FrameType | None) -> None:
    _State.told = True
    if _State.working:
        raise WorkerStopping


@contextmanager
def interruptible() -> Iterator[None]:
    """Work that may be broken off; not even begun when the worker has been told to stop already."""
    _State.working = True
    try:
        if _State.told:
            raise WorkerStopping
        yield
    finally:
        _State.working = False


def was_told() -> bool:
    return _State.told
