"""Are the live figures what the events say? Counted again, in other words than those of the trigger that counts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from metrics.limits import COUNTERS_KEPT
from metrics.models import CounterType
from voicepipeline.models import EventType
from voicepipeline.stages import IN_ORDER

FAILED_STAGES = ", ".join(f"'{stage.failed}'" for stage in IN_ORDER)
NUMBER_OF: dict[CounterType, str] = {
    CounterType.ARTIFACTS_RECEIVED: f"event_type = '{EventType.ARTIFACT_RECEIVED}'",
    CounterType.ARTIFACTS_COMPLETED: (
        f"event_type = '{EventType.ARTIFACT_COMPLETED}' AND NOT metadata @> '{{\"repeat\": true}}'"
    ),
    CounterType.ARTIFACTS_FAILED: f"event_type = '{EventType.ARTIFACT_FAILED}'",
    CounterType.TRANSCRIPTIONS_COMPLETED: f"event_type = '{EventType.TRANSCRIPTION_COMPLETED}'",
    CounterType.CLAIMS_EXTRACTED: f"event_type = '{EventType.CLAIMS_EXTRACTED}'",
    CounterType.ENTITIES_RESOLVED: f"event_type = '{EventType.ENTITY_RESOLUTION_COMPLETED}'",
    CounterType.DRAFTS_GENERATED: f"event_type = '{EventType.DRAFTS_GENERATED}'",
    CounterType.FAILURES: (
        f"event_type = '{EventType.ARTIFACT_FAILED}'"
        f" OR (event_type IN ({FAILED_STAGES}) AND NOT metadata @> '{{\"will_retry\": true}}')"
    ),
    CounterType.RETRIES: f"event_type = '{EventType.RETRY_INITIATED}'",
}
SUMS = {kind: f"count(*) FILTER (WHERE {which})" for kind, which in NUMBER_OF.items()}
SUMS[CounterType.AI_COST] = "coalesce(sum(metrics_ai_cost(metadata)), 0)"

# Minutes of which all was counted: an event that came more than 2 hours late was not.
DIFFERENCES = f"""
WITH span AS MATERIALIZED (SELECT coalesce(%(now)s::timestamptz, statement_timestamp()) - %(kept)s AS start),
minutes AS (
    SELECT organization_id, GROUPING(organization_id) = 1 AS is_platform, minute,
        ARRAY[{", ".join(SUMS.values())}] AS sums
    FROM span, voicepipeline_pipelineevent, LATERAL date_trunc('minute', timestamp, 'UTC') AS minute
    WHERE timestamp >= span.start AND timestamp < '9999-01-01 00:00:00+00' AND minute >= span.start
    GROUP BY GROUPING SETS ((minute), (minute, organization_id))
)
SELECT organization_id, minute, counter_type, sum(counted) AS counted, sum(happened) AS happened
FROM (
    SELECT organization_id, window_start AS minute, counter_type, value AS counted, 0 AS happened
    FROM span, metrics_counter WHERE window_start >= span.start
    UNION ALL
    SELECT organization_id, minute, counter_type, 0, happened
    FROM minutes, unnest(%(types)s::text[], sums) AS figure (counter_type, happened)
    WHERE is_platform OR organization_id IS NOT NULL
) both_ways
GROUP BY organization_id, minute, counter_type
HAVING sum(counted) <> sum(happened)
ORDER BY minute, organization_id NULLS FIRST, counter_type
"""  # noqa: S608 — names of our own


@dataclass(frozen=True)
class Difference:
    """A minute's live figure that is not what its events say; of the platform when it names no club."""

    organization_id: int | None
    minute: datetime
    counter_type: CounterType
    counted: Decimal
    happened: Decimal

    def __str__(self) -> str:
        whose = "Platform" if self.organization_id is None else f"Club {self.organization_id}"
        return (
            f"{self.minute:%Y-%m-%d %H:%M} UTC, {whose}, {self.counter_type.label}:"
            f" the live figure says {self.counted.normalize():f}, the events say {self.happened.normalize():f}"
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "minute": self.minute.isoformat(),
            "counted": f"{self.counted.normalize():f}",
            "happened": f"{self.happened.normalize():f}",
        }


def find_differences(now: datetime | None = None) -> Sequence[Difference]:
    """Compare the last 2 hours, all at one moment, in a transaction of its own that writes nothing."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return compare(now)


def compare(now: datetime | None = None) -> Sequence[Difference]:
    """The same in whatever transaction there is: one statement, so one moment as well."""
    parameters: dict[str, Any] = {"now": now, "kept": COUNTERS_KEPT, "types": [kind.value for kind in SUMS]}
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, parameters)
        return [
            Difference(organization_id, minute, CounterType(counter_type), counted, happened)
            for organization_id, minute, counter_type, counted, happened in cursor.fetchall()
        ]
