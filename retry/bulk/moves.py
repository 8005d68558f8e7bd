"""Moving a bulk retry from one state to another: from the one that was read, or not at all."""

from datetime import datetime
from typing import Any

from retry.models import BulkRetry
from voicepipeline.text import safe_text

MAX_WORDS = 500


def as_read(bulk: BulkRetry) -> dict[str, Any]:
    """What identifies the state in which it was read; one that was paused and resumed meanwhile is in another."""
    return {"pk": bulk.pk, "state": bulk.state, "moving_since": bulk.moving_since}


def move(bulk: BulkRetry, to: BulkRetry.State, *, now: datetime, why: str = "", **values: Any) -> bool:
    """Move it, or tell that somebody else was first; `why` is told on its page."""
    if to not in BulkRetry.TRANSITIONS[bulk.state]:
        raise ValueError(f"{bulk.state} → {to}")
    values |= {"state": to, "state_reason": safe_text(why, MAX_WORDS)}
    if not BulkRetry.TRANSITIONS[to]:
        values["finished_at"] = now
    if to in BulkRetry.MOVING:
        values.setdefault("moving_since", now)
    if not BulkRetry.objects.filter(**as_read(bulk)).update(**values):
        return False
    for name, value in values.items():
        setattr(bulk, name, value)
    return True
