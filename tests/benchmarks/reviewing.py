"""What people have to look at in a large installation: unclear names, entries, rosters, and who read what.

The newest notes that are ready have been read: number k of them, by its remainder, has this and that.
"""

import time

from django.db import connection

READ_NOTES = 160_000
NOTES_WITH_QUESTIONS = 60_000
QUESTIONS = 100_000
PENDING_ENTRIES = 100_000
READINGS = 1_000_000
READERS = 50
PLAYERS_A_CLUB = 60

PEOPLE = """
INSERT INTO voicepipeline_team (organization_id, name, is_active)
SELECT o.id, 'Under ' || 2 * n, true FROM voicepipeline_organization o, generate_series(4, 9) n;
INSERT INTO voicepipeline_player (organization_id, team_id, first_name, last_name, external_id, is_active)
SELECT o.id, t.id, (ARRAY['Niamh', 'Eoin', 'Caoimhe', 'Seán', 'Aoife', 'Oisín', 'Róisín', 'Cian', 'Tadhg'])[1 + n %% 9],
    (ARRAY['Murphy', 'Ó Briain', 'Kelly', 'Byrne', 'Nowak', 'O''Sullivan', 'Walsh'])[1 + n %% 7], n, n %% 9 <> 0
FROM voicepipeline_organization o, generate_series(1, %(players)s) n, LATERAL (
    SELECT id FROM voicepipeline_team WHERE organization_id = o.id ORDER BY id OFFSET n %% 6 LIMIT 1) t;
INSERT INTO voicepipeline_playeralias (organization_id, coach_id, kind, text, key, player_id, use_count, created_at,
    created_by_id)
SELECT p.organization_id, c.id, 'player_name', 'Name ' || p.id, 'name ' || p.id, p.id, p.id %% 50,
    now() - p.id * interval '7 minutes', %(user)s
FROM voicepipeline_player p, LATERAL (
    SELECT id FROM voicepipeline_coach WHERE organization_id = p.organization_id ORDER BY id OFFSET p.id %% 5 LIMIT 2
) c;
INSERT INTO voicepipeline_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,
    date_joined, is_platform_staff)
SELECT '!', false, 'reader' || n, 'Reader', n, '', false, true, now(), true FROM generate_series(1, %(readers)s) n;
"""

# Of the newest notes: 1 in 40 has no club, 1 in 40 no coach, 1 in 40 no speech, 1 in 20 is to be reviewed.
READ = """
CREATE TEMPORARY TABLE read_note AS
SELECT row_number() OVER (ORDER BY id DESC) AS k, id FROM voicepipeline_artifact WHERE status = 'completed'
ORDER BY id DESC LIMIT %(read)s;
CREATE UNIQUE INDEX ON read_note (k);
UPDATE voicepipeline_artifact a SET
    organization_id = CASE WHEN k %% 40 <> 1 THEN organization_id END,
    org_context_candidates = CASE WHEN k %% 40 <> 1 THEN org_context_candidates ELSE '[]' END,
    sender_id = CASE WHEN k %% 40 NOT IN (1, 2) THEN sender_id END,
    outcome = CASE WHEN k %% 40 = 3 THEN 'no_speech' ELSE '' END
FROM read_note r WHERE r.id = a.id AND k %% 40 IN (1, 2, 3);
INSERT INTO voicepipeline_transcript (artifact_id, text, segments, languages, duration_seconds, ai_model, is_typed,
    verdict, verdict_reasons, created_at)
SELECT a.id, repeat('Niamh was sharp in training today and Murphy held the line well. ', 14), '[]', '{en}', 62.5,
    'gpt-transcribe', false, CASE WHEN k %% 40 = 3 THEN 'no_speech' WHEN k %% 20 = 5 THEN 'flagged' ELSE 'good' END,
    '{}', a.received_at
FROM read_note JOIN voicepipeline_artifact a USING (id);
INSERT INTO voicepipeline_claim (topic, title, description, quote, recommended_action, time_reference, severity,
    sentiment, skill_name, skill_rating, artifact_id, number, key, quote_start, quote_end, mentions, confidence, status,
    prompt_version, ai_model, created_at)
SELECT CASE number WHEN 1 THEN 'performance' WHEN 2 THEN 'injury' ELSE 'attendance' END,
    'Held the line well', repeat('Held the line well in the second half. ', 4),
    'Murphy held the line well and Niamh was sharp in training today', 'Tell the parents on Friday.', 'today', '',
    'positive', '', NULL, a.id, number, md5(a.id || '-' || number), 10, 70,
    jsonb_build_array(jsonb_build_object('kind', 'player_name', 'raw_text', CASE number WHEN 3 THEN 'Kelly'
        WHEN 2 THEN CASE k %% 2 WHEN 0 THEN 'Niamh' ELSE 'Murphy' END ELSE 'Murphy' END, 'position', 12,
        'player_id', NULL)),
    0.9, CASE WHEN k <= %(with_questions)s AND number <= 2 THEN 'needs_disambiguation' ELSE 'resolved' END,
    'claims-v' || 1 + k * 3 / %(read)s, 'gpt-6-luna', a.received_at
FROM read_note JOIN voicepipeline_artifact a USING (id), generate_series(1, 3) number WHERE k %% 40 <> 3
ORDER BY a.id, number;
"""

