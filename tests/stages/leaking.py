"""A first stage that breaks in the ways that code breaks, each error with the note's own text in its words.

The text's first word says where and how; a note whose text begins otherwise is taken as it is.
"""

from typing import Any

from django.db import OperationalError, connection, transaction
from pydantic import BaseModel

from voicepipeline.models import Artifact, Transcript
from voicepipeline.stages import transcription
from voicepipeline.stages.contract import StageOutput

remove = transcription.remove


class Shape(BaseModel):
    number: int


def load(artifact: Artifact) -> Any:
    given = transcription.load(artifact)
    if how(given.text) == "load":
        raise KeyError(given.text)
    if how(given.text) == "load_query":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT %s::int", [given.text])
    return given


def work(given: Any) -> StageOutput:
    text = given.text
    match how(text):
        case "value":
            raise ValueError(f"cannot read {text!r}")
        case "chained":
            try:
                raise LookupError(text)
            except LookupError as error:
                raise RuntimeError(f"gave up on {text}") from error
        case "shape":
            Shape.model_validate({"number": text})
        case "noted":
            error = ValueError("short")
            error.add_note(text)
            raise error
        case "file":
            open(f"/nowhere/{text}")  # noqa: SIM115, PTH123 - there is none
        case "decode":
            (text.encode() + b"\xff").decode()
        case "metadata":
            return StageOutput(transcription.work(given).data, metadata={"claim_count": text, "kind": None})
    return transcription.work(given)


def store(artifact: Artifact, data: Any) -> None:
    text = data.heard.text
    match how(text):
        case "row_refused":
            Transcript.objects.create(artifact=artifact, text=text, verdict=None)
        case "too_long":
            Transcript.objects.create(artifact=artifact, text="", verdict=text * 9)
        case "bad_json":
            Transcript.objects.create(artifact=artifact, text=text, verdict="good", segments=[f"\x00{text}"])
        case "own_words":
            raise AssertionError(text)
        case "lost":
            raise OperationalError(f"lost while storing {text}")
    transcription.store(artifact, data)


def how(text: str) -> str:
    return text.partition(":")[0]


IN_WORK = ("load", "load_query", "value", "chained", "shape", "noted", "file", "decode")
IN_STORE = ("row_refused", "too_long", "bad_json", "own_words")
