"""What a suggested entry says: how it is known that somebody has seen just this, and what they may change in it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import CharField, TextField

from voicepipeline.errors import InvalidTransition
from voicepipeline.models import InsightDraft, Sentiment, Severity, Topic
from voicepipeline.text import safe_text

TEXTS = ("title", "description", "recommended_action", "time_reference", "skill_name")
REQUIRED = frozenset({"title", "description"})
CHOICES = {"topic": Topic, "severity": Severity, "sentiment": Sentiment}
# The quote is evidence, and whom an entry is for is the names' affair.
EDITABLE = (*TEXTS, *CHOICES, "skill_rating")
WITH_SEVERITY = frozenset({Topic.INJURY, Topic.WELLBEING})
RATINGS = range(1, 6)
SHOWN = ("key", "status", "automatic", "player_id", "team_id", "sender_id", "quote", *EDITABLE)


def seen_of(draft: InsightDraft) -> str:
    """The same as long as the entry says the same, of the same person, and stands as it did."""
    shown = [getattr(draft, name) for name in SHOWN] + [draft.held_at is not None]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]


def seen_of_all(drafts: Iterable[InsightDraft]) -> str:
    """The same as long as there are these entries and no others, and each is as it was."""
    return hashlib.sha256("/".join(sorted(map(seen_of, drafts))).encode()).hexdigest()[:32]


def checked_edits(draft: InsightDraft, edits: Mapping[str, Any]) -> dict[str, Any]:
    """What of this differs from what the entry says, fit for its columns; InvalidTransition says what does not fit."""
    if "quote" in edits:
        raise InvalidTransition("The quote is what was said, so it cannot be edited.")
    unknown = set(edits) - set(EDITABLE)
    if unknown:
        raise InvalidTransition(f"These cannot be edited: {', '.join(sorted(unknown))}.")
    given = {name: _checked(name, value) for name, value in edits.items()}
    topic, severity = (given.get(name, getattr(draft, name)) for name in ("topic", "severity"))
    if severity and topic not in WITH_SEVERITY:
        raise InvalidTransition("Only injury and wellbeing have a severity: leave it empty, or choose one of the two.")
    return {name: value for name, value in given.items() if value != getattr(draft, name)}


def _checked(name: str, value: Any) -> Any:
    if name == "skill_rating":
        return _rating(value)
    text = safe_text(str(value or ""), 10_000_000).replace("\r\n", "\n").strip()
    words = _words(name)
    if name in CHOICES:
        if text not in CHOICES[name].values and (text or name == "topic"):
            raise InvalidTransition(f"There is no such {words}. Choose one from the list.")
        return text
    if name in REQUIRED and not text:
        raise InvalidTransition(f"The {words} is empty. Say in it what is to be kept.")
    most = _longest(name)
    if len(text) > most:
        raise InvalidTransition(f"The {words} has {len(text):,} characters; at most {most:,} fit.")
    return text


def _rating(value: Any) -> int | None:
    if value in (None, ""):
        return None
    try:
        rating = int(value)
    except (TypeError, ValueError):
        rating = 0
    if rating not in RATINGS:
        raise InvalidTransition("A skill is rated from 1 to 5, or not at all.")
    return rating


def _words(name: str) -> str:
    return name.replace("_", " ")


def _longest(name: str) -> int:
    field = InsightDraft._meta.get_field(name)
    assert isinstance(field, CharField | TextField)  # noqa: S101 — for the type checker
    return int(field.max_length or 0)
