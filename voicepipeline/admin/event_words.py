"""Events in words, for the list, the note's page and the CSV."""

import json
from datetime import timedelta
from typing import Any

from voicepipeline.durations import in_words
from voicepipeline.events import TYPED_BY_STAFF
from voicepipeline.models import EventType, PipelineEvent

TROUBLE = frozenset(
    {
        EventType.STAGE_RUN_RECLAIMED,
        EventType.STAGE_PARKED,
        EventType.CIRCUIT_BREAKER_OPENED,
        EventType.BUDGET_EXCEEDED,
        EventType.RATE_LIMIT_HIT,
    }
)


def is_trouble(event: PipelineEvent) -> bool:
    return bool(event.error_code) or event.event_type in TROUBLE


def duration_words(event: PipelineEvent) -> str:
    return "" if event.duration_ms is None else in_words(timedelta(milliseconds=event.duration_ms))


def told(event: PipelineEvent) -> dict[str, Any]:
    """What it carries, but for what staff have typed: pages show that where they know who reads it."""
    return {key: value for key, value in event.metadata.items() if key not in TYPED_BY_STAFF}


def event_facts(event: PipelineEvent) -> str:
    """Everything else that the event says, as JSON for whoever needs to know exactly."""
    facts: dict[str, Any] = {
        "event_id": str(event.event_id),
        "event_type": event.event_type,
        "timestamp": event.timestamp.isoformat(),
        "previous_status": event.previous_status,
        "new_status": event.new_status,
        "error_code": event.error_code,
        "error_message": event.error_message,
        "duration_ms": event.duration_ms,
        "metadata": told(event),
    }
    known = {key: value for key, value in facts.items() if value not in ("", None, {})}
    return json.dumps(known, indent=2, ensure_ascii=False, default=str)
