import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.matching.normalise import MAX_CHARACTERS, fold, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Łukasz Wójcik", "lukasz wojcik"),
        ("Søren Ødegård", "soren odegard"),
        ("STRAUß", "strauss"),
        ("Æsa Þóra Đorđe Ðuro", "aesa thora dorde duro"),
        ("Олександр", "oleksandr"),
        ("מרים", "מרים"),
    ],
)
def test_letters_lose_case_and_marks(text, expected):
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seán O'Brien", ("sean", "obrien")),
        ("Seán O\u2019Brien", ("sean", "obrien")),
        ("Sean O Brien", ("sean", "obrien")),
        ("Pádraig Ó Conaill", ("padraig", "oconaill")),
        ("Muireann Ní Bhriain", ("muireann", "nibhriain")),
        ("Orla Mc Grath", ("orla", "mcgrath")),
        ("Bláthnaid Mac Mahon", ("blathnaid", "mcmahon")),
        ("Mary-Kate Fitzgerald", ("mary", "kate", "fitzgerald")),
        ("Niamh's", ("niamh",)),
        ("Sorcha Hayes'", ("sorcha", "hayes")),
        ("T.J. Roche", ("tj", "roche")),
        ("J O'Brien", ("j", "obrien")),
        ("young Niamh", ("niamh",)),
        ("number 7 Murphy", ("murphy",)),
        ("#7 Murphy", ("murphy",)),
        ("Murphy (no. 10)", ("murphy",)),
        ("Young", ("young",)),
        ("Liam Óg", ("liam", "og")),
        ("Mac", ("mac",)),
        ("", ()),
        ("7", ()),
        ("😀 …", ()),
    ],
)
def test_a_name_becomes_its_words(text, expected):
    assert words(text) == expected


@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(st.characters(categories=["L"], max_codepoint=0x17F), max_size=40))
def test_the_words_of_words_are_the_same_words(text):
    once = words(text)
    assert words(" ".join(once)) == once


def test_only_the_beginning_of_a_long_text_is_read():
    assert sum(map(len, words("ab " * 5_000))) <= MAX_CHARACTERS + 1
