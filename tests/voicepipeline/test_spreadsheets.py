import csv
import io

import pytest

from voicepipeline.spreadsheets import csv_lines, safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n=", " =", "\t @"])
def test_what_a_spreadsheet_would_execute_becomes_text(start):
    assert safe_cell(f"{start}HYPERLINK(1)").startswith("'")


@pytest.mark.parametrize(("value", "cell"), [("Niamh", "Niamh"), (None, ""), (12, "12"), ("a=b", "a=b"), ("", "")])
def test_everything_else_stays_as_it_is(value, cell):
    assert safe_cell(value) == cell


def test_quotes_commas_and_lines_survive():
    text = "".join(csv_lines(["a", "b"], [('say "x", twice', "two\nlines")]))
    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], ['say "x", twice', "two\nlines"]]


def test_rows_are_written_one_at_a_time():
    lines = csv_lines(["a"], iter([("1",), ("2",)]))
    assert next(iter(lines)) == "a\r\n"
