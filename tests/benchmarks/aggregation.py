"""One hour of events into its history, against the same from ORM objects; what it takes in memory and dead rows."""

import gc
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil

import psutil
from django.db import connection

from metrics.aggregation import aggregate_hourly_metrics
from metrics.models import END_TO_END, MetricsSnapshot, StageSnapshot
from tests.benchmarks.surroundings import Table
from voicepipeline.models import PipelineEvent
from voicepipeline.stages import IN_ORDER

SIZES = (1_000, 100_000, 1_000_000)
CLUBS = 100
CLUBS_OF_A_QUIET_HOUR = 500
FIRST_HOUR = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHARES = (0.5, 0.95)

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
    table.heading(f"One hour of {CLUBS} clubs counted from its events, and the ratio to ORM objects in Python")
    for number, events in enumerate(SIZES):
        start = FIRST_HOUR + number * HOUR
        load(start, events)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        figures, exact, python = timed(lambda start=start: count_in_python(start))
        grown, seconds = count(start)
        wrong = differences(start, figures)
        if wrong:
            raise AssertionError("; ".join(wrong[:5]))
        figures.clear()
        table.row(f"{events:,} events", f"{seconds:.3f} s", f"{python / seconds:.1f}")
        table.row(f"{events:,} events, ORM objects ({exact:,} percentiles)", f"{python:.3f} s", "1.00")
        table.row(f"{events:,} events, memory it took in Python", f"{grown / 2**20:.1f} MB")
        table.row(f"{events:,} events, once more, nothing changed", f"{timed_only(start):.3f} s")
    measure_a_quiet_hour(table)


def measure_a_quiet_hour(table: Table) -> None:
    """The running hour of many clubs, counted each minute: what that leaves for vacuum."""
    start = FIRST_HOUR + len(SIZES) * HOUR
    load(start, 10_000, CLUBS_OF_A_QUIET_HOUR)
    table.row(f"{CLUBS_OF_A_QUIET_HOUR} clubs, 10,000 events", f"{timed_only(start):.3f} s")
    before = dead_rows()
    table.row("  once more, nothing changed", f"{timed_only(start):.3f} s")
    table.row("  rows left for vacuum by that", f"{dead_rows() - before:,}")
    load(start, 100, 10)
    before = dead_rows()
    table.row("  once more, ten clubs have new events", f"{timed_only(start):.3f} s")
    table.row("  rows left for vacuum by that", f"{dead_rows() - before:,}")


def count(start: datetime) -> tuple[int, float]:
    """How much memory the process took for it, and how many seconds."""
    me = psutil.Process()
    gc.collect()
    before = me.memory_info().rss
    seconds = timed_only(start)
    return max(0, me.memory_info().rss - before), seconds


def timed_only(start: datetime) -> float:
    began = time.monotonic()
    aggregate_hourly_metrics(start)
    return time.monotonic() - began


def timed(act: Callable[[], dict[int | None, "Club"]]) -> tuple[dict[int | None, "Club"], int, float]:
    """The figures in Python with their percentiles: those, how many percentiles, and in how many seconds."""
    began = time.monotonic()
    clubs = act()
    exact = [club.percentile(stage, share) for club in clubs.values() for stage in club.durations for share in SHARES]
    return clubs, len(exact), time.monotonic() - began


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


class Club:
    """What one club's events come to, in plain Python."""

    def __init__(self) -> None:
        self.sums: dict[str, float | Decimal] = defaultdict(int)
        self.stages: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.durations: dict[str, list[int]] = defaultdict(list)

    def percentile(self, stage: str, share: float) -> int:
        ranked = sorted(self.durations[stage])
        return ranked[ceil(share * len(ranked)) - 1]