# The first two statements of each of these notes have a question, until there are enough; half of the second ask about
# the same name. The third is matched, or was answered by a person.
NAMES = """
CREATE TEMPORARY TABLE asked AS
SELECT row_number() OVER (ORDER BY c.number, k) AS n, k, c.id, c.number, c.artifact_id
FROM read_note r JOIN voicepipeline_claim c ON c.artifact_id = r.id
WHERE k <= %(with_questions)s * 40 / 39 AND c.number <= 2;
INSERT INTO voicepipeline_entityresolution (artifact_id, organization_id, sender_id, claim_id, mention_number, kind,
    raw_text, name_key, position, status, score, reason, candidates, created_at)
SELECT a.id, a.organization_id, a.sender_id, q.id, 1, 'player_name', name, lower(name), 12, 'needs_disambiguation', 84,
    'Several players are as like it: Eoin Murphy and Seán Murphy.',
    (SELECT jsonb_agg(jsonb_build_object('id', p.id, 'name', p.first_name || ' ' || p.last_name, 'score', 90 - p.place,
        'reason', 'The surname is the same, the given name is not said.')) FROM (
        SELECT *, row_number() OVER (ORDER BY id) AS place FROM voicepipeline_player
        WHERE organization_id = coalesce(a.organization_id, %(club)s) ORDER BY id LIMIT 5) p),
    a.received_at + interval '9 s'
FROM asked q JOIN voicepipeline_artifact a ON a.id = q.artifact_id,
    LATERAL (SELECT CASE WHEN q.number = 2 AND q.k %% 2 = 0 THEN 'Niamh' ELSE 'Murphy' END AS name) said
WHERE q.n <= %(questions)s ORDER BY q.id;
INSERT INTO voicepipeline_entityresolution (artifact_id, organization_id, sender_id, claim_id, mention_number, kind,
    raw_text, name_key, position, status, player_id, score, reason, candidates, resolved_by_id, resolved_at, created_at)
SELECT a.id, a.organization_id, a.sender_id, c.id, 1, 'player_name', 'Kelly', 'kelly', 40,
    CASE WHEN chosen THEN 'user_resolved' ELSE 'auto_resolved' END, p.id, 97, 'The name is the same.', '[]',
    CASE WHEN chosen THEN %(user)s END, CASE WHEN chosen THEN a.received_at + interval '1 hour' END, a.received_at
FROM read_note r JOIN voicepipeline_artifact a USING (id)
JOIN voicepipeline_claim c ON c.artifact_id = a.id AND c.number = 3,
    LATERAL (SELECT id FROM voicepipeline_player WHERE organization_id = a.organization_id ORDER BY id
        OFFSET k %% 50 LIMIT 1) p,
    LATERAL (SELECT k %% 4 = 0 AS chosen) how
ORDER BY c.id;
INSERT INTO voicepipeline_namechoice (artifact_id, kind, raw_text, name_key, claim_key, player_id, chosen_by_id,
    chosen_at)
SELECT artifact_id, kind, raw_text, name_key, '', player_id, resolved_by_id, resolved_at
FROM voicepipeline_entityresolution WHERE status = 'user_resolved' ORDER BY resolved_at;
"""

