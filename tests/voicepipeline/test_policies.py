from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.policies.backoff import LONGEST_DELAY, retry_delay
from voicepipeline.policies.fingerprints import fingerprint


def no_jitter(low: float, high: float) -> float:
    return 0.0


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (9, 900), (500, 900)])
def test_the_pause_doubles_up_to_a_quarter_of_an_hour(failures, seconds):
    assert retry_delay(failures, retry_after=None, jitter=no_jitter) == timedelta(seconds=seconds)


def test_a_longer_wish_of_the_provider_is_honoured():
    assert retry_delay(1, retry_after=timedelta(hours=2), jitter=no_jitter) == timedelta(hours=2)


def test_a_shorter_wish_is_not():
    assert retry_delay(1, retry_after=timedelta(seconds=1), jitter=no_jitter) == timedelta(seconds=5)


@given(st.integers(1, 1000), st.floats(-0.25, 0.25))
def test_the_pause_stays_within_its_bounds(failures, spread):
    pause = retry_delay(failures, retry_after=None, jitter=lambda low, high: spread)
    assert timedelta(seconds=3.75) <= pause <= LONGEST_DELAY


def test_failures_that_differ_in_numbers_and_ids_are_one_problem():
    one = fingerprint("transcription", "too_large", "30.5 MB in 8b1f4c1e-4a53-4ad6-9d8e-2f1c1d5b7a10")
    other = fingerprint("transcription", "too_large", "27 MB in 00000000-4a53-4ad6-9d8e-2f1c1d5b7a10")
    assert one == other


@pytest.mark.parametrize(
    "other",
    [("claims_extraction", "too_large", "m"), ("transcription", "too_long", "m"), ("transcription", "too_large", "n")],
)
def test_failures_that_differ_otherwise_are_not(other):
    assert fingerprint("transcription", "too_large", "m") != fingerprint(*other)
