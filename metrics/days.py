"""One UTC day of the history, added up from its hours."""

import logging
from datetime import datetime

from django.db import connection, models, transaction

from metrics.limits import DAY
from metrics.models import MetricsSnapshot, Period, PeriodType, PromptSnapshot, SourceSnapshot, StageSnapshot
from metrics.periods import Aggregated, checked_start, hold_period

logger = logging.getLogger(__name__)


def aggregate_daily_metrics(day: datetime) -> Aggregated:
    """Add up this UTC day's hours into the rows of the platform and of every club, instead of what they said.

    Nothing is written for a day that is final, that has no hours, or that was counted from more hours than there are.
    """
    start = checked_start(PeriodType.DAY, day)
    with transaction.atomic(durable=True):
        if not hold_period(PeriodType.DAY, start):
            return Aggregated(start, busy=True)
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            cursor.execute(ADD_UP, {"start": start, "end": start + DAY})
            written = cursor.fetchone()
        if written is None:
            return _not_written(start)
    events, hours, gaps, rows = written
    return Aggregated(start, events=events, rows=rows, hours=hours, gaps=gaps)


def _not_written(start: datetime) -> Aggregated:
    before = Period.objects.filter(period_type=PeriodType.DAY, period_start=start).first()
    if before is None:
        return Aggregated(start, hours=0)
    if before.sealed_at is None:
        logger.error("hours of a day are missing, it stays as it was counted", extra={"day": start.isoformat()})
    return Aggregated(start, events=before.events, hours=before.hours, gaps=before.gaps, refused=True)


# One large statement: compiling it takes longer than running it, and the buckets of 500 clubs fit into memory.
SETTINGS = "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)"
# Fractions are added up as numerics: in whatever order they come, their sum is the same to the last digit.
SUMS = {
    models.PositiveBigIntegerField: "coalesce(sum(part.{0}), 0)::bigint",
    models.FloatField: "coalesce(sum(part.{0}::numeric), 0)::float8",
    models.DecimalField: "coalesce(sum(part.{0}), 0)",
}


def _sums(model: type[models.Model]) -> dict[str, str]:
    """The columns of a snapshot that add up over its hours, each with its sum."""
    return {
        field.name: SUMS[type(field)].format(field.name)
        for field in model._meta.local_fields
        if type(field) in SUMS and not field.null
    }


def _upsert(model: type[models.Model], key: dict[str, str], values: dict[str, str], source: str) -> str:
    """Write rows, each column from its expression, over those of the same key."""
    columns = key | values
    return f"""
    INSERT INTO {model._meta.db_table} ({", ".join(columns)})
    SELECT {", ".join(columns.values())}
    {source}
    ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in values)}
    """


def _rows_beneath(name: str, model: type[models.Model], kind: str, *, join: str = "", **more: str) -> str:
    """Parts of the statement: the rows beneath the day's, one a stage, channel or prompt; those no hour has go."""
    table, sums = model._meta.db_table, _sums(model)
    source = f"""FROM (
        SELECT day_id, part.{kind}, {", ".join(f"{value} AS {column}" for column, value in sums.items())}
        FROM {name}_of_hours part GROUP BY day_id, part.{kind}
    ) added {join}"""  # noqa: S608
    key = {"snapshot_id": "added.day_id", kind: f"added.{kind}"}
    values = {column: f"added.{column}" for column in sums}
    return f"""
{name}_of_hours AS (
    SELECT whole.day_id, beneath.* FROM whole JOIN {table} beneath ON beneath.snapshot_id = whole.hour_id
),
{name} AS ({_upsert(model, key, values | more, source)} RETURNING snapshot_id, {kind}),
no_more_{name} AS (
    DELETE FROM {table} old USING snapshot
    WHERE old.snapshot_id = snapshot.id AND NOT EXISTS (
        SELECT FROM {name} WHERE {name}.snapshot_id = old.snapshot_id AND {name}.{kind} = old.{kind}
    )
)"""  # noqa: S608 — names of our own


