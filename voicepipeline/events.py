"""The event log: `log_events` is the only inserter, and its only writer is the operation that made the fact."""

import json
import logging
import math
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from voicepipeline.errors import InvalidEvent
from voicepipeline.models import Artifact, DroppedEvent, EventType
from voicepipeline.signals import events_logged
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)

EVENT_NAMESPACE = uuid.UUID("6b0c4a53-7c3c-4ad6-9d8e-2f1c1d5b7a10")
MAX_ERROR_MESSAGE = 500
MAX_METADATA_TEXT = 200
MAX_COUNT = 2**53
# Asked for with each event; the class would make the list anew.
KNOWN_TYPES = frozenset(EventType.values)


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """Something to be logged; what it does not say is taken from its artifact."""

    event_type: str
    artifact: Artifact | None = None
    organization_id: int | None = None
    stage: str = ""
    stage_started_at: datetime | None = None
    stage_completed_at: datetime | None = None
    previous_status: str = ""
    new_status: str = ""
    error_code: str = ""
    error_message: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    actor_id: int | None = None
    timestamp: datetime | None = None  # None: when it is written
    event_id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class LoggedEvent:
    """An event as it was written, for those who count."""

    event_id: uuid.UUID
    event_type: str
    artifact_id: int | None
    organization_id: int | None
    stage: str
    metadata: dict[str, Any]
    timestamp: datetime


def stable_event_id(*parts: object) -> uuid.UUID:
    """The same id for the same fact, so that saying it twice writes it once."""
    return uuid.uuid5(EVENT_NAMESPACE, "/".join(str(part) for part in parts))


