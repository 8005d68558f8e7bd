"""The limits of retries: from the settings, and only such that retries can begin and stop."""

from datetime import timedelta

import pytest
from django.core.checks import registry

from retry.checks import check_limits
from retry.limits import Limits, limits

DAY = 86_400


def test_without_settings_the_limits_are_those_agreed_on(settings):
    settings.RETRY = {}
    assert limits() == Limits()
    assert check_limits(None) == []


def test_the_check_is_made_whenever_the_program_starts():
    assert check_limits in registry.registry.get_checks()


def test_the_settings_change_them_with_durations_in_seconds(settings):
    settings.RETRY = {"preview_valid_for": 600, "tried_first": "5"}
    assert (limits().preview_valid_for, limits().tried_first) == (timedelta(minutes=10), 5)


@pytest.mark.parametrize(
    "given",
    [{"tryed_first": 1}, {"tried_first": "few"}, {"tried_first": None}, {"preview_valid_for": 1e300}, []],
    ids=["a name nobody knows", "no number", "nothing", "for ever", "no dict"],
)
def test_what_nobody_understands_is_told(settings, given):
    settings.RETRY = given
    (error,) = check_limits(None)
    assert error.id == "retry.E001"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"retries_an_hour": 0}, "retries_an_hour must be 1 or more"),
        ({"destructive_an_hour": -1}, "destructive_an_hour must be 1 or more"),
        ({"most_in_bulk": 10_000_000}, "1,000,000 at most"),
        ({"tried_first": 0}, "tried_first must be 1 or more"),
        ({"share_of_workers_percent": 101}, "share_of_workers_percent must be from 1 to 100"),
        ({"stops_above_percent": 0}, "stops_above_percent must be from 1 to 100"),
        ({"preview_valid_for": 59}, "1 min or more"),
        ({"preview_valid_for": 31 * DAY}, "30 days at most"),
        ({"longest_step": 0}, "longest_step must be 100 ms or more"),
        ({"looked_back_at": 2}, "looked_back_at must be as large as tried_first"),
    ],
)
def test_limits_that_contradict_each_other_or_nobody_can_keep_are_errors(settings, given, sentence):
    settings.RETRY = given
    (error,) = check_limits(None)
    assert error.id == "retry.E002"
    assert sentence in error.msg
