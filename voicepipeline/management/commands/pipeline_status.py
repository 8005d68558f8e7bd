import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from voicepipeline.durations import in_words
from voicepipeline.explanations import HOLD_REASONS, clock
from voicepipeline.models import AIService, AIServiceHealth, Artifact, StageRun
from voicepipeline.pipeline_status import status_report


class Command(BaseCommand):
    help = "Counts voice notes by status and runs by state; tells what waits and who works."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print it as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = status_report()
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        self._table("Voice notes", {Artifact.Status(key).label: n for key, n in report["notes"].items()})
        self._line("Closed, won't fix", report["closed"])
        self._table("Stage runs", {StageRun.Status(key).label: n for key, n in report["runs"].items()})
        self.stdout.write("Queue")
        self._line("Due", report["due"])
        self._line("Oldest due for", _length(report["oldest_waiting_seconds"]))
        self._line("On hold", report["on_hold"])
        self._line("Jobs in the queue", report["queue_depth"])
        self._line("Events lost", report["dropped_events"])
        self.stdout.write("Clusters")
        for cluster in report["clusters"]:
            seen = f"{cluster['state']}, {cluster['workers']} workers, seen {_length(cluster['silent_seconds'])} ago"
            self._line(cluster["name"], seen)
        if not report["clusters"]:
            self.stdout.write("  none has reported in today: start one with manage.py up")
        for service, health in report["ai_services"].items():
            if health["state"] != AIServiceHealth.State.CLOSED:
                self.stdout.write(_service_line(service, health))

    def _table(self, title: str, counts: dict[str, int]) -> None:
        self.stdout.write(title)
        for label, count in counts.items():
            self._line(label, count)

    def _line(self, label: str, value: object) -> None:
        self.stdout.write(f"  {label:<24} {f'{value:,}' if isinstance(value, int) else value}")


def _service_line(service: str, health: dict[str, Any]) -> str:
    state = str(AIServiceHealth.State(health["state"]).label).lower()
    reason = HOLD_REASONS.get(health["reason"], "the AI service is in trouble")
    since = clock(datetime.fromisoformat(health["trouble_since"]), timezone.now())
    return f"AI service {AIService(service).label}: {state}, {reason}, since {since} UTC"


def _length(seconds: float | None) -> str:
    return "nothing waits" if seconds is None else in_words(timedelta(seconds=seconds))
