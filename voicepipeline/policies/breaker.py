"""When an AI service is paused, who may test it, and how fast what waited for it is let go again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"

TRANSITIONS: dict[str, frozenset[str]] = {
    CLOSED: frozenset({OPEN}),
    OPEN: frozenset({OPEN, HALF_OPEN, CLOSED}),
    HALF_OPEN: frozenset({HALF_OPEN, OPEN, CLOSED}),
}


class Verdict(Enum):
    """What becomes of a run that is about to use the service."""

    PASS = "pass"  # noqa: S105 — no password
    HOLD = "hold"
    PROBE = "probe"  # this run tests it


@dataclass(frozen=True)
class Standing:
    """How a service stands at this moment."""

    state: str = CLOSED
    reason: str = ""
    needs_person: bool = False
    next_probe_at: datetime | None = None
    probe_until: datetime | None = None
    # Whether the run that tests it is still at work: one that ended without a word tests nothing any more.
    probing: bool = False


@dataclass(frozen=True)
class Tally:
    """Calls that speak for or against a service, those apart for which a note was charged."""

    failures_in_a_row: int
    calls: int
    failures: int


@dataclass(frozen=True)
class Rules:
    faults_in_a_row: int
    calls: int
    share_percent: int


def verdict(standing: Standing, now: datetime) -> Verdict:
    """Whether a run may use the service now, waits, or is the one that tests it."""
    if standing.state == CLOSED:
        return Verdict.PASS
    if standing.needs_person:
        return Verdict.HOLD
    if standing.state == OPEN:
        due = standing.next_probe_at is not None and standing.next_probe_at <= now
        return Verdict.PROBE if due else Verdict.HOLD
    live = standing.probing and standing.probe_until is not None and standing.probe_until > now
    return Verdict.HOLD if live else Verdict.PROBE


def opens(tally: Tally, rules: Rules) -> bool:
    """Whether so many calls have failed that nothing more should be sent."""
    if tally.failures_in_a_row >= rules.faults_in_a_row:
        return True
    return tally.calls >= rules.calls and 100 * tally.failures >= rules.share_percent * tally.calls


def pause_after_failed_test(pause: timedelta, longest: timedelta) -> timedelta:
    return min(2 * pause, longest)


def next_test_at(now: datetime, pause: timedelta, retry_after: timedelta | None) -> datetime:
    """After the pause, and never sooner than the provider asked."""
    return now + max(pause, retry_after or timedelta())


def ramp(closed_for: timedelta) -> int:
    """How many may be let go this long after a service is back: 1, then twice as many each second."""
    seconds = max(0, int(closed_for.total_seconds()))
    return int(1 << min(seconds, 20))


def room(workers: int, in_hand: int, *, closed_for: timedelta | None = None) -> int:
    """How many more that waited may be let go: with those in hand, half of the workers' places at most."""
    most = max(1, workers // 2)
    if closed_for is not None:
        most = min(most, ramp(closed_for))
    return max(0, most - in_hand)
