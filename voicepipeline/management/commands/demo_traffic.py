import http
import http.client
import random
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from voicepipeline.demo import seeding
from voicepipeline.demo.traffic import Traffic
from voicepipeline.operations import first_run
from voicepipeline.refusals import StartError
from voicepipeline.supervisor import preflight

PAGES_ANSWER_WITHIN_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.25


class Command(BaseCommand):
    help = (
        "Sends made-up voice notes of the demo's coaches every few seconds, until it is stopped. "
        "`up --demo` runs this; it refuses a database that holds somebody's own clubs, and an AI provider that costs."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-child", action="store_true", help="begin when the pages answer, and stay when there is nothing to do"
        )

    def handle(self, *args: Any, as_child: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        preflight.check_demo_host(settings.WEB_HOST)
        if as_child:
            _wait_for_pages(stop)
        try:
            self._fill()
            if not settings.AI_SIMULATED:
                raise StartError("an OPENAI_API_KEY is set, and notes of the demo would cost money. Nothing is sent.")
        except StartError as refusal:
            if not as_child:
                raise
            # Ending would have `up` start it again.
            self.stdout.write(f"No demo voice notes: {refusal}")
            stop.wait()
            return
        Traffic(random.Random(), stop).run()  # noqa: S311 — chance, not secrecy
        if as_child:
            stop.wait()

    def _fill(self) -> None:
        first_run.create_demo_accounts()
        self.stdout.write(seeding.seed(now=timezone.now()).in_words)


def _wait_for_pages(stop: threading.Event) -> None:
    """People wait for the pages, so those come first; what follows does not need them."""
    site = urlsplit(settings.SITE_URL)
    give_up = time.monotonic() + PAGES_ANSWER_WITHIN_SECONDS
    while time.monotonic() < give_up and not _answers(site.hostname, site.port):
        if stop.wait(LOOK_EVERY_SECONDS):
            return


def _answers(host: str | None, port: int | None) -> bool:
    connection = http.client.HTTPConnection(host or "localhost", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
