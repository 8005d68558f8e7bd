"""What keeps events out of hours that are final; docs/decisions/0011 says why none is lost on the way."""

from django.db import migrations

# The condition stands in the trigger, so that an event of these hours costs a comparison and nothing else; now() is
# when the transaction began, and `metrics.retention` seals no hour while one is open that began earlier than this
# after it. Each statement of the function sees what was committed before it, and so after the lock was given; under
# another isolation it would not.
FORWARD = """
CREATE FUNCTION metrics_refuse_events_of_sealed_hours() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hour timestamptz := date_trunc('hour', NEW.timestamp, 'UTC');
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'Events of hours long over are written in transactions that read what is committed.'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(730261, floor(extract(epoch FROM hour) / 3600)::integer);
    PERFORM FROM metrics_period WHERE period_type = 'hour' AND period_start = hour AND sealed_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN NEW;
    END IF;
    -- Told once more is not told too late: the unique id sees to it.
    PERFORM FROM voicepipeline_pipelineevent WHERE event_id = NEW.event_id;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    INSERT INTO metrics_refusedevent (period_start, event_type) VALUES (hour, NEW.event_type);
    RETURN NULL;
END $$;

CREATE TRIGGER event_of_a_sealed_hour_is_refused BEFORE INSERT ON voicepipeline_pipelineevent
FOR EACH ROW WHEN (NEW.timestamp < now() - interval '3 hours' AND isfinite(NEW.timestamp))
EXECUTE FUNCTION metrics_refuse_events_of_sealed_hours();
"""

BACKWARD = """
DROP TRIGGER event_of_a_sealed_hour_is_refused ON voicepipeline_pipelineevent;
DROP FUNCTION metrics_refuse_events_of_sealed_hours();
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0003_histograms")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
