"""A real client of ours that talks to the simulated provider, with timeouts that tests need not wait for."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from voicepipeline.ai.client import Provider
from voicepipeline.ai.endpoint import Endpoint, capabilities

# A busy machine makes nobody late by this much.
PATIENT = timedelta(seconds=15)
HASTY = timedelta(seconds=0.4)
# Faults that are only seen once a call has taken too long.
SLOW = ("hang", "drip", "latency:3")
KEY = "sk-test-canary-abcdef123456"


def endpoint(base_url: str, **changes: Any) -> Endpoint:
    models = {"transcription_model": "gpt-transcribe", "claims_model": "gpt-6-luna", **changes}
    return Endpoint(
        **{
            "base_url": base_url,
            "api_key": KEY,
            "connect_timeout": timedelta(seconds=2),
            "transcription_timeout": PATIENT,
            "chat_timeout": PATIENT,
            "hearing": capabilities(models["transcription_model"], {}),
            "writing": capabilities(models["claims_model"], {}),
            **models,
        }
    )


@contextlib.contextmanager
def calling(base_url: str, **changes: Any) -> Iterator[Provider]:
    with contextlib.closing(Provider(endpoint(base_url, **changes))) as caller:
        yield caller
