"""Retries in a large installation: one, the preview and the start of a thousand, and what pacing costs the watchdog."""

import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from retry.bulk.pacing import advance_all
from retry.bulk.previews import make_preview, start_bulk
from retry.estimates import at_once
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem
from retry.operations import Retry, retry_failed_stage, retry_full_pipeline
from retry.queries import preview_retry
from tests.benchmarks.loader import load
from tests.benchmarks.surroundings import Table
from tests.factories import make_club, make_user
from tests.retry.factories import make_failed, make_ready
from voicepipeline.events import compute_time_window
from voicepipeline.models import Artifact, PipelineEvent, User
from voicepipeline.roles import ADMINISTRATOR

AROUND = 50_000  # notes that are there besides
REAL_STAGES = {
    "transcription": "voicepipeline.stages.transcription",
    "claims_extraction": "voicepipeline.stages.claims",
    "entity_resolution": "voicepipeline.stages.resolution",
    "draft_generation": "voicepipeline.stages.drafts",
}
ROUNDS = 200  # of one retry; a person may start over a hundred times in an hour
STARTED_OVER = 90
MANY, FEW = 1_000, 10
PREVIEWED = 20
TICKS = 50
TARGET_P50_MS, TARGET_P95_MS, TARGET_PREVIEW_MS = 15, 50, 300


def measure(table: Table) -> None:
    table.heading(f"Retries among {AROUND:,} voice notes or more")
    if Artifact.objects.count() < AROUND:
        table.row("made by the loader in", f"{load(AROUND):.0f} s")
    by, club = make_user(ADMINISTRATOR), make_club(name="Club of retries", slug="club-of-retries")
    with override_settings(STAGE_CODE=REAL_STAGES):
        _one(table, by, club)
        notes = [make_failed(organization=club).pk for _ in range(MANY)]
        bulk = _preview(table, notes, by)
        _start_and_pace(table, bulk, by)


def _one(table: Table, by: User, club: Any) -> None:
    """In turn with the baseline, so that what else the machine does befalls all alike."""
    failed = [make_failed(organization=club) for _ in range(ROUNDS)]
    ready = [make_ready(organization=club) for _ in range(STARTED_OVER)]
    alone, again, over = [], [], []
    for number, note in enumerate(failed):
        alone.append(_ms(_insert, note))
        again.append(_ms(_asked, retry_failed_stage, note, by))
        if number < STARTED_OVER:
            over.append(_ms(_asked, retry_full_pipeline, ready[number], by))
    base = median(alone)
    table.row("baseline: one event by create(), p50 / p95", _both(alone), "1.0")
    target = f"(target {TARGET_P50_MS} / {TARGET_P95_MS})"
    table.row(f"one retry of a failed stage, p50 / p95 {target}", _both(again), f"{median(again) / base:.1f}")
    table.row("one start over of a ready note, p50 / p95", _both(over), f"{median(over) / base:.1f}")


def _preview(table: Table, notes: list[int], by: User) -> BulkRetry:
    counted = [_queries(notes[:number], by) for number in (FEW, MANY)]
    assert counted[0] == counted[1], f"{FEW} notes take {counted[0]} queries, {MANY} take {counted[1]}"
    shown = [_ms(lambda: preview_retry(notes, FAILED_STAGE, by=by)) for _ in range(PREVIEWED)]
    made = [_ms(lambda: make_preview(notes, FAILED_STAGE, by=by, chosen_by="Measured")) for _ in range(PREVIEWED)]
    table.row(f"preview of {MANY:,}, p50 / p95 (target {TARGET_PREVIEW_MS})", _both(shown), f"{counted[1]} queries")
    table.row(f"preview of {MANY:,} with its rows, p50 / p95", _both(made))
    return BulkRetry.objects.latest("pk")


def _start_and_pace(table: Table, bulk: BulkRetry, by: User) -> None:
    idle = [_ms(advance_all) for _ in range(TICKS)]
    start = _ms(_begin, bulk, by)
    begins = _ms(advance_all)
    begun = under_way = _under_way(bulk)
    while under_way < at_once():  # a machine that is slow begins fewer within the second that a tick may take
        advance_all()
        under_way = _under_way(bulk)
    full = [_ms(advance_all) for _ in range(TICKS)]
    table.row(f"start of {MANY:,}", f"{start:.1f} ms")
    table.row("a tick without a bulk retry, p50 / p95", _both(idle))
    table.row("a tick that finds no room, p50 / p95", _both(full))
    table.row(f"a tick that begins {begun}", f"{begins:.0f} ms", f"{begins / begun:.1f} each")


def _under_way(bulk: BulkRetry) -> int:
    return BulkRetryItem.objects.filter(bulk=bulk, state=BulkRetryItem.State.REQUESTED).count()


def _insert(note: Artifact) -> None:
    with transaction.atomic():
        PipelineEvent.objects.create(
            event_type="retry_initiated",
            artifact=note,
            organization_id=note.organization_id,
            metadata={},
            time_window=compute_time_window(note.received_at),
        )


def _asked(kind: Retry, note: Artifact, by: User) -> None:
    result = kind(note.artifact_id, by=by, reason="Measured.")
    assert result.success, result.message


def _begin(bulk: BulkRetry, by: User) -> None:
    outcome = start_bulk(bulk.bulk_id, by=by, reason="Measured.", tries_first=False)
    assert outcome.done, outcome.message


def _queries(notes: list[int], by: User) -> int:
    with CaptureQueriesContext(connection) as captured:
        preview_retry(notes, FAILED_STAGE, by=by)
    return len(captured)


def _ms(act: Callable[..., Any], *given: Any) -> float:
    began = time.perf_counter()
    act(*given)
    return (time.perf_counter() - began) * 1000


def _both(times: list[float]) -> str:
    return f"{median(times):.1f} / {quantiles(times, n=20)[-1]:.1f} ms"
