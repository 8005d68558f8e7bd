from datetime import timedelta

import pytest

from voicepipeline.durations import in_words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(milliseconds=40), "40 ms"),
        (timedelta(seconds=4.4), "4 s"),
        (timedelta(seconds=59.8), "59 s"),
        (timedelta(minutes=12, seconds=10), "12 min"),
        (timedelta(minutes=59, seconds=50), "59 min"),
        (timedelta(hours=3, minutes=5), "3 h 5 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=2, hours=5), "2 days"),
        (timedelta(seconds=-3), "0 ms"),
    ],
)
def test_a_length_of_time_in_words(length, words):
    assert in_words(length) == words
