"""Whether a transcript is what somebody said: silence must not become statements, and doubt is for a person."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from voicepipeline.policies.inventions import is_mostly_names, is_names_read_back, only_inventions, repeats_our_prompt
from voicepipeline.policies.languages import is_unexpected
from voicepipeline.policies.suspicion import speaks_to_machine


class Verdict(StrEnum):
    GOOD = "good"
    FLAGGED = "flagged"  # processed on, and looked at by a person
    NO_SPEECH = "no_speech"  # nothing to process: an outcome of its own, not a failure


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    reasons: tuple[str, ...] = ()


FEWEST_WORDS = 5
NO_SPEECH_ABOVE = Decimal("0.5")  # of all words, counting a marker as one
FLAGGED_ABOVE = Decimal("0.2")
# Fast commentators reach 300 words a minute. A few more than the limit may be the rounding of a short recording.
MOST_WORDS_A_MINUTE = 350
WORDS_OF_SLACK = 5
# A coach with long pauses says 60 and more. Fewer than 10, over a minute or longer: most of it was not heard.
FEWEST_WORDS_A_MINUTE = 10
PAUSES_EVEN_OUT_AFTER = Decimal(60)  # seconds
# Nobody says five words in less than a second: they were made up, unless they are so many that the duration is wrong.
SHORTEST_SPEECH = Decimal(1)  # seconds
FEW_WORDS = 20
WORD_LENGTHS = (2, 15)
# Whisper itself takes a segment above 0.6 for silence, but only with other signs: by itself it is a doubt.
DOUBTFUL_PROBABILITY = 0.6
SILENT_PROBABILITY = 0.9
# People say "well done, well done, well done"; a model in a loop does not stop there.
LOOP_TIMES = 4
LOOP_WORDS = 8
LONGEST_LOOP = 25  # words in the phrase

REASONS = {
    "empty": "There is no text.",
    "fewer_than_five_words": "Fewer than five words were heard.",
    "mostly_inaudible": "More than half of it could not be understood.",
    "only_known_inventions": "It holds nothing but phrases that AI models make up when nobody speaks.",
    "shorter_than_speech": "The recording is too short for anybody to have said this.",
    "model_heard_silence": "The AI model itself is almost certain that nobody spoke.",
    "often_inaudible": "More than a fifth of it could not be understood.",
    "repeats_itself": "The same words come over and over, as when an AI model is stuck.",
    "too_many_words": "More words than anybody can say in this time.",
    "too_few_words": "Hardly any words for so long a recording.",
    "odd_word_lengths": "The words are unusually short or long: it may be noise written down.",
    "unexpected_language": "The language is not one that this club speaks.",
    "model_doubts_speech": "The AI model itself doubts that anybody spoke.",
    "speaks_to_machine": "It holds markup or orders to a machine instead of words about players.",
    "names_read_back": "It is mostly the names that the AI model was told to listen for, or begins with their list.",
}

MARKER = re.compile(
    r"\[([^\[\]]{1,60})\]|\(([^()]{1,60})\)|\{([^{}]{1,60})\}|<([^<>]{1,60})>|\*([^*\n]{1,60})\*"
    "|[\u2669-\u266c\U0001f3b5\U0001f3b6\U0001f3bc]+"
)
MARKER_WORD = re.compile(r"[^\W\d_]+")
UNHEARD = """
inaudible unintelligible unclear indistinct indecipherable garbled muffled crosstalk talk talking overlapping speech
speaking blank audio silence silent pause music musical noise static beep beeping buzzing applause clapping cheering
laughter laughs laughing chuckles cough coughs coughing sigh sighs sniffs breathing
wind whistle whistling sound sounds foreign chatter typing
inaudibile inaudível unverständlich unhörbar stille musik musique música musica muzyka ruido rauschen bruit rires
silencio applaudissements applaus aplausos niezrozumiałe niewyraźne неразборчиво неразбірливо музыка музика
аплодисменты смех тишина doiléir ceol 音楽 拍手 音乐 音樂 掌声 음악 박수
"""
AROUND_IT = "a and background blowing cross in is language loud no of on only playing the word"
MEANS_UNHEARD = frozenset(UNHEARD.split())
MAY_STAND_THERE = MEANS_UNHEARD.union(AROUND_IT.split())

BETWEEN_WORDS = re.compile(r"[\s\u2014\u2013\u2026/,;:!?\u3001\u3002\uff0c\uff01\uff1f]+")
# Scripts written without spaces, with about how many letters make a word: Han, kana; Thai, Lao, Burmese, Khmer.
TWO_A_WORD = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
FOUR_A_WORD = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


class Counted(NamedTuple):
    words: int
    markers: int
    letters_a_word: float | None  # None where there are no spaced words to measure
    looping: bool


def judge(
    text: str,
    *,
    duration_seconds: Decimal | None,
    languages: Sequence[str],
    expected_languages: Sequence[str],
    no_speech_probability: float | None = None,
    typed: bool = False,
    offered_names: Sequence[str] = (),
) -> Judgement:
    """What to make of a transcript. Most signs are those of a speech model: a person who typed is believed."""
    if typed or not any(map(str.isalnum, text)):
        return _judge_typed(text)
    spoken = MARKER.sub(lambda found: " " if _is_marker(found) else found.group(), text)
    counted = _count(text, spoken)
    seconds = _known(duration_seconds)
    silent = _signs_of_silence(spoken, counted, seconds, no_speech_probability)
    if is_names_read_back(spoken, offered_names):
        silent = (*silent, "names_read_back")
    if silent:
        return Judgement(Verdict.NO_SPEECH, silent)
    doubts = _doubts(spoken, counted, seconds, no_speech_probability)
    if "names_read_back" not in doubts and is_mostly_names(spoken, offered_names):
        doubts = (*doubts, "names_read_back")
    if is_unexpected(languages, expected_languages):
        doubts = (*doubts, "unexpected_language")
    return Judgement(Verdict.FLAGGED if doubts else Verdict.GOOD, doubts)


def _judge_typed(text: str) -> Judgement:
    """Letters or digits are something; a marker without any, or a smiley, is not."""
    if not any(map(str.isalnum, text)):
        return Judgement(Verdict.NO_SPEECH, ("empty",))
    return Judgement(Verdict.FLAGGED, ("speaks_to_machine",)) if speaks_to_machine(text) else Judgement(Verdict.GOOD)


def _signs_of_silence(
    spoken: str, counted: Counted, seconds: Decimal | None, probability: float | None
) -> tuple[str, ...]:
    few = counted.words <= FEW_WORDS
    return _those_true(
        ("fewer_than_five_words", counted.words < FEWEST_WORDS),
        ("mostly_inaudible", _share(counted) > NO_SPEECH_ABOVE),
        ("only_known_inventions", only_inventions(spoken)),
        ("shorter_than_speech", few and seconds is not None and seconds < SHORTEST_SPEECH),
        ("model_heard_silence", few and probability is not None and probability > SILENT_PROBABILITY),
    )


def _doubts(spoken: str, counted: Counted, seconds: Decimal | None, probability: float | None) -> tuple[str, ...]:
    shortest, longest = WORD_LENGTHS
    length = counted.letters_a_word
    return _those_true(
        ("often_inaudible", _share(counted) > FLAGGED_ABOVE),
        ("repeats_itself", counted.looping),
        ("too_many_words", seconds is not None and _too_many(counted.words, seconds)),
        ("too_few_words", seconds is not None and _too_few(counted.words, seconds)),
        ("odd_word_lengths", length is not None and not shortest <= length <= longest),
        ("model_doubts_speech", probability is not None and probability > DOUBTFUL_PROBABILITY),
        ("speaks_to_machine", speaks_to_machine(spoken)),
        ("names_read_back", repeats_our_prompt(spoken)),
    )


def _those_true(*signs: tuple[str, bool]) -> tuple[str, ...]:
    return tuple(code for code, seen in signs if seen)


def _known(seconds: Decimal | None) -> Decimal | None:
    """A duration that can be one: an unknown is never taken for zero."""
    return seconds if seconds is not None and seconds.is_finite() and seconds >= 0 else None


def _too_many(words: int, seconds: Decimal) -> bool:
    return words > MOST_WORDS_A_MINUTE * seconds / 60 + WORDS_OF_SLACK


def _too_few(words: int, seconds: Decimal) -> bool:
    return seconds >= PAUSES_EVEN_OUT_AFTER and words < FEWEST_WORDS_A_MINUTE * seconds / 60


def _share(counted: Counted) -> Decimal:
    return Decimal(counted.markers) / max(1, counted.markers + counted.words)


def _is_marker(found: re.Match[str]) -> bool:
    """[inaudible 00:12], (background music), [?] and notes of music; not what somebody says in brackets."""
    inside = next((group for group in found.groups() if group is not None), None)
    if inside is None or not any(map(str.isalnum, inside)):
        return True
    words = MARKER_WORD.findall(inside.casefold())
    return not MEANS_UNHEARD.isdisjoint(words) and MAY_STAND_THERE.issuperset(words)


def _count(text: str, spoken: str) -> Counted:
    tokens = [token for token in BETWEEN_WORDS.split(spoken) if any(map(str.isalnum, token))]
    two, four = len(TWO_A_WORD.findall(spoken)), len(FOUR_A_WORD.findall(spoken))
    spaced = [token for token in tokens if not (TWO_A_WORD.search(token) or FOUR_A_WORD.search(token))]
    lengths = [_length(token) for token in spaced if not all(sign.isdigit() for sign in token if sign.isalnum())]
    return Counted(
        words=len(spaced) + (two + 1) // 2 + (four + 3) // 4,
        markers=sum(map(_is_marker, MARKER.finditer(text))),
        letters_a_word=sum(lengths) / len(lengths) if lengths else None,
        looping=_loops(_units(tokens)),
    )


def _length(token: str) -> int:
    """Letters with the signs above and below them: in Hindi those are half of a word."""
    return sum(1 for sign in token if unicodedata.category(sign)[0] in "LMN")


def _units(tokens: Iterable[str]) -> list[str]:
    """What is compared for repetition: words without punctuation, and single letters where there are no spaces."""
    units: list[str] = []
    for token in tokens:
        bare = "".join(filter(str.isalnum, token.casefold()))
        if TWO_A_WORD.search(token) or FOUR_A_WORD.search(token):
            units.extend(bare)
        else:
            units.append(bare)
    return units


def _loops(units: list[str]) -> bool:
    """Whether any phrase follows itself so often: for each length, is the word that long before the same."""
    for length in range(1, LONGEST_LOOP + 1):
        wanted = max(LOOP_TIMES * length, LOOP_WORDS) - length
        run = 0
        for earlier, word in zip(units, units[length:], strict=False):
            run = run + 1 if earlier == word else 0
            if run >= wanted:
                return True
    return False
