import json
from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metrics.aggregation import Aggregated, aggregate_daily_metrics, aggregate_hourly_metrics
from metrics.catching_up import first_hour
from metrics.limits import limits
from metrics.troubles import overcome
from metrics.windows import Grain, oldest_day
from voicepipeline.text import safe_text

GRAINS = {"hourly": Grain.HOUR, "daily": Grain.DAY}


@dataclass(frozen=True)
class Told:
    """What became of one hour or day."""

    grain: Grain
    start: datetime
    outcome: str
    words: str
    counted: Aggregated

    @property
    def is_failure(self) -> bool:
        return self.outcome in ("failed", "incomplete")

    @property
    def line(self) -> str:
        return f"{self.start:{'%Y-%m-%d %H:%M' if self.grain is Grain.HOUR else '%Y-%m-%d'}}  {self.words}"

    @property
    def as_json(self) -> str:
        facts = {"events": self.counted.events, "rows": self.counted.rows, "gaps": self.counted.gaps}
        if self.grain is Grain.DAY:
            facts["hours"] = self.counted.hours
        return json.dumps({"period": self.grain, "start": self.start.isoformat(), "outcome": self.outcome, **facts})


class Command(BaseCommand):
    help = (
        "Counts an hour or a day of the history again, also one that was counted before; the schedules do it by "
        "themselves. Ends with 1 if something could not be counted. Times are UTC."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("period", choices=GRAINS, help="hours are counted from events, days from their hours")
        parser.add_argument(
            "--at",
            metavar="T",
            help="the hour or day in which this moment lies, such as 2026-03-31T14:00 or 2026-03-31, also one that is "
            "not over; by default the last one that is",
        )
        parser.add_argument("--backfill", type=int, default=0, metavar="N", help="and so many before it")
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, period: str, **options: Any) -> None:
        grain, now = GRAINS[period], timezone.now()
        failed = 0
        for start in starts(grain, options["at"], options["backfill"], now=now):
            told = _count(grain, start)
            self.stdout.write(told.as_json if options["json"] else told.line)
            failed += told.is_failure
        if failed:
            raise CommandError(f"{failed} {grain}{'' if failed == 1 else 's'} could not be counted in full.")


def starts(grain: Grain, at: str | None, backfill: int, *, now: datetime) -> list[datetime]:
    """The oldest first; nothing from before there was anything, or that would be deleted again."""
    if backfill < 0:
        raise CommandError("--backfill is a number of hours or days: 0 or more.")
    last = grain.floor(now) - grain.length if at is None else grain.floor(_moment(at))
    if last > now:
        raise CommandError("--at lies in the future. Choose a moment before now.")
    kept_from, begins = oldest_day(now, limits()), first_hour(now)
    if last < kept_from:
        raise CommandError(f"History is kept from {kept_from:%Y-%m-%d} on. Choose a moment since then.")
    if last < begins:
        raise CommandError(f"There is nothing of before {begins:%Y-%m-%d}: neither events nor figures.")
    count = min(backfill, (last - begins) // grain.length)
    return [last - number * grain.length for number in range(count, -1, -1)]


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        shown = safe_text("".join(letter if letter.isprintable() else "�" for letter in text[:60]), 40)
        raise CommandError(f"--at {shown!r} is no moment. Write it as 2026-03-31T14:00 or 2026-03-31 (UTC).") from error


def _count(grain: Grain, start: datetime) -> Told:
    count = aggregate_hourly_metrics if grain is Grain.HOUR else aggregate_daily_metrics
    try:
        counted = count(start)
    except Exception as error:
        return Told(grain, start, "failed", f"could not be counted ({overcome(error)})", Aggregated(start))
    outcome, words = _outcome(counted)
    return Told(grain, start, outcome, words, counted)


def _outcome(counted: Aggregated) -> tuple[str, str]:
    if counted.busy:
        return "busy", "is being counted by somebody else just now"
    if counted.refused:
        return "final", "is final, it stays as it is"
    if counted.hours == 0:
        return "empty", "has no counted hours: run aggregate_metrics hourly first"
    words = f"counted {counted.events:,} event{'' if counted.events == 1 else 's'}"
    if counted.hours is not None:
        words += f" of {counted.hours} hour{'' if counted.hours == 1 else 's'}"
    if counted.gaps:
        clubs = f"{len(counted.gaps)} club{'' if len(counted.gaps) == 1 else 's'}"
        return "incomplete", f"{words}; those of {clubs} could not be counted"
    return "counted", words