# One entry of a statement. Some wait for somebody, one in fifty of these on hold; of those that were confirmed the rule
# confirmed two thirds.
ENTRIES = """
INSERT INTO voicepipeline_insightdraft (topic, title, description, quote, recommended_action, time_reference, severity,
    sentiment, skill_name, skill_rating, artifact_id, claim_id, organization_id, sender_id, key, claim_key, player_id,
    ai_confidence, resolution_confidence, overall_confidence, status, automatic, person_needed_because, decided_by_id,
    decided_at, decision_reason, suggested, held_at, held_by_id, held_reason, display_order, prompt_version, expires_at,
    created_at)
SELECT topic, title, description, quote, recommended_action, time_reference, severity, sentiment, skill_name,
    skill_rating, a.id, c.id, a.organization_id, a.sender_id, md5('entry' || c.id), c.key,
    CASE WHEN c.number = 3 THEN (SELECT player_id FROM voicepipeline_entityresolution WHERE claim_id = c.id) END,
    0.9, 0.97, 0.87, state, automatic, CASE WHEN c.number < 3 THEN 'name_unclear' ELSE '' END,
    CASE WHEN state IN ('confirmed', 'rejected') AND NOT automatic THEN %(user)s END,
    CASE WHEN state <> 'pending' THEN a.received_at + interval '1 hour' END,
    CASE WHEN state = 'rejected' THEN 'It was somebody else.' ELSE '' END, '{}',
    CASE WHEN held THEN a.received_at + interval '1 hour' END, CASE WHEN held THEN %(user)s END,
    CASE WHEN held THEN 'Ask the coach first.' ELSE '' END, c.number, c.prompt_version,
    a.received_at + interval '40 days', a.received_at
FROM read_note r JOIN voicepipeline_artifact a USING (id) JOIN voicepipeline_claim c ON c.artifact_id = a.id,
    LATERAL (SELECT CASE WHEN k * 3 + c.number <= %(pending)s * 40 / 39 THEN 'pending' WHEN c.id %% 5 = 0 THEN 'expired'
        WHEN c.id %% 5 = 1 THEN 'rejected' ELSE 'confirmed' END AS state) s,
    LATERAL (SELECT state = 'pending' AND c.id %% 50 = 0 AS held, state = 'confirmed' AND c.id %% 3 > 0 AS automatic) h
ORDER BY c.id;
INSERT INTO voicepipeline_entrydecision (artifact_id, draft_key, kind, by_id, reason, edited, undone_status,
    undone_automatic, decided_at)
SELECT artifact_id, key, status, decided_by_id, decision_reason, '{}', '', false, decided_at
FROM voicepipeline_insightdraft WHERE decided_by_id IS NOT NULL ORDER BY decided_at;
"""

HISTORY = """
INSERT INTO voicepipeline_contentreading (user_id, artifact_id, place, quarter, read_at)
SELECT u.id, r.id, (ARRAY['note_page', 'audio', 'names', 'entries'])[1 + n %% 4],
    date_trunc('hour', now() - n * interval '20 seconds'), now() - n * interval '20 seconds'
FROM (SELECT n, 1 + n %% %(read)s AS k, 1 + n %% %(readers)s AS place
    FROM generate_series(%(readings)s, 1, -1) n) s
JOIN read_note r USING (k)
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM voicepipeline_user WHERE username LIKE 'reader%%') u
    USING (place)
ON CONFLICT DO NOTHING;
INSERT INTO voicepipeline_bulkwork (bulk_id, kind, organization_id, selection, requested_by_id, reason, expected,
    cursor, notes, done, skipped, failed, remarks, created_at, moved_at, finished_at)
SELECT gen_random_uuid(), 'confirm_entries', o.id, '{}', %(user)s, 'The new prompt is right.', 900, 0, 900, 880, 20, 0,
    '{"It has been decided about meanwhile.": 20}', now() - n * interval '1 hour', now() - n * interval '1 hour',
    now() - n * interval '1 hour'
FROM voicepipeline_organization o, generate_series(1, 10) n;
INSERT INTO voicepipeline_rosterchange (organization_id, kind, by_id, reason, details, changed_at)
SELECT o.id, 'imported', %(user)s, '', '{"added": 4, "changed": 2}', now() - n * interval '1 day'
FROM voicepipeline_organization o, generate_series(1, 10) n;
INSERT INTO voicepipeline_notedecision (artifact_id, kind, by_id, reason, decided_at)
SELECT id, 'club_assigned', %(user)s, '', now() - k * interval '1 minute' FROM read_note WHERE k %% 10 = 0;
DROP TABLE read_note;
DROP TABLE asked;
"""


def load_review(user_pk: int, club_pk: int) -> float:
    """Add these to the notes that are there; how many seconds it took."""
    started = time.monotonic()
    values = {
        "user": user_pk,
        "club": club_pk,
        "read": READ_NOTES,
        "with_questions": NOTES_WITH_QUESTIONS,
        "questions": QUESTIONS,
        "pending": PENDING_ENTRIES,
        "readings": READINGS,
        "readers": READERS,
        "players": PLAYERS_A_CLUB,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in (PEOPLE, READ, NAMES, ENTRIES, HISTORY):
            for part in filter(str.strip, statement.split(";")):
                cursor.execute(part, values)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    return time.monotonic() - started