HOURS = """
hour AS MATERIALIZED (
    SELECT period_start, events, gaps, sealed_at
    FROM metrics_period period
    WHERE period_type = 'hour' AND period_start >= %(start)s AND period_start < %(end)s AND EXISTS (
        SELECT FROM metrics_metricssnapshot platform
        WHERE platform.period_type = 'hour' AND platform.period_start = period.period_start
            AND platform.organization_id IS NULL
    )
),
part AS MATERIALIZED (
    SELECT snapshot.* FROM hour JOIN metrics_metricssnapshot snapshot USING (period_start)
    WHERE snapshot.period_type = 'hour'
)"""

DAY_WRITTEN = """
day AS (
    INSERT INTO metrics_period (period_type, period_start, aggregated_at, events, hours, gaps, sealed_at)
    SELECT 'day', %(start)s, clock_timestamp(), sum(events), count(*), gap.clubs,
        CASE WHEN count(*) = 24 AND bool_and(sealed_at IS NOT NULL) AND gap.clubs = '{}' THEN clock_timestamp() END
    FROM hour CROSS JOIN (
        SELECT coalesce(array_agg(DISTINCT club ORDER BY club), '{}') AS clubs FROM hour, unnest(gaps) AS club
    ) gap
    GROUP BY gap.clubs
    ON CONFLICT (period_type, period_start) DO UPDATE SET
        aggregated_at = EXCLUDED.aggregated_at, events = EXCLUDED.events, hours = EXCLUDED.hours,
        gaps = EXCLUDED.gaps, sealed_at = EXCLUDED.sealed_at
    WHERE metrics_period.sealed_at IS NULL AND metrics_period.hours <= EXCLUDED.hours
    RETURNING events, hours, gaps
)"""

SNAPSHOTS = _upsert(
    MetricsSnapshot,
    {"period_type": "'day'", "period_start": "%(start)s", "organization_id": "owner.id"},
    {
        "has_gaps": "CASE WHEN owner.id IS NULL THEN day.gaps <> '{}' ELSE owner.id = ANY (day.gaps) END",
        **_sums(MetricsSnapshot),
    },
    """
    FROM day CROSS JOIN (
        SELECT NULL::bigint AS id
        UNION SELECT id FROM voicepipeline_organization WHERE created_at < %(end)s
        UNION SELECT organization_id FROM part
    ) owner
    LEFT JOIN part ON coalesce(part.organization_id, 0) = coalesce(owner.id, 0)
    GROUP BY owner.id, day.gaps
    """,
)

# Buckets are the same in every hour: what fell into each is added up.
HISTOGRAMS = """
    LEFT JOIN (
        SELECT day_id, stage, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(n ORDER BY bucket) AS counts
        FROM (
            SELECT day_id, stage, bucket, sum(n)::bigint AS n
            FROM stages_of_hours, unnest(buckets, counts) AS histogram (bucket, n)
            GROUP BY day_id, stage, bucket
        ) counted
        GROUP BY day_id, stage
    ) merged USING (day_id, stage)
"""
STAGES = _rows_beneath(
    "stages",
    StageSnapshot,
    "stage",
    join=HISTOGRAMS,
    buckets="coalesce(merged.buckets, '{}')",
    counts="coalesce(merged.counts, '{}')",
    p50_ms="metrics_percentile(merged.buckets, merged.counts, 0.5)",
    p95_ms="metrics_percentile(merged.buckets, merged.counts, 0.95)",
)

# One statement sees one state of the hours: the day never claims more of them than it holds. Everything hangs on the
# row of `day`: where that one may not be written, nothing is.
ADD_UP = f"""
WITH {HOURS}, {DAY_WRITTEN},
snapshot AS ({SNAPSHOTS} RETURNING id, organization_id),
whole AS MATERIALIZED (
    SELECT part.id AS hour_id, snapshot.id AS day_id
    FROM part JOIN snapshot ON coalesce(part.organization_id, 0) = coalesce(snapshot.organization_id, 0)
),
{STAGES},
{_rows_beneath("sources", SourceSnapshot, "source_channel")},
{_rows_beneath("prompts", PromptSnapshot, "prompt_version")}
SELECT events, hours, gaps, (SELECT count(*) FROM snapshot) + (SELECT count(*) FROM stages)
    + (SELECT count(*) FROM sources) + (SELECT count(*) FROM prompts)
FROM day
"""  # noqa: S608
