import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metrics.retention import (
    CleanupPlan,
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
            self._tell_plan(plan_cleanup(now), as_json=options["json"])
            return
        events = cleanup_old_events(now)
        self._tell(events, cleanup_old_snapshots(now), as_json=options["json"])
        troubles = sum(kept.is_trouble for kept in events.kept)
        if troubles:
            raise CommandError(f"{troubles} hour{'' if troubles == 1 else 's'} could not be counted for good.")

    def _tell_plan(self, plan: CleanupPlan, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(asdict(plan)))
            return
        self._table("Would be counted for good", {"hours": plan.hours_to_seal})
        self._table("Would be deleted", {"events": plan.events, **_figures(plan.snapshots)})

    def _tell(self, events: EventCleanup, snapshots: SnapshotCleanup, *, as_json: bool) -> None:
        if as_json:
            done = {**asdict(events), "snapshots": asdict(snapshots)}
            self.stdout.write(json.dumps(done, default=datetime.isoformat))
            return
        self._table("Counted for good", {"hours": events.hours_sealed})
        self._table("Deleted", {"events": events.events_deleted, **_figures(snapshots)})
        for kept in events.kept:
            self.stdout.write(f"{kept.hour:%Y-%m-%d %H:%M} keeps its events: {kept.reason}")

    def _table(self, title: str, counts: dict[str, int]) -> None:
        self.stdout.write(title)
        for what, count in counts.items():
            self.stdout.write(f"  {what:<42} {count:,}")


def _figures(snapshots: SnapshotCleanup) -> dict[str, int]:
    return {KINDS[name]: count for name, count in asdict(snapshots).items()}
