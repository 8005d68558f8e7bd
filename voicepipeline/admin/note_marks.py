"""Where a transcript says what the statements quote, and when it was said. Plain values in, pieces of text out."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeGuard

PARAGRAPH_SECONDS = 20.0


class Quote(NamedTuple):
    """The part of a transcript that one statement quotes."""

    statement: int
    start: int
    end: int


class Heard(NamedTuple):
    """From where on in a transcript something was said, and from when to when."""

    start: int
    begins: float
    ends: float


@dataclass(frozen=True)
class Piece:
    """Text that belongs to the same quotes throughout, and the quotes whose last words it holds."""

    text: str
    statements: tuple[int, ...] = ()
    ending: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sentence:
    """What was said in one go; without times when the AI service told none."""

    pieces: list[Piece]
    begins: float | None = None
    ends: float | None = None


@dataclass(frozen=True)
class Paragraph:
    sentences: list[Sentence]
    begins: float | None = None

    @property
    def clock(self) -> str:
        return "" if self.begins is None else clock(self.begins)

    @property
    def media_fragment(self) -> str:
        """What makes a player begin here, in an address."""
        return "" if self.begins is None else f"#t={self.begins:.2f}"


def clock(seconds: float) -> str:
    """A place in a recording as players show it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def cut(text: str, quotes: Iterable[Quote], start: int = 0, end: int | None = None) -> list[Piece]:
    """This part of the text, cut wherever a quote begins or ends; nothing is lost, whatever the quotes claim."""
    end = len(text) if end is None else end
    inside = [quote for quote in quotes if quote.start < end and quote.end > start and quote.start < quote.end]
    edges = {start, end, *(max(quote.start, start) for quote in inside), *(min(quote.end, end) for quote in inside)}
    ordered = sorted(edges)
    return [_piece(text, inside, begin, stop) for begin, stop in pairwise(ordered)]


def _piece(text: str, quotes: Sequence[Quote], start: int, end: int) -> Piece:
    here = [quote for quote in quotes if quote.start < end and quote.end > start]
    ending = (quote.statement for quote in here if min(quote.end, len(text)) == end)
    return Piece(text[start:end], tuple(sorted(quote.statement for quote in here)), tuple(sorted(ending)))


def locate(text: str, segments: Iterable[Any]) -> list[Heard]:
    """Where the segments stand in the text, in order; those that it does not hold are left out."""
    found: list[Heard] = []
    at = 0
    for segment in segments:
        words, times = _read(segment)
        place = text.find(words, at) if words and times else -1
        if place >= 0 and times:
            found.append(Heard(place if found else 0, *times))
            at = place + len(words)
    return found


def _read(segment: Any) -> tuple[str, tuple[float, float] | None]:
    """Text and times of one stored segment; nothing of what is no segment."""
    if not isinstance(segment, dict):
        return "", None
    text = segment.get("text")
    begins = segment.get("start_seconds")
    ends = segment.get("end_seconds")
    if not isinstance(text, str) or not _is_time(begins) or not _is_time(ends):
        return "", None
    return text.strip(), (begins, ends)


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def paragraphs(text: str, quotes: Sequence[Quote], segments: Iterable[Any]) -> list[Paragraph]:
    """The text to be read: one paragraph as it is, or one for about every twenty seconds where there are times."""
    heard = locate(text, segments)
    if not heard:
        return [Paragraph([Sentence(cut(text, quotes))])] if text else []
    ends = [*(each.start for each in heard[1:]), len(text)]
    made: list[Paragraph] = []
    for each, end in zip(heard, ends, strict=True):
        sentence = Sentence(cut(text, quotes, each.start, end), each.begins, each.ends)
        last = made[-1].begins if made else None
        if last is None or each.begins >= last + PARAGRAPH_SECONDS:
            made.append(Paragraph([sentence], each.begins))
        else:
            made[-1].sentences.append(sentence)
    return made
