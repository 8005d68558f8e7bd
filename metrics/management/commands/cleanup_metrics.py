import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metrics.retention import (
    EventCleanup,
    SnapshotCleanup,
    cleanup_old_events,
    cleanup_old_snapshots,
    plan_cleanup,
)

KINDS = {
    "hourly": "hourly figures",
    "daily": "daily figures",
    "periods": "records of counted hours and days",
    "refused_events": "records of events that came too late",
    "job_runs": "job runs",
}


class Command(BaseCommand):
    help = (
        "Deletes events whose hour has been counted for good, and figures, each when it is older than METRICS in the "
        "settings says; the schedules do it by themselves. Voice notes, tries, retries and decisions are never touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["dry_run"]:
            plan = plan_cleanup(now)
            if options["json"]:
                self.stdout.write(json.dumps(asdict(plan)))
                return
            self.stdout.write(f"Would count {plan.hours_to_seal:,} hours for good and delete {plan.events:,} events.")
            self._tell_figures("Would delete", plan.snapshots)
            return
        events, snapshots = cleanup_old_events(now), cleanup_old_snapshots(now)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(events), "snapshots": asdict(snapshots)}, default=str))
        else:
            self._tell_events(events)
            self._tell_figures("Deleted", snapshots)
        troubles = sum(kept.is_trouble for kept in events.kept)
        if troubles:
            raise CommandError(f"{troubles} hour{'' if troubles == 1 else 's'} could not be counted for good.")

    def _tell_events(self, done: EventCleanup) -> None:
        self.stdout.write(f"Counted {done.hours_sealed:,} hours for good and deleted {done.events_deleted:,} events.")
        for kept in done.kept:
            self.stdout.write(f"  {kept.hour:%Y-%m-%d %H:%M} keeps its events: {kept.reason}")

    def _tell_figures(self, begins: str, figures: SnapshotCleanup) -> None:
        for name, count in asdict(figures).items():
            self.stdout.write(f"{begins} {count:,} {KINDS[name]}.")
