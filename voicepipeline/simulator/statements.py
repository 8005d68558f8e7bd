"""Statements found in a transcript by honest rules: nothing in them that the transcript does not say."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from voicepipeline.simulator import words

Statement = dict[str, Any]
SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|$)|$)")
NAME = re.compile("[^\\W\\d_]+(?:['\u2019][^\\W\\d_]+)*")
MAX_STATEMENTS = 30
CAREFUL_TOPICS = ("injury", "wellbeing")


@dataclass(frozen=True)
class Rostered:
    """One line of the roster found in a request."""

    id: str
    name: str
    team: str = ""


@dataclass(frozen=True)
class Mention:
    kind: str
    text: str
    position: int
    roster_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "raw_text": self.text, "position": self.position, "roster_id": self.roster_id}


def plain(text: str) -> str:
    """For comparing names: without accents and capitals."""
    marks_apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in marks_apart if not unicodedata.combining(sign)).casefold()


def statements(transcript: str, roster: list[Rostered]) -> list[Statement]:
    """One statement a sentence and mention, with the sentence itself as the quote."""
    found: list[Statement] = []
    for match in SENTENCE.finditer(transcript):
        quote = match.group().strip()
        start = match.start() + match.group().index(quote[:1]) if quote else 0
        mentions = mentions_in(quote, start, roster)
        topic = words.first_of(words.TOPICS, quote) or ("performance" if mentions else None)
        if topic is not None:
            found += [statement(topic, quote, [mention]) for mention in mentions] or [statement(topic, quote, [])]
    return found[:MAX_STATEMENTS]


def statement(topic: str, quote: str, mentions: list[Mention]) -> Statement:
    careful = topic in CAREFUL_TOPICS
    return {
        "topic": topic,
        "title": _title(topic, mentions),
        "description": quote,
        "quote": quote,
        "recommended_action": quote if re.search(words.ORDERS, quote, re.IGNORECASE) else None,
        "time_reference": _found(words.TIMES, quote),
        "mentions": [mention.as_dict() for mention in mentions],
        "severity": (words.first_of(words.SEVERITIES, quote) or "low") if careful else None,
        "sentiment": words.first_of(words.FEELINGS, quote) or "neutral",
        "skill_name": next((skill for skill in words.SKILLS if skill in quote.casefold()), None),
        "skill_rating": _rating(quote),
        "confidence": _confidence(quote),
    }


def mentions_in(quote: str, start: int, roster: list[Rostered]) -> list[Mention]:
    """Who is spoken of in this sentence, in the order of speaking. A name that several bear is linked to nobody."""
    found: list[Mention] = []
    for first, text in _names(quote, roster):
        kind = "coach_name" if quote[:first].casefold().endswith("coach ") else "player_name"
        roster_id = _holder(text, roster) if kind == "player_name" else None
        found.append(Mention(kind, text, start + first, roster_id))
    for kind, pattern in (("team_name", words.TEAMS), ("group_reference", words.GROUPS)):
        for match in re.finditer(rf"\b(?:{pattern})\b", quote, re.IGNORECASE):
            found.append(Mention(kind, match.group(), start + match.start()))
    return sorted(found, key=lambda mention: mention.position)


def _names(quote: str, roster: list[Rostered]) -> list[tuple[int, str]]:
    """Runs of capitalised words. One that begins the sentence counts when the roster knows it or it has company."""
    known = {plain(part) for player in roster for part in NAME.findall(player.name)}
    names: list[tuple[int, str]] = []
    run: list[re.Match[str]] = []
    for match in [*NAME.finditer(quote), None]:
        if match and _looks_like_a_name(match.group()) and (not run or quote[run[-1].end() : match.start()] == " "):
            run.append(match)
            continue
        if run and (run[0].start() > 0 or len(run) > 1 or plain(run[0].group()) in known or _is_rare(run[0].group())):
            names.append((run[0].start(), quote[run[0].start() : _without_possessive(run[-1], quote)]))
        run = [match] if match and _looks_like_a_name(match.group()) else []
    return names


def _looks_like_a_name(word: str) -> bool:
    return word[0].isupper() and len(word) > 1 and word not in words.NOT_NAMES


def _is_rare(word: str) -> bool:
    """A first word that no list of ours holds: in a coach's note most likely somebody."""
    return not words.first_of((*words.TOPICS, *words.FEELINGS, ("", words.TEAMS), ("", words.GROUPS)), word)


def _without_possessive(last: re.Match[str], quote: str) -> int:
    return last.end() - 2 if last.group()[-2:] in ("'s", "\u2019s") else last.end()


def _holder(text: str, roster: list[Rostered]) -> str | None:
    spoken = plain(text).split()
    holders = [player for player in roster if set(spoken) <= set(plain(player.name).split())]
    return holders[0].id if len(holders) == 1 else None


def _title(topic: str, mentions: list[Mention]) -> str:
    about = mentions[0].text if mentions else "note"
    return f"{topic.replace('_', ' ').capitalize()}: {about}"


def _found(pattern: str, text: str) -> str | None:
    match = re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE)
    return match.group() if match else None


def _rating(text: str) -> int | None:
    match = re.search(r"\b(one|two|three|four|five|[1-5]) out of (?:five|5)\b", text, re.IGNORECASE)
    return words.RATINGS[match.group(1).casefold()] if match else None


def _confidence(text: str) -> float:
    """Between 0.62 and 0.97, always the same for the same words."""
    return 0.62 + hashlib.sha256(text.encode()).digest()[0] % 36 / 100
