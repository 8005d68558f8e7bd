import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.matching import given_names, surnames
from voicepipeline.matching.metaphone import metaphone
from voicepipeline.matching.normalise import fold
from voicepipeline.matching.respelling import as_heard, respelled
from voicepipeline.matching.scoring import ANOTHER_NAME, NICKNAME, SAME_SOUND, VARIANT, given_fit, surname_fit, word
from voicepipeline.matching.similarity import jaro_winkler

NAMES = st.text("abcdefghilmnorstuvy", min_size=1, max_size=14)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("martha", "marhta", 96.1), ("dwayne", "duane", 84.0), ("dixon", "dicksonx", 81.3), ("abc", "xyz", 0.0)],
)
def test_jaro_winkler_gives_the_figures_of_the_literature(one, other, expected):
    assert jaro_winkler(one, other) == pytest.approx(expected, abs=0.05)


@given(NAMES, NAMES)
def test_likeness_is_symmetric_and_within_bounds(one, other):
    assert 0 <= jaro_winkler(one, other) <= 100
    assert jaro_winkler(one, other) == jaro_winkler(other, one)


@given(NAMES, NAMES)
def test_the_fit_of_two_names_is_within_bounds_and_symmetric_for_first_names(one, other):
    assert given_fit(word(one), word(other)).score == given_fit(word(other), word(one)).score
    assert 0 <= given_fit(word(one), word(other)).score <= 100
    assert 0 <= surname_fit(word(one), word(other)).score <= 100


@given(NAMES)
def test_a_name_fits_itself(name):
    assert given_fit(word(name), word(name)).score == surname_fit(word(name), word(name)).score == 100


@pytest.mark.parametrize(
    ("irish", "heard"),
    [
        ("niamh", "neeve"),
        ("caoimhe", "keeva"),
        ("sadhbh", "sive"),
        ("tadhg", "tige"),
        ("cathal", "cahal"),
        ("eoghan", "owen"),
        ("roisin", "roshin"),
        ("cian", "keen"),
        ("fionn", "finn"),
    ],
)
def test_irish_is_respelt_as_an_english_ear_has_it(irish, heard):
    assert jaro_winkler(respelled(irish), as_heard(heard)) >= 88


@pytest.mark.parametrize(
    ("one", "other"),
    [("murphy", "murfy"), ("reid", "reed"), ("maguire", "mcguire"), ("kavanagh", "cavanagh"), ("smith", "smyth")],
)
def test_surnames_that_sound_the_same_have_one_key(one, other):
    assert metaphone(one) == metaphone(other)


@pytest.mark.parametrize(
    ("one", "other"), [("kelly", "kiely"), ("byrne", "breen"), ("doyle", "daly"), ("casey", "cusack")]
)
def test_surnames_that_only_share_consonants_do_not(one, other):
    assert metaphone(one) != metaphone(other)


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [("neve", "niamh", VARIANT), ("owen", "eoghan", VARIANT), ("eva", "aoife", VARIANT), ("kev", "kevin", NICKNAME)],
)
def test_known_spellings_and_short_forms_have_their_score(one, other, score):
    fit = given_fit(word(one), word(other))
    assert (fit.score, fit.sure) == (score, True)


@pytest.mark.parametrize(("one", "other"), [("shane", "sean"), ("colleen", "colin"), ("emily", "emma")])
def test_two_known_first_names_are_never_taken_for_one(one, other):
    fit = given_fit(word(one), word(other))
    assert fit.score <= ANOTHER_NAME
    assert not fit.sure


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kelly", "kelleher"),
        ("moran", "morgan"),
        ("connell", "connolly"),
        ("kirk", "quirke"),
        ("neill", "oneill"),
        ("carthy", "mccarthy"),
        ("petrova", "petrov"),
    ],
)
def test_surnames_that_may_be_two_families_are_not_sure(one, other):
    assert not surname_fit(word(one), word(other)).sure


@pytest.mark.parametrize(("one", "other"), [("murfy", "murphy"), ("daley", "daly"), ("oconaill", "oconnell")])
def test_spellings_of_one_surname_are_sure(one, other):
    fit = surname_fit(word(one), word(other))
    assert fit.score >= SAME_SOUND
    assert fit.sure


@pytest.mark.parametrize("spellings", [given_names.SPELLINGS, given_names.OTHERS, surnames.SPELLINGS])
def test_the_lists_hold_folded_names_once_a_line(spellings):
    for line in spellings.strip().splitlines():
        names = line.split()
        assert [fold(name) for name in names] == names
        assert len(set(names)) == len(names)


def test_every_short_form_stands_for_names_that_are_listed():
    listed = set(f"{given_names.SPELLINGS} {given_names.OTHERS}".split())
    for line in given_names.NICKNAMES.strip().splitlines():
        assert set(line.partition(": ")[2].split()) <= listed
