"""The simulated provider in a thread of the test run, and its control endpoint."""

import contextlib
import json
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from voicepipeline.simulator.faults import Plan
from voicepipeline.simulator.server import Simulator


@contextlib.contextmanager
def simulating(plan: Plan | None = None) -> Iterator[Simulator]:
    simulator = Simulator(plan=plan)
    thread = threading.Thread(target=simulator.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield simulator
    finally:
        simulator.stop()
        thread.join(5)


def control(simulator: Simulator, method: str = "GET", **wishes: Any) -> dict[str, Any]:
    """Use the control endpoint as any other program would."""
    request = urllib.request.Request(
        simulator.base_url.replace("/v1", "/_control"),
        method=method,
        data=json.dumps(wishes).encode() if method == "POST" else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)
