"""Whether something was really said: quotes and names looked up in the transcript, word by word."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import accumulate
from typing import NamedTuple

# Apostrophes hold a word together: O'Brien, didn't. Accents that stand apart from their letter belong to the word.
WORD = re.compile("[\\w\u0300-\u036f]+(?:['\u2019\u02bc][\\w\u0300-\u036f]+)*")
# Unicode's own functions take very long over a word of nothing but accents.
MAX_WORD = 200
POSSESSIVE = re.compile("['\u2019\u02bc][sS]$")
LETTERS = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "œ": "oe"})


class Span(NamedTuple):
    start: int
    end: int


class Word(NamedTuple):
    """A word of the transcript and its place; `bare` is how it reads without the 's of a possessive."""

    text: str
    bare: str
    place: Span
    bare_end: int


def normalise(word: str) -> str:
    """A word without capitals, accents and apostrophes."""
    folded = word.casefold()
    apart = unicodedata.normalize("NFKD", folded) if len(folded) <= MAX_WORD else folded
    return "".join(sign for sign in apart.translate(LETTERS) if sign.isalnum())


def normalised(text: str) -> str:
    """The words of a text, as they are compared, with single spaces between."""
    return " ".join(_words(text))


class Spoken:
    """A transcript made ready for many questions about what it says.

    Its words stand in one string, so that a hostile text of a thousand times the same word costs no more than another.
    """

    def __init__(self, transcript: str) -> None:
        self.transcript = transcript
        found = (_word(match) for match in WORD.finditer(transcript))
        self._words = [word for word in found if word.text]
        self._text = f" {' '.join(word.text for word in self._words)} "
        self._at = list(accumulate((len(word.text) + 1 for word in self._words), initial=1))
        self._possessives: dict[str, list[int]] = defaultdict(list)
        for number, word in enumerate(self._words):
            if word.bare != word.text:
                self._possessives[word.bare].append(number)

    def find(self, quote: str, *, start: int = 0, end: int | None = None, last: bool = False) -> Span | None:
        """Where these words are said first, or last, in this order with nothing between; None when they are not.

        A name may leave off the 's that it is spoken with: "Aoife" is said in "Aoife's ankle".
        """
        wanted = _words(quote)
        from_word = bisect_left(self._words, start, key=lambda word: word.place.start)
        before_word = (
            len(self._words) if end is None else bisect_right(self._words, end, key=lambda word: word.bare_end)
        )
        if not wanted or before_word - from_word < len(wanted):
            return None
        found = [
            place
            for search in (self._find_whole, self._find_without_possessive)
            if (place := search(wanted, from_word, before_word, last)) is not None
        ]
        return (max if last else min)(found, default=None)

    def _find_whole(self, wanted: list[str], from_word: int, before_word: int, last: bool) -> Span | None:
        search = self._text.rfind if last else self._text.find
        at = search(f" {' '.join(wanted)} ", self._at[from_word] - 1, self._at[before_word])
        if at < 0:
            return None
        first = bisect_left(self._at, at + 1)
        return Span(self._words[first].place.start, self._words[first + len(wanted) - 1].place.end)

    def _find_without_possessive(self, wanted: list[str], from_word: int, before_word: int, last: bool) -> Span | None:
        before = "".join(f" {word}" for word in wanted[:-1]) + " "
        numbers = self._possessives.get(wanted[-1], [])
        for number in reversed(numbers) if last else numbers:
            first = number - len(wanted) + 1
            within = from_word <= first <= number < before_word
            if within and self._text.startswith(before, self._at[first] - 1):
                return Span(self._words[first].place.start, self._words[number].bare_end)
        return None


def find_quote(quote: str, transcript: str) -> Span | None:
    return Spoken(transcript).find(quote)


def is_quoted(quote: str, transcript: str) -> bool:
    return find_quote(quote, transcript) is not None


def _words(text: str) -> list[str]:
    return [word for match in WORD.finditer(text) if (word := normalise(match.group()))]


def _word(match: re.Match[str]) -> Word:
    whole = match.group()
    bare = POSSESSIVE.sub("", whole)
    return Word(normalise(whole), normalise(bare), Span(*match.span()), match.start() + len(bare))
