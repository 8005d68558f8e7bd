"""A real cluster of 32 workers: how quickly an idle one answers a doorbell, and what it costs in memory."""

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

from tests.benchmarks.surroundings import CHECKOUT, Table
from tests.engine.helpers import make_artifact
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.models import Artifact, ClusterBeat, StageName, StageRun

WORKERS = 32
NOTES = 60
DEADLINE_SECONDS = 60


def measure(table: Table) -> None:
    table.heading(f"A cluster of {WORKERS} workers, idle")
    with cluster() as parent:
        waits = [ring_to_start_ms() for _ in range(NOTES)]
        quantiles = statistics.quantiles(waits, n=20)
        table.row("ring to start, typical (p50)", f"{statistics.median(waits):.0f} ms")
        table.row("ring to start, slowest 1 in 20 (p95)", f"{quantiles[18]:.0f} ms")
        memory_rows(table, parent)


@contextlib.contextmanager
def cluster(**environment: str) -> Iterator[psutil.Process]:
    earlier = set(ClusterBeat.objects.values_list("pk", flat=True))
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=CHECKOUT,
        env={**os.environ, "WORKERS": str(WORKERS), **environment},
        start_new_session=True,
    )
    try:
        wait_until(lambda: ClusterBeat.objects.exclude(pk__in=earlier).exists())
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def memory_rows(table: Table, parent: psutil.Process) -> None:
    processes = [parent, *parent.children(recursive=True)]
    memory = sum(process.memory_full_info().pss for process in processes)
    table.row(f"memory of {len(processes)} processes (PSS)", f"{memory / 2**20:.0f} MB")
    table.row("memory a process", f"{memory / 2**20 / len(processes):.1f} MB")


def ring_to_start_ms() -> float:
    """One note's first stage, from the commit that rang to the claim, by the database's clock."""
    artifact = make_artifact()
    scheduling = schedule_stage(artifact.pk, StageName.TRANSCRIPTION)
    assert scheduling.run is not None
    wait_until(lambda: Artifact.objects.get(pk=artifact.pk).status == Artifact.Status.COMPLETED)
    run = StageRun.objects.get(pk=scheduling.run.pk)
    assert run.started_at is not None
    return (run.started_at - run.queued_at).total_seconds() * 1000


def wait_until(condition, *, within_seconds: float = DEADLINE_SECONDS, look_every: float = 0.02) -> None:
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the cluster did not get there in time")
        time.sleep(look_every)
