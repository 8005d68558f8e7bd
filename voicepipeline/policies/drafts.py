"""Suggested entries: how sure we are, when one needs no person, and which comes first on the page."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

# A child's health is never recorded on a machine's word.
ALWAYS_A_PERSON = frozenset({"injury", "wellbeing", "recovery"})
# Records of training that are easily put right. Not here: conduct, bodies, families and what people are like together.
AUTOMATIC_TOPICS = frozenset(
    {
        "attendance",
        "development_milestone",
        "performance",
        "session_plan",
        "skill_progress",
        "skill_rating",
        "tactical",
        "todo",
    }
)
TRUSTED_FROM = 2
DEFAULT_THRESHOLD = Decimal("0.85")
LIFETIME = timedelta(days=7)  # after which a suggested entry that nobody looked at expires
PLACES = 4
# Work to be done, which may be nobody's in particular.
ABOUT_NOBODY = frozenset({"todo", "session_plan"})
# A single "was" is said in every note, and bears nothing out.
FEWEST_QUOTED_WORDS = 3
WORD = re.compile(r"[^\W_]+(?:['\u2019\u02bc\u0300-\u036f-]+[^\W_]+)*")
END_OF_SENTENCE = frozenset(".!?\u2026\n\u3002\uff01\uff1f")
CLOSING = frozenset(" \t\r\"'\u201c\u201d\u2018\u2019()")

WORDS = {
    "trusted_and_sure": "Confirmed automatically: trusted coach, a category that allows it, high confidence.",
    "topic_needs_a_person": "Injury, wellbeing and recovery are always confirmed by a person.",
    "has_a_severity": "It was given a severity, so a person confirms it.",
    "switched_off": "Automatic confirmation is switched off.",
    "unsupported_quote": "The quote was not found in the transcript, or is too short to bear the statement out.",
    "about_nobody": "It is for no player and no team.",
    "taken_up_by_a_person": "A person has taken it back or put it on hold, so a person decides.",
    "name_open": "A name in it is not clear yet.",
    "transcript_flagged": "The transcript was flagged for review.",
    "topic_not_automatic": "Entries of this category are confirmed by a person.",
    "coach_not_trusted": "The coach's trust level is too low for automatic confirmation.",
    "confidence_unknown": "It is not known how sure the match and the AI are.",
    "confidence_too_low": "The confidence is below the coach's threshold.",
}

SEVERITIES = ("critical", "high", "medium", "low")
# An unknown severity is not a harmless one.
UNKNOWN_SEVERITY = SEVERITIES.index("medium")
# Most urgent first; all that is not about health comes after all that is, unless it was given a severity.
TOPICS = (
    "injury",
    "wellbeing",
    "recovery",
    "parent_communication",
    "behavior",
    "todo",
    "attendance",
    "physical_development",
    "development_milestone",
    "skill_rating",
    "skill_progress",
    "performance",
    "tactical",
    "session_plan",
    "team_culture",
)


@dataclass(frozen=True)
class Confirmation:
    """Whether an entry needs no person, and a code of WORDS that says why."""

    automatic: bool
    reason: str


def overall_confidence(extraction: float | None, resolution: float | None) -> float | None:
    """How sure we are of the whole entry: the AI's confidence times the match's, both from 0 to 1.

    A match's score of 0 to 100 is divided by the caller, who gives 1 where no name had to be matched. What is unknown
    or out of range makes the whole unknown. Rounded, so that what is stored and shown is what was decided on.
    """
    if extraction is None or resolution is None or not (0 <= extraction <= 1 and 0 <= resolution <= 1):
        return None
    return round(extraction * resolution, PLACES)


def decide_confirmation(
    *,
    topic: str,
    overall: float | None,
    trust_level: int,
    threshold: Decimal,
    switched_off: bool,
    supported: bool,
    flagged: bool,
    severity: str | None,
    name_open: bool = False,
    for_somebody: bool = True,
    taken_up: bool = False,
) -> Confirmation:
    """Whether this entry may be confirmed without a person; of several obstacles the weightiest is told."""
    obstacles = {
        "topic_needs_a_person": topic in ALWAYS_A_PERSON,
        "has_a_severity": bool(severity),
        "unsupported_quote": not supported,
        "taken_up_by_a_person": taken_up,
        "name_open": name_open,
        "transcript_flagged": flagged,
        "about_nobody": not for_somebody and topic not in ABOUT_NOBODY,
        "topic_not_automatic": topic not in AUTOMATIC_TOPICS,
        "switched_off": switched_off,
        "coach_not_trusted": trust_level < TRUSTED_FROM,
        "confidence_unknown": overall is None or not math.isfinite(overall),
    }
    obstacle = next((code for code, stands in obstacles.items() if stands), None)
    # The shortest decimal of a float: 0.85 is not a hair below 0.85.
    if obstacle is None and Decimal(str(overall)) < threshold:
        obstacle = "confidence_too_low"
    return Confirmation(automatic=obstacle is None, reason=obstacle or "trusted_and_sure")


def bears_out(transcript: str, start: int | None, end: int | None) -> bool:
    """Whether what is quoted says enough to confirm a statement by: three words, or a whole sentence."""
    if start is None or end is None:
        return False
    quoted = sum(1 for _ in WORD.finditer(transcript, start, end))
    return quoted >= FEWEST_QUOTED_WORDS or (quoted > 0 and _is_whole_sentence(transcript, start, end))


def _is_whole_sentence(transcript: str, start: int, end: int) -> bool:
    before = next((sign for sign in reversed(transcript[:start]) if sign not in CLOSING), ".")
    after = next((sign for sign in transcript[end:] if sign not in CLOSING), ".")
    return before in END_OF_SENTENCE and after in END_OF_SENTENCE


def display_order(topic: str, severity: str | None) -> int:
    """Where an entry stands among its note's: a lower number first, urgent before routine."""
    of_topic = TOPICS.index(topic) if topic in TOPICS else len(TOPICS)
    if severity in SEVERITIES:
        urgency = SEVERITIES.index(severity)
    else:
        urgency = UNKNOWN_SEVERITY if topic in ALWAYS_A_PERSON else len(SEVERITIES)
    return urgency * 100 + of_topic
