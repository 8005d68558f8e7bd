"""CSV that a spreadsheet shows and never executes, and that gives back what was written into it."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
GUARD = "'"


def safe_cell(value: Any) -> str:
    """This value as text; one that a spreadsheet would take for a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"{GUARD}{text}" if _is_guarded_for(text) else text


def original_text(cell: str) -> str:
    """The text of which `safe_cell` made this cell."""
    return cell[1:] if cell.startswith(GUARD) and _is_guarded_for(cell) else cell


def _is_guarded_for(text: str) -> bool:
    """Text that had apostrophes before its formula gets one more, so that taking one away is always right."""
    bare = text.lstrip(GUARD)
    return bare.startswith(FORMULA_STARTS) or bare.lstrip().startswith(FORMULA_STARTS)


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The header and the rows, a line at a time."""
    for row in itertools.chain([header], rows):
        buffer = io.StringIO()
        csv.writer(buffer).writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
