"""What makes two mentions of one note the same name, and what a learned name is found by."""

import re

from voicepipeline.matching.deciding import names_in
from voicepipeline.matching.normalise import MAX_CHARACTERS, fold, words
from voicepipeline.matching.teams import team_key

LONGEST = 200  # characters, as the columns have it
TEAM, COACH = "team_name", "coach_name"
CALLED_COACH = re.compile(r"^\s*(?:the\s+)?(?:head\s+)?coach\s+(?=\S)", re.IGNORECASE)


def without_title(text: str) -> str:
    """A coach's name without the "coach" that is said before it."""
    return CALLED_COACH.sub("", text)


def name_key(kind: str, text: str) -> str:
    """The same for all ways to write a name that are never told apart; empty only for empty text."""
    if len(text) > MAX_CHARACTERS:
        key = ""
    elif kind == TEAM:
        key = team_key(text)
    else:
        name = without_title(text) if kind == COACH else text
        several = names_in(name)
        key = " & ".join(" ".join(words(part)) for part in (several if len(several) > 1 else [name]))
    return (key or " ".join(fold(text).split()) or text.strip())[:LONGEST]
