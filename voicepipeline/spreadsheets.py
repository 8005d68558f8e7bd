"""CSV that a spreadsheet shows and never executes."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> str:
    """This value as text; one that a spreadsheet would take for a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The header and the rows, a line at a time."""
    for row in itertools.chain([header], rows):
        buffer = io.StringIO()
        csv.writer(buffer).writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
