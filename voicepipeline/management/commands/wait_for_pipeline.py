import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voicepipeline.models import Artifact

POLL_SECONDS = 0.5
MOST_COUNTED = 1_000


class Command(BaseCommand):
    help = "Waits until no voice note is on its way; exits with 1 when some still are after the timeout."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, required=True, metavar="S", help="seconds to wait at most")

    def handle(self, *args: Any, timeout: float, **options: Any) -> None:
        deadline = time.monotonic() + timeout
        while Artifact.objects.active().exists():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise CommandError(f"After {timeout:g} s {_still_active()}. See pipeline_status.")
            time.sleep(min(POLL_SECONDS, remaining))
        self.stdout.write("No voice note is on its way.")


def _still_active() -> str:
    count = Artifact.objects.active().order_by()[: MOST_COUNTED + 1].count()
    if count == 1:
        return "1 voice note is still on its way"
    return f"{f'more than {MOST_COUNTED:,}' if count > MOST_COUNTED else count} voice notes are still on their way"
