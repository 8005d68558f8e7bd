"""What the pipeline stands on, in a word each: the AI service, the workers, the watchdog.

Nothing in it changes while all goes well, so that an unchanged overview stays unchanged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from voicepipeline.models import AIService, AIServiceHealth
from voicepipeline.overview.health import Rows, counted, watches
from voicepipeline.overview.parts import Level
from voicepipeline.overview.pulse import Pulse


@dataclass(frozen=True)
class State:
    """How one of them is; `since` when it has been silent."""

    words: str
    level: Level
    rows: Rows
    since: datetime | None = None


def states_of(pulse: Pulse, *, lost_after: timedelta) -> tuple[State, ...]:
    """`lost_after`: workers and watchdogs that have been silent for longer are gone."""
    return _ai_service(pulse), _workers(pulse), _watchdog(pulse, lost_after)


def _ai_service(pulse: Pulse) -> State:
    troubled = [each for each in pulse.standstills if each.service]
    paused = [each.service for each in troubled if each.state == AIServiceHealth.State.OPEN]
    if paused:
        of = "" if len(paused) == len(AIService) else f" for {AIService(paused[0]).label.lower()}"
        return State(f"AI service: on hold{of}", Level.TROUBLE, Rows.AI_SERVICE)
    if troubled:
        return State("AI service: testing", Level.NOTICE, Rows.AI_SERVICE)
    return State("AI service: normal", Level.GOOD, Rows.AI_SERVICE)


def _workers(pulse: Pulse) -> State:
    if not pulse.clusters_working:
        return State("Workers: none", Level.TROUBLE, Rows.QUEUE)
    workers = counted(pulse.workers, "worker", "workers")
    clusters = counted(pulse.clusters_working, "cluster", "clusters")
    return State(f"{workers} in {clusters}", Level.GOOD, Rows.QUEUE)


def _watchdog(pulse: Pulse, lost_after: timedelta) -> State:
    if watches(pulse, lost_after):
        return State("Watchdog: reporting in", Level.GOOD, Rows.QUEUE)
    if pulse.watchdog_seen_at is None:
        return State("Watchdog: none", Level.TROUBLE, Rows.QUEUE)
    return State("Watchdog: silent for", Level.TROUBLE, Rows.QUEUE, pulse.watchdog_seen_at)
