"""Clusters report in: that their parent lives, and when their workers last took up and ended a job."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import RawArray
from typing import Any

import psutil
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import ClusterBeat

STARTED, ENDED = 0, 1
# Memory shared by the cluster's parent and the workers it forks; a torn read is harmless.
_moments = RawArray("d", 2)


def note_start(**kwargs: Any) -> None:
    _moments[STARTED] = time.time()


def note_end(**kwargs: Any) -> None:
    _moments[ENDED] = time.time()


class Reporter:
    """A thread of the cluster's parent that writes the cluster's row until it is told to stop."""

    def __init__(self, sentinel_pid: int) -> None:
        parent = psutil.Process()
        self.identity: dict[str, Any] = {
            "host": socket.gethostname(),
            "parent_pid": parent.pid,
            "parent_started_at": datetime.fromtimestamp(parent.create_time(), UTC),
        }
        self.sentinel_pid = sentinel_pid
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
                except (DatabaseError, InterfaceError):
                    connection.close()  # the next beat tries again; being late is what the row is read for
                if self.over.wait(pause):
                    return
        finally:
            connection.close()

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
