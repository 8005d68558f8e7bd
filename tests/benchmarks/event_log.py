"""`log_events`, which counts what it writes, against Django's `create()` of the event alone, at 1 to 16 processes."""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from statistics import median

from django.db import connection, connections, transaction

from tests.benchmarks.surroundings import Table
from voicepipeline.events import NewEvent, compute_time_window, log_events
from voicepipeline.models import Artifact, Organization, PipelineEvent

SECONDS = 1.0
ROUNDS = 5  # of everything in turn, so that what else the machine does befalls all alike
PROCESSES = (1, 4, 8, 16)
METADATA = {"claim_count": 3, "ai_cost": Decimal("0.0123"), "ai_model": "a-model"}
# The end of a stage: what it has done and cost, where the note is now, and what is to be asked.
USUAL_FLUSH = (
    ("claims_extracted", METADATA),
    ("artifact_status_changed", {}),
    ("entity_needs_disambiguation", {}),
    ("entity_needs_disambiguation", {}),
)

BARE = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, artifact_id, organization_id, pipeline_stage,
    previous_status, new_status, error_code, error_message, metadata, timestamp, time_window)
VALUES (%s, 'claims_extracted', %s, %s, 'claims_extraction', '', '', '', '',
    '{"claim_count": 3, "ai_cost": "0.0123", "ai_model": "a-model"}', now(), %s)
"""
COUNTING = "ALTER TABLE voicepipeline_pipelineevent {} TRIGGER event_is_counted"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def measure(table: Table) -> None:
    table.heading("Event log: events written per second, and the ratio to create() of the event alone")
    club = Organization.objects.create(name="Counted", slug="counted")
    artifact = Artifact.objects.create(
        source_channel="api",
        organization=club,
        org_context_candidates=[{"organization_id": club.pk, "confidence": 1.0}],
    )
    window = compute_time_window(artifact.received_at)
    create = partial(_create, artifact, window)
    # What is measured, how many events it writes, and whether they are counted.
    acts: dict[str, tuple[Callable[[], None], int, bool]] = {
        "create() of the event alone": (create, 1, False),
        "bare INSERT of the event alone": (partial(_bare, artifact, window), 1, False),
        "a flush of one event, not counted": (partial(_flush, artifact, 1), 1, False),
        "create(), counted": (create, 1, True),
        "a flush of one event, counted": (partial(_flush, artifact, 1), 1, True),
        "a flush of one event, last in a transaction, counted": (partial(_flush_last, artifact, 1), 1, True),
        "a stage's flush of 4, last in a transaction, counted, per event": (partial(_flush_last, artifact, 4), 4, True),
    }
    deadlocks = _asked(DEADLOCKS)
    for processes in PROCESSES:
        _compare(table, acts, processes)
    deadlocks = _asked(DEADLOCKS) - deadlocks
    table.row("deadlocks", str(deadlocks))
    assert deadlocks == 0


def _compare(table: Table, acts: dict[str, tuple[Callable[[], None], int, bool]], processes: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, (act, events, counted) in acts.items():
            _execute(COUNTING.format("ENABLE" if counted else "DISABLE"))
            rates[name].append(rate(act, processes) * events)
    _execute(COUNTING.format("ENABLE"))
    baseline = next(iter(rates.values()))
    for name, found in rates.items():
        ratio = median(one / alone for one, alone in zip(found, baseline, strict=True))
        table.row(f"{name}, {processes} processes", f"{median(found):,.0f}/s", f"{ratio:.2f}")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _asked(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return int(cursor.fetchone()[0])


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
        organization_id=artifact.organization_id,
        pipeline_stage="claims_extraction",
        metadata={**METADATA, "ai_cost": str(METADATA["ai_cost"])},
        time_window=window,
    )


def _bare(artifact: Artifact, window: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE, [uuid.uuid4(), artifact.pk, artifact.organization_id, window])


def _flush(artifact: Artifact, count: int) -> None:
    log_events(
        NewEvent(event_type=event_type, artifact=artifact, stage="claims_extraction", metadata=metadata)
        for event_type, metadata in USUAL_FLUSH[:count]
    )


def _flush_last(artifact: Artifact, count: int) -> None:
    with transaction.atomic():
        _flush(artifact, count)
