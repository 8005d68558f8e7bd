import json
import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import InterfaceError, OperationalError, connection

from voicepipeline.engine.limits import limits
from voicepipeline.engine.watchdog import Watchdog

logger = logging.getLogger(__name__)

# With doorbells still to be rung there is no reason to wait a whole pause.
BUSY_PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    help = "Keep the pipeline moving: ring, reclaim, mend. Several may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="One look, and a second one heartbeat later.")
        parser.add_argument("--json", action="store_true", help="Print what was done as JSON.")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        watchdog = Watchdog()
        as_json = options["json"]
        if once:
            self._round(watchdog, as_json=as_json)
            over.wait(limits().heartbeat.total_seconds())
            self._round(watchdog, as_json=as_json)
            return
        while not over.is_set():
            over.wait(self._safe_round(watchdog, as_json=as_json))

    def _safe_round(self, watchdog: Watchdog, *, as_json: bool) -> float:
        """One round, and how long to wait for the next; a database that is away is waited for."""
        try:
            rung = self._round(watchdog, as_json=as_json)
        except (OperationalError, InterfaceError) as error:
            logger.warning("the watchdog waits for the database", extra={"kind": type(error).__name__})
            connection.close()
            rung = 0
        return BUSY_PAUSE_SECONDS if rung else limits().watchdog_pause.total_seconds()

    def _round(self, watchdog: Watchdog, *, as_json: bool) -> int:
        report = watchdog.round()
        if as_json:
            self.stdout.write(json.dumps(report.as_dict()))
        return report.rung
