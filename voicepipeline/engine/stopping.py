"""Telling a busy worker to stop: only work can be interrupted, never a write."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import RawValue
from types import FrameType
from typing import Any

STOP_SIGNAL = signal.SIGUSR1


# Memory shared by the cluster's parent and all that it forks.
_cluster_stops = RawValue("b", 0)


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


def note_cluster_stops(stops: bool = True) -> None:
    """Said by the cluster's parent before anything else, so that running work may end but none is begun."""
    _cluster_stops.value = stops


def may_begin() -> bool:
    """Whether this worker may take up work: neither it nor its cluster is stopping."""
    return not (_State.told or _cluster_stops.value)
