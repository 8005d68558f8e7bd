"""How often the matching is right on what was labelled by hand; the figures are `python -m tests.matching.labelled`."""

import pytest

from tests.matching.labelled import SETS, SIZES, labelled, measure, people, table

LEAST_PRECISION = 0.99
CASES = [(half, size) for half in SETS for size in SIZES]


@pytest.mark.parametrize("half", SETS)
def test_there_are_at_least_three_hundred_mentions_on_a_roster_of_three_hundred(half):
    assert len(labelled(half)) >= 300
    assert len(people(half)) == 300


@pytest.mark.parametrize(("half", "size"), CASES)
def test_links_are_right_and_no_stranger_is_linked(half, size):
    tally = measure(half, size)
    assert tally.precision >= LEAST_PRECISION
    assert tally.strangers_linked == 0


@pytest.mark.parametrize(("half", "size"), CASES)
def test_a_player_who_is_not_linked_is_among_those_asked_about(half, size):
    tally = measure(half, size)
    assert tally.rightly + tally.asked_with_the_right_one >= 0.98 * tally.findable


def test_the_table_has_a_line_for_each_set_and_roster():
    assert len(table().splitlines()) == 1 + len(CASES)
