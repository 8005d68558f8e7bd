"""The statements that add up rows of the history; every name that is put into them is our own."""

from collections.abc import Mapping

from django.db import models

from metrics.models import END_TO_END, MetricsSnapshot, PromptSnapshot, SourceSnapshot, StageSnapshot
from voicepipeline.models import Organization

SNAPSHOTS, STAGES, CLUBS_TABLE = (model._meta.db_table for model in (MetricsSnapshot, StageSnapshot, Organization))

# PostgreSQL makes a sum of bigints a numeric.
SUMS: Mapping[type, str] = {
    models.PositiveBigIntegerField: "sum({0})::bigint",
    models.FloatField: "sum({0})",
    models.DecimalField: "sum({0})",
    models.BooleanField: "bool_or({0})",
}
# Of the platform's and the clubs' sums: what the platform has more.
REST = "greatest(sum(CASE owner WHEN 0 THEN {0} ELSE -{0} END), 0)"
RESTS: Mapping[type, str] = {
    models.PositiveBigIntegerField: f"{REST}::bigint",
    # Fractions that were added up in another order differ in their last digit: nothing would be a little more.
    models.FloatField: f"round(({REST})::numeric, 9)::float8",
    models.DecimalField: REST,
    models.BooleanField: "bool_or({0}) FILTER (WHERE owner = 0)",
}


def sums(model: type[models.Model], how: Mapping[type, str] = SUMS) -> str:
    """Everything of these rows that adds up."""
    fields = (field for field in model._meta.local_fields if type(field) in how and not field.null)
    return ", ".join(f"{how[type(field)].format(field.column)} AS {field.column}" for field in fields)


# Which periods exist: those that have rows of the platform, and of the club, unless it was one that was left out.
COUNTED = f"""
SELECT period_type, period_start, aggregated_at, hours, sealed_at IS NOT NULL,
    CASE WHEN %(club)s::bigint IS NULL THEN gaps <> '{{}}' ELSE %(club)s = ANY (gaps) END
FROM metrics_period period
WHERE period_start >= %(day)s AND period_start < %(end)s
    AND (period_type = 'day' OR period_start >= %(start)s)
    AND EXISTS (
        SELECT FROM {SNAPSHOTS} snapshot
        WHERE snapshot.period_type = period.period_type AND snapshot.period_start = period.period_start
            AND (snapshot.organization_id = %(club)s
                OR snapshot.organization_id IS NULL AND (%(club)s = ANY (gaps)) IS NOT TRUE)
    )
"""  # noqa: S608

PLATFORM = "organization_id IS NULL"
ONE_CLUB = "organization_id = %(club)s"
EVERYBODY = "true"


def covered(whose: str) -> str:
    """The rows that were chosen to stand for the span, and the hour or day that each is shown in."""
    return f"""
covered AS NOT MATERIALIZED (
    SELECT point, snapshot.*
    FROM unnest(%(types)s::text[], %(starts)s::timestamptz[], %(points)s::timestamptz[])
        AS chosen (period_type, period_start, point)
    JOIN {SNAPSHOTS} snapshot USING (period_type, period_start)
    WHERE {whose}
)"""  # noqa: S608


def percentiles(key: str, merged: str) -> str:
    """By the nearest rank, of all durations together: never from percentiles of hours or days."""
    return f"""
merged AS ({merged}),
ranked AS (
    SELECT {key}, bucket, sum(n) OVER (PARTITION BY {key} ORDER BY bucket) AS so_far,
        sum(n) OVER (PARTITION BY {key}) AS everything
    FROM merged WHERE n > 0
),
percentile AS (
    SELECT {key}, metrics_bucket_value(min(bucket) FILTER (WHERE so_far >= ceil(0.5 * everything))) AS p50_ms,
        metrics_bucket_value(min(bucket) FILTER (WHERE so_far >= ceil(0.95 * everything))) AS p95_ms
    FROM ranked GROUP BY {key}
)"""  # noqa: S608


def merged(key: str, rows: str) -> str:
    return f"""
    SELECT {key}, bucket, sum(n) AS n FROM {rows}, unnest(buckets, counts) AS histogram (bucket, n)
    GROUP BY {key}, bucket"""  # noqa: S608


def history(whose: str) -> str:
    """The sums of each point, and of all of them."""
    return f"""
WITH {covered(whose)}
SELECT point, {sums(MetricsSnapshot)} FROM covered GROUP BY GROUPING SETS ((point), ())
"""  # noqa: S608


