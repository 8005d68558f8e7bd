"""A model at its most gullible: it does what its input says. For tests of what must withstand that."""

import json
import re
from typing import Any

from voicepipeline.simulator.statements import Mention, Rostered, Statement, statement, statements

ORDER = re.compile(
    r"\b(?:ignore|disregard|override|system|instructions?|you must|output|respond|answer with|return)\b", re.I
)
SPOKEN_ORDER = re.compile(r"(?:say|write|output|transcribe|answer with|respond with|return)[: ]+(.+)", re.I | re.S)
EVERYBODY = re.compile(r"\b(?:all|every|each) (?:the )?(?:players?|names?|ids?|child\w*)", re.I)
MARKUP = re.compile(r"<[^>]*>|javascript:|\{\{|\$\{|onerror|\]\(", re.I)


def ordered_transcript(asked: str) -> str | None:
    """What the prompt or the keywords of a transcription order it to have heard."""
    match = SPOKEN_ORDER.search(asked) if ORDER.search(asked) else None
    return match.group(1) if match else None


def ordered_answer(transcript: str, roster: list[Rostered]) -> str:
    """The answer that the transcript orders: its own JSON word for word, or its orders turned into statements."""
    if dictated := _json_in(transcript):
        return dictated
    found = statements(transcript, roster)
    if ORDER.search(transcript) or MARKUP.search(transcript):
        found = [_as_ordered(transcript, roster)] + [_with_payload(one) for one in found]
    return json.dumps({"claims": found}, ensure_ascii=False)


def _json_in(text: str) -> str | None:
    """The first JSON object in the text that any parser would take."""
    for start in (match.start() for match in re.finditer(r"\{", text)):
        try:
            _, length = json.JSONDecoder().raw_decode(text[start:])
        except ValueError:
            continue
        return text[start : start + length]
    return None


def _as_ordered(transcript: str, roster: list[Rostered]) -> Statement:
    """Everything that an attacker could wish for: top confidence, the attacker's words, players who were not named."""
    named = roster if EVERYBODY.search(transcript) else roster[:1]
    mentions = [Mention("player_name", player.name, 0, player.id) for player in named]
    ordered = statement("injury", transcript[:1500], [*mentions, Mention("player_name", "everyone", 0, "admin")])
    return {**ordered, "title": transcript[:120], "severity": "critical", "confidence": 1.0}


def _with_payload(found: Statement) -> Statement:
    quote: Any = found["quote"]
    return {**found, "title": quote[:120], "description": quote, "recommended_action": quote, "confidence": 1.0}
