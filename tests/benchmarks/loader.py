"""A large installation's rows, made by the database itself: consistent, spread over time, and quickly there.

Of 100 notes 90 are ready, 8 failed, 2 on their way. Failed ones have one of 20 problems, each of many clubs.
Each has its recording and four runs; events are the newest part.
"""

import time

from django.db import connection

NOTES = 1_000_000
CLUBS = 200
COACHES_A_CLUB = 10
EVENTS_A_NOTE = 5

PEOPLE = """
INSERT INTO voicepipeline_organization (name, slug, languages, is_active, created_at)
SELECT 'Club ' || n, 'club-' || n, '{}', true, now() FROM generate_series(1, %(clubs)s) n;
INSERT INTO voicepipeline_coach (organization_id, first_name, last_name, phone, trust_level, confirmation_threshold,
    is_active)
SELECT o.id, 'Coach', o.id || '-' || n, '', 0, 0.85, true
FROM voicepipeline_organization o, generate_series(1, %(coaches)s) n;
"""

# Number n of the series: the note's place in time, and by its remainder what has become of it.
NOTES_AND_ARTIFACTS = """
INSERT INTO voicepipeline_voicenote
    (id, source_channel, channel_message_id, sender_address, audio, text, sha256, duplicate_key, mime_type, size_bytes,
    created_at)
OVERRIDING SYSTEM VALUE
SELECT %(before)s + n, 'whatsapp_audio', 'wamid.' || n, '', 'audio/00/' || n || '.ogg', '', md5(n::text), '',
    'audio/ogg', 48000, at
FROM (SELECT n, now() - (%(notes)s - n) * interval '5 seconds' AS at FROM generate_series(1, %(notes)s) n) s;

INSERT INTO voicepipeline_artifact (
    id, artifact_id, voice_note_id, source_channel, sender_id, org_context_candidates, organization_id, status,
    current_stage, outcome, generation, input_version, failed_stage, error_code, error_message, fingerprint,
    received_at, first_completed_at, completed_at, updated_at, closed_reason)
OVERRIDING SYSTEM VALUE
SELECT %(before)s + n, gen_random_uuid(), %(before)s + n, 'whatsapp_audio', c.id,
    jsonb_build_array(jsonb_build_object('organization_id', c.organization_id, 'confidence', 1)), c.organization_id,
    status, CASE status WHEN 'completed' THEN '' ELSE 'claims_extraction' END, '', 1, 0,
    CASE status WHEN 'failed' THEN 'claims_extraction' ELSE '' END,
    CASE status WHEN 'failed' THEN 'invalid_model_output' ELSE '' END,
    CASE status WHEN 'failed' THEN 'The answer of the AI service could not be read.' ELSE '' END,
    CASE status WHEN 'failed' THEN 'fingerprint' || n / %(clubs)s / %(coaches)s %% 20 ELSE '' END,
    at, CASE status WHEN 'completed' THEN at + interval '20 s' END,
    CASE status WHEN 'completed' THEN at + interval '20 s' END, at + interval '20 s', ''
FROM (
    SELECT n, now() - (%(notes)s - n) * interval '5 seconds' AS at,
        CASE WHEN n %% 100 < 90 THEN 'completed' WHEN n %% 100 < 98 THEN 'failed' ELSE 'processing' END AS status
    FROM generate_series(1, %(notes)s) n
) s
JOIN (SELECT id, organization_id, row_number() OVER (ORDER BY id) AS place FROM voicepipeline_coach) c
    ON c.place = 1 + n %% (%(clubs)s * %(coaches)s);
"""

# A failed note failed twice at its second stage; one on its way waits there.
RUNS = """
INSERT INTO voicepipeline_stagerun (
    artifact_id, stage, generation, attempt, status, effective, terminal, origin, transient_no, crash_no, queued_at,
    not_before, rung_at, ring_count, parked_reason, lease_token, input_version, worker, started_at, finished_at,
    error_code, error_message, fingerprint, ai_model, prompt_version, request_id, cost_usd)
SELECT a.id, run.stage, 1, run.attempt, run.status, run.status = 'succeeded',
    run.status = 'failed' AND run.attempt = 3, a.artifact_id, 0, 0,
    run.at, run.at, run.at, 1, '', 1, 0, 'host:1:2', run.at + interval '1 s',
    CASE WHEN run.status <> 'queued' THEN run.at + interval '4 s' END,
    CASE run.status WHEN 'failed' THEN 'invalid_model_output' ELSE '' END, '', '', 'gpt-6-luna', 'v1', '', 0.0012
FROM voicepipeline_artifact a,
    (VALUES (1, 'transcription', 'transcription'), (2, 'claims_extraction', 'claims_extraction'),
            (3, 'entity_resolution', 'claims_extraction'), (4, 'draft_generation', 'claims_extraction'))
        AS step (n, when_completed, when_failed),
    LATERAL (SELECT
        CASE WHEN a.status = 'completed' THEN when_completed ELSE when_failed END AS stage,
        CASE WHEN a.status = 'completed' OR step.n = 1 THEN 1 ELSE step.n - 1 END AS attempt,
        CASE WHEN a.status = 'completed' OR step.n = 1 THEN 'succeeded'
             WHEN a.status = 'processing' AND step.n = 4 THEN 'queued' ELSE 'failed' END AS status,
        a.received_at + step.n * interval '4 seconds' AS at) run
WHERE a.id > %(before)s;
"""

EVENTS = """
INSERT INTO voicepipeline_pipelineevent (
    event_id, event_type, artifact_id, voice_note_id, organization_id, coach_id, pipeline_stage, stage_started_at,
    stage_completed_at, duration_ms, previous_status, new_status, error_code, error_message, metadata, timestamp,
    time_window)
SELECT gen_random_uuid(), type, a.id, a.voice_note_id, a.organization_id, a.sender_id, stage, at - interval '3 s', at,
    3000, '', '', CASE WHEN a.status = 'failed' AND step.n = 5 THEN 'invalid_model_output' ELSE '' END, '',
    '{"attempt": 1}', at, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24')
FROM voicepipeline_artifact a,
    (VALUES (1, 'artifact_received', ''), (2, 'transcription_started', 'transcription'),
            (3, 'transcription_completed', 'transcription'), (4, 'claims_extraction_started', 'claims_extraction'),
            (5, 'claims_extracted', 'claims_extraction')) AS step (n, type, stage),
    LATERAL (SELECT a.received_at + step.n * interval '4 s' AS at) moment
WHERE a.id > %(before)s
ORDER BY a.id, step.n;
"""

SEQUENCES = """
SELECT setval(pg_get_serial_sequence('voicepipeline_voicenote', 'id'), %(before)s + %(notes)s);
SELECT setval(pg_get_serial_sequence('voicepipeline_artifact', 'id'), %(before)s + %(notes)s);
"""


LAST_ID = """
SELECT greatest((SELECT max(id) FROM voicepipeline_voicenote), (SELECT max(id) FROM voicepipeline_artifact), 0)
"""


def load(notes: int = NOTES) -> float:
    """Add these to whatever is there; how many seconds it took."""
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(LAST_ID)
        values = {"notes": notes, "clubs": CLUBS, "coaches": COACHES_A_CLUB, "before": cursor.fetchone()[0]}
        # The rows are right by construction: their foreign keys are not looked up one by one.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in (PEOPLE, NOTES_AND_ARTIFACTS, RUNS, EVENTS, SEQUENCES):
            for part in filter(str.strip, statement.split(";")):
                cursor.execute(part, values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    return time.monotonic() - started
