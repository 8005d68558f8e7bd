import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.ai.quotes import Spoken, find_quote, is_quoted, normalised

SAID = "Well — Róisín O\u2019Brien didn't train.  She's “fine”, really; Łukasz was\nlate."


@pytest.mark.parametrize(
    "quote",
    ["Róisín O'Brien didn\u2019t train", "roisin obrien didnt train", "she's fine really", "Lukasz was late!", "Well"],
)
def test_words_that_were_said_are_a_quote(quote):
    assert is_quoted(quote, SAID)


@pytest.mark.parametrize(
    "quote",
    ["", "…", "Róisín train", "O'Brien trained", "she's fine, really fine", "ate", "Łukasz wasn't late"],
)
def test_words_that_were_not_said_so_are_none(quote):
    assert not is_quoted(quote, SAID)


def test_a_quote_is_found_where_it_stands_in_the_transcript():
    start, end = find_quote("SHES fine", SAID)
    assert SAID[start:end] == "She's “fine"


def test_an_empty_transcript_holds_no_quote():
    assert find_quote("anything", "") is None


def test_a_name_is_said_in_its_possessive_and_ends_before_it():
    spoken = Spoken("Sarah Murphy\u2019s ankle is sore.")
    assert spoken.find("Murphy") == (6, 12)
    assert spoken.find("Sarah Murphy") == (0, 12)
    assert spoken.find("Sarah Murphy's ankle") == (0, 20)
    assert spoken.find("Murphy ankle") is None


@pytest.mark.parametrize(
    ("start", "end", "last", "expected"),
    [
        (0, None, False, 0),
        (1, None, False, 6),
        (0, None, True, 12),
        (0, 11, True, 6),
        (6, 11, False, 6),
        (7, 16, False, None),
    ],
)
def test_the_first_or_last_time_within_a_piece(start, end, last, expected):
    found = Spoken("Aoife Aoife Aoife's").find("Aoife", start=start, end=end, last=last)
    assert (found and found.start) == expected


@given(st.lists(st.sampled_from(["a", "b's", "B", "O\u2019Neill", "_", "é"]), max_size=12), st.data())
def test_every_piece_of_a_transcript_is_found_in_it(words, data):
    transcript = " ".join(words)
    first = data.draw(st.integers(0, len(words)))
    quote = " ".join(words[first : data.draw(st.integers(first, len(words)))])
    found = Spoken(transcript).find(quote)
    assert (found is None) == (normalised(quote) == "")
    if found is not None:
        assert normalised(transcript[slice(*found)]) == normalised(quote)


def test_a_hostile_transcript_costs_no_time():
    spoken = Spoken("a's " * 50_000)
    started = time.process_time()
    for _ in range(60):
        assert spoken.find("as " * 1_400 + "b") is None
    assert time.process_time() - started < 5
