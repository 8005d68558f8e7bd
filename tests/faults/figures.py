"""What must be true of live figures and of history: more checks for `invariants`, as plain SQL."""

# In words of its own: what counts and what checks shall not be wrong together.
LIVE_FIGURES = """
    WITH adds (event_type, counter_type) AS (VALUES
        ('artifact_received', 'artifacts_received_1h'), ('artifact_completed', 'artifacts_completed_1h'),
        ('artifact_failed', 'artifacts_failed_1h'), ('artifact_failed', 'failures_1h'),
        ('transcription_completed', 'transcriptions_completed_1h'), ('claims_extracted', 'claims_extracted_1h'),
        ('entity_resolution_completed', 'entities_resolved_1h'), ('drafts_generated', 'drafts_generated_1h'),
        ('transcription_failed', 'failures_1h'), ('claims_extraction_failed', 'failures_1h'),
        ('entity_resolution_failed', 'failures_1h'), ('draft_generation_failed', 'failures_1h'),
        ('retry_initiated', 'retries_1h')
    ), recent AS (
        SELECT *, date_trunc('minute', timestamp, 'UTC') AS minute FROM voicepipeline_pipelineevent
        WHERE timestamp >= date_trunc('minute', now(), 'UTC') - interval '1 hour' AND timestamp < clock_timestamp()
    ), parts AS (
        SELECT organization_id, minute, counter_type, 1::numeric AS amount FROM recent JOIN adds USING (event_type)
        WHERE NOT coalesce((metadata ->> 'repeat')::boolean, false)
            AND NOT coalesce((metadata ->> 'will_retry')::boolean, false)
        UNION ALL
        SELECT organization_id, minute, 'ai_cost_1h', (metadata ->> 'ai_cost')::numeric FROM recent
        WHERE metadata ? 'ai_cost'
    ), compared AS (
        SELECT *, 0::numeric AS counted FROM parts WHERE organization_id IS NOT NULL
        UNION ALL
        SELECT NULL, minute, counter_type, amount, 0 FROM parts
        UNION ALL
        SELECT organization_id, window_start, counter_type, 0, value FROM metrics_counter
        WHERE window_start >= date_trunc('minute', now(), 'UTC') - interval '1 hour'
            AND window_start < clock_timestamp()
    )
    SELECT organization_id, minute, counter_type, sum(amount), sum(counted) FROM compared
    GROUP BY 1, 2, 3 HAVING sum(amount) <> sum(counted)
"""

# Of hours of which everything that was counted is still in the log, and nothing has come since.
HISTORY = """
    WITH logged AS MATERIALIZED (
        SELECT event.*, date_trunc('hour', timestamp, 'UTC') AS hour,
            coalesce((metadata ->> 'repeat')::boolean, false) AS again,
            coalesce((metadata ->> 'will_retry')::boolean, false) AS goes_on
        FROM voicepipeline_pipelineevent event
    ), known AS MATERIALIZED (
        SELECT period_start FROM metrics_period period
        LEFT JOIN (SELECT hour, count(*) AS events FROM logged GROUP BY hour) told ON hour = period_start
        WHERE period_type = 'hour' AND gaps = '{}' AND period.events = coalesce(told.events, 0)
    ), whole AS (
        SELECT snapshot.* FROM metrics_metricssnapshot snapshot JOIN known USING (period_start)
        WHERE period_type = 'hour'
    )
"""
# A row that names no club is the whole platform's.
ITS_OWN = "hour = period_start AND (whole.organization_id IS NULL OR logged.organization_id = whole.organization_id)"
DONE = (
    "event_type IN ('transcription_completed', 'claims_extracted', 'entity_resolution_completed', 'drafts_generated')"
)

CHECKS = {
    "live figures are what the events of each minute say": LIVE_FIGURES,
    "the history of an hour is what its events say": f"""{HISTORY}
        SELECT whole.organization_id, period_start, array_agg(event_type) FROM whole LEFT JOIN logged ON {ITS_OWN}
        GROUP BY whole.id, whole.organization_id, period_start, artifacts_received, artifacts_completed,
            artifacts_failed, retries, ai_cost, ai_calls, drafts_rejected
        HAVING (artifacts_received, artifacts_completed, artifacts_failed, retries, drafts_rejected, ai_calls, ai_cost)
            <> (count(*) FILTER (WHERE event_type = 'artifact_received'),
                count(*) FILTER (WHERE event_type = 'artifact_completed' AND NOT again),
                count(*) FILTER (WHERE event_type = 'artifact_failed'),
                count(*) FILTER (WHERE event_type = 'retry_initiated'),
                count(*) FILTER (WHERE event_type = 'draft_rejected'),
                count(*) FILTER (WHERE metadata ? 'ai_model'),
                coalesce(sum((metadata ->> 'ai_cost')::numeric), 0))
    """,
    "the history of a stage in an hour is what its events say": f"""{HISTORY}
        SELECT whole.organization_id, period_start, stage.stage, array_agg(event_type) FROM whole
        JOIN metrics_stagesnapshot stage ON stage.snapshot_id = whole.id AND stage.stage <> 'end_to_end'
        LEFT JOIN logged ON {ITS_OWN} AND pipeline_stage = stage.stage
        GROUP BY stage.id, whole.organization_id, period_start
        HAVING (stage.attempts, stage.completed, stage.failed, stage.total_ms)
            <> (count(*) FILTER (WHERE event_type = stage.stage || '_started'),
                count(*) FILTER (WHERE {DONE}),
                count(*) FILTER (WHERE event_type = stage.stage || '_failed' AND NOT goes_on),
                coalesce(sum(duration_ms) FILTER (WHERE {DONE}), 0))
    """,
    "an hour that was counted has a row of the platform": """
        SELECT period_start FROM metrics_period period WHERE period_type = 'hour' AND NOT EXISTS (
            SELECT FROM metrics_metricssnapshot snapshot WHERE snapshot.period_type = 'hour'
            AND snapshot.period_start = period.period_start AND organization_id IS NULL)
        AND period_start >= now() - interval '6 days'
    """,
    "no event stands uncounted in an hour that is final": """
        SELECT period_start, period.events, count(*) FROM metrics_period period
        JOIN voicepipeline_pipelineevent event ON date_trunc('hour', event.timestamp, 'UTC') = period_start
        WHERE period_type = 'hour' AND sealed_at IS NOT NULL
        GROUP BY period_start, period.events HAVING count(*) > period.events
    """,
}
