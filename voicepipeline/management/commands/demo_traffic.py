import logging
import random
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.utils import timezone

from voicepipeline.demo import scenes, seeding
from voicepipeline.demo.traffic import Traffic
from voicepipeline.operations import database, first_run
from voicepipeline.refusals import StartError
from voicepipeline.supervisor import preflight

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Sends made-up voice notes of the demo's coaches every few seconds, until it is stopped. "
        "`up --demo` runs this; it refuses a database that holds somebody's own clubs, and an AI provider that costs."
    )
    requires_system_checks = ()
    pause_seconds = 15.0

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stay", action="store_true", help="go on running when there is nothing to send")

    def handle(self, *args: Any, stay: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            try:
                self._send_notes(stop, stay=stay)
                break
            except Exception as error:
                if not stay:
                    raise
                # Such as a full disk or a database that is away: `up` gives up on what ends again and again.
                logger.error("no demo voice notes for a moment", extra={"error": type(error).__name__})
                connection.close()
                stop.wait(self.pause_seconds)
        if stay:
            # `up` would start what has ended again.
            stop.wait()

    def _send_notes(self, stop: threading.Event, *, stay: bool) -> None:
        database.wait_for_database()
        try:
            self._prepare()
        except StartError as refusal:
            if not stay:
                raise
            self.stdout.write(f"No demo voice notes: {refusal}")
        else:
            scenes.play()
            Traffic(random.Random(), stop).run()  # noqa: S311 — chance, not secrecy

    def _prepare(self) -> None:
        """Have the demo's clubs there; refuse where its notes have no place."""
        preflight.check_demo_host(settings.WEB_HOST)
        first_run.create_demo_accounts()
        self.stdout.write(seeding.seed(now=timezone.now()).in_words)
        if not settings.AI_SIMULATED:
            raise StartError("an OPENAI_API_KEY is set, and notes of the demo would cost money.")
