"""The people who may be meant, made ready for many questions."""

from collections.abc import Iterable
from dataclasses import dataclass

from voicepipeline.matching.normalise import words
from voicepipeline.matching.scoring import Word, word


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be meant: a player, or a coach."""

    id: int | str
    first_name: str
    last_name: str = ""
    team: str | None = None
    active: bool = True

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Alias:
    """What a person of the club once said that this text means."""

    text: str
    person_id: int | str


@dataclass(frozen=True, slots=True)
class Name:
    """A first or a last name: whole, and in its pieces if it has several."""

    whole: Word
    pieces: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    person: Person
    given: Name | None
    surname: Name | None
    together: str
    initials: str


class Roster:
    """Built once for a club's or a coach's players, then asked as often as there are mentions."""

    def __init__(self, people: Iterable[Person], aliases: Iterable[Alias] = ()) -> None:
        # The same id twice is one player listed twice.
        self.entries = tuple(_entry(person) for person in {person.id: person for person in people}.values())
        self._by_id = {entry.person.id: entry for entry in self.entries}
        self._aliases: dict[tuple[str, ...], list[int | str]] = {}
        for alias in aliases:
            targets = self._aliases.setdefault(words(alias.text), [])
            if alias.person_id not in targets:
                targets.append(alias.person_id)

    def aliased(self, said: tuple[str, ...]) -> tuple[list[Entry], bool]:
        """Whom these words were said to mean, and whether one of those is no longer on the roster."""
        targets = self._aliases.get(said, [])
        present = [self._by_id[target] for target in targets if target in self._by_id]
        return present, len(present) < len(targets)


def _entry(person: Person) -> Entry:
    given, surname = words(person.first_name), words(person.last_name)
    initials = "".join(name[0] for name in (*given, *surname))
    return Entry(person, _name(given), _name(surname), "".join((*given, *surname)), initials)


def _name(parts: tuple[str, ...]) -> Name | None:
    if not parts:
        return None
    return Name(word("".join(parts)), tuple(word(part) for part in parts) if len(parts) > 1 else ())
