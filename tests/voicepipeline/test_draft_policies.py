import time
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.ai.schemas import Severity, Topic
from voicepipeline.policies.drafts import (
    ALWAYS_A_PERSON,
    AUTOMATIC_TOPICS,
    DEFAULT_THRESHOLD,
    TRUSTED_FROM,
    WORDS,
    Confirmation,
    bears_out,
    decide_confirmation,
    display_order,
    overall_confidence,
)
from voicepipeline.policies.names import MAX_CORRECTIONS, Correction, correct_names

TOPICS = get_args(Topic)
EASY = {
    "topic": "attendance",
    "overall": 0.95,
    "trust_level": TRUSTED_FROM,
    "threshold": DEFAULT_THRESHOLD,
    "switched_off": False,
    "supported": True,
    "flagged": False,
    "severity": None,
}


def decide(**different):
    return decide_confirmation(**EASY | different)


# --- How sure --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extraction", "resolution", "overall"),
    [
        (0.9, 0.95, 0.855),
        (1, 0.85, 0.85),
        (0, 1, 0),
        (1, 1, 1),
        (0.92, 0.925, 0.851),
        (None, 0.9, None),
        (0.9, None, None),
        (None, None, None),
        (0.9, 95, None),  # a score that nobody divided
        (-0.1, 0.9, None),
        (float("nan"), 0.9, None),
        (0.9, float("inf"), None),
    ],
)
def test_the_whole_is_the_product_and_an_unknown_makes_it_unknown(extraction, resolution, overall):
    assert overall_confidence(extraction, resolution) == overall


# --- Who confirms ----------------------------------------------------------------------------------------------


def test_a_sure_entry_of_a_trusted_coach_needs_no_person():
    assert decide() == Confirmation(automatic=True, reason="trusted_and_sure")


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"severity": "low"}, "has_a_severity"),
        ({"severity": "something else"}, "has_a_severity"),
        ({"supported": False}, "unsupported_quote"),
        ({"for_somebody": False, "topic": "tactical"}, "about_nobody"),
        ({"name_open": True}, "name_open"),
        ({"flagged": True}, "transcript_flagged"),
        ({"topic": "behavior"}, "topic_not_automatic"),
        ({"topic": "parent_communication"}, "topic_not_automatic"),
        ({"topic": "never heard of"}, "topic_not_automatic"),
        ({"switched_off": True}, "switched_off"),
        ({"trust_level": 1}, "coach_not_trusted"),
        ({"trust_level": 0}, "coach_not_trusted"),
        ({"overall": None}, "confidence_unknown"),
        ({"overall": float("nan")}, "confidence_unknown"),
        ({"overall": float("inf")}, "confidence_unknown"),
        ({"overall": 0.8499}, "confidence_too_low"),
        ({"threshold": Decimal("0.96")}, "confidence_too_low"),
    ],
)
def test_one_obstacle_is_enough_for_a_person(different, reason):
    assert decide(**different) == Confirmation(automatic=False, reason=reason)


@pytest.mark.parametrize("different", [{"overall": 0.85}, {"trust_level": 9}, {"severity": ""}, {"overall": 1.0}])
def test_at_the_limit_no_person_is_needed(different):
    assert decide(**different).automatic


@pytest.mark.parametrize("topic", sorted(ALWAYS_A_PERSON))
@pytest.mark.parametrize("severity", [None, *get_args(Severity)])
def test_health_always_needs_a_person(topic, severity):
    everything_for_it = decide(
        topic=topic, severity=severity, overall=1.0, trust_level=99, threshold=Decimal(0), switched_off=False
    )
    assert everything_for_it == Confirmation(automatic=False, reason="topic_needs_a_person")


@pytest.mark.parametrize("topic", TOPICS)
def test_only_the_listed_topics_are_automatic(topic):
    assert decide(topic=topic).automatic is (topic in AUTOMATIC_TOPICS)


def test_the_lists_of_topics_are_real_topics_and_apart():
    assert set(TOPICS) >= AUTOMATIC_TOPICS | ALWAYS_A_PERSON
    assert AUTOMATIC_TOPICS.isdisjoint(ALWAYS_A_PERSON | {"behavior", "parent_communication"})


def test_the_weightiest_obstacle_is_told():
    assert decide(severity="high", flagged=True, overall=None, switched_off=True).reason == "has_a_severity"


