"""Events as nobody should write them: by raw SQL, past everything that `log_events` checks."""

import json

from django.db import connection

INSERT = """
INSERT INTO voicepipeline_pipelineevent (event_id, event_type, organization_id, pipeline_stage, duration_ms,
    previous_status, new_status, error_code, error_message, metadata, timestamp, time_window)
SELECT gen_random_uuid(), %s, %s, '', %s, '', '', '', '', %s::jsonb, %s::timestamptz,
    to_char(%s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24')
"""


def insert_event(moment, event_type, metadata=None, *, club=None, duration_ms=None):
    """Insert it without the triggers that count it live; `metadata` may be JSON text of any kind."""
    told = metadata if isinstance(metadata, str) else json.dumps(metadata or {})
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(INSERT, [event_type, club.pk if club else None, duration_ms, told, moment, moment])
        cursor.execute("SET LOCAL session_replication_role = origin")
