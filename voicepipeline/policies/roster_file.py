"""A list of players as a file: its bytes made into lines, or refused in one sentence that says what to do."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from voicepipeline.errors import VoicePipelineError
from voicepipeline.matching.normalise import fold
from voicepipeline.policies.roster_names import taken_apart, tidy
from voicepipeline.spreadsheets import original_text

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
MOST_NAMED = 5
LONGEST_SHOWN = 40
DELIMITERS = (",", ";", "\t")
EXPORTED = ("First name", "Last name", "Team", "Club's own number", "Active")

SAVE_AS = "Save it as CSV (in Excel: Save as, CSV UTF-8) and choose that file."
# How Excel is told which sign stands between cells: a line above the header.
SIGN_TOLD = re.compile(r'[ \t]*"?sep=[^\r\n"]"?[ \t]*(?:\r\n?|\n|\Z)', re.IGNORECASE)
# How files begin that are something else.
OTHER_KINDS = (
    (b"PK\x03\x04", f"This is an Excel or other spreadsheet file, not a CSV file. {SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"This is an old Excel file, not a CSV file. {SAVE_AS}"),
    (b"%PDF", "This is a PDF, not a CSV file. Ask the club for the list as CSV."),
    (b"{\\rtf", f"This is a text document, not a CSV file. Copy its table into a spreadsheet. {SAVE_AS}"),
)
NOT_TEXT = f"This file holds something other than plain text. {SAVE_AS}"

# Headers without accents, capitals, spaces and signs.
HEADERS = {
    "first": "firstname first forename givenname given christianname playerfirstname",
    "last": "lastname last surname familyname family playerlastname playersurname",
    "name": "name fullname player playername member membername",
    "team": "team teamname squad panel group agegroup",
    "number": "clubsownnumber clubnumber number id playerid playernumber playerno memberid membernumber memberno "
    "membershipid membershipnumber membershipno externalid registrationnumber registrationno",
    "active": "active isactive activeyesno status current",
}
MEANING = {spelling: column for column, spellings in HEADERS.items() for spelling in spellings.split()}
WORDS = {
    "first": "the first name",
    "last": "the last name",
    "name": "the name",
    "team": "the team",
    "number": "the club's own number",
    "active": "active or not",
}
LONGEST = {"first": 80, "last": 80, "team": 120, "number": 60, "active": 40}


class UnreadableList(VoicePipelineError):
    """The file is no list of players; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One player as a file has them; None is a column that the file does not have, "" a cell left empty."""

    line: int  # as a spreadsheet numbers its rows
    first: str
    last: str
    team: str | None = None
    number: str | None = None
    active: str | None = None
    whole: bool = False  # the name was one cell, and where it was cut is our guess
    problem: str = ""

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}".strip()


@dataclass(frozen=True)
class PlayerList:
    """The lines of a file, and what whoever handed it in should know of how it was read."""

    lines: tuple[Line, ...]
    notices: tuple[str, ...] = ()


def read_list(data: bytes) -> PlayerList:
    """Every player of the file; raises UnreadableList."""
    if len(data) > MOST_BYTES:
        raise UnreadableList(too_large())
    text, notices = _decoded(data)
    try:
        records = _records(text)
        header = next((record for _, record in records if any(cell.strip() for cell in record)), [])
        columns, unused = _columns(header)
        lines = tuple(_lines(records, columns, len(header)))
    except csv.Error as error:
        raise UnreadableList(_broken(error)) from error
    if not lines:
        raise UnreadableList("The file has a header and no players under it. Add a line for each player.")
    if unused:
        notices += (f"Not used: {_listed(unused)}.",)
    return PlayerList(lines, notices)


def too_large() -> str:
    return (
        f"The file is too large: a list has at most {MOST_ROWS:,} players and {MOST_BYTES // 1_048_576} MB. "
        "Hand it in team by team."
    )


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    if not data.strip():
        raise UnreadableList("The file is empty. Choose the list of players again.")
    for beginning, refusal in OTHER_KINDS:
        if data.startswith(beginning):
            raise UnreadableList(refusal)
    text, notices = _as_text(data)
    if "\x00" in text:
        raise UnreadableList(NOT_TEXT)
    if text.lstrip()[:1] == "<":
        raise UnreadableList(f"This is a web page, not a CSV file. Open it in a spreadsheet. {SAVE_AS}")
    return text.removeprefix("\ufeff"), notices


def _as_text(data: bytes) -> tuple[str, tuple[str, ...]]:
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16"), ()
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    if b"\x00" in data:
        raise UnreadableList(NOT_TEXT)
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        words = "The letters of this file cannot be read: it is neither UTF-8 nor Windows-1252."
        raise UnreadableList(f"{words} {SAVE_AS}") from error
    return text, ("The file is not UTF-8 and was read as Windows-1252. Check names with accents before you apply it.",)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with its number, split at the sign that makes most sense of the header."""
    told = SIGN_TOLD.match(text)
    body, number = (text[told.end() :], 2) if told else (text, 1)
    delimiter = max(DELIMITERS, key=lambda sign: _sense(body, sign))
    rows = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    return enumerate(rows, start=number)


