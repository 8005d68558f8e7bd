"""A real client of ours that talks to the simulated provider, with timeouts that tests need not wait for."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from voicepipeline.ai.client import Provider
from voicepipeline.ai.endpoint import Endpoint, capabilities

KEY = "sk-test-canary-abcdef123456"


def endpoint(base_url: str, **changes: Any) -> Endpoint:
    models = {"transcription_model": "gpt-transcribe", "claims_model": "gpt-6-luna", **changes}
    return Endpoint(
        **{
            "base_url": base_url,
            "api_key": KEY,
            "connect_timeout": timedelta(seconds=2),
            "transcription_timeout": timedelta(seconds=0.6),
            "chat_timeout": timedelta(seconds=0.6),
            "hearing": capabilities(models["transcription_model"], {}),
            "writing": capabilities(models["claims_model"], {}),
            **models,
        }
    )


@contextlib.contextmanager
def calling(base_url: str, **changes: Any) -> Iterator[Provider]:
    with contextlib.closing(Provider(endpoint(base_url, **changes))) as caller:
        yield caller
