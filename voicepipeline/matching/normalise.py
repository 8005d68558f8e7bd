"""A name as it was typed or heard, made into plain lower-case words that can be compared."""

# ruff: noqa: RUF001 - letters of other alphabets that look like ours are what this file is about.

import re
import unicodedata
from functools import lru_cache

# A note may hand over anything; nobody's name is longer than this, and the work stays bounded.
MAX_CHARACTERS = 100
MAX_WORDS = 6
# Names kept with what was worked out of them, at most 30 MB: every first and last name of a club of 5,000, and more. A
# cache smaller than the roster that is gone through again and again would never have what is asked for.
MOST_KEPT = 16_384

# What Unicode's decomposition leaves as it is; the Cyrillic rows follow the Ukrainian and Russian passports.
BY_HAND = {
    "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "ng",
    "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "g", "д": "d", "е": "e", "є": "ye", "ж": "zh", "з": "z", "и": "y",
    "і": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
    "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
    "ю": "yu", "я": "ya",
}  # fmt: skip
LETTERS = str.maketrans(BY_HAND)

APOSTROPHES = "'’‘ʼʹ′`´＇"
POSSESSIVE = re.compile(rf"(?<=\w\w)[{APOSTROPHES}]s\b|(?<=s)[{APOSTROPHES}](?!\w)", re.IGNORECASE)
APOSTROPHE = re.compile(f"[{APOSTROPHES}]")
WORD = re.compile(r"[^\W\d_]+")
SHIRT_NUMBER = re.compile(r"(?:\b(?:number|no|nr)\b[.\s]*|#\s*)?\d+", re.IGNORECASE)

PREFIXES = {"mac": "mc", "mc": "mc", "o": "o", "ni": "ni", "nic": "nic", "ui": "ui"}
# Said before a name, not part of one. "Coach" is not here: a coach is not a player.
BEFORE_A_NAME = {"young", "big", "wee", "little", "small", "our", "poor", "captain", "keeper"}


def fold(text: str) -> str:
    """Lower case, without accents, in Latin letters where we know how."""
    # Taking a name apart may uncover letters that change again; three rounds settle everything in Unicode.
    for _ in range(3):
        apart = unicodedata.normalize("NFKD", text)
        bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
        text = bare.casefold().translate(LETTERS)
    return text


def words(text: str) -> tuple[str, ...]:
    """The words of a name: possessives and shirt numbers gone, O', Mc, Mac, Ó and Ní joined to what follows."""
    return _words(text[: MAX_CHARACTERS + 1])


@lru_cache(maxsize=MOST_KEPT)
def _words(text: str) -> tuple[str, ...]:
    text = POSSESSIVE.sub("", text)
    # Before folding, which makes a bare letter of an accent that stands alone.
    text = SHIRT_NUMBER.sub(" ", APOSTROPHE.sub("", text))
    found = WORD.findall(APOSTROPHE.sub("", fold(text)))
    while len(found) > 1 and found[0] in BEFORE_A_NAME:
        del found[0]
    return tuple(_joined_initials(_joined_prefixes(found)))


def _joined_prefixes(found: list[str]) -> list[str]:
    joined: list[str] = []
    waiting = ""
    for word in found:
        # "O B" and a last "Mac" are somebody's initials and somebody's first name.
        if not waiting and word in PREFIXES:
            waiting = word
        elif waiting and len(word) > 1:
            joined.append(PREFIXES[waiting] + word)
            waiting = ""
        else:
            joined += [waiting, word] if waiting else [word]
            waiting = ""
    return [*joined, waiting] if waiting else joined


def _joined_initials(found: list[str]) -> list[str]:
    """T. J. → tj, as one writes it on a team sheet."""
    joined: list[str] = []
    after_initial = False
    for word in found:
        if after_initial and len(word) == 1:
            joined[-1] += word
        else:
            joined.append(word)
        after_initial = len(word) == 1
    return joined
