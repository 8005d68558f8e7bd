"""The statement that counts one hour: it reads the events as they were at one moment, and writes what has changed."""

from collections.abc import Mapping, Sequence

from django.db.models import Model

from metrics import hour_figures as told
from metrics.models import MetricsSnapshot, Period, PromptSnapshot, SourceSnapshot, StageSnapshot
from voicepipeline.models import Organization, PipelineEvent

# Whose a figure is: a club's by its id, Period.NO_CLUB, or everybody's.
EVERYBODY = -1
CLUBS = Organization._meta.db_table
SNAPSHOTS = MetricsSnapshot._meta.db_table
PERIODS = Period._meta.db_table
THIS_HOUR = "period_type = 'hour' AND period_start = %(start)s"

EVENTS = f"""
    SELECT coalesce(organization_id, {Period.NO_CLUB}) AS club, event_type, duration_ms, metadata
    FROM {PipelineEvent._meta.db_table} WHERE timestamp >= %(start)s AND timestamp < %(end)s
"""  # noqa: S608 — every name here and below is our own

# For when some club's events break the statement: the hour as it was then, to be tried club by club.
COPY = f"CREATE TEMPORARY TABLE metrics_events_of_the_hour ON COMMIT DROP AS {EVENTS}"
COPIED = "SELECT club, event_type, duration_ms, metadata FROM metrics_events_of_the_hour"


def named(expressions: Mapping[str, str]) -> str:
    return ",\n        ".join(f"{expression} AS {name}" for name, expression in expressions.items())


