import pytest

from voicepipeline.ai.quotes import find_quote, is_quoted

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
