"""What files of players are taken for, and in which words the others are refused."""

import io
import time
import zipfile

import pytest

from voicepipeline.policies.roster_file import (
    MOST_BYTES,
    MOST_ROWS,
    Line,
    UnreadableList,
    as_rows,
    from_rows,
    read_list,
)

HEADER = "First name,Last name,Team,Club's own number,Active\n"
ONE = f"{HEADER}Niamh,Ní Bhriain,Under 14,007,yes\n"
READ = Line(2, "Niamh", "Ní Bhriain", "Under 14", "007", "yes")


def refusal(data):
    with pytest.raises(UnreadableList) as refused:
        read_list(data.encode() if isinstance(data, str) else data)
    return str(refused.value)


def excel():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_as_it_is(encoding):
    read = read_list(ONE.encode(encoding))
    assert (read.lines, read.notices) == ((READ,), ())


def test_utf_16_of_either_order_is_read():
    for mark, encoding in (("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be")):
        assert read_list((mark + ONE).encode(encoding)).lines == (READ,)


def test_windows_letters_are_read_with_a_word_of_warning():
    read = read_list(ONE.encode("cp1252"))
    assert read.lines == (READ,)
    assert "read as Windows-1252" in read.notices[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_cells_may_be_split_by_several_signs(delimiter, ending):
    assert read_list(ONE.replace(",", delimiter).replace("\n", ending).encode()).lines == (READ,)


def test_excels_own_line_about_the_sign_is_understood():
    read = read_list(f"sep=;\n{ONE.replace(',', ';')}".encode())
    assert read.lines[0].line == 3


@pytest.mark.parametrize(
    "content",
    [b"sep=;", b"\xef\xbb\xbfsep=;", b'"sep=;"', b"sep=;\r", b"sep=;\n", "sep=;".encode("utf-16"), b"SEP=,\r\n\r\n"],
    ids=["alone", "byte order mark", "quotes", "carriage return", "line feed", "utf-16", "blank lines"],
)
def test_a_file_that_tells_only_its_sign_is_empty(content):
    with pytest.raises(UnreadableList, match="The file is empty"):
        read_list(content)


@pytest.mark.parametrize("told", ["sep=;\r\n", '"sep=;"\n', "sep=;\r", "sep=\t\n"], ids=ascii)
def test_the_line_about_the_sign_may_end_in_several_ways(told):
    assert [line.first for line in read_list(f"{told}{ONE.replace(',', ';')}".encode()).lines] == [READ.first]


@pytest.mark.parametrize(
    "header",
    ["first_name;SURNAME;Squad;Membership No.;Is active?", "Forename;Family Name;AGE GROUP;id;Status"],
    ids=["one", "other"],
)
def test_columns_have_many_names_in_any_order(header):
    assert read_list(f"{header}\nNiamh;Ní Bhriain;Under 14;007;yes".encode()).lines == (READ,)
    swapped = ";".join(reversed(header.split(";")))
    assert read_list(f"{swapped}\nyes;007;Under 14;Ní Bhriain;Niamh".encode()).lines == (READ,)


def test_a_name_beside_a_surname_is_a_first_name():
    assert read_list(b"Name,Surname\nNiamh,Kelly\n").lines[0].name == "Niamh Kelly"
    assert read_list(b"Name,Surname\nMary Ann,Kelly\n").lines[0].first == "Mary Ann"


def test_columns_that_are_not_used_are_told():
    read = read_list(b"First name,Last name,Date of birth,Phone\nNiamh,Kelly,2012-01-01,+353\n")
    assert read.notices == ("Not used: “Date of birth”, “Phone”.",)


def test_blank_lines_count_as_lines_and_are_no_players():
    assert [one.line for one in read_list(f"\n{HEADER}\n,,\nA,B\n\nC,D\n".encode()).lines] == [5, 7]


def test_quoted_cells_may_hold_anything():
    read = read_list(f'{HEADER}"Niamh ""Shay""","Kelly, Burke","Under\n14",,\n'.encode())
    assert (read.lines[0].name, read.lines[0].team) == ('Niamh "Shay" Kelly, Burke', "Under 14")


def test_what_cannot_be_seen_is_taken_out():
    read = read_list(f"{HEADER}\u200bNia\x07mh\u00a0,Ke\u0301lly\u202e,\t Under  14 ,,".encode())
    assert (read.lines[0].first, read.lines[0].last, read.lines[0].team) == ("Nia mh", "Kélly", "Under 14")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("N" * 81 + ",Kelly,,,", "In it, the first name is longer than 80 characters. Shorten it."),
        (f"Niamh,Kelly,{'T' * 121},,", "In it, the team is longer than 120 characters."),
        ("Niamh,Kelly,Under 14,1,yes,more", "It has more cells than the header."),
    ],
    ids=["name", "team", "cells"],
)
def test_a_line_that_does_not_fit_is_kept_with_its_problem(row, words):
    line = read_list((HEADER + row).encode()).lines[0]
    assert line.problem.startswith(words)
    assert len(line.first) <= 80


