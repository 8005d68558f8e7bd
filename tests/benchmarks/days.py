"""A day added up from the hours of 500 clubs, against the same done with objects in Python."""

import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

from django.db import connection, models

from metrics.days import aggregate_daily_metrics
from metrics.models import MetricsSnapshot, Period, PromptSnapshot, SourceSnapshot, StageSnapshot
from tests.benchmarks.surroundings import Table
from voicepipeline.models import Organization

CLUBS = 500
HOURS_KEPT = 7  # days of hours that lie beside those that are added up
TIMES = 5
DAY = datetime(2026, 3, 14, tzinfo=UTC)
SUMMED = (models.PositiveBigIntegerField, models.FloatField, models.DecimalField)

CLUBS_MADE = """
INSERT INTO voicepipeline_organization (name, slug, languages, is_active, created_at)
SELECT 'Club of days ' || n, 'club-of-days-' || n, '{}', TRUE, '2020-01-01' FROM generate_series(1, %(clubs)s) AS n
"""
PERIODS_MADE = """
INSERT INTO metrics_period (period_type, period_start, aggregated_at, events, gaps)
SELECT 'hour', hour, now(), 100000, '{}'
FROM generate_series(%(day)s::timestamptz, %(day)s::timestamptz + interval '23 hours', interval '1 hour') AS hour
"""
# Busy in the afternoon, quiet at night; the first clubs are the largest.
CLUB_HOURS = """
INSERT INTO metrics_metricssnapshot (period_type, period_start, organization_id, has_gaps, {columns})
SELECT 'hour', period_start, organization.id, FALSE, {values}
FROM metrics_period, voicepipeline_organization organization WHERE organization.slug LIKE 'club-of-days-%%'
"""
PLATFORM_HOURS = """
INSERT INTO metrics_metricssnapshot (period_type, period_start, organization_id, has_gaps, {columns})
SELECT 'hour', period_start, NULL, FALSE, {sums} FROM metrics_metricssnapshot GROUP BY period_start
"""
# Durations as they are: many ordinary ones, some ten times as long.
STAGES_OF_CLUBS = """
INSERT INTO metrics_stagesnapshot (snapshot_id, stage, attempts, completed, failed, timed, total_ms, buckets, counts,
    p50_ms, p95_ms)
SELECT id, stage, sum(n), sum(n), 0, sum(n), sum(total), array_agg(bucket ORDER BY bucket),
    array_agg(n ORDER BY bucket), NULL, NULL
FROM (
    SELECT snapshot.id, stage, metrics_bucket(ms) AS bucket, count(*) AS n, sum(ms) AS total
    FROM metrics_metricssnapshot snapshot
    CROSS JOIN unnest(%(stages)s::text[]) AS stage
    CROSS JOIN LATERAL generate_series(1, 1 + (snapshot.artifacts_received * 3) / 2) AS note
    CROSS JOIN LATERAL (
        SELECT exp(8 + sqrt(-2 * ln(1 - random())) * cos(6.283 * random()) + note * 0)::bigint AS ms
    ) AS drawn
    WHERE organization_id IS NOT NULL
    GROUP BY 1, 2, 3
) AS counted
GROUP BY id, stage
"""
STAGES_OF_PLATFORM = """
INSERT INTO metrics_stagesnapshot (snapshot_id, stage, attempts, completed, failed, timed, total_ms, buckets, counts)
SELECT id, stage, sum(n), sum(n), 0, sum(n), sum(n * metrics_bucket_value(bucket))::bigint,
    array_agg(bucket ORDER BY bucket), array_agg(n ORDER BY bucket)
FROM (
    SELECT platform.id, stage, bucket, sum(n)::bigint AS n
    FROM metrics_metricssnapshot platform
    JOIN metrics_metricssnapshot club ON club.period_start = platform.period_start AND club.organization_id IS NOT NULL
    JOIN metrics_stagesnapshot stage_of_club ON snapshot_id = club.id,
        unnest(buckets, counts) AS histogram (bucket, n)
    WHERE platform.organization_id IS NULL
    GROUP BY 1, 2, 3
) AS merged
GROUP BY id, stage
"""
BENEATH = """
INSERT INTO {table} (snapshot_id, {kind}, {columns})
SELECT id, which, {values} FROM metrics_metricssnapshot CROSS JOIN unnest(%(which)s::text[]) AS which
"""
# The other days that are kept are copies.
COPIED_HOURS = """
INSERT INTO metrics_metricssnapshot (period_type, period_start, organization_id, has_gaps, {columns})
SELECT 'hour', period_start - %(days)s * interval '1 day', organization_id, FALSE, {columns}
FROM metrics_metricssnapshot WHERE period_start >= %(day)s
"""
COPIED_BENEATH = """
INSERT INTO {table} (snapshot_id, {columns})
SELECT copy.id, {copied} FROM {table} old
JOIN metrics_metricssnapshot snapshot ON snapshot.id = old.snapshot_id AND snapshot.period_start >= %(day)s
JOIN metrics_metricssnapshot copy ON copy.period_start = snapshot.period_start - %(days)s * interval '1 day'
    AND coalesce(copy.organization_id, 0) = coalesce(snapshot.organization_id, 0)
"""
KINDS = {StageSnapshot: "stage", SourceSnapshot: "source_channel", PromptSnapshot: "prompt_version"}


