import random
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from voicepipeline.demo import seeding
from voicepipeline.demo.traffic import Traffic
from voicepipeline.operations import database, first_run
from voicepipeline.refusals import StartError
from voicepipeline.supervisor import preflight


class Command(BaseCommand):
    help = (
        "Sends made-up voice notes of the demo's coaches every few seconds, until it is stopped. "
        "`up --demo` runs this; it refuses a database that holds somebody's own clubs, and an AI provider that costs."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stay", action="store_true", help="go on running when there is nothing to send")

    def handle(self, *args: Any, stay: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        database.wait_for_database()
        try:
            self._prepare()
        except StartError as refusal:
            if not stay:
                raise
            self.stdout.write(f"No demo voice notes: {refusal}")
        else:
            Traffic(random.Random(), stop).run()  # noqa: S311 — chance, not secrecy
        if stay:
            # `up` would start what has ended again.
            stop.wait()

    def _prepare(self) -> None:
        """Have the demo's clubs there; refuse where its notes have no place."""
        preflight.check_demo_host(settings.WEB_HOST)
        first_run.create_demo_accounts()
        self.stdout.write(seeding.seed(now=timezone.now()).in_words)
        if not settings.AI_SIMULATED:
            raise StartError("an OPENAI_API_KEY is set, and notes of the demo would cost money.")
