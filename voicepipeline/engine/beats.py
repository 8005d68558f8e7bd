"""Clusters report in: that their parent lives, and when their workers last took up and ended a job. So do watchdogs."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing import RawArray
from typing import Any

import psutil
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import ClusterBeat, WatchdogBeat

logger = logging.getLogger(__name__)

STARTED, ENDED, UNRECORDED = 0, 1, 2
# Watchdogs are told apart by their process: every restart leaves a row.
WATCHDOGS_KEPT = timedelta(hours=24)
# Memory shared by the cluster's parent and all that it forks; a torn read is harmless.
_moments = RawArray("d", 3)


def note_start(**kwargs: Any) -> None:
    _moments[STARTED] = time.time()


def note_end(**kwargs: Any) -> None:
    _moments[ENDED] = time.time()
    if not _moments[UNRECORDED]:
        _moments[UNRECORDED] = _moments[ENDED]


def note_recorded(**kwargs: Any) -> None:
    """The monitor has recorded a job's end; said there, while the others speak in the workers."""
    _moments[UNRECORDED] = 0


class Reporter:
    """A thread of the cluster's parent that writes the cluster's row until it is told to stop.

    It also notices when ends are no longer recorded: a monitor that is killed takes the lock of its queue along, and
    its successor waits for it for ever. Workers would go on, but no doorbell is ever acknowledged, no failure shown,
    and the cluster cannot stop.
    """

    def __init__(self, sentinel_pid: int, *, when_unrecorded: Callable[[], None]) -> None:
        parent = psutil.Process()
        self.identity: dict[str, Any] = {
            "host": socket.gethostname(),
            "parent_pid": parent.pid,
            "parent_started_at": datetime.fromtimestamp(parent.create_time(), UTC),
        }
        self.sentinel_pid = sentinel_pid
        self.when_unrecorded = when_unrecorded
        self.in_touch_since = float("inf")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._report, name="cluster-beat", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.over.set()

    def _report(self) -> None:
        pause = limits().beat_every.total_seconds()
        try:
            while True:
                try:
                    self.write()
                    self.in_touch_since = min(self.in_touch_since, time.time())
                    if self._is_unrecorded():
                        self._say_ended("Its results were no longer recorded: it took up jobs and ended none.")
                        self.when_unrecorded()
                        return
                except (DatabaseError, InterfaceError):
                    connection.close()  # the next beat tries again; being late is what the row is read for
                    self.in_touch_since = float("inf")
                if self.over.wait(pause):
                    return
        finally:
            connection.close()

    def _is_unrecorded(self) -> bool:
        """While the database was away nothing could be recorded, so that time does not count."""
        first = _moments[UNRECORDED]
        waited = time.time() - max(first, self.in_touch_since)
        return bool(first) and waited > limits().wedged_after.total_seconds()

    def _say_ended(self, reason: str) -> None:
        logger.error("cluster ends itself", extra={"cluster": self.identity["parent_pid"], "reason": reason})
        beat = ClusterBeat.objects.filter(**self.identity, ended_at=None)
        beat.update(ended_at=database_now(), ended_reason=reason)

    def write(self) -> None:
        now = database_now()
        values: dict[str, Any] = {
            "sentinel_pid": self.sentinel_pid,
            "workers": settings.WORKERS,
            "last_seen_at": now,
            "last_task_started_at": _on_database_clock(now, _moments[STARTED]),
            "last_task_finished_at": _on_database_clock(now, _moments[ENDED]),
        }
        ClusterBeat.objects.update_or_create(**self.identity, defaults=values)


def _on_database_clock(now: datetime, moment: float) -> datetime | None:
    return now - timedelta(seconds=max(0.0, time.time() - moment)) if moment else None


def say_watchdog_lives(now: datetime) -> None:
    WatchdogBeat.objects.update_or_create(host=socket.gethostname(), pid=os.getpid(), defaults={"last_seen_at": now})
    WatchdogBeat.objects.filter(last_seen_at__lt=now - WATCHDOGS_KEPT).delete()