def measure(table: Table) -> None:
    table.heading(f"A day from its hours, {CLUBS} clubs, a week of hours in the tables")
    seed()
    try:
        _measure(table)
    finally:
        clear()


def _measure(table: Table) -> None:
    first, written = _timed(lambda: aggregate_daily_metrics(DAY))
    again = min(_timed(lambda: aggregate_daily_metrics(DAY))[0] for _ in range(TIMES))
    in_python, expected = _timed(add_up_in_python)
    table.row(f"aggregate_daily_metrics, first time, {written.rows} rows", f"{first * 1000:,.0f} ms")
    table.row("aggregate_daily_metrics, again", f"{again * 1000:,.0f} ms", "1.0")
    table.row("objects in Python, without writing them", f"{in_python * 1000:,.0f} ms", f"{in_python / again:.1f}")
    if stored() != expected:
        raise AssertionError("The two do not say the same.")
    if again > 2:
        table.row("  LONGER THAN 2 S", "")


def _timed(act):
    started = time.perf_counter()
    result = act()
    return time.perf_counter() - started, result


def add_up_in_python():
    """The sums of each row of the day, the merged histograms and their percentiles."""
    days = defaultdict(Counter)
    hours = MetricsSnapshot.objects.filter(
        period_type="hour", period_start__gte=DAY, period_start__lt=DAY + timedelta(days=1)
    )
    for hour in hours.prefetch_related("stages", "sources", "prompts"):
        _add(days[hour.organization_id, "", ""], hour)
        for kind, rows in (("stage", hour.stages), ("source_channel", hour.sources), ("prompt_version", hour.prompts)):
            for row in rows.all():
                _add(days[hour.organization_id, kind, getattr(row, kind)], row)
    return {key: {name: value for name, value in sums.items() if value} for key, sums in days.items()}


def _add(sums, row):
    for field in summed(type(row)):
        sums[field] += getattr(row, field)
    if isinstance(row, StageSnapshot):
        for bucket, count in zip(row.buckets, row.counts, strict=True):
            sums[bucket] += count


def stored():
    """The same of what has been written."""
    found = {}
    for day in MetricsSnapshot.objects.filter(period_type="day").prefetch_related("stages", "sources", "prompts"):
        found[day.organization_id, "", ""] = _figures(day)
        for kind, rows in (("stage", day.stages), ("source_channel", day.sources), ("prompt_version", day.prompts)):
            found |= {(day.organization_id, kind, getattr(row, kind)): _figures(row) for row in rows.all()}
    return found


def _figures(row):
    figures = {name: getattr(row, name) for name in summed(type(row)) if getattr(row, name)}
    if isinstance(row, StageSnapshot):
        figures |= dict(zip(row.buckets, row.counts, strict=True))
    return figures


def summed(model):
    return [field.name for field in model._meta.local_fields if type(field) in SUMMED and not field.null]


def seed() -> None:
    columns = summed(MetricsSnapshot)
    size = "(1 + 4000 / (100 + organization.id %% 500) * extract(hour FROM period_start) / 24)::bigint"
    sums = ", ".join(f"sum({column})" for column in columns)
    _run(CLUBS_MADE, clubs=CLUBS)
    _run(PERIODS_MADE, day=DAY)
    _run(CLUB_HOURS.format(columns=", ".join(columns), values=", ".join([size] * len(columns))))
    _run(PLATFORM_HOURS.format(columns=", ".join(columns), sums=sums))
    _run(STAGES_OF_CLUBS, stages=[value for value, _ in StageSnapshot.STAGES])
    _run(STAGES_OF_PLATFORM)
    for model, which in ((SourceSnapshot, ["api", "voicemail", "app_recorded"]), (PromptSnapshot, ["v1", "v2"])):
        names = summed(model)
        filled = {"table": model._meta.db_table, "kind": KINDS[model], "columns": ", ".join(names)}
        _run(BENEATH.format(**filled, values=", ".join(["3"] * len(names))), which=which)
    for days in range(1, HOURS_KEPT):
        _copy(columns, days)
    for model in (Period, MetricsSnapshot, *KINDS):
        _run(f"VACUUM ANALYZE {model._meta.db_table}")


def _copy(columns, days) -> None:
    _run(COPIED_HOURS.format(columns=", ".join(columns)), day=DAY, days=days)
    for model in KINDS:
        names = [field.column for field in model._meta.local_fields if field.name not in ("id", "snapshot")]
        filled = {"columns": ", ".join(names), "copied": ", ".join(f"old.{name}" for name in names)}
        _run(COPIED_BENEATH.format(table=model._meta.db_table, **filled), day=DAY, days=days)


def clear() -> None:
    names = ", ".join(model._meta.db_table for model in (*KINDS, MetricsSnapshot, Period))
    _run(f"TRUNCATE {names}")
    Organization.objects.filter(slug__startswith="club-of-days-").delete()


def _run(statement: str, **given: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
