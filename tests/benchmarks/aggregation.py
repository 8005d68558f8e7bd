"""One hour of events into its history, against the same by objects of the ORM; its memory and what vacuum has to do."""

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median

import psutil
from django.db import connection

from metrics.aggregation import aggregate_hourly_metrics
from metrics.models import MetricsSnapshot, Period
from tests.benchmarks.aggregation_orm import count_by_orm, different, stored
from tests.benchmarks.surroundings import Table

# Events, and how often both ways are tried.
SIZES = {1_000: 5, 100_000: 3, 1_000_000: 1}
CLUBS = 100
CLUBS_OF_A_QUIET_HOUR = 500
FIRST_HOUR = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)

MORE_CLUBS = """
INSERT INTO voicepipeline_organization (name, slug, languages, is_active, created_at)
SELECT 'Measured club ' || n, 'measured-club-' || n, '{}', true, '2026-01-01'
FROM generate_series((SELECT count(*) + 1 FROM voicepipeline_organization WHERE slug LIKE 'measured-club-%%'), %s) n
"""

# Twelve events a note, as the pipeline tells them; one in twenty notes fails at its second stage.
EVENTS = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, organization_id, pipeline_stage, duration_ms,
    previous_status, new_status, error_code, error_message, metadata, timestamp, time_window)
SELECT gen_random_uuid(), type, club.id, stage,
    CASE WHEN is_timed THEN (exp(6 + 2.5 * random() + 2 * random()))::bigint END, '', '', '', '',
    metadata || CASE WHEN type LIKE 'artifact%%' THEN jsonb_build_object('source_channel', channel) ELSE '{}' END, at,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24')
FROM (
    SELECT n, %(start)s::timestamptz + n * interval '1 hour' / %(events)s AS at,
        (ARRAY['app_recorded', 'whatsapp_audio', 'whatsapp_text', 'api'])[1 + n / 12 %% 4] AS channel,
        CASE WHEN n / 12 %% 20 = 0 AND n %% 12 IN (5, 10) THEN 20 + n %% 12 ELSE n %% 12 END AS step
    FROM generate_series(0, %(events)s - 1) n
) s
JOIN (VALUES
    (0, 'artifact_received', '', false, '{}'::jsonb),
    (1, 'transcription_started', 'transcription', false, '{"attempt": 1}'),
    (2, 'transcription_completed', 'transcription', true, '{"attempt": 1, "ai_model": "gpt-transcribe",
        "ai_cost": "0.001200", "confidence_score": 0.91, "transcript_word_count": 120}'),
    (3, 'artifact_status_changed', '', false, '{}'),
    (4, 'claims_extraction_started', 'claims_extraction', false, '{"attempt": 1}'),
    (5, 'claims_extracted', 'claims_extraction', true, '{"attempt": 1, "ai_model": "gpt-6-luna", "claim_count": 4,
        "ai_cost": "0.004321", "prompt_version": "claims-3", "confidence_score": 0.83, "claims_unsupported": 1}'),
    (25, 'claims_extraction_failed', 'claims_extraction', true, '{"attempt": 1, "ai_model": "gpt-6-luna",
        "prompt_version": "claims-3", "will_retry": false}'),
    (6, 'entity_resolution_started', 'entity_resolution', false, '{"attempt": 1}'),
    (7, 'entity_resolution_completed', 'entity_resolution', true, '{"attempt": 1, "entity_count": 5,
        "auto_resolved": 3, "user_resolved": 0, "unresolved": 1, "disambiguation_count": 1}'),
    (8, 'draft_generation_started', 'draft_generation', false, '{"attempt": 1}'),
    (9, 'drafts_generated', 'draft_generation', true, '{"attempt": 1, "draft_count": 4, "automatic_count": 2}'),
    (10, 'artifact_completed', '', true, '{}'),
    (30, 'artifact_failed', '', true, '{}'),
    (11, 'draft_confirmed', '', false, '{"automatic": true, "prompt_version": "claims-3", "topic": "injury"}')
) AS told (step, type, stage, is_timed, metadata) USING (step)
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM voicepipeline_organization) club
    ON club.place = n / 12 %% %(clubs)s
ORDER BY n
"""


def measure(table: Table) -> None:
    table.heading(f"One hour of {CLUBS} clubs counted and written, and the ratio to objects of the ORM")
    for number, (events, times) in enumerate(SIZES.items()):
        start = FIRST_HOUR + number * HOUR
        load(start, events)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        by_orm, orm_grew = measured(lambda start=start: count_by_orm(start), start, times)
        said = stored(start)
        by_statement, grew = measured(lambda start=start: aggregate_hourly_metrics(start), start, times)
        wrong = different(stored(start), said)
        if wrong:
            raise AssertionError("; ".join(wrong[:5]))
        table.row(f"{events:,} events", f"{by_statement:.3f} s", f"{by_orm / by_statement:.1f}")
        table.row(f"{events:,} events, objects of the ORM, {len(said):,} rows", f"{by_orm:.3f} s", "1.0")
        table.row("  memory: here, and of the database's process", f"{grew[0]:.1f}, {grew[1]:.1f} MB")
        table.row("  memory with objects of the ORM", f"{orm_grew[0]:.1f}, {orm_grew[1]:.1f} MB")
        table.row("  once more, nothing changed", f"{timed(lambda start=start: aggregate_hourly_metrics(start)):.3f} s")
    measure_a_quiet_hour(table)


def measure_a_quiet_hour(table: Table) -> None:
    """The running hour of many clubs, counted each minute: what that leaves for vacuum."""
    start = FIRST_HOUR + len(SIZES) * HOUR
    load(start, 10_000, CLUBS_OF_A_QUIET_HOUR)
    table.row(
        f"{CLUBS_OF_A_QUIET_HOUR} clubs, 10,000 events", f"{timed(lambda: aggregate_hourly_metrics(start)):.3f} s"
    )
    for what in ("nothing changed", "ten clubs have new events"):
        if what != "nothing changed":
            load(start, 100, 10)
        before = dead_rows()
        table.row(f"  once more, {what}", f"{timed(lambda: aggregate_hourly_metrics(start)):.3f} s")
        table.row("  rows left for vacuum by that", f"{dead_rows() - before:,}")


def measured(act: Callable[[], object], start: datetime, times: int) -> tuple[float, tuple[float, float]]:
    """The usual seconds for an hour that has no history yet, and by how many MB both processes grew the last time."""
    seconds = []
    for _ in range(times):
        MetricsSnapshot.objects.filter(period_type="hour", period_start=start).delete()
        Period.objects.filter(period_type="hour", period_start=start).delete()
        gc.collect()
        before = memory()
        seconds.append(timed(act))
    here, there = ((now - then) / 2**20 for now, then in zip(memory(), before, strict=True))
    return median(seconds), (max(0, here), max(0, there))


def memory() -> tuple[int, int]:
    """What this process holds, and what the database's process holds for itself."""
    backend = psutil.Process(connection.connection.info.backend_pid)
    return psutil.Process().memory_info().rss, backend.memory_full_info().uss


def timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def dead_rows() -> int:
    """What was updated or deleted in history so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT sum(n_tup_upd + n_tup_del) FROM pg_stat_user_tables WHERE relname LIKE 'metrics_%snapshot'"
        )
        return int(cursor.fetchone()[0])


def load(start: datetime, events: int, clubs: int = CLUBS) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MORE_CLUBS, [clubs])
        cursor.execute("SET session_replication_role = replica")  # no foreign keys to look up one by one
        cursor.execute(EVENTS, {"start": start, "events": events, "clubs": clubs})
        cursor.execute("SET session_replication_role = origin")
