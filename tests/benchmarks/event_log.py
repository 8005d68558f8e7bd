"""`log_events` against Django's `create()` of the same row and against a bare INSERT, at 1 and 8 processes."""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from functools import partial

from django.db import connection, connections, transaction

from tests.benchmarks.surroundings import Table
from voicepipeline.events import NewEvent, compute_time_window, log_events
from voicepipeline.models import Artifact, PipelineEvent

SECONDS = 4.0
PROCESSES = (1, 8)
USUAL_FLUSH = 4  # a stage's end: completed, status changed, and what its neighbours say

BARE = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, artifact_id, pipeline_stage, previous_status,
    new_status, error_code, error_message, metadata, timestamp, time_window)
VALUES (%s, 'claims_extracted', %s, 'claims_extraction', '', '', '', '', '{"claim_count": 3}', now(), %s)
"""


def measure(table: Table) -> None:
    table.heading("Event log: events written per second, and the ratio to create()")
    artifact = Artifact.objects.create(source_channel="api")
    window = compute_time_window(artifact.received_at)
    for processes in PROCESSES:
        baseline = rate(partial(_create, artifact, window), processes)
        table.row(f"create(), {processes} processes", f"{baseline:,.0f}/s", "1.00")
        others: dict[str, tuple[Callable[[], None], int]] = {
            "bare INSERT": (partial(_bare, artifact.pk, window), 1),
            "log_events, one event": (partial(_log, artifact, 1), 1),
            f"log_events, a flush of {USUAL_FLUSH}, per event": (partial(_log, artifact, USUAL_FLUSH), USUAL_FLUSH),
        }
        for name, (act, events) in others.items():
            found = rate(act, processes) * events
            table.row(f"{name}, {processes} processes", f"{found:,.0f}/s", f"{found / baseline:.2f}")


def rate(act: Callable[[], None], processes: int) -> float:
    """How often this happens per second, all processes together."""
    connections.close_all()
    counts = multiprocessing.get_context("fork").SimpleQueue()
    barrier = multiprocessing.get_context("fork").Barrier(processes)

    def member() -> None:
        act()  # opens the connection
        barrier.wait()
        done, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            act()
            done += 1
        connection.close()
        counts.put(done)

    crew = [multiprocessing.get_context("fork").Process(target=member) for _ in range(processes)]
    for process in crew:
        process.start()
    total = sum(counts.get() for _ in crew)
    for process in crew:
        process.join()
    return total / SECONDS


def _create(artifact: Artifact, window: str) -> None:
    PipelineEvent.objects.create(
        event_type="claims_extracted",
        artifact=artifact,
        pipeline_stage="claims_extraction",
        metadata={"claim_count": 3},
        time_window=window,
    )


def _bare(artifact_pk: int, window: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE, [uuid.uuid4(), artifact_pk, window])


def _log(artifact: Artifact, count: int) -> None:
    with transaction.atomic():
        log_events(
            NewEvent(
                event_type="claims_extracted",
                artifact=artifact,
                stage="claims_extraction",
                metadata={"claim_count": 3},
            )
            for _ in range(count)
        )
