"""When a service is paused, who tests it, and how fast what waited is let go."""

from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.policies.breaker import (
    CLOSED,
    HALF_OPEN,
    OPEN,
    Rules,
    Standing,
    Tally,
    Verdict,
    next_test_at,
    opens,
    pause_after_failed_test,
    ramp,
    room,
    verdict,
)

NOW = datetime(2026, 11, 3, 14, 0, tzinfo=UTC)
RULES = Rules(faults_in_a_row=5, calls=10, share_percent=50)


def ahead(seconds):
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (Standing(), Verdict.PASS),
        (Standing(OPEN, next_probe_at=ahead(1)), Verdict.HOLD),
        (Standing(OPEN, next_probe_at=NOW), Verdict.PROBE),
        (Standing(OPEN, next_probe_at=None), Verdict.HOLD),
        (Standing(OPEN, needs_person=True, next_probe_at=ahead(-60)), Verdict.HOLD),
        (Standing(HALF_OPEN, probe_until=ahead(1), probing=True), Verdict.HOLD),
        (Standing(HALF_OPEN, probe_until=NOW, probing=True), Verdict.PROBE),
        (Standing(HALF_OPEN, probe_until=ahead(1), probing=False), Verdict.PROBE),
        (Standing(HALF_OPEN, needs_person=True, probe_until=ahead(-1)), Verdict.HOLD),
        (Standing(CLOSED, next_probe_at=ahead(60)), Verdict.PASS),
    ],
)
def test_who_may_use_a_service(standing, expected):
    assert verdict(standing, NOW) is expected


@pytest.mark.parametrize(
    ("tally", "expected"),
    [
        (Tally(4, 4, 4), False),
        (Tally(5, 5, 5), True),
        (Tally(1, 9, 9), False),
        (Tally(1, 10, 5), True),
        (Tally(1, 10, 4), False),
        (Tally(1, 11, 5), False),
        (Tally(0, 0, 0), False),
    ],
)
def test_what_pauses_a_service(tally, expected):
    assert opens(tally, RULES) is expected


def test_the_pause_between_tests_doubles_up_to_the_longest():
    pause, pauses = timedelta(seconds=60), []
    for _ in range(6):
        pauses.append(pause.total_seconds())
        pause = pause_after_failed_test(pause, timedelta(minutes=15))
    assert pauses == [60, 120, 240, 480, 900, 900]


@pytest.mark.parametrize(("asked", "seconds"), [(None, 60), (timedelta(seconds=5), 60), (timedelta(minutes=4), 240)])
def test_the_next_test_is_never_sooner_than_the_provider_asked(asked, seconds):
    assert next_test_at(NOW, timedelta(seconds=60), asked) == ahead(seconds)


def test_what_is_let_go_doubles_each_second():
    assert [ramp(timedelta(seconds=second)) for second in (-1, 0, 0.9, 1, 2, 3, 10)] == [1, 1, 1, 2, 4, 8, 1024]


@pytest.mark.parametrize(
    ("workers", "in_hand", "closed_for", "expected"),
    [(32, 0, None, 16), (32, 10, None, 6), (32, 20, None, 0), (1, 0, None, 1), (1, 1, None, 0), (32, 0, 2, 4),
     (32, 3, 2, 1), (32, 0, 3600, 16)],
)  # fmt: skip
def test_half_of_the_workers_at_most_get_what_was_on_hold(workers, in_hand, closed_for, expected):
    span = None if closed_for is None else timedelta(seconds=closed_for)
    assert room(workers, in_hand, closed_for=span) == expected
