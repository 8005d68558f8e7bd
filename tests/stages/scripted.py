"""What the four test stages share.

A script is JSON, such as {"transcription": ["transient", "ok"]}: one word for each time a worker takes the stage up,
`ok` once the words are used up. Words: ok, slow:SECONDS, transient, permanent, provider, bug, bad_result, die.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from voicepipeline.models import Artifact, StageRun
from voicepipeline.stages.contract import PermanentFault, ProviderFault, StageOutput, TransientFault, Usage

RESULT_TABLE = """
CREATE TABLE IF NOT EXISTS tests_stageresult (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    artifact_id bigint NOT NULL,
    stage text NOT NULL,
    run_id bigint NOT NULL,
    token integer NOT NULL,
    word text NOT NULL CHECK (word <> 'bad_result')
)
"""
USAGE = Usage(ai_model="test-model", prompt_version="v1", request_id="req-1", cost_usd=Decimal("0.0125"))


class Given(NamedTuple):
    stage: str
    word: str
    run_id: int
    token: int


class ScriptedStage(NamedTuple):
    load: Callable[[Artifact], Given]
    work: Callable[[Given], StageOutput]
    store: Callable[[Artifact, Any], None]
    remove: Callable[[Artifact], dict[str, int]]


def scripted(stage: str) -> ScriptedStage:
    def load(artifact: Artifact) -> Given:
        run = StageRun.objects.get(artifact=artifact, stage=stage, status="running")
        tries = StageRun.objects.filter(artifact=artifact, stage=stage).aggregate(n=Sum("lease_token"))["n"]
        text = artifact.voice_note.text if artifact.voice_note else ""
        words = json.loads(text).get(stage, []) if text.startswith("{") else []
        word = words[tries - 1] if tries <= len(words) else "ok"
        return Given(stage, word, run.pk, run.lease_token)

    def store(artifact: Artifact, given: Given) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tests_stageresult (artifact_id, stage, run_id, token, word) VALUES (%s, %s, %s, %s, %s)",
                [artifact.pk, stage, given.run_id, given.token, given.word],
            )

    def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM tests_stageresult WHERE artifact_id = %s AND stage = %s", [artifact.pk, stage])
            return {f"{stage} results": cursor.rowcount}

    return ScriptedStage(load, work, store, remove)


def work(given: Given) -> StageOutput:
    word, _, detail = given.word.partition(":")
    match word:
        case "slow":
            time.sleep(float(detail))
        case "transient":
            raise TransientFault("rough_audio", "The audio could not be read this time.", usage=USAGE)
        case "patient":
            raise TransientFault("asked_to_wait", "Asked to wait.", retry_after=timedelta(seconds=float(detail)))
        case "permanent":
            raise PermanentFault("unreadable_audio", "The audio is not readable.", usage=USAGE)
        case "provider":
            raise ProviderFault("provider_down", "The AI service did not answer.")
        case "bug":
            raise ZeroDivisionError("a secret that must not be shown")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
    return StageOutput(given, usage=USAGE, metadata={"claim_count": 2})
