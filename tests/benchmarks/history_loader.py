"""The history of a large installation, made by the database itself: every club has traffic in every hour and day,
all of them together about as much as brings a million notes in two months.

The platform's rows are its clubs' together, and a little more that belongs to none.
"""

import time
from datetime import datetime

from django.db import connection

CLUBS = 500
DAYS = 90
HOURS = 7 * 24

NEW_CLUBS = """
INSERT INTO voicepipeline_organization (name, slug, languages, is_active, created_at)
SELECT 'Club of history ' || n, 'club-of-history-' || n, '{}', true, now() - interval '1 year'
FROM generate_series(1, %(clubs)s) n ON CONFLICT DO NOTHING;
"""

# What a club's durations look like: as many buckets as a day of 20 to 50 notes fills, fewer of an hour, around one
# that each stage has.
SHAPES = """
CREATE TEMPORARY TABLE shape AS
SELECT kind, n, stage, array_agg(bucket ORDER BY bucket)::smallint[] AS buckets,
    array_agg(times ORDER BY bucket)::bigint[] AS counts, sum(times)::bigint AS timed
FROM (VALUES ('day', 40), ('hour', 6)) AS kinds (kind, width), generate_series(0, 199) n,
    (VALUES ('transcription', 400), ('claims_extraction', 440), ('entity_resolution', 240), ('draft_generation', 200),
        ('end_to_end', 490)) AS stages (stage, middle),
    LATERAL (
        SELECT middle + place - width / 2 AS bucket, 1 + (place * 7 + n) %% 4 AS times
        FROM generate_series(0, width) place
        WHERE abs(hashint4(place * 1000 + n) %% 100) < 30 + n %% 70
    ) drawn
GROUP BY kind, n, stage;
CREATE UNIQUE INDEX ON shape (kind, n, stage);
"""

PERIODS = """
INSERT INTO metrics_period (period_type, period_start, aggregated_at, events, hours, sealed_at, gaps)
SELECT 'day', at, now(), 200000, 24, now(), '{}'::bigint[]
FROM generate_series(%(today)s - %(days)s * interval '1 day', %(today)s - interval '1 day', interval '1 day') at
UNION ALL
SELECT 'hour', at, now(), 8000, NULL, NULL, '{}'::bigint[]
FROM generate_series(%(this_hour)s - (%(hours)s - 1) * interval '1 hour', %(this_hour)s, interval '1 hour') at;
"""

CLUB_ROWS = """
INSERT INTO metrics_metricssnapshot (period_type, period_start, organization_id, has_gaps, artifacts_received,
    artifacts_completed, artifacts_failed, artifacts_no_speech, transcript_confidence, transcripts_with_confidence,
    claim_confidence, notes_with_claim_confidence, claims, notes_with_claim_count, claims_unsupported, entities,
    entities_auto_resolved, entities_user_resolved, entities_unresolved, disambiguations, drafts, drafts_automatic,
    drafts_confirmed, drafts_rejected, drafts_undone, retries, retries_succeeded, retries_failed, ai_cost, ai_calls,
    ai_calls_unpriced)
SELECT period_type, period_start, o.id, false, notes, notes - 2, 2, 1, notes * 0.9, notes, notes * 0.8, notes,
    notes * 3, notes, 1, notes * 4, notes * 3, notes / 2, notes / 3, notes / 2, notes * 3, notes, notes * 2, notes / 5,
    1, 2, 1, 1, notes * 0.0123, notes * 2, 0
FROM metrics_period, voicepipeline_organization o,
    LATERAL (SELECT CASE period_type WHEN 'day' THEN 20 + o.id %% 30 ELSE 2 + o.id %% 3 END AS notes) size
WHERE o.slug LIKE 'club-of-history-%%'
ORDER BY period_type, period_start, o.id;
INSERT INTO metrics_stagesnapshot (snapshot_id, stage, attempts, completed, failed, timed, total_ms, buckets, counts,
    p50_ms, p95_ms)
SELECT s.id, stage, timed + 3, timed, 2, timed, timed * 3000, buckets, counts, 3000, 9000
FROM metrics_metricssnapshot s JOIN shape ON kind = s.period_type AND n = s.id %% 200
ORDER BY s.id, stage;
INSERT INTO metrics_sourcesnapshot (snapshot_id, source_channel, artifacts_received, artifacts_completed,
    artifacts_failed, artifacts_no_speech, timed, total_ms)
SELECT id, channel, artifacts_received / 2, artifacts_completed / 2, 1, 0, artifacts_completed / 2,
    artifacts_completed * 9000
FROM metrics_metricssnapshot, (VALUES ('app_recorded'), ('whatsapp_audio')) AS channels (channel);
INSERT INTO metrics_promptsnapshot (snapshot_id, prompt_version, completed, failed, claims, notes_with_claim_count,
    claims_unsupported, claim_confidence, notes_with_claim_confidence, drafts_confirmed, drafts_confirmed_automatically,
    drafts_rejected, drafts_undone, ai_cost, ai_calls, ai_calls_unpriced)
SELECT id, version, artifacts_completed / 2, 1, claims / 2, artifacts_completed / 2, 1, artifacts_completed * 0.4,
    artifacts_completed / 2, drafts_confirmed / 2, drafts_automatic / 2, drafts_rejected / 2, 0, ai_cost / 2,
    ai_calls / 2, 0
FROM metrics_metricssnapshot, (VALUES ('claims-v1'), ('claims-v2')) AS versions (version);
"""

