"""Putting the right name in the place of one that was misheard, in what a model wrote."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from voicepipeline.ai.quotes import normalise

# A title and a description are shorter by far; nothing longer is worth the time.
MAX_TEXT = 20_000
MAX_CORRECTIONS = 200
MAX_NAME = 100  # characters
MAX_NAME_WORDS = 8

APOSTROPHES = "'\u2019\u02bc"
ACCENTS = "\u0300-\u036f"
# Accents that stand apart from their letter belong to the word, apostrophes hold one together.
WORD = re.compile(rf"[\w{ACCENTS}]+(?:[{APOSTROPHES}][\w{ACCENTS}]+)*")
POSSESSIVE = re.compile(rf"[{APOSTROPHES}][sS]$")
# What may stand between the words of one name. "Neve. Kelly came" are two sentences.
BETWEEN = re.compile(r"[ \t\u00a0]{1,3}|[-\u2010\u2011]")
AFTER_INITIAL = re.compile(r"\.?[ \t\u00a0]{0,3}")
# Said for a name that stands elsewhere: not to be replaced by it.
PRONOUNS = frozenset(
    {"he", "him", "his", "she", "her", "hers", "they", "them", "their", "it", "its", "i", "me", "we", "us", "you"}
)
HYPHENS = frozenset("-\u2010\u2011")


@dataclass(frozen=True)
class Correction:
    """A name as it was heard, and as it is."""

    raw_text: str
    right_name: str


class Word(NamedTuple):
    start: int
    end: int
    plain: str  # without capitals, accents and apostrophes
    exact: str  # without capitals only


class Spelling(NamedTuple):
    """One way in which a name may stand in the text."""

    exact: tuple[str, ...]
    right_name: str


Table = dict[tuple[str, ...], list[Spelling]]


def correct_names(text: str, corrections: Sequence[Correction]) -> str:
    """The text with each misheard name replaced: whole words, the longest names first, no place twice.

    Capitals and accents make no difference, a possessive stays, and a name that is already right stays as it is. Where
    the corrections contradict each other, nothing is changed; a name to be left alone is its own correction.
    """
    table = _table(corrections[:MAX_CORRECTIONS])
    if not table or len(text) > MAX_TEXT:
        return text
    words = list(_words(text))
    taken = [False] * len(words)
    places: list[tuple[int, int, str]] = []
    for length in sorted({len(plain) for plain in table}, reverse=True):
        for first in range(len(words) - length + 1):
            name = words[first : first + length]
            spellings = table.get(tuple(word.plain for word in name))
            if spellings and not any(taken[first : first + length]) and _is_one_name(text, name):
                taken[first : first + length] = [True] * length
                right = _right_name(spellings, tuple(word.exact for word in name))
                places.append((name[0].start, name[-1].end, right or text[name[0].start : name[-1].end]))
    return _replaced(text, sorted(places))


def _replaced(text: str, places: list[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, name in places:
        pieces += [text[at:start], name]
        at = end
    return "".join([*pieces, text[at:]])


def _table(corrections: Sequence[Correction]) -> Table:
    """Every spelling to look for. What was heard goes before what is right, and both before what is put together."""
    heard: Table = {}
    right: Table = {}
    mixed: Table = {}
    for raw_text, right_name in {(given.raw_text, given.right_name.strip()) for given in corrections}:
        raw, name = _name(raw_text), _name(right_name)
        if not raw or not name:
            continue
        _add(heard, raw, right_name)
        _add(right, name, "")
        # "Neve" is Niamh Kelly: then "Neve Kelly" is, too, and does not become "Niamh Kelly Kelly".
        if len(raw) < len(name):
            _add(mixed, raw + name[len(raw) :], right_name)
            _add(mixed, name[: -len(raw)] + raw, right_name)
    return mixed | right | heard


def _add(table: Table, name: tuple[Word, ...], right_name: str) -> None:
    spelling = Spelling(tuple(word.exact for word in name), right_name)
    table.setdefault(tuple(word.plain for word in name), []).append(spelling)


def _right_name(spellings: list[Spelling], exact: tuple[str, ...]) -> str | None:
    """The one name meant; where only accents tell two apart, accents decide."""
    names = {spelling.right_name for spelling in spellings}
    if len(names) > 1:
        names = {spelling.right_name for spelling in spellings if spelling.exact == exact}
    return names.pop() if len(names) == 1 else None


def _name(text: str) -> tuple[Word, ...]:
    words = tuple(_words(text)) if len(text) <= MAX_NAME else ()
    return words if len(words) <= MAX_NAME_WORDS else ()


def _words(text: str) -> Iterator[Word]:
    """The words that can be part of a name, a possessive left outside."""
    for found in WORD.finditer(text):
        word = POSSESSIVE.sub("", found.group())
        # Unicode's own functions take very long over a word of nothing but accents.
        short = word if len(word) <= MAX_NAME else ""
        exact = unicodedata.normalize("NFC", short).casefold()
        yield Word(found.start(), found.start() + len(word), normalise(short), exact)


def _is_one_name(text: str, name: Sequence[Word]) -> bool:
    """Words side by side, and no part of a longer one: the Ann of Ann-Marie is somebody else."""
    for word, following in pairwise(name):
        between = AFTER_INITIAL if len(word.plain) == 1 else BETWEEN
        if not between.fullmatch(text, word.end, following.start):
            return False
    before, after = text[max(0, name[0].start - 2) : name[0].start], text[name[-1].end : name[-1].end + 2]
    joined_before = len(before) == 2 and before[1] in HYPHENS and before[0].isalnum()
    joined_after = len(after) == 2 and after[0] in HYPHENS and after[1].isalnum()
    return not joined_before and not joined_after
