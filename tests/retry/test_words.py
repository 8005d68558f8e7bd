from datetime import timedelta
from decimal import Decimal

import pytest

from retry.words import amount, cost_in_words, deleted_in_words, printable, time_in_words


@pytest.mark.parametrize(
    ("cost", "without", "words"),
    [
        ("0.84", 3, "about $0.84, unknown for 3"),
        ("0.8351", 0, "about $0.84"),
        ("1234.5", 0, "about $1,234.50"),
        ("0.00432", 0, "about $0.0043"),
        ("0.05", 0, "about $0.05"),
        ("0.000001", 0, "about $0.0001"),
        ("0", 0, "nothing"),
        ("0", 2, "nothing, unknown for 2"),
        (None, 3, "unknown"),
        (None, 0, "nothing"),
    ],
)
def test_a_cost_is_rounded_and_what_is_unknown_is_never_nothing(cost, without, words):
    assert cost_in_words(None if cost is None else Decimal(cost), without) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "unknown"), (0.2, "about 1 s"), (42, "about 42 s"), (250, "about 4 min")]
)
def test_a_time_is_told_about(seconds, words):
    assert time_in_words(None if seconds is None else timedelta(seconds=seconds)) == words


def test_what_is_deleted_is_listed_in_the_order_of_the_stages():
    deleted = {"suggested entries": 1, "matched names": 0, "drawings": 2, "statements": 4, "transcripts": 1}
    assert deleted_in_words(deleted) == "1 transcript, 4 statements, 1 suggested entry, 2 drawings"
    assert deleted_in_words({"transcripts": 0}) == "nothing"


@pytest.mark.parametrize(("number", "words"), [(0, "0 voice notes"), (1, "1 voice note"), (1204, "1,204 voice notes")])
def test_one_is_told_as_one(number, words):
    assert amount(number, "voice notes") == words


def test_a_terminal_gets_nothing_to_act_on():
    assert printable("a\x1b[2Jb\n" + "c" * 100) == "a�[2Jb�" + "c" * 52 + "…"
