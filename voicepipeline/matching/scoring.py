"""How well one word of a mention fits one name of a player."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from voicepipeline.matching import given_names, surnames
from voicepipeline.matching.metaphone import metaphone
from voicepipeline.matching.normalise import MOST_KEPT
from voicepipeline.matching.respelling import as_heard, respelled
from voicepipeline.matching.similarity import jaro_winkler

SAME = 100.0
VARIANT = 97.0
SAME_SOUND = 93.0
NICKNAME = 92.0
# Two real names that look alike, or a piece of a double name: worth a question, never a link.
ANOTHER_NAME = 80.0
PART_OF_NAME = 84.0
INITIAL = 75.0
# What is not known to be the same name but only alike has to be this much alike, each name by itself, to be linked.
SOUND_SURE_FROM = 93.0
LETTERS_SURE_FROM = 96.0
SPELLING_OF_A_SOUND = 90.0
# A key with a single consonant is shared by too many names.
TELLING_SOUND = re.compile("[a-z].*[a-z]")
VOWELS = re.compile("[aeiou]+")
VOWELS_AT_END = frozenset("aeiou")


class Fit(NamedTuple):
    """How well a word fits a name, from 0 to 100, and why in plain words."""

    score: float
    why: str
    # Good enough for a link, as far as this name goes; and also when it is the only name that was said.
    sure: bool = True
    sure_alone: bool = True


def unsure(score: float, why: str) -> Fit:
    return Fit(score, why, sure=False, sure_alone=False)


NOTHING = unsure(0.0, "nothing alike")


@dataclass(frozen=True, slots=True)
class Word:
    """A word with everything worked out that comparing it needs."""

    text: str
    heard: str
    irish: str
    starts: frozenset[str]
    sounds: frozenset[str]
    given_names: frozenset[int]
    short_for: frozenset[int]
    surnames: frozenset[int]
    without_o: str
    prefix: str
    shape: tuple[int, bool]

    @property
    def is_given_name(self) -> bool:
        return bool(self.given_names or self.short_for)


@lru_cache(maxsize=MOST_KEPT)
def word(text: str) -> Word:
    heard, irish = as_heard(text), respelled(text)
    without_o = text.removeprefix("o")
    families = SURNAMES.get(text) or SURNAMES.get(without_o, frozenset())
    return Word(
        text=text,
        heard=heard,
        irish=irish,
        starts=frozenset({heard[:1], irish[:1]}),
        sounds=frozenset({metaphone(text), metaphone(irish)}),
        given_names=GIVEN_NAMES.get(text, frozenset()),
        short_for=NICKNAMES.get(text, frozenset()),
        surnames=families,
        without_o=without_o,
        prefix=_prefix(text, families),
        shape=(len(VOWELS.findall(heard)), heard[-1:] in VOWELS_AT_END),
    )


def _prefix(text: str, families: frozenset[int]) -> str:
    """The O' or Mc of a last name that also goes without it, as Carthy does and Connell does not."""
    for prefix in ("o", "mc"):
        if text.startswith(prefix) and not families.isdisjoint(SURNAMES.get(text.removeprefix(prefix), frozenset())):
            return prefix
    return ""


def _families(spellings: str) -> dict[str, frozenset[int]]:
    found: dict[str, frozenset[int]] = {}
    for number, line in enumerate(spellings.strip().splitlines()):
        for name in line.split():
            found[name] = found.get(name, frozenset()) | {number}
    return found


def _nicknames(lines: str, families: dict[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    """The families of the names that each short form may stand for."""
    found: dict[str, frozenset[int]] = {}
    for line in lines.strip().splitlines():
        short, _, full = line.partition(": ")
        meant = frozenset[int]().union(*(families[name] for name in full.split()))
        for name in short.split():
            found[name] = found.get(name, frozenset()) | meant
    return found


GIVEN_NAMES = _families("\n".join((given_names.SPELLINGS, *given_names.OTHERS.split())))
NICKNAMES = _nicknames(given_names.NICKNAMES, GIVEN_NAMES)
SURNAMES = _families(surnames.SPELLINGS)


def given_fit(one: Word, other: Word) -> Fit:
    """The best of: letter by letter, respelt from Irish, a known variant."""
    known = known_given_fit(one, other)
    if known is not None:
        return known
    letters = jaro_winkler(one.text, other.text)
    sound = min(_spoken(one, other), VARIANT)
    if one.is_given_name and other.is_given_name:
        return unsure(min(max(letters, sound), ANOTHER_NAME), "a different first name that looks alike")
    if sound > letters:
        sure = sound >= SOUND_SURE_FROM and _same_shape(one, other)
        return Fit(sound, "a first name that sounds alike", sure=sure, sure_alone=False)
    return _spelt_alike(one, other, letters, "a first name spelt alike")


def known_given_fit(one: Word, other: Word) -> Fit | None:
    """The fit of two words that are known to be the same first name."""
    if one.text == other.text:
        return Fit(SAME, "the same first name")
    if not one.given_names.isdisjoint(other.given_names):
        return Fit(VARIANT, "a known spelling of the first name")
    if not (one.short_for.isdisjoint(other.given_names) and other.short_for.isdisjoint(one.given_names)):
        return Fit(NICKNAME, "a short form of the first name")
    return None


def surname_fit(one: Word, other: Word) -> Fit:
    """The best of: letter by letter, and the same sound."""
    if one.text == other.text:
        return Fit(SAME, "the same last name")
    if f"{other.text}s" == one.text and not one.surnames:
        return Fit(VARIANT, "the last name with the s of a possessive")
    letters = jaro_winkler(one.text, other.text)
    same = not one.surnames.isdisjoint(other.surnames)
    if one.without_o == other.without_o or (same and one.prefix != other.prefix):
        return unsure(max(letters, SAME_SOUND), "the same last name but for the O' or Mc")
    if one.surnames and other.surnames:
        if same:
            return Fit(max(letters, SAME_SOUND), "a known spelling of the last name")
        return unsure(min(letters, ANOTHER_NAME), "a different last name that looks alike")
    if any(TELLING_SOUND.search(sound) for sound in one.sounds & other.sounds):
        # Kirk and Quirke sound the same and are two families, so the spelling has a say.
        spelling = jaro_winkler(one.text.replace("ph", "f"), other.text.replace("ph", "f"))
        sure = spelling >= SPELLING_OF_A_SOUND and _same_shape(one, other)
        score = max(letters, SAME_SOUND)
        return Fit(score, "a last name that sounds the same", sure=sure, sure_alone=False)
    return _spelt_alike(one, other, letters, "a last name spelt alike")


def _spelt_alike(one: Word, other: Word, letters: float, why: str) -> Fit:
    """A slip of the pen is sure enough: the same letters in another order, or nearly the same word."""
    slip = sorted(one.text) == sorted(other.text) or letters >= LETTERS_SURE_FROM
    sure = slip and one.text[0] == other.text[0] and _same_shape(one, other)
    return Fit(letters, why, sure=sure, sure_alone=sure)


def _same_shape(one: Word, other: Word) -> bool:
    """As many syllables, and the same kind of ending: Ivan is not Ivana, and Alexander is not Aleksandra."""
    return one.shape == other.shape


def _spoken(one: Word, other: Word) -> float:
    """Respelt from Irish on either side or both; a name that begins with another sound is another name."""
    best = 0.0
    if one.starts.isdisjoint(other.starts):
        return best
    for left, right in {(one.heard, other.irish), (one.irish, other.heard), (one.irish, other.irish)}:
        if left[:1] == right[:1]:
            best = max(best, jaro_winkler(left, right))
    return best