@given(
    st.sampled_from([*TOPICS, "x"]),
    st.none() | st.floats(),
    st.integers(0, 5),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_every_decision_has_words(topic, overall, trust, off, supported, flagged):
    decided = decide(
        topic=topic, overall=overall, trust_level=trust, switched_off=off, supported=supported, flagged=flagged
    )
    assert decided.reason in WORDS
    assert decided.automatic is (decided.reason == "trusted_and_sure")


# --- What comes first ------------------------------------------------------------------------------------------


def test_entries_are_shown_with_the_urgent_ones_first():
    expected = [
        ("injury", "critical"),
        ("wellbeing", "critical"),
        ("injury", "high"),
        ("injury", "medium"),
        ("injury", None),
        ("recovery", None),
        ("injury", "low"),
        ("parent_communication", None),
        ("attendance", None),
        ("tactical", None),
        ("team_culture", None),
        ("never heard of", None),
    ]
    placed = [display_order(*entry) for entry in expected]
    assert placed == sorted(placed)
    # An injury without a severity stands beside the medium ones.
    assert len(set(placed)) == len(placed) - 1


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("severity", [None, "", "strange", *get_args(Severity)])
def test_nothing_stands_before_a_critical_injury(topic, severity):
    assert display_order("injury", "critical") <= display_order(topic, severity)


def test_every_topic_has_a_place_of_its_own():
    assert len({display_order(topic, "high") for topic in [*TOPICS, "unknown"]}) == len(TOPICS) + 1


# --- The right name --------------------------------------------------------------------------------------------


def correct(text, *pairs):
    return correct_names(text, [Correction(*pair) for pair in pairs])


NIAMH = ("Neve", "Niamh Kelly")


@pytest.mark.parametrize(
    ("text", "pairs", "corrected"),
    [
        ("Neve was excellent.", [NIAMH], "Niamh Kelly was excellent."),
        ("NEVE, neve and Neve!", [NIAMH], "Niamh Kelly, Niamh Kelly and Niamh Kelly!"),
        ("Neve's ankle", [NIAMH], "Niamh Kelly's ankle"),
        ("NEVE\u2019S ankle", [NIAMH], "Niamh Kelly\u2019S ankle"),
        ("Neve's ankle", [("Neve's", "Niamh Kelly")], "Niamh Kelly's ankle"),
        ("James' ankle", [("James", "Séamas")], "Séamas' ankle"),
        ("'Neve' (neve)", [NIAMH], "'Niamh Kelly' (Niamh Kelly)"),
        ("", [NIAMH], ""),
        ("Neve", [], "Neve"),
        ("Nobody was there", [NIAMH], "Nobody was there"),
    ],
)
def test_a_misheard_name_becomes_the_right_one(text, pairs, corrected):
    assert correct(text, *pairs) == corrected


@pytest.mark.parametrize(
    "text",
    ["Neveu scored", "Never again", "Geneve", "Neve-Marie scored", "Anne-Neve scored", "neve_kelly", "Névé2", "N eve"],
)
def test_only_whole_words_are_names(text):
    assert correct(text, NIAMH) == text


@pytest.mark.parametrize(
    ("text", "pairs", "corrected"),
    [
        ("Roisin scored", [("Róisín", "Róisín O'Brien")], "Róisín O'Brien scored"),
        ("Ro\u0301isi\u0301n scored", [("Roisin", "Róisín O'Brien")], "Róisín O'Brien scored"),
        ("Łukasz and Lukasz", [("Lukasz", "Łukasz Nowak")], "Łukasz Nowak and Łukasz Nowak"),
        ("Se told Seán and Seá", [("Se", "Seamus")], "Seamus told Seán and Seá"),
        ("O\u2019Brien ran", [("O'Brien", "Róisín O'Brien")], "Róisín O'Brien ran"),
        ("OBrien ran", [("O'Brien", "Róisín O'Brien")], "Róisín O'Brien ran"),
        ("Олена бігла", [("олена", "Olena Kovalenko")], "Olena Kovalenko бігла"),
        # Where nothing but the accents tells two people apart, they do.
        ("Sean and Seán", [("Sean", "Shane Byrne"), ("Seán", "Seán Walsh")], "Shane Byrne and Seán Walsh"),
    ],
)
def test_accents_and_apostrophes_are_understood(text, pairs, corrected):
    assert correct(text, *pairs) == corrected


@pytest.mark.parametrize(
    ("text", "pairs", "corrected"),
    [
        ("Neve Kelly ran", [("Neve Kelly", "Niamh Kelly"), ("Neve", "Niamh Byrne")], "Niamh Kelly ran"),
        ("Neve Kelly ran", [("Kelly", "Ellie Kelly"), ("Neve Kelly", "Niamh Kelly")], "Niamh Kelly ran"),
        ("A B C D", [("A B", "One"), ("B C D", "Two")], "A Two"),
        ("Neve and Owen", [("Neve", "Owen Walsh"), ("Owen", "Neve Byrne")], "Owen Walsh and Neve Byrne"),
        ("Neve", [("Neve", "Neve Neve Neve")], "Neve Neve Neve"),
        ("Mary Kate and Mary-Kate", [("Mary Kate", "Mary-Kate Walsh")], "Mary-Kate Walsh and Mary-Kate Walsh"),
        ("J. Murphy and J Murphy", [("J. Murphy", "Jack Murphy")], "Jack Murphy and Jack Murphy"),
        ("for Neve. Kelly came", [("Neve Kelly", "Niamh Kelly")], "for Neve. Kelly came"),
        ("Neve, Kelly and Cian", [("Neve Kelly", "Niamh Kelly")], "Neve, Kelly and Cian"),
        ("Neve's Kelly", [("Neve Kelly", "Niamh Kelly")], "Neve's Kelly"),
    ],
)
def test_the_longest_name_goes_first_and_no_place_is_changed_twice(text, pairs, corrected):
    assert correct(text, *pairs) == corrected


@pytest.mark.parametrize(
    ("text", "pairs", "corrected"),
    [
        ("Niamh Kelly ran", [("Niamh", "Niamh Kelly")], "Niamh Kelly ran"),
        ("Niamh ran, Niamh Kelly too", [("Niamh", "Niamh Kelly")], "Niamh Kelly ran, Niamh Kelly too"),
        ("Niamh Kelly's ankle", [("Kelly", "Niamh Kelly")], "Niamh Kelly's ankle"),
        ("Kelly's ankle", [("Kelly", "Niamh Kelly")], "Niamh Kelly's ankle"),
        ("Neve Kelly ran", [NIAMH], "Niamh Kelly ran"),
        ("Niamh Kelley ran", [("Kelley", "Niamh Kelly")], "Niamh Kelly ran"),
        ("Niamh Kelly ran", [("Niamh Kelly", "Niamh Kelleher")], "Niamh Kelleher ran"),
        ("Niamh Kelly and Neve", [("Niamh", "Niamh Byrne"), NIAMH], "Niamh Kelly and Niamh Kelly"),
        ("Sean Murphy ran", [("Murphy", "Cian Murphy"), ("Sean Murphy", "Sean Murphy")], "Sean Murphy ran"),
    ],
)
def test_a_name_that_is_right_stays_as_it_is(text, pairs, corrected):
    assert correct(text, *pairs) == corrected
    assert correct(corrected, *pairs) == corrected


def test_corrections_that_contradict_each_other_change_nothing():
    assert correct("Murphy ran", ("Murphy", "Cian Murphy"), ("Murphy", "Jack Murphy")) == "Murphy ran"


@pytest.mark.parametrize(
    "pair", [("", "Niamh"), ("Neve", ""), ("Neve", "  "), ("...", "Niamh"), ("x" * 101, "Niamh"), ("a " * 9, "Niamh")]
)
def test_what_is_no_name_is_left_out(pair):
    text = f"Neve ... {'x' * 101} a a a a a a a a a ran"
    assert correct(text, pair) == text


def test_more_corrections_than_a_note_can_have_are_left_out():
    others = [(f"n{number}", "Niamh Kelly") for number in range(MAX_CORRECTIONS)]
    assert correct("Neve and n199", *others, NIAMH) == "Neve and Niamh Kelly"


@pytest.mark.parametrize("raw", [".*", "(a+)+$", "\\", "[", "N?ve", "N.ve", "\\w+"])
def test_a_name_is_no_pattern(raw):
    assert correct("Neve ran aaaaaaaaaaaaaaaaaaaaaaaa!", (raw, "Niamh")) == "Neve ran aaaaaaaaaaaaaaaaaaaaaaaa!"


def test_a_right_name_is_no_template():
    assert correct("Neve ran", ("Neve", "\\1 \\g<0> {0} %s")) == "\\1 \\g<0> {0} %s ran"


@pytest.mark.parametrize(
    "text",
    ["Neve " * 4_000, "a" + "\u0301\u0327" * 9_000, "Neve-" * 4_000, "'" * 20_000, "e'" * 10_000, "Neve " * 500_000],
    ids=["names", "accents", "hyphens", "apostrophes", "one word", "too long"],
)
def test_a_hostile_text_costs_little(text):
    corrections = [Correction(f"{'Neve ' * (number % 8)}n{number}", "Niamh Kelly") for number in range(5_000)]
    started = time.process_time()
    corrected = correct_names(text, [Correction(*NIAMH), *corrections])
    assert time.process_time() - started < 5
    assert len(corrected) <= len(text) * 3


@given(st.text(max_size=200), st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=5))
def test_any_text_and_any_names_are_survived(text, pairs):
    assert isinstance(correct(text, *pairs), str)


@given(st.text(max_size=200))
def test_without_the_name_in_it_a_text_stays_as_it_is(text):
    assert correct(text, ("Zebedeusz", "Zbigniew Nowak")) == text


@pytest.mark.parametrize(
    ("said", "quote", "enough"),
    [
        ("Niamh was sharp today.", "was", False),
        ("Niamh was sharp today.", "Niamh was", False),
        ("Niamh was sharp today.", "was sharp today", True),
        ("Good. Well done! Home.", "Well done", True),
        ("Good.\n\u201cWell done\u201d", "Well done", True),
        ("Well done", "Well done", True),
        ("He said well done", "well done", False),
        ("Well done to Niamh", "Well done", False),
        ("Good - - - day to all", "Good - - - day", False),
        ("O'Brien didn't play", "O'Brien didn't", False),
    ],
)
def test_three_words_or_a_whole_sentence_bear_a_statement_out(said, quote, enough):
    at = said.index(quote)
    assert bears_out(said, at, at + len(quote)) is enough


def test_what_is_not_in_the_transcript_bears_nothing_out():
    assert not bears_out("Niamh was sharp today.", None, None)
    assert not bears_out("", 0, 10)
