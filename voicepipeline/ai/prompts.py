"""What the model is asked: versioned texts, with everything from outside as data inside delimiters.

The version stands with each attempt and each result. A text that has been in use is not edited: it gets a new file.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from voicepipeline.ai.schemas import PongShape, strict_schema

FOLDER = Path(__file__).parent / "prompts"
CLAIMS_VERSION = "claims-1"
TEST_VERSION = "test-1"
# Line ends and tabs may stay; other control characters mean nothing to a reader.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]")


@dataclass(frozen=True)
class RosterLine:
    """A player that the coach may speak of; `key` is ours and never leaves."""

    key: str
    name: str
    team: str = ""


@dataclass(frozen=True)
class Prompt:
    """A whole request, ready to be sent, and how to read the ids in its answer."""

    version: str
    system: str
    user: str
    schema: Mapping[str, Any]
    keys_by_id: Mapping[str, str] = field(default_factory=dict)


def claims_prompt(
    transcript: str, roster: Iterable[RosterLine], *, random_code: Callable[[int], str] = secrets.token_hex
) -> Prompt:
    """Ask for the statements in this transcript. Ids and delimiters are new each time, so that nobody can guess one."""
    code = random_code(8)
    lines = {f"p-{number}-{random_code(3)}": line for number, line in enumerate(roster, start=1)}
    rows = "\n".join(
        json.dumps({"id": roster_id, "name": _plain(line.name), "team": _plain(line.team)}, ensure_ascii=False)
        for roster_id, line in lines.items()
    )
    return Prompt(
        version=CLAIMS_VERSION,
        system=_text(CLAIMS_VERSION),
        user=f"{_block('roster', code, rows)}\n\n{_block('transcript', code, _plain(transcript))}",
        schema=_schema(CLAIMS_VERSION),
        keys_by_id={roster_id: line.key for roster_id, line in lines.items()},
    )


def ping_prompt() -> Prompt:
    """The smallest question, to see whether the service answers."""
    return Prompt(TEST_VERSION, "Answer with ok as true.", "Are you there?", strict_schema(PongShape))


def _block(name: str, code: str, text: str) -> str:
    return f"<{name}-{code}>\n{text}\n</{name}-{code}>"


def _plain(text: str) -> str:
    return CONTROL.sub(" ", text)


@cache
def _text(version: str) -> str:
    return (FOLDER / f"{version}.txt").read_text(encoding="utf-8").strip()


@cache
def _schema(version: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / f"{version}.schema.json").read_text(encoding="utf-8"))
    return schema
