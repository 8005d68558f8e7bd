"""What the pipeline stands on, in a word each: the AI service, the workers, the watchdog.

Nothing in it changes while all goes well, so that an unchanged overview stays unchanged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from voicepipeline.models import AIService
from voicepipeline.overview.cards import AI_LEVELS, ai_in_trouble, ai_state
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
    """The worst of its services; by name when others are better."""
    troubled = ai_in_trouble(pulse.standstills)
    state = ai_state(troubled)
    alike = [each.service for each in troubled if each.state == state]
    of = f" for {AIService(alike[0]).label.lower()}" if alike and len(alike) < len(AIService) else ""
    return State(f"AI service: {str(state.label).lower()}{of}", AI_LEVELS[state], Rows.AI_SERVICE)


def _workers(pulse: Pulse) -> State:
    if not pulse.clusters_working:
        return State("Workers: none", Level.TROUBLE, Rows.QUEUE)
    workers = counted(pulse.workers, "worker", "workers")
    number = pulse.clusters_working
    if pulse.clusters_silent:
        all_of_them = counted(number + pulse.clusters_silent, "cluster", "clusters")
        return State(f"{workers} in {number:,} of {all_of_them}", Level.NOTICE, Rows.QUEUE)
    return State(f"{workers} in {counted(number, 'cluster', 'clusters')}", Level.GOOD, Rows.QUEUE)


def _watchdog(pulse: Pulse, lost_after: timedelta) -> State:
    if watches(pulse, lost_after):
        return State("Watchdog: reporting in", Level.GOOD, Rows.QUEUE)
    if pulse.watchdog_seen_at is None:
        return State("Watchdog: none", Level.TROUBLE, Rows.QUEUE)
    return State("Watchdog: silent for", Level.TROUBLE, Rows.QUEUE, pulse.watchdog_seen_at)
