"""Events count themselves: whatever inserts one bumps the live figures, in the same statement."""

from django.db import migrations

# What each event adds to is told again, in other words, by metrics/verification.py, which compares the two.
COUNT = """
    INSERT INTO metrics_counter AS counter (organization_id, window_start, window_end, counter_type, slot, value)
    SELECT whose.organization_id, minute, minute + interval '1 minute', what.counter_type, pg_backend_pid(), sum(what.value)
    FROM logged
    CROSS JOIN LATERAL date_trunc('minute', logged.timestamp, 'UTC') AS minute
    CROSS JOIN LATERAL (
        VALUES
            (CASE logged.event_type
                WHEN 'artifact_received' THEN 'artifacts_received_1h'
                WHEN 'artifact_completed' THEN
                    CASE WHEN logged.metadata -> 'repeat' IS DISTINCT FROM 'true' THEN 'artifacts_completed_1h' END
                WHEN 'artifact_failed' THEN 'artifacts_failed_1h'
                WHEN 'transcription_completed' THEN 'transcriptions_completed_1h'
                WHEN 'claims_extracted' THEN 'claims_extracted_1h'
                WHEN 'entity_resolution_completed' THEN 'entities_resolved_1h'
                WHEN 'drafts_generated' THEN 'drafts_generated_1h'
                WHEN 'retry_initiated' THEN 'retries_1h'
            END, 1),
            (CASE
                WHEN logged.event_type = 'artifact_failed' THEN 'failures_1h'
                WHEN logged.event_type IN (
                    'transcription_failed', 'claims_extraction_failed', 'entity_resolution_failed', 'draft_generation_failed'
                ) AND logged.metadata -> 'will_retry' IS DISTINCT FROM 'true' THEN 'failures_1h'
            END, 1),
            (CASE WHEN logged.metadata ? 'ai_cost' THEN 'ai_cost_1h' END, metrics_ai_cost(logged.metadata))
    ) AS what (counter_type, value)
    CROSS JOIN LATERAL (
        VALUES (NULL::bigint, TRUE), (logged.organization_id, logged.organization_id IS NOT NULL)
    ) AS whose (organization_id, counts)
    WHERE what.counter_type IS NOT NULL AND what.value <> 0 AND whose.counts
        AND logged.timestamp >= now() - interval '2 hours'  -- older minutes are kept by nobody
        AND logged.timestamp < '9999-01-01 00:00:00+00'
    GROUP BY whose.organization_id, minute, what.counter_type
    ORDER BY whose.organization_id, minute, what.counter_type
    ON CONFLICT (organization_id, window_start, counter_type, slot)
    DO UPDATE SET value = counter.value + excluded.value;
"""

FORWARD = r"""
-- What an event says it cost, to the hundred-millionth; NULL for anything that is no amount of money.
CREATE FUNCTION metrics_ai_cost(metadata jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN metadata ->> 'ai_cost' ~ '^\d{1,9}(\.\d{1,30})?([eE][+-]?\d{1,2})?$'
        THEN CASE WHEN (metadata ->> 'ai_cost')::numeric < 1e9 THEN round((metadata ->> 'ai_cost')::numeric, 8) END
    END
$$;

-- Each connection has rows of its own, so nobody waits for anybody, however often a transaction comes here.
CREATE FUNCTION metrics_count_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{COUNT}    RETURN NULL;
END $$;

CREATE TRIGGER event_is_counted AFTER INSERT ON voicepipeline_pipelineevent
REFERENCING NEW TABLE AS logged FOR EACH STATEMENT EXECUTE FUNCTION metrics_count_events();
"""

# What happened in the last two hours before there was a trigger, so that live figures are right from the beginning.
OF_BEFORE = COUNT.replace("FROM logged", "FROM voicepipeline_pipelineevent AS logged")

BACKWARD = """
DROP TRIGGER event_is_counted ON voicepipeline_pipelineevent;
DROP FUNCTION metrics_count_events();
DROP FUNCTION metrics_ai_cost(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0001_figures"), ("voicepipeline", "0006_review_rosters_api")]

    operations = [
        migrations.RunSQL(FORWARD.replace("{COUNT}", COUNT), BACKWARD),
        migrations.RunSQL(OF_BEFORE, migrations.RunSQL.noop),
    ]
