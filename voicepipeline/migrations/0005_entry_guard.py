"""What the database itself refuses of suggested entries: a move that no rule allows."""

from django.db import migrations

DRAFT_MOVES = """
    ('pending', 'confirmed'), ('pending', 'rejected'), ('pending', 'expired'),
    ('confirmed', 'applied'), ('confirmed', 'pending'), ('applied', 'pending'),
    ('rejected', 'pending'), ('expired', 'pending')
"""

FORWARD = f"""
CREATE TRIGGER draft_moves_as_allowed BEFORE UPDATE OF status ON voicepipeline_insightdraft FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN ({DRAFT_MOVES}))
EXECUTE FUNCTION voicepipeline_refuse('a suggested entry may not move like this');
"""

BACKWARD = "DROP TRIGGER draft_moves_as_allowed ON voicepipeline_insightdraft;"


class Migration(migrations.Migration):
    dependencies = [("voicepipeline", "0004_what_the_stages_make")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
