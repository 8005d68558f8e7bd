"""The simulated provider, keeping what it is sent, and answering otherwise where a test wants it to."""

from typing import Any

from voicepipeline.simulator.server import Handler


class Listening(Handler):
    def _answer(self, endpoint: str, form: Any, request: Any, size: int, fault: Any) -> dict[str, Any]:
        self.server.received.append(form or request)
        return {**super()._answer(endpoint, form, request, size, fault), **self.server.said_instead}
