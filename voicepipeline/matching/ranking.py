"""Everybody on the roster, ordered by how well they fit the words of one mention."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from voicepipeline.matching.roster import Entry, Name, Person, Roster
from voicepipeline.matching.scoring import (
    ANOTHER_NAME,
    INITIAL,
    NOTHING,
    PART_OF_NAME,
    SAME,
    Fit,
    Word,
    given_fit,
    known_given_fit,
    surname_fit,
    unsure,
    word,
)

# A last name was said and the roster has none to hold against it, or the other way about.
NOT_ON_ROSTER = unsure(60.0, "a name that the roster lacks")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be meant, how well the words fit, and why in plain words."""

    person: Person
    score: float
    given: float | None
    surname: float | None
    reason: str
    # Every name that was said fits by itself: Neve Kelly is not Neve Kelleher, though the mean is high.
    sure: bool = True


class Reading(NamedTuple):
    """One way to take a mention apart into a first and a last name."""

    given: Word
    surname: Word
    whole: bool  # no word was left out


class Option(NamedTuple):
    """One way in which a mention fits a player."""

    score: float
    given: Fit | None
    surname: Fit | None
    remark: str = ""


SAME_NAME = Option(SAME, Fit(SAME, "the same name"), Fit(SAME, ""))
# As lists have it. Ryan Kelly and Kelly Ryan are two people, so this is never enough for a link.
LAST_NAME_FIRST = Option(ANOTHER_NAME, None, None, "the same name, last name first")
INITIALS_ALONE = Option(INITIAL, None, None, "the initials alone")

Fitting = Callable[[Word, Word], Fit]


class Ranking:
    """The fits of one mention; every pair of words is compared once."""

    def __init__(self, said: tuple[str, ...], *, at_least: float) -> None:
        self.together = word("".join(said))
        self.at_least = at_least
        self._one_word = len(said) == 1
        self._last_name_first = "".join((*said[1:], said[0]))
        self._readings = [
            Reading(word("".join(said[:at])), word("".join(said[at:])), True) for at in range(1, len(said))
        ]
        if len(said) > 2:
            self._readings.append(Reading(word(said[0]), word(said[-1]), False))
        self._given_fits: dict[tuple[str, str], Fit] = {}
        self._surname_fits: dict[tuple[str, str], Fit] = {}

    def of(self, roster: Roster) -> list[Candidate]:
        """Everybody who fits well enough, the best first; equals in the order of the roster."""
        found: list[tuple[Option, Person]] = []
        for entry in roster.entries:
            best = max(self._options(entry), key=_score, default=None)
            if best is not None and best.score >= self.at_least:
                found.append((best, entry.person))
        found.sort(key=lambda pair: -pair[0].score)
        return [_candidate(option, person) for option, person in found]

    def _options(self, entry: Entry) -> list[Option]:
        if self.together.text == entry.together:
            return [SAME_NAME]
        if self._one_word:
            return self._as_one_word(entry)
        options = [option for reading in self._readings if (option := self._as_both(entry, reading))]
        if self._last_name_first == entry.together:
            options.append(LAST_NAME_FIRST)
        # Several words that are one name: "Shiv Awn". Likeness is not enough here, or any two words would do.
        if entry.given and self.together.is_given_name:
            given = known_given_fit(self.together, entry.given.whole)
            options += [Option(given.score, given, None, "no last name said")] if given else []
        if entry.surname and self.together.text == entry.surname.whole.text:
            surname = self._surname(self.together, entry.surname)
            options.append(Option(surname.score, None, surname, "no first name said"))
        return options

    def _as_one_word(self, entry: Entry) -> list[Option]:
        options = [INITIALS_ALONE] if self.together.text == entry.initials else []
        if entry.given:
            given = self._given(self.together, entry.given)
            options.append(Option(given.score, given, None, "no last name said"))
        if entry.surname:
            surname = self._surname(self.together, entry.surname)
            options.append(Option(surname.score, None, surname, "no first name said"))
        return options

    def _as_both(self, entry: Entry, reading: Reading) -> Option | None:
        given = self._given(reading.given, entry.given)
        # No last name could make up for this.
        if (given.score + SAME) / 2 < self.at_least:
            return None
        surname = self._surname(reading.surname, entry.surname)
        if not reading.whole:
            given = unsure(min(given.score, PART_OF_NAME), f"{given.why}, with words left out")
        return Option((given.score + surname.score) / 2, given, surname)

    def _given(self, heard: Word, name: Name | None) -> Fit:
        return NOT_ON_ROSTER if name is None else _remembered(self._given_fits, given_fit, heard, name)

    def _surname(self, heard: Word, name: Name | None) -> Fit:
        return NOT_ON_ROSTER if name is None else _remembered(self._surname_fits, surname_fit, heard, name)


def _score(option: Option) -> float:
    return option.score


def _candidate(option: Option, person: Person) -> Candidate:
    fits = [fit for fit in (option.given, option.surname) if fit is not None]
    reason = "; ".join(remark for remark in (*(fit.why for fit in fits), option.remark) if remark)
    # Where neither name is quite the one on the roster, two near misses make a stranger.
    sure = all(fit.sure for fit in fits) and any(fit.sure_alone for fit in fits)
    given, surname = (None if fit is None else fit.score for fit in (option.given, option.surname))
    return Candidate(person, option.score, given, surname, reason, sure)


def _remembered(known: dict[tuple[str, str], Fit], fitting: Fitting, heard: Word, name: Name) -> Fit:
    key = (heard.text, name.whole.text)
    fit = known.get(key)
    if fit is None:
        fit = known[key] = _best_fit(fitting, heard, name)
    return fit


def _best_fit(fitting: Fitting, heard: Word, name: Name) -> Fit:
    if len(heard.text) == 1 and heard.text != name.whole.text:
        fits = name.whole.text[0] == heard.text
        return unsure(INITIAL, "an initial that fits") if fits else NOTHING
    best = fitting(heard, name.whole)
    for piece in name.pieces:
        fit = fitting(heard, piece)
        if min(fit.score, PART_OF_NAME) > best.score:
            best = unsure(min(fit.score, PART_OF_NAME), "a part of a double name")
    return best
