"""Names in what a model wrote that nobody spoke: they are blanked, whoever the model took a statement to be about."""

import re
from collections import defaultdict
from collections.abc import Iterable

from voicepipeline.ai.quotes import WORD, normalise, normalised
from voicepipeline.matching.roster import Person

BLANK = "[name not spoken]"
AGAIN = re.compile(rf"{re.escape(BLANK)}(?:\s{{1,3}}{re.escape(BLANK)})+")
# Shorter ones are initials, and words such as "de" and "Ní", which by themselves name nobody.
SHORTEST = 3


class Unspoken:
    """The words of a club's names that a transcript does not hold."""

    def __init__(self, transcript: str, offered: Iterable[Person]) -> None:
        self._spoken = set(_words(transcript))
        self._people: dict[str, list[Person]] = defaultdict(list)
        for person in offered:
            for word in set(self._names([person.name])):
                self._people[word].append(person)

    def words(self, text: str, *, suspects: Iterable[str], meant: Iterable[Person]) -> set[str]:
        """Those in the text: of the suspects in any letters, of all others where they are written as a name is."""
        mine = {word for person in meant for word in normalised(person.name).split()}
        suspected = set(self._names(suspects))
        found = (match.group() for match in WORD.finditer(text))
        read = {normal: word for word in found for normal in _readings(word) if normal not in mine}
        names = {normal for normal, word in read.items() if normal in self._people and not word[0].islower()}
        return names | (suspected & read.keys())

    def people_of(self, words: Iterable[str]) -> list[Person]:
        return list({person.id: person for word in words for person in self._people.get(word, ())}.values())

    def _names(self, names: Iterable[str]) -> Iterable[str]:
        words = (word for name in names for word in normalised(name).split())
        return (word for word in words if len(word) >= SHORTEST and word not in self._spoken)


def blank_names(text: str, words: set[str]) -> str:
    """The text with these words blanked, several in a row as one."""
    blanked = WORD.sub(lambda found: found.group() if words.isdisjoint(_readings(found.group())) else BLANK, text)
    return AGAIN.sub(BLANK, blanked)


def _words(text: str) -> Iterable[str]:
    return (normal for match in WORD.finditer(text) for normal in _readings(match.group()))


def _readings(word: str) -> tuple[str, ...]:
    """As it is written, and without the 's of a possessive."""
    bare = re.sub("['\u2019\u02bc][sS]$", "", word)
    return (normalise(word),) if bare == word else (normalise(word), normalise(bare))
