import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from voicepipeline.configuration import whole_number
from voicepipeline.refusals import StartError
from voicepipeline.simulator.faults import USUAL, Plan, UnknownFault, rates_for
from voicepipeline.simulator.server import NotLoopback, Simulator
from voicepipeline.supervisor import preflight

MAX_PORT = 65_535


class Command(BaseCommand):
    help = (
        "Plays the AI provider on this machine: an OpenAI-compatible server for development, demo, tests and load. "
        "What it does wrong is changed while it runs, by JSON sent to /_control."
    )
    # It needs no database and nothing of the pipeline.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (127.0.0.1)")
        parser.add_argument("--port", default="8741", help="where it answers (8741)")
        parser.add_argument("--latency", default="0", help="seconds that every answer takes (0)")
        parser.add_argument("--seed", default="0", help="another number lets other calls fail (0)")
        parser.add_argument(
            "--fault-rate",
            action="append",
            default=[],
            help="the share of calls that fail: 0.05 for a usual mix, refusal=0.02 for one kind; may be repeated",
        )

    def handle(self, *args: Any, host: str, port: str, latency: str, seed: str, **options: Any) -> None:
        rates = [rate for given in options["fault_rate"] for rate in _rates(given)]
        port_number = whole_number("--port", port, 1, MAX_PORT)
        try:
            plan = Plan(
                seed=whole_number("--seed", seed, 0, 2**31),
                latency=_share_or_seconds("--latency", latency, 600),
                rates=rates_for(rates),
            )
            preflight.check_simulator_port(host, port_number)
            simulator = Simulator(host, port_number, plan=plan)
        except (NotLoopback, UnknownFault) as refused:
            raise StartError(str(refused)) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            # Stopping waits for the loop that this signal interrupts, so another thread does it.
            signal.signal(number, lambda *_: threading.Thread(target=simulator.stop).start())
        self.stdout.write(f"The simulated AI provider answers at {simulator.base_url}.")
        simulator.serve_forever(poll_interval=0.1)


def _rates(given: str) -> list[tuple[str, float]]:
    kind, equals, number = given.rpartition("=")
    rate = _share_or_seconds("--fault-rate", number, 1)
    return [(kind, rate)] if equals else [(kind, rate / len(USUAL)) for kind in USUAL]


def _share_or_seconds(name: str, given: str, highest: float) -> float:
    try:
        number = float(given)
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise StartError(f"{name} must be a number from 0 to {highest:g}, not {given}.")
    return number
