"""What must be true of retries at any moment: more checks for `invariants`, as plain SQL."""

# Which events a retry has had; their ids are made from its origin, but a person at a prompt has numbers.
TOLD = """
    SELECT retry.id, retry.outcome, array_agg(event.event_type ORDER BY event.id) FROM retry_retryattempt retry
    LEFT JOIN voicepipeline_pipelineevent event ON event.artifact_id = retry.artifact_id
        AND event.event_type IN ({}) AND (event.metadata ->> 'retry_attempt')::integer = retry.number
    GROUP BY retry.id
"""

CHECKS = {
    "retries of a note are numbered from one without gaps": """
        SELECT artifact_id, count(*), min(number), max(number) FROM retry_retryattempt
        GROUP BY artifact_id HAVING min(number) <> 1 OR max(number) <> count(*)
    """,
    "one retry at most is under way for a note": """
        SELECT artifact_id, array_agg(number) FROM retry_retryattempt WHERE outcome = 'under_way'
        GROUP BY artifact_id HAVING count(*) > 1
    """,
    "a retry that was requested is told, once": TOLD.format("'retry_initiated'") + "HAVING count(event.id) <> 1",
    "a retry that has ended is told as it ended, once": TOLD.format("'retry_succeeded', 'retry_failed'")
    + """
        HAVING coalesce(array_agg(event.event_type) FILTER (WHERE event.id IS NOT NULL), '{}')::text[] <>
            CASE retry.outcome WHEN 'under_way' THEN '{}'::text[] WHEN 'succeeded' THEN ARRAY['retry_succeeded']
                 ELSE ARRAY['retry_failed'] END
    """,
    "a retry ended as the last of its runs did": """
        SELECT retry.id, retry.outcome, last.stage, last.status FROM retry_retryattempt retry
        LEFT JOIN LATERAL (
            SELECT * FROM voicepipeline_stagerun run WHERE run.origin = retry.origin ORDER BY run.id DESC LIMIT 1
        ) last ON true
        WHERE NOT CASE retry.outcome
            WHEN 'under_way' THEN last.status IN ('queued', 'running', 'succeeded', 'failed', 'superseded')
            WHEN 'succeeded' THEN last.status = 'succeeded' AND last.stage = 'draft_generation'
            WHEN 'failed' THEN last.terminal AND last.status IN ('failed', 'cancelled')
            WHEN 'superseded' THEN last.status = 'superseded'
            ELSE last.id IS NULL END IS TRUE
    """,
    # What its own transaction has missed is swept up within a minute.
    "no retry is under way long after its note has ended": """
        SELECT retry.id, artifact.status, artifact.updated_at FROM retry_retryattempt retry
        JOIN voicepipeline_artifact artifact ON artifact.id = retry.artifact_id
        WHERE retry.outcome = 'under_way' AND artifact.status IN ('completed', 'failed')
          AND artifact.updated_at < clock_timestamp() - interval '1 minute'
    """,
    "a retry's failure is the one of its run": """
        SELECT retry.id, retry.problem, run.fingerprint FROM retry_retryattempt retry
        JOIN voicepipeline_stagerun run ON run.origin = retry.origin AND run.terminal AND run.status = 'failed'
        WHERE retry.outcome = 'failed' AND (retry.failed_stage, retry.error_code, retry.problem)
            <> (run.stage, run.error_code, run.fingerprint)
    """,
    "a note of a bulk retry stands as its retry does": """
        SELECT item.id, item.state, retry.outcome, item.problem, retry.problem FROM retry_bulkretryitem item
        JOIN retry_retryattempt retry ON retry.id = item.attempt_id
        WHERE item.state <> CASE retry.outcome WHEN 'under_way' THEN 'requested' WHEN 'not_started' THEN 'refused'
                                               ELSE retry.outcome END
           OR item.problem <> retry.problem AND retry.outcome <> 'not_started'
           OR item.artifact_id <> retry.artifact_id
    """,
    "a bulk retry that is over has nothing under way": """
        SELECT bulk.id, bulk.state, item.state, count(*) FROM retry_bulkretry bulk
        JOIN retry_bulkretryitem item ON item.bulk_id = bulk.id
        WHERE bulk.state = 'finished' AND item.state IN ('waiting', 'requested')
           OR bulk.state = 'preview' AND item.attempt_id IS NOT NULL
        GROUP BY bulk.id, item.state
    """,
    "a failure belongs to a problem": """
        SELECT event.id, event.timestamp FROM voicepipeline_pipelineevent event
        JOIN voicepipeline_artifact artifact ON artifact.id = event.artifact_id
        WHERE event.event_type = 'artifact_failed' AND artifact.status = 'failed' AND artifact.fingerprint <> ''
          AND artifact.error_code <> 'cancelled' AND NOT EXISTS (
            SELECT FROM retry_failuregroup problem WHERE problem.fingerprint = artifact.fingerprint
        )
    """,
}