COUNTS = {
    "claims_extracted": {"claims": "claim_count", "claims_unsupported": "claims_unsupported"},
    "entity_resolution_completed": {
        "entities": "entity_count",
        "entities_auto_resolved": "auto_resolved",
        "entities_user_resolved": "user_resolved",
        "entities_unresolved": "unresolved",
        "disambiguations": "disambiguation_count",
    },
    "drafts_generated": {"drafts": "draft_count", "drafts_automatic": "automatic_count"},
}
CONFIDENCES = {
    "transcription_completed": ("transcript_confidence", "transcripts_with_confidence"),
    "claims_extracted": ("claim_confidence", "notes_with_claim_confidence"),
}
NUMBERS = {
    "artifact_received": "artifacts_received",
    "artifact_completed": "artifacts_completed",
    "artifact_failed": "artifacts_failed",
    "draft_confirmed": "drafts_confirmed",
    "draft_rejected": "drafts_rejected",
    "draft_undone": "drafts_undone",
    "retry_initiated": "retries",
    "retry_succeeded": "retries_succeeded",
    "retry_failed": "retries_failed",
}
STEPS = {
    event_type: (stage.name, step)
    for stage in IN_ORDER
    for event_type, step in ((stage.started, "attempts"), (stage.completed, "completed"), (stage.failed, "failed"))
} | {
    "artifact_received": (END_TO_END, "attempts"),
    "artifact_completed": (END_TO_END, "completed"),
    "artifact_failed": (END_TO_END, "failed"),
}


def count_in_python(start: datetime) -> dict[int | None, Club]:
    """The figures of an hour from its events as ORM objects."""
    clubs: dict[int | None, Club] = defaultdict(Club)
    for event in PipelineEvent.objects.filter(timestamp__gte=start, timestamp__lt=start + HOUR):
        for club in {None: clubs[None], event.organization_id: clubs[event.organization_id]}.values():
            count_one(club, event)
    return clubs


def count_one(club: Club, event: PipelineEvent) -> None:
    told, kind = event.metadata, event.event_type
    if "ai_model" in told:
        club.sums["ai_calls"] += 1
        club.sums["ai_calls_unpriced"] += "ai_cost" not in told
    if "ai_cost" in told:
        club.sums["ai_cost"] += Decimal(told["ai_cost"])
    if told.get("repeat") or told.get("will_retry"):
        return
    if kind in NUMBERS:
        club.sums[NUMBERS[kind]] += 1
    for name, key in COUNTS.get(kind, {}).items():
        club.sums[name] += told.get(key, 0)
    if kind in CONFIDENCES and "confidence_score" in told:
        total, number = CONFIDENCES[kind]
        club.sums[total] += told["confidence_score"]
        club.sums[number] += 1
    if kind in STEPS:
        stage, step = STEPS[kind]
        club.stages[stage][step] += 1
        if step == "completed" and event.duration_ms is not None:
            club.durations[stage].append(event.duration_ms)


def differences(start: datetime, clubs: dict[int | None, Club]) -> list[str]:
    """Where history says something else than plain Python."""
    found = []
    for snapshot in MetricsSnapshot.objects.filter(period_type="hour", period_start=start).prefetch_related("stages"):
        club = clubs[snapshot.organization_id]
        for name, value in club.sums.items():
            if abs(float(getattr(snapshot, name)) - float(value)) > 1e-6 * abs(float(value)):
                found.append(f"{snapshot.organization_id} {name}: {getattr(snapshot, name)}, not {value}")
        for row in snapshot.stages.all():
            found += different_stage(row, club)
    return found


def different_stage(row: StageSnapshot, club: Club) -> list[str]:
    said = {name: getattr(row, name) for name in ("attempts", "completed", "failed")}
    true = {name: club.stages[row.stage][name] for name in said}
    found = [f"{row.stage}: {said}, not {true}"] if said != true else []
    for share, read in zip(SHARES, (row.p50_ms, row.p95_ms), strict=True):
        exact = club.percentile(row.stage, share) if club.durations[row.stage] else None
        if (read is None) != (exact is None) or abs((read or 0) - (exact or 0)) > 0.01 * (exact or 0):
            found.append(f"{row.stage} at {share}: {read}, not {exact}")
    return found
