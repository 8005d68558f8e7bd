"""How long what is kept: from the settings, and only such that no figure is lost."""

from datetime import timedelta

import pytest

from metrics.checks import check_limits
from metrics.limits import Limits, limits

HOUR, DAY = 3600, 86_400


def test_without_settings_the_limits_are_those_agreed_on(settings):
    settings.METRICS = {}
    assert limits() == Limits()
    assert check_limits(None) == []


def test_the_settings_change_them_in_seconds(settings):
    settings.METRICS = {"events_kept": 24 * HOUR, "hours_counted_again": "4"}
    assert (limits().events_kept, limits().hours_counted_again) == (timedelta(days=1), 4)


@pytest.mark.parametrize(
    "given",
    [{"evnts_kept": 1}, {"events_kept": "long"}, {"hours_counted_again": None}, {"days_kept": 1e300}, []],
    ids=["a name nobody knows", "no number", "nothing", "for ever", "no dict"],
)
def test_what_nobody_understands_is_told(settings, given):
    settings.METRICS = given
    (error,) = check_limits(None)
    assert error.id == "metrics.E001"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        pytest.param(
            {"events_kept": 6 * HOUR - 1}, "events_kept must be 6 hours", id="an hour that is still written to"
        ),
        pytest.param({"hours_counted_again": 48}, "longer than hours_counted_again", id="events that are needed again"),
        pytest.param({"events_kept": 6 * DAY + HOUR}, "a day longer than events_kept", id="hours before their events"),
        pytest.param({"hours_kept": 2 * DAY - 1}, "hours_kept must be 2 days", id="hours of yesterday"),
        pytest.param({"days_kept": 7 * DAY - 1}, "days_kept must be as long", id="days before their hours"),
        pytest.param({"hours_counted_again": 0}, "must be 1 or more", id="no hour again"),
        pytest.param({"deleted_at_once": 0}, "must be 1 or more", id="nothing at once"),
        pytest.param({"job_runs_kept": -1}, "cannot be negative", id="runs of the future"),
        pytest.param({"days_kept": 1e11}, "days_kept cannot be negative or longer", id="days of before the calendar"),
        pytest.param({"job_runs_kept": 1e11}, "job_runs_kept cannot be negative or longer", id="runs of before it"),
        pytest.param({"counters_folded_after": 1e13}, "counters_folded_after cannot", id="minutes for ever"),
        pytest.param({"hours_counted_again": 10**15}, "hours_counted_again must be", id="all hours again"),
        pytest.param({"deleted_at_once": 10**30}, "deleted_at_once must be", id="more than there are"),
    ],
)
def test_limits_under_which_figures_would_be_lost_are_errors(settings, given, sentence):
    settings.METRICS = given
    (error,) = check_limits(None)
    assert (error.id, error.hint) == ("metrics.E002", "Change METRICS in the settings.")
    assert sentence in error.msg


@pytest.mark.parametrize(
    "given",
    [
        {"events_kept": 6 * HOUR},
        {"events_kept": 6 * DAY},
        {"hours_kept": 3 * DAY},
        {"days_kept": 7 * DAY},
        {"days_kept": 36_500 * DAY},
    ],
    ids=str,
)
def test_limits_that_just_fit_are_none(settings, given):
    settings.METRICS = given
    assert check_limits(None) == []
