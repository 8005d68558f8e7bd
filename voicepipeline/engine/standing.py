"""The row of an AI service: read under its lock, written as the table of moves allows."""

from datetime import datetime
from typing import Any, Literal, overload

from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import AIService, AIServiceHealth
from voicepipeline.policies.breaker import TRANSITIONS


@overload
def locked_health(service: AIService, *, make: Literal[True]) -> AIServiceHealth: ...
@overload
def locked_health(service: AIService) -> AIServiceHealth | None: ...
def locked_health(service: AIService, *, make: bool = False) -> AIServiceHealth | None:
    """The service's row under its lock; None when it never was in trouble, unless it is to be made."""
    rows = AIServiceHealth.objects.select_for_update(no_key=True, of=("self",)).filter(service=service)
    health: AIServiceHealth | None = rows.first()
    if health is None and make:
        # Normal for as long as calls are kept, so that all of them speak.
        since = database_now() - limits().provider_calls_kept
        fresh = AIServiceHealth(service=service, changed_at=since)
        AIServiceHealth.objects.bulk_create([fresh], ignore_conflicts=True)
        health = rows.get()
    return health


def write_health(health: AIServiceHealth, now: datetime, state: AIServiceHealth.State, **values: Any) -> None:
    """Move the locked row; whoever tested the service does so no longer, unless these values say so."""
    assert state in TRANSITIONS[health.state], f"{health.state} → {state}"  # noqa: S101 — a fault of ours
    if state != health.state:
        health.changed_at = now
    health.state = state
    values = {"probe_run_id": None, "probe_until": None, **values}
    for name, value in values.items():
        setattr(health, name, value)
    health.updated_at = now
    health.save()