def total(whose: str) -> str:
    return f"""
WITH {covered(whose)}
SELECT {sums(MetricsSnapshot)} FROM covered
"""  # noqa: S608


def stages_of_points(whose: str) -> str:
    """The stages of each point; a point that is one row has its percentiles in it."""
    several = "(SELECT * FROM stage_rows WHERE point = ANY (%(several)s::timestamptz[])) several"
    return f"""
WITH {covered(whose)},
stage_rows AS (
    SELECT point, stage_row.* FROM covered JOIN {STAGES} stage_row ON stage_row.snapshot_id = covered.id
),
{percentiles("point, stage", merged("point, stage", several))},
added AS (
    SELECT point, stage, {sums(StageSnapshot)}, max(p50_ms) AS p50_ms, max(p95_ms) AS p95_ms
    FROM stage_rows GROUP BY point, stage
)
SELECT point, stage, attempts, completed, failed, timed, total_ms,
    CASE WHEN point = ANY (%(several)s::timestamptz[]) THEN percentile.p50_ms ELSE added.p50_ms END AS p50_ms,
    CASE WHEN point = ANY (%(several)s::timestamptz[]) THEN percentile.p95_ms ELSE added.p95_ms END AS p95_ms
FROM added LEFT JOIN percentile USING (point, stage)
"""  # noqa: S608


def stages(whose: str) -> str:
    return f"""
WITH {covered(whose)},
stage_rows AS (SELECT stage_row.* FROM covered JOIN {STAGES} stage_row ON stage_row.snapshot_id = covered.id),
{percentiles("stage", merged("stage", "stage_rows"))},
added AS (SELECT stage, {sums(StageSnapshot)} FROM stage_rows GROUP BY stage)
SELECT * FROM added LEFT JOIN percentile USING (stage)
"""  # noqa: S608


def beneath(whose: str, model: type[SourceSnapshot | PromptSnapshot], key: str) -> str:
    """The rows beneath those that were chosen, added up by source channel or version of the prompt."""
    return f"""
WITH {covered(whose)},
part AS (SELECT part.* FROM covered JOIN {model._meta.db_table} part ON part.snapshot_id = covered.id)
SELECT {key}, {sums(model)} FROM part GROUP BY {key}
"""  # noqa: S608


# What belongs to no club is what the platform has more than all clubs together: owner 0, the platform, becomes that.
DURATIONS_WITHOUT_CLUBS = """
    SELECT * FROM durations WHERE owner <> 0
    UNION ALL
    SELECT 0, bucket, sum(CASE owner WHEN 0 THEN n ELSE -n END) FROM durations GROUP BY bucket
"""
# Each row of a club has one of its whole way at most. Nothing that is read is kept aside, so that several processes
# of the database can share the work.
CLUBS = f"""
WITH {covered(EVERYBODY)},
whole_way AS NOT MATERIALIZED (SELECT * FROM {STAGES} WHERE stage = '{END_TO_END}'),
added AS MATERIALIZED (
    SELECT coalesce(organization_id, 0) AS owner, {sums(MetricsSnapshot)}, {sums(StageSnapshot)}
    FROM covered LEFT JOIN whole_way ON whole_way.snapshot_id = covered.id GROUP BY owner
),
durations AS MATERIALIZED (
    SELECT coalesce(organization_id, 0) AS owner, bucket, sum(n) AS n
    FROM covered JOIN whole_way ON whole_way.snapshot_id = covered.id, unnest(buckets, counts) AS histogram (bucket, n)
    GROUP BY owner, bucket
),
{percentiles("owner", DURATIONS_WITHOUT_CLUBS)},
figures AS (
    SELECT * FROM added WHERE owner <> 0
    UNION ALL
    SELECT 0, {sums(MetricsSnapshot, RESTS)}, {sums(StageSnapshot, RESTS)} FROM added
)
SELECT club.id AS club_id, club.name, figures.*, p50_ms, p95_ms
FROM (SELECT id, name, is_active FROM {CLUBS_TABLE} UNION ALL SELECT 0, '', true) club
LEFT JOIN figures ON figures.owner = club.id
LEFT JOIN percentile ON percentile.owner = club.id
WHERE is_active OR artifacts_received + artifacts_completed + artifacts_failed > 0
ORDER BY club.id = 0, coalesce(artifacts_received, 0) DESC, name, club.id
"""  # noqa: S608