PLATFORM_ROWS = """
INSERT INTO metrics_metricssnapshot (period_type, period_start, has_gaps, artifacts_received,
    artifacts_completed, artifacts_failed, artifacts_no_speech, transcript_confidence, transcripts_with_confidence,
    claim_confidence, notes_with_claim_confidence, claims, notes_with_claim_count, claims_unsupported, entities,
    entities_auto_resolved, entities_user_resolved, entities_unresolved, disambiguations, drafts, drafts_automatic,
    drafts_confirmed, drafts_rejected, drafts_undone, retries, retries_succeeded, retries_failed, ai_cost, ai_calls,
    ai_calls_unpriced)
SELECT period_type, period_start, false, sum(artifacts_received) + 9, sum(artifacts_completed) + 8,
    sum(artifacts_failed) + 1, sum(artifacts_no_speech), sum(transcript_confidence), sum(transcripts_with_confidence),
    sum(claim_confidence), sum(notes_with_claim_confidence), sum(claims), sum(notes_with_claim_count),
    sum(claims_unsupported), sum(entities), sum(entities_auto_resolved), sum(entities_user_resolved),
    sum(entities_unresolved), sum(disambiguations), sum(drafts), sum(drafts_automatic), sum(drafts_confirmed),
    sum(drafts_rejected), sum(drafts_undone), sum(retries), sum(retries_succeeded), sum(retries_failed), sum(ai_cost),
    sum(ai_calls), sum(ai_calls_unpriced)
FROM metrics_metricssnapshot GROUP BY period_type, period_start;
CREATE TEMPORARY TABLE whole AS
SELECT id, period_type, period_start FROM metrics_metricssnapshot WHERE organization_id IS NULL;
INSERT INTO metrics_stagesnapshot (snapshot_id, stage, attempts, completed, failed, timed, total_ms, buckets, counts,
    p50_ms, p95_ms)
SELECT id, stage, sum(n) + 900, sum(n), 900, sum(n), sum(n) * 3000, array_agg(bucket ORDER BY bucket),
    array_agg(n ORDER BY bucket), 3000, 9000
FROM (
    SELECT whole.id, part.stage, bucket, sum(times * parts)::bigint + 8 AS n
    FROM (
        SELECT period_type, period_start, s.id %% 200 AS n, count(*) AS parts
        FROM metrics_metricssnapshot s WHERE organization_id IS NOT NULL GROUP BY 1, 2, 3
    ) clubs
    JOIN whole USING (period_type, period_start)
    JOIN shape part ON kind = period_type AND part.n = clubs.n, unnest(buckets, counts) AS histogram (bucket, times)
    GROUP BY whole.id, part.stage, bucket
) merged
GROUP BY id, stage;
INSERT INTO metrics_sourcesnapshot (snapshot_id, source_channel, artifacts_received, artifacts_completed,
    artifacts_failed, artifacts_no_speech, timed, total_ms)
SELECT whole.id, source_channel, sum(part.artifacts_received), sum(part.artifacts_completed),
    sum(part.artifacts_failed), 0, sum(timed), sum(total_ms)
FROM whole JOIN metrics_metricssnapshot s USING (period_type, period_start)
JOIN metrics_sourcesnapshot part ON part.snapshot_id = s.id GROUP BY whole.id, source_channel;
INSERT INTO metrics_promptsnapshot (snapshot_id, prompt_version, completed, failed, claims, notes_with_claim_count,
    claims_unsupported, claim_confidence, notes_with_claim_confidence, drafts_confirmed, drafts_confirmed_automatically,
    drafts_rejected, drafts_undone, ai_cost, ai_calls, ai_calls_unpriced)
SELECT whole.id, prompt_version, sum(completed), sum(part.failed), sum(part.claims), sum(part.notes_with_claim_count),
    sum(part.claims_unsupported), sum(part.claim_confidence), sum(part.notes_with_claim_confidence),
    sum(part.drafts_confirmed), sum(drafts_confirmed_automatically), sum(part.drafts_rejected), sum(part.drafts_undone),
    sum(part.ai_cost), sum(part.ai_calls), sum(part.ai_calls_unpriced)
FROM whole JOIN metrics_metricssnapshot s USING (period_type, period_start)
JOIN metrics_promptsnapshot part ON part.snapshot_id = s.id GROUP BY whole.id, prompt_version;
DROP TABLE whole;
DROP TABLE shape;
"""


def load_history(now: datetime) -> float:
    """Replace the history by this one; how many seconds it took."""
    started = time.monotonic()
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    values = {
        "clubs": CLUBS,
        "days": DAYS,
        "hours": HOURS,
        "today": this_hour.replace(hour=0),
        "this_hour": this_hour,
    }
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE metrics_metricssnapshot, metrics_period CASCADE")
        cursor.execute("SET session_replication_role = replica")
        for statement in (NEW_CLUBS, SHAPES, PERIODS, CLUB_ROWS, PLATFORM_ROWS):
            for part in filter(str.strip, statement.split(";")):
                cursor.execute(part, values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    return time.monotonic() - started