def _sense(text: str, delimiter: str) -> tuple[int, int]:
    """How many columns are known when the header is split like this, and how many there are."""
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header = next((row for row in rows if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return 0, 0
    return sum(_meaning(cell) in HEADERS for cell in header), len(header)


def _meaning(header: str) -> str:
    plain = "".join(letter for letter in fold(tidy(original_text(header))) if letter.isalnum())
    return MEANING.get(plain, "")


def _columns(header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Which column has what, and the headers of those that are not used."""
    if not header:
        raise UnreadableList("The file is empty. Choose the list of players again.")
    found: dict[str, int] = {}
    for at, cell in enumerate(header):
        meaning = _meaning(cell)
        if meaning in found:
            both = f"{_quoted(header[found[meaning]])} and {_quoted(cell)}"
            raise UnreadableList(f"Two columns hold {WORDS[meaning]}: {both}. Keep one of them.")
        if meaning:
            found[meaning] = at
    if "last" in found and "first" not in found and "name" in found:
        found["first"] = found.pop("name")
    if {"first", "last"} <= set(found):
        found.pop("name", None)
    _verify_names(found)
    if "name" in found:
        found = {column: at for column, at in found.items() if column not in ("first", "last")}
    unused = [cell for at, cell in enumerate(header) if at not in found.values() and cell.strip()]
    return found, unused


def _verify_names(found: dict[str, int]) -> None:
    if not found:
        names = ", ".join(EXPORTED)
        raise UnreadableList(f"The first line does not name the columns. Put a header above the players: {names}.")
    if "name" in found:
        return
    missing = [WORDS[column] for column in ("first", "last") if column not in found]
    if missing:
        words = " and ".join(missing)
        raise UnreadableList(f"There is no column for {words}. Add it, or one column “Name” with the whole name.")


def _lines(records: Iterator[tuple[int, list[str]]], columns: dict[str, int], width: int) -> Iterator[Line]:
    count = 0
    for number, record in records:
        if not any(cell.strip() for cell in record):
            continue
        count += 1
        if count > MOST_ROWS:
            raise UnreadableList(f"The list has more than {MOST_ROWS:,} players. Hand it in team by team.")
        yield _line(number, record, columns, width)


def _line(number: int, record: list[str], columns: dict[str, int], width: int) -> Line:
    cells = {column: tidy(original_text(record[at])) if at < len(record) else "" for column, at in columns.items()}
    whole = "name" in cells
    if whole:
        cells["first"], cells["last"] = taken_apart(cells.pop("name"))
    line = Line(number, **cells, whole=whole)
    too_long = next((column for column in cells if len(cells[column]) > LONGEST[column]), None)
    if any(cell.strip() for cell in record[width:]):
        words = "It has more cells than the header. Put quotation marks around a cell with a comma in it."
        return replace(line, problem=words)
    if too_long:
        problem = f"In it, {WORDS[too_long]} is longer than {LONGEST[too_long]} characters. Shorten it."
        shortened = {column: cell[: LONGEST[column]] for column, cell in cells.items()}
        return Line(number, **shortened, whole=whole, problem=problem)
    return line


def _broken(error: csv.Error) -> str:
    if "field larger" in str(error):
        return "A cell is too long to be read. Look for a quotation mark that is not closed, and save the list again."
    return "Its quotation marks do not fit together. Open the file in a spreadsheet and save it as CSV again."


def _quoted(header: str) -> str:
    return f"“{tidy(header)[:LONGEST_SHOWN]}”"


def _listed(headers: list[str]) -> str:
    named = ", ".join(_quoted(header) for header in headers[:MOST_NAMED])
    more = len(headers) - MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def as_rows(lines: tuple[Line, ...]) -> list[list[Any]]:
    """The lines as they are kept until the list is applied."""
    return [list(asdict(line).values()) for line in lines]


def from_rows(rows: list[list[Any]]) -> tuple[Line, ...]:
    return tuple(Line(*row) for row in rows)
