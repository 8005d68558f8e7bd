import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from voicepipeline.configuration import whole_number
from voicepipeline.supervisor import preflight
from voicepipeline.supervisor.children import Options
from voicepipeline.supervisor.embedded import EmbeddedPostgres
from voicepipeline.supervisor.output import Output
from voicepipeline.supervisor.supervisor import Supervisor

MAX_PORT = 65_535


class Command(BaseCommand):
    help = (
        "Runs everything: the database (unless DATABASE_URL names one), the web pages, the workers and their watchdog."
    )
    # The children look at the database; this process never does.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo", action="store_true", help="with demo accounts, whose passwords are documented, and made-up notes"
        )
        parser.add_argument("--port", default="8000", help="where the pages are served (8000)")
        parser.add_argument("--workers", default=None, help="jobs worked on at a time (WORKERS)")

    def handle(self, *args: Any, demo: bool, port: str, workers: str | None, **rest: Any) -> None:
        if demo:
            preflight.check_demo_host(settings.WEB_HOST)
        port_number = whole_number("--port", port, 1, MAX_PORT)
        options = Options(
            demo=demo,
            folder=settings.BASE_DIR,
            var_dir=settings.VAR_DIR,
            host=settings.WEB_HOST,
            port=port_number,
            site_url=settings.SITE_URL if os.environ.get("SITE_URL") else f"http://localhost:{port_number}",
            workers=whole_number("--workers", workers or settings.WORKERS, 1, settings.MAX_WORKERS),
            simulated=settings.AI_SIMULATED,
            text_logs=self.stdout.isatty() and not os.environ.get("LOG_FORMAT"),
        )
        postgres = EmbeddedPostgres.for_var_dir(settings.VAR_DIR) if settings.EMBEDDED_DATABASE else None
        Supervisor(options, postgres, Output(sys.stdout)).run()
