from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from voicepipeline.demo.rhythm import moments

FRIDAY = datetime(2026, 11, 20, 9, 17, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_they_lie_between_the_two_and_in_order():
    found = moments(Random(1), since=FRIDAY - WEEK, until=FRIDAY, count=500)
    assert found == sorted(found)
    assert FRIDAY - WEEK <= found[0] < found[-1] <= FRIDAY
    assert len(found) == 500


def test_a_few_minutes_are_enough():
    found = moments(Random(1), since=FRIDAY, until=FRIDAY + timedelta(minutes=11), count=9)
    assert len({*found}) == 9
    assert max(found) < FRIDAY + timedelta(minutes=11)


def test_coaches_speak_in_the_evening_of_weekdays():
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    found = moments(Random(1), since=monday, until=monday + timedelta(days=5), count=2_000)
    hours = Counter(at.hour for at in found)
    assert hours[20] > 4 * hours[12]
    assert hours[20] > 20 * hours[3]


def test_and_around_noon_at_the_weekend():
    saturday = datetime(2026, 11, 14, tzinfo=UTC)
    found = moments(Random(1), since=saturday, until=saturday + timedelta(days=2), count=1_000)
    hours = Counter(at.hour for at in found)
    assert hours[11] > 2 * hours[20]