def test_lines_are_kept_as_plain_rows():
    lines = read_list(ONE.encode()).lines
    assert from_rows(as_rows(lines)) == lines


REFUSALS = {
    "nothing": (b"", "The file is empty."),
    "spaces": (b" \n\t\n", "The file is empty."),
    "byte order mark alone": (b"\xef\xbb\xbf", "The file is empty."),
    "commas alone": (b",,,\n,,\n", "The first line does not name the columns."),
    "excel": (excel(), "This is an Excel or other spreadsheet file, not a CSV file. Save it as CSV"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "This is an old Excel file"),
    "pdf": (b"%PDF-1.7\n", "This is a PDF, not a CSV file."),
    "rich text": (b"{\\rtf1 Niamh}", "This is a text document, not a CSV file."),
    "web page": ("<html><table><tr><td>Niamh</td></tr></table>", "This is a web page, not a CSV file."),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This file holds something other than plain text."),
    "NUL": (f"{HEADER}Nia\x00mh,Kelly,,,", "This file holds something other than plain text."),
    "UTF-16 without its mark": (ONE.encode("utf-16-le"), "This file holds something other than plain text."),
    "UTF-16 cut off": (ONE.encode("utf-16")[:-1], "This file holds something other than plain text."),
    "no encoding": (HEADER.encode() + b"\x81\x8d\x8f,\xff,,,", "The letters of this file cannot be read"),
    "no header": ("Niamh,Kelly,Under 14\nTom,Burke,Minors\n", "The first line does not name the columns."),
    "header alone": (HEADER, "The file has a header and no players under it."),
    "no last name": ("First name,Team\nA,U14\n", "There is no column for the last name. Add it, or one column “Name”"),
    "no first name": ("Surname,Team\nKelly,U14\n", "There is no column for the first name."),
    "no name at all": ("Team,Number\nU14,12\n", "There is no column for the first name and the last name."),
    "a column twice": ("First name,Last name,Team,Squad\nA,B,C,D\n", "Two columns hold the team: “Team” and “Squad”."),
    "open quote": (f'{HEADER}"Niamh,Kelly,,,\nTom,Burke,,,\n', "Its quotation marks do not fit together."),
    "endless cell": (f'{HEADER}"{"N" * 200_000}",Kelly,,,\n', "A cell is too long to be read."),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), REFUSALS.values(), ids=list(REFUSALS))
def test_a_file_that_is_no_list_is_refused_in_words_that_help(data, words):
    told = refusal(data)
    assert told.startswith(words)
    assert told.endswith(".")


def test_a_list_with_too_many_players_is_refused():
    rows = "Niamh,Kelly\n" * (MOST_ROWS + 1)
    assert refusal(f"First name,Last name\n{rows}").startswith("The list has more than 20,000 players.")
    assert len(read_list(f"First name,Last name\n{rows[:-1]}"[:-12].encode()).lines) == MOST_ROWS


@pytest.mark.parametrize("row", ["A,B\n", "\n", "Niamh,Kelly\n"], ids=["tiny", "blank", "usual"])
def test_a_million_rows_are_refused_at_once(row):
    data = ("First name,Last name\n" + row * 1_000_000).encode()
    started = time.monotonic()
    told = refusal(data)
    assert time.monotonic() - started < 2
    assert told.startswith(("The list has more", "The file is too large", "The file has a header"))


def test_a_file_that_is_too_large_is_not_read():
    assert refusal(b"," * (MOST_BYTES + 1)).startswith(
        "The file is too large: a list has at most 20,000 players and 5 MB."
    )