def compute_time_window(moment: datetime) -> str:
    """The UTC hour of this moment, as YYYY-MM-DD-HH."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d-%H")


def log_event(event_type: str, artifact: Artifact | None = None, *, strict: bool = False, **fields: Any) -> int:
    """Log one event; see `log_events`."""
    return log_events([NewEvent(event_type=event_type, artifact=artifact, **fields)], strict=strict)


def log_events(events: Iterable[NewEvent], *, strict: bool = False) -> int:
    """Insert these events in one statement, announce the new ones, and return how many were new.

    Data that the database refuses costs the log its entries and nobody their work, unless `strict`.
    """
    batch = list(events)
    if not batch:
        return 0
    try:
        with transaction.atomic():
            logged = _insert([_row(event, strict=strict) for event in batch])
            if logged:
                events_logged.send(sender=None, events=logged)
    except (DataError, IntegrityError) as error:
        if strict:
            raise
        _record_loss(batch, error)
        return 0
    return len(logged)


def _record_loss(batch: Sequence[NewEvent], error: Exception) -> None:
    reason = type(error.__cause__ or error).__name__
    logger.error("events refused by the database", extra={"reason": reason, "types": [e.event_type for e in batch]})
    DroppedEvent.objects.bulk_create(
        DroppedEvent(event_type=safe_text(event.event_type, 40), reason=reason) for event in batch
    )


COLUMNS = {
    "event_id": "uuid",
    "event_type": "text",
    "artifact_id": "bigint",
    "voice_note_id": "bigint",
    "organization_id": "bigint",
    "coach_id": "bigint",
    "pipeline_stage": "text",
    "stage_started_at": "timestamptz",
    "stage_completed_at": "timestamptz",
    "duration_ms": "bigint",
    "previous_status": "text",
    "new_status": "text",
    "error_code": "text",
    "error_message": "text",
    "metadata": "jsonb",
    "actor_id": "bigint",
}

# One statement and one parameter, whatever the number of events. The moment is taken here, after every lock wait.
INSERT = f"""
WITH flush AS MATERIALIZED (SELECT clock_timestamp() AS at)
INSERT INTO voicepipeline_pipelineevent ({", ".join(COLUMNS)}, timestamp, time_window)
SELECT {", ".join(f"given.{name}" for name in COLUMNS)}, coalesce(given.timestamp, flush.at),
       to_char(coalesce(given.timestamp, flush.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD-HH24')
FROM flush, jsonb_to_recordset(%s::jsonb) AS given(
    {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())}, timestamp timestamptz
)
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id, event_type, artifact_id, organization_id, pipeline_stage, metadata, timestamp
"""  # noqa: S608 — column names of our own


def _insert(rows: list[dict[str, Any]]) -> list[LoggedEvent]:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [json.dumps(rows)])
        return [
            LoggedEvent(event_id, event_type, artifact_id, organization_id, stage, json.loads(metadata), timestamp)
            for event_id, event_type, artifact_id, organization_id, stage, metadata, timestamp in cursor.fetchall()
        ]


def _row(event: NewEvent, *, strict: bool) -> dict[str, Any]:
    artifact = event.artifact
    return {
        "event_id": str(event.event_id),
        "event_type": _known_type(event.event_type),
        "artifact_id": artifact.pk if artifact else None,
        "voice_note_id": artifact.voice_note_id if artifact else None,
        "organization_id": event.organization_id or (_organization_id(artifact) if artifact else None),
        "coach_id": artifact.sender_id if artifact else None,
        "pipeline_stage": event.stage,
        "stage_started_at": _iso(event.stage_started_at),
        "stage_completed_at": _iso(event.stage_completed_at),
        "duration_ms": _duration_ms(event.stage_started_at, event.stage_completed_at),
        "previous_status": event.previous_status,
        "new_status": event.new_status,
        "error_code": safe_text(event.error_code, 60),
        "error_message": safe_text(event.error_message, MAX_ERROR_MESSAGE),
        "metadata": checked_metadata(event.metadata, strict=strict),
        "actor_id": event.actor_id,
        "timestamp": _iso(event.timestamp),
    }


def _known_type(event_type: str) -> str:
    if event_type not in KNOWN_TYPES:
        raise InvalidEvent(f"There is no event type {event_type!r}.")
    return str(event_type)


def _organization_id(artifact: Artifact) -> int | None:
    return artifact.most_likely_organization_id() or artifact.organization_id


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _duration_ms(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None:
        return None
    return max(0, round((end - start).total_seconds() * 1000))


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise ValueError("not a count")
    return value


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("not between 0 and 1")
    return float(value)


def _seconds(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("not a duration")
    return number


def _money(value: Any) -> str:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise ValueError("not an amount of money")
    return str(value)


def _word(value: Any) -> str:
    return safe_text(str(value), MAX_METADATA_TEXT)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a yes or no")
    return value


def _tally(value: Any) -> dict[str, int]:
    return {_word(key): _count(number) for key, number in list(value.items())[:20]}


def _words(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return [_word(each) for each in value[:20]]


# Everything that an event may carry; of free text no more than the reason that staff typed.
METADATA: Mapping[str, Callable[[Any], Any]] = {
    "ai_cost": _money,
    "ai_model": _word,
    "attempt": _count,
    "auto_resolved": _count,
    "automatic": _flag,
    "automatic_count": _count,
    "claim_count": _count,
    "claims_dropped": _count,
    "claims_dropped_ids": _count,
    "claims_links_cleared": _count,
    "claims_mentions_dropped": _count,
    "claims_unsupported": _count,
    "confidence_score": _share,
    "deleted": _tally,
    "disambiguation_count": _count,
    "draft_count": _count,
    "endpoint": _word,
    "entity_count": _count,
    "generation": _count,
    "given_reason": _word,
    "kind": _word,
    "model_disagreed": _count,
    "outcome": _word,
    "prompt_version": _word,
    "reason": _word,
    "repeat": _flag,
    "retry_attempt": _count,
    "source_channel": _word,
    "topic": _word,
    "transcript_duration": _seconds,
    "transcript_word_count": _count,
    "unresolved": _count,
    "user_resolved": _count,
    "verdict": _word,
    "verdict_reasons": _words,
    "will_retry": _flag,
    "without_entry": _count,
}

# No page shows it from here: people type names into the reasons that they give.
TYPED_BY_STAFF = frozenset({"given_reason"})


def checked_metadata(metadata: Mapping[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """The known keys with fitting values, bounded; None is left out, anything else is dropped and told."""
    checked: dict[str, Any] = {}
    for key, value in metadata.items():
        if value is None:
            continue
        try:
            checked[key] = METADATA[key](value)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if strict:
                raise InvalidEvent(f"{key!r} cannot stand in an event.") from error
            logger.error("event metadata left out", extra={"key": safe_text(str(key), 40)})
    return checked
