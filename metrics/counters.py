"""Keeping live figures few: events count themselves (see migrations/0002_counting.py), this adds up and deletes."""

from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from metrics.limits import COUNTERS_KEPT, limits

LOCK = 730263
# Below deadlock_timeout: were this ever to stand in somebody's way, this gives way and nobody's work is lost.
PATIENCE = "500ms"

DELETE = """
WITH old AS MATERIALIZED (
    SELECT id FROM metrics_counter
    WHERE window_start < coalesce(%(now)s::timestamptz, statement_timestamp()) - %(kept)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM metrics_counter counter USING old WHERE counter.id = old.id
"""
# What a writer is at is passed over and waits for the next time. A row is read as it is once it is locked, so
# nothing that was added in between is lost; what is added later makes a new row, which a later fold adds to slot 0.
FOLD = """
WITH ended AS MATERIALIZED (
    SELECT id FROM metrics_counter
    WHERE slot <> 0 AND window_end <= coalesce(%(now)s::timestamptz, statement_timestamp()) - %(folded_after)s
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM metrics_counter counter USING ended WHERE counter.id = ended.id RETURNING counter.*
)
INSERT INTO metrics_counter AS counter (organization_id, window_start, window_end, counter_type, slot, value)
SELECT organization_id, window_start, window_end, counter_type, 0, sum(value) FROM taken
GROUP BY organization_id, window_start, window_end, counter_type
ORDER BY organization_id, window_start, counter_type
ON CONFLICT (organization_id, window_start, counter_type, slot) DO UPDATE SET value = counter.value + excluded.value
"""


def fold_counters(now: datetime | None = None) -> bool:
    """Make one row of each figure's minute that is over, and delete what nobody reads any more; False: busy."""
    when: dict[str, Any] = {"now": now, "kept": COUNTERS_KEPT, "folded_after": limits().counters_folded_after}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s, 0), set_config('lock_timeout', %s, TRUE)", [LOCK, PATIENCE]
            )
            if not cursor.fetchone()[0]:
                return False
            cursor.execute(DELETE, when)
            cursor.execute(FOLD, when)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        return False
    return True
