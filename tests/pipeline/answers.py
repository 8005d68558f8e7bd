"""What a model might answer."""

from typing import Any

from voicepipeline.ai.schemas import ClaimsShape

MINIMAL = {
    "topic": "performance",
    "title": "Good game",
    "description": "She played well.",
    "quote": "played well",
    "recommended_action": None,
    "time_reference": None,
    "mentions": [],
    "severity": None,
    "sentiment": "positive",
    "skill_name": None,
    "skill_rating": None,
    "confidence": 0.9,
}


def mention(raw_text: str, roster_id: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"kind": "player_name", "raw_text": raw_text, "position": 0, "roster_id": roster_id, **fields}


def claim(quote: str, *mentions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**MINIMAL, "quote": quote, "mentions": list(mentions), **fields}


def answer(*claims: dict[str, Any]) -> ClaimsShape:
    return ClaimsShape.model_validate({"claims": list(claims)})