def replaced(columns: Sequence[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns)


def whose(expressions: Mapping[str, str], *, by: str = "", rows: str = "counted") -> str:
    """These figures of everybody and of each club, for each value of `by`."""
    also = by and f"{by}, "
    return f"""
    SELECT CASE grouping(club) WHEN 1 THEN {EVERYBODY} ELSE club END AS whose, {also}
        {named(expressions)}
    FROM {rows} {by and f"WHERE ({by}) IS NOT NULL"}
    GROUP BY GROUPING SETS (({also}club), ({by}))"""  # noqa: S608


def saying_something(rows: str, columns: Sequence[str]) -> str:
    return f"SELECT * FROM {rows} WHERE {' OR '.join(f'{name} <> 0' for name in columns)}"  # noqa: S608


def beneath(name: str, model: type[Model], key: str, columns: Sequence[str], rows: str) -> str:
    """The rows beneath the snapshots: what has changed is written, what is no longer there goes."""
    table, listed = model._meta.db_table, ", ".join([key, *columns])
    return f"""
{name}_now AS MATERIALIZED (
    SELECT id AS snapshot_id, {listed} FROM ({rows}) s JOIN snapshots USING (whose)
), {name}_before AS MATERIALIZED (
    SELECT snapshot_id, {listed} FROM {table} WHERE snapshot_id IN (SELECT id FROM snapshots)
), {name}_gone AS (
    DELETE FROM {table} WHERE (snapshot_id, {key}) IN (
        SELECT snapshot_id, {key} FROM {name}_before EXCEPT SELECT snapshot_id, {key} FROM {name}_now
    ) RETURNING 1
), {name}_written AS (
    INSERT INTO {table} (snapshot_id, {listed}) SELECT * FROM {name}_now EXCEPT SELECT * FROM {name}_before
    ON CONFLICT (snapshot_id, {key}) DO UPDATE SET {replaced(columns)}
    RETURNING 1
)"""  # noqa: S608


DURATIONS = whose({"n": "sum(events)::bigint"}, by="event_type, bucket", rows="bucketed")
# By nearest rank, as metrics_percentile has it, for all of them in one pass.
HISTOGRAMS = f"""
    SELECT whose, {told.STAGE} AS stage,
        array_agg(bucket ORDER BY bucket) AS buckets, array_agg(n ORDER BY bucket) AS counts,
        metrics_bucket_value(min(bucket) FILTER (WHERE so_far >= 0.50 * everything)) AS p50_ms,
        metrics_bucket_value(min(bucket) FILTER (WHERE so_far >= 0.95 * everything)) AS p95_ms
    FROM (
        SELECT *, sum(n) OVER (PARTITION BY whose, event_type ORDER BY bucket) AS so_far,
            sum(n) OVER (PARTITION BY whose, event_type) AS everything
        FROM ({DURATIONS}) durations
    ) ranked GROUP BY whose, event_type"""  # noqa: S608
STAGES = f"""
    SELECT stages.*, coalesce(buckets, '{{}}') AS buckets, coalesce(counts, '{{}}') AS counts, p50_ms, p95_ms
    FROM ({saying_something(f"({whose(told.STAGES, by='stage')}) s", list(told.STAGES))}) stages
    LEFT JOIN histograms USING (whose, stage)"""  # noqa: S608
SOURCES = saying_something(f"({whose(told.SOURCES, by='source_channel')}) s", list(told.SOURCES))
PROMPTS = saying_something(f"({whose(told.PROMPTS, by='prompt_version')}) s", list(told.PROMPTS))

HISTOGRAM = ["buckets", "counts", "p50_ms", "p95_ms"]
BENEATH = {
    "stages": beneath("stages", StageSnapshot, "stage", [*told.STAGES, *HISTOGRAM], STAGES),
    "sources": beneath("sources", SourceSnapshot, "source_channel", list(told.SOURCES), SOURCES),
    "prompts": beneath("prompts", PromptSnapshot, "prompt_version", list(told.PROMPTS), PROMPTS),
}
CHANGES = ["written", *(f"{name}_{change}" for name in BENEATH for change in ("gone", "written"))]
SUMS = ", ".join(told.FIGURES)
ALIKE = ", ".join(told.ALIKE)


NO_SUMS = ", ".join("NULL" for name in told.ADDED_UP if name != "events")


def adding_up(events: str) -> str:
    """These events by what they have in common, and beside that (`bucket`) how long what they tell of took.

    Apart from each other, as many small groups beside few wide ones take half the time of many wide ones.
    """
    return f"""
WITH events AS NOT MATERIALIZED (
    SELECT * FROM ({events}) events
    WHERE (%(only)s::bigint IS NULL OR club = %(only)s) AND club <> ALL (%(gaps)s::bigint[])
)
-- OFFSET: what is read from an event is read once, however often it is used. A quoted 0 is known to be none in time
-- to work on several cores.
SELECT {ALIKE}, {named(told.ADDED_UP)}, NULL AS bucket
FROM (
    SELECT club, event_type, {named(told.TOLD)}
    FROM (
        SELECT club, event_type, {named(told.READ)} FROM events LEFT JOIN {told.ASKED} USING (event_type) OFFSET '0'
    ) read OFFSET '0'
) told
GROUP BY {ALIKE}
UNION ALL
SELECT club, event_type, NULL, NULL, NULL, count(*), {NO_SUMS}, metrics_bucket(duration)
FROM (SELECT club, event_type, {told.DURATION} AS duration FROM events OFFSET '0') told
WHERE duration IS NOT NULL GROUP BY club, event_type, metrics_bucket(duration)"""  # noqa: S608


# What writes runs on one core alone, what fills a new table on several: worth its entries in the catalog if it is much.
MANY = 50_000
IS_LARGE = f"SELECT EXISTS (SELECT FROM ({EVENTS}) events OFFSET {MANY})"  # noqa: S608
ADD_UP = f"CREATE TEMPORARY TABLE metrics_added_up ON COMMIT DROP AS {adding_up(EVENTS)}"
ADDED_UP = "SELECT * FROM metrics_added_up"


def counting(added_up: str) -> str:
    """The statement over events that are added up; `only` asks for one club's alone, written as if everybody's."""
    return f"""
WITH added_up AS MATERIALIZED ({added_up}
), counted AS MATERIALIZED (
    SELECT {ALIKE}, {told.STAGE} AS stage, {", ".join(told.ADDED_UP)} FROM added_up WHERE bucket IS NULL
), bucketed AS MATERIALIZED (
    SELECT club, event_type, bucket, events FROM added_up WHERE bucket IS NOT NULL
), figures AS MATERIALIZED (
    {whose({"events": "coalesce(sum(events), 0)", **told.FIGURES})}
), owners AS MATERIALIZED (
    SELECT {EVERYBODY} AS whose UNION ALL
    SELECT id FROM {CLUBS}
    WHERE %(only)s::bigint IS NULL AND id <> ALL (%(gaps)s::bigint[]) AND (
        created_at < %(end)s
        OR id IN (SELECT whose FROM figures)
        OR id IN (SELECT organization_id FROM {SNAPSHOTS} WHERE {THIS_HOUR})
    )
), before AS MATERIALIZED (
    SELECT id, coalesce(organization_id, {EVERYBODY}) AS whose, has_gaps, {SUMS} FROM {SNAPSHOTS} WHERE {THIS_HOUR}
), written AS (
    INSERT INTO {SNAPSHOTS} (period_type, period_start, organization_id, has_gaps, {SUMS})
    SELECT 'hour', %(start)s::timestamptz, nullif(whose, {EVERYBODY}), has_gaps, {SUMS} FROM (
        SELECT whose, whose = {EVERYBODY} AND %(gaps)s::bigint[] <> '{{}}' AS has_gaps,
            {", ".join(f"coalesce({name}, 0) AS {name}" for name in told.FIGURES)}
        FROM owners LEFT JOIN figures USING (whose)
        EXCEPT SELECT whose, has_gaps, {SUMS} FROM before
    ) changed
    ON CONFLICT (period_type, period_start, organization_id) DO UPDATE
        SET {replaced(["has_gaps", *told.FIGURES])}
    RETURNING id, coalesce(organization_id, {EVERYBODY}) AS whose
), snapshots AS MATERIALIZED (
    SELECT id, whose FROM written UNION SELECT id, whose FROM before JOIN owners USING (whose)
), histograms AS MATERIALIZED ({HISTOGRAMS}
), {", ".join(BENEATH.values())}, period AS (
    INSERT INTO {PERIODS} (period_type, period_start, aggregated_at, events, sealed_at, gaps)
    SELECT 'hour', %(start)s, statement_timestamp(), events,
        CASE WHEN %(seal)s AND %(gaps)s::bigint[] = '{{}}' THEN statement_timestamp() END, %(gaps)s::bigint[]
    FROM figures WHERE whose = {EVERYBODY}
    ON CONFLICT (period_type, period_start) DO UPDATE
        SET {replaced(["aggregated_at", "events", "sealed_at", "gaps"])}
    RETURNING events
)
SELECT (SELECT events FROM period), {" + ".join(f"(SELECT count(*) FROM {name})" for name in CHANGES)}
"""  # noqa: S608
