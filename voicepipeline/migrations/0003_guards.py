"""What the database itself refuses: a state change that no rule allows, a changed ending, a changed event."""

from django.db import migrations

ARTIFACT_MOVES = """
    ('received', 'transcribing'), ('received', 'failed'),
    ('transcribing', 'transcribed'), ('transcribing', 'failed'), ('transcribing', 'received'),
    ('transcribed', 'processing'), ('transcribed', 'failed'), ('transcribed', 'received'),
    ('transcribed', 'transcribing'),
    ('processing', 'completed'), ('processing', 'failed'), ('processing', 'received'),
    ('processing', 'transcribing'), ('processing', 'transcribed'),
    ('completed', 'received'), ('completed', 'transcribing'), ('completed', 'transcribed'),
    ('completed', 'processing'),
    ('failed', 'received'), ('failed', 'transcribing'), ('failed', 'transcribed'), ('failed', 'processing')
"""

RUN_MOVES = """
    ('queued', 'running'), ('queued', 'superseded'), ('queued', 'cancelled'),
    ('running', 'queued'), ('running', 'succeeded'), ('running', 'failed'), ('running', 'superseded')
"""

FORWARD = f"""
CREATE FUNCTION voicepipeline_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER artifact_moves_as_allowed BEFORE UPDATE OF status ON voicepipeline_artifact FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN ({ARTIFACT_MOVES}))
EXECUTE FUNCTION voicepipeline_refuse('an artifact may not move like this');

CREATE TRIGGER run_moves_as_allowed BEFORE UPDATE OF status ON voicepipeline_stagerun FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN ({RUN_MOVES}))
EXECUTE FUNCTION voicepipeline_refuse('a stage run may not move like this');

CREATE TRIGGER run_ends_once BEFORE UPDATE ON voicepipeline_stagerun FOR EACH ROW
WHEN (
    OLD.finished_at IS NOT NULL
    AND (NEW.effective OR to_jsonb(OLD) - 'effective' IS DISTINCT FROM to_jsonb(NEW) - 'effective')
)
EXECUTE FUNCTION voicepipeline_refuse('an ended stage run does not change');

CREATE TRIGGER event_never_changes BEFORE UPDATE ON voicepipeline_pipelineevent FOR EACH ROW
EXECUTE FUNCTION voicepipeline_refuse('events are never changed');

CREATE TRIGGER decision_never_changes BEFORE UPDATE OR DELETE ON voicepipeline_notedecision FOR EACH ROW
EXECUTE FUNCTION voicepipeline_refuse('decisions are never changed');

ALTER TABLE voicepipeline_pipelineevent
    ADD CONSTRAINT event_artifact_exists FOREIGN KEY (artifact_id) REFERENCES voicepipeline_artifact,
    ADD CONSTRAINT event_voice_note_exists FOREIGN KEY (voice_note_id) REFERENCES voicepipeline_voicenote,
    ADD CONSTRAINT event_organization_exists FOREIGN KEY (organization_id) REFERENCES voicepipeline_organization,
    ADD CONSTRAINT event_coach_exists FOREIGN KEY (coach_id) REFERENCES voicepipeline_coach,
    ADD CONSTRAINT event_actor_exists FOREIGN KEY (actor_id) REFERENCES voicepipeline_user;

-- Heartbeats rewrite running rows every few seconds: room on the page keeps those updates off the indexes.
ALTER TABLE voicepipeline_stagerun SET (fillfactor = 70);
"""

BACKWARD = """
ALTER TABLE voicepipeline_stagerun RESET (fillfactor);
ALTER TABLE voicepipeline_pipelineevent
    DROP CONSTRAINT event_artifact_exists,
    DROP CONSTRAINT event_voice_note_exists,
    DROP CONSTRAINT event_organization_exists,
    DROP CONSTRAINT event_coach_exists,
    DROP CONSTRAINT event_actor_exists;
DROP TRIGGER decision_never_changes ON voicepipeline_notedecision;
DROP TRIGGER event_never_changes ON voicepipeline_pipelineevent;
DROP TRIGGER run_ends_once ON voicepipeline_stagerun;
DROP TRIGGER run_moves_as_allowed ON voicepipeline_stagerun;
DROP TRIGGER artifact_moves_as_allowed ON voicepipeline_artifact;
DROP FUNCTION voicepipeline_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("voicepipeline", "0002_notes_runs_events")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
