"""How often the matching is right on mentions that were labelled by hand: python -m tests.matching.labelled."""

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from voicepipeline.matching.deciding import Decision, Kind, Mention, decide
from voicepipeline.matching.roster import Person, Roster

LABELS = Path(__file__).parent / "labels"
SIZES = (25, 100, 300)
# Each set of labels and the roster it speaks of. Only the last one tells how the rules do on what they had not seen.
SETS = {
    "training": "roster",
    "second": "roster",
    "third": "roster_third",
    "fourth": "roster_fourth",
    "untouched": "roster_fourth",
}


@dataclass
class Tally:
    """What became of the mentions of one half on one roster."""

    linked: int = 0
    rightly: int = 0
    findable: int = 0  # mentions that mean one player and no other
    strangers: int = 0
    strangers_linked: int = 0
    asked_with_the_right_one: int = 0
    asked: int = 0
    unmatched: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def mentions(self) -> int:
        return self.linked + self.asked + self.unmatched

    @property
    def precision(self) -> float:
        return self.rightly / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        return self.rightly / self.findable if self.findable else 1.0


def _lines(name: str) -> list[str]:
    lines = (LABELS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@cache
def people(half: str) -> tuple[Person, ...]:
    names = (line.split(", ") for line in _lines(SETS[half]))
    return tuple(Person(number, first, last) for number, (first, last) in enumerate(names, start=1))


@cache
def labelled(half: str) -> tuple[tuple[str, frozenset[int | str]], ...]:
    """Each mention with everybody of the whole roster whom it may mean."""
    found = []
    for line in _lines(half):
        label, _, mentions = line.partition(": ")
        meant = (
            frozenset[int | str]()
            if label == "-"
            else frozenset().union(*(_meant(name, half) for name in label.split(" / ")))
        )
        found += [(mention, meant) for mention in mentions.split("; ")]
    return tuple(found)


def _meant(label: str, half: str) -> frozenset[int | str]:
    meant = {
        person.id
        for person in people(half)
        if label in (person.name, f"{person.first_name} *", f"* {person.last_name}")
    }
    if not meant:
        raise ValueError(f"Nobody on the roster is {label!r}.")
    return frozenset(meant)


@cache
def measure(half: str, size: int) -> Tally:
    known = people(half)[:size]
    roster = Roster(known)
    tally = Tally()
    for text, meant in labelled(half):
        _count(tally, text, meant & {person.id for person in known}, decide(Mention(text), roster))
    return tally


def _count(tally: Tally, text: str, meant: frozenset[int | str], decision: Decision) -> None:
    tally.findable += len(meant) == 1
    tally.strangers += not meant
    if decision.kind is Kind.LINK:
        tally.linked += 1
        right = decision.person is not None and meant == {decision.person.id}
        tally.rightly += right
        tally.strangers_linked += not meant
        if not right:
            tally.remarks.append(f"WRONG {text!r}: {decision}")
        return
    tally.asked += decision.kind is Kind.ASK
    tally.unmatched += decision.kind is Kind.NONE
    if len(meant) == 1:
        offered = {candidate.person.id for candidate in decision.candidates}
        tally.asked_with_the_right_one += meant <= offered
        tally.remarks.append(f"{decision.kind} {text!r}: {decision.reason}")


HEADINGS = ("half", "roster", "mentions", "strangers", "linked", "precision", "recall", "offered", "strangers linked")


def table() -> str:
    """One line for each half and roster; `offered`: found by a link, or among the five of a question."""
    rows = [HEADINGS]
    for half in SETS:
        for size in SIZES:
            tally = measure(half, size)
            offered = (tally.rightly + tally.asked_with_the_right_one) / tally.findable
            counts = (tally.mentions, tally.strangers, tally.linked)
            ratios = (f"{tally.precision:.3f}", f"{tally.recall:.3f}", f"{offered:.3f}")
            rows.append((half, str(size), *map(str, counts), *ratios, str(tally.strangers_linked)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def main() -> int:
    sys.stdout.write(table() + "\n")
    if "--training" in sys.argv:  # the untouched labels are counted and never looked into
        for size in SIZES:
            sys.stdout.write("\n".join((f"\n{size}", *measure("training", size).remarks)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
