"""What the other apps add to this one, filled in their `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Schedule:
    """A job that django-q starts by the clock; cron lines are UTC."""

    name: str
    func: str
    cron: str
    purpose: str


@dataclass(frozen=True)
class Tick:
    """Something the watchdog does every so often; it must be idempotent, for several watchdogs may run."""

    name: str
    every: timedelta
    run: Callable[[], None]


@dataclass
class Registry:
    schedules: dict[str, Schedule] = field(default_factory=dict)
    ticks: dict[str, Tick] = field(default_factory=dict)

    def add_schedule(self, schedule: Schedule) -> None:
        self.schedules[schedule.name] = schedule

    def add_tick(self, tick: Tick) -> None:
        self.ticks[tick.name] = tick


registry = Registry()
