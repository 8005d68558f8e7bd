"""Whether something was really said: quotes and names looked up in the transcript, word by word."""

import re
import unicodedata
from typing import NamedTuple

# Apostrophes hold a word together: O'Brien, didn't.
WORD = re.compile("\\w+(?:['\u2019\u02bc]\\w+)*")
LETTERS = str.maketrans({"ø": "o", "ł": "l", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i", "œ": "oe"})


class Span(NamedTuple):
    start: int
    end: int


def normalise(word: str) -> str:
    """A word without capitals, accents and apostrophes."""
    apart = unicodedata.normalize("NFKD", word.casefold()).translate(LETTERS)
    return "".join(sign for sign in apart if sign.isalnum())


def find_quote(quote: str, transcript: str) -> Span | None:
    """Where the transcript says these words in this order, with nothing between; None when it does not."""
    wanted = [normalise(match.group()) for match in WORD.finditer(quote)]
    spoken = [(normalise(match.group()), match.span()) for match in WORD.finditer(transcript)]
    if not wanted:
        return None
    for at in range(len(spoken) - len(wanted) + 1):
        if all(spoken[at + step][0] == word for step, word in enumerate(wanted)):
            return Span(spoken[at][1][0], spoken[at + len(wanted) - 1][1][1])
    return None


def is_quoted(quote: str, transcript: str) -> bool:
    return find_quote(quote, transcript) is not None
