"""Counting hours and days by hand."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from metrics.models import MetricsSnapshot, Period
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.factories import hour, make_period, make_snapshot
from tests.metrics.telling import break_the_counting_of, tell
from tests.threads import at_once, raised
from voicepipeline.models import Organization

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def run(capsys, *arguments, **options):
    call_command("aggregate_metrics", *arguments, **options)
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def last():
    """The last hour that is over."""
    return hour(timezone.now(), back=1)


@pytest.fixture
def yesterday():
    return hour(timezone.now()).replace(hour=0) - DAY


@pytest.fixture(autouse=True)
def _one_moment():
    """No hour begins while a test runs."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture(autouse=True)
def _a_club_of_long_ago():
    Organization.objects.filter(pk=make_club().pk).update(created_at=timezone.now() - 2 * DAY)


def test_it_counts_the_last_hour_that_is_over(capsys, last):
    tell(last, last)
    assert run(capsys, "hourly") == [f"{last:%Y-%m-%d %H:%M}  counted 2 events"]
    assert MetricsSnapshot.objects.get(period_start=last, organization=None).artifacts_received == 2


def test_the_last_day_that_is_over(capsys, yesterday):
    for number in range(2):
        make_snapshot("hour", yesterday + number * HOUR)
    assert run(capsys, "daily") == [f"{yesterday:%Y-%m-%d}  counted 0 events of 2 hours"]


def test_a_day_whose_hours_nobody_counted_is_told(capsys, yesterday):
    (line,) = run(capsys, "daily")
    assert line.endswith("has no counted hours: run aggregate_metrics hourly first")


def test_backfill_counts_those_before_it_the_oldest_first(capsys, last):
    lines = run(capsys, "hourly", backfill=2)
    assert [line[:16] for line in lines] == [f"{last - back * HOUR:%Y-%m-%d %H:%M}" for back in (2, 1, 0)]
    assert Period.objects.count() == 3


def test_backfill_goes_no_further_back_than_there_was_anything(capsys, last):
    lines = run(capsys, "hourly", backfill=100_000)
    first = (timezone.now() - 2 * DAY).replace(hour=0, minute=0)
    assert (lines[0][:16], len(lines)) == (f"{first:%Y-%m-%d %H:%M}", (last - hour(first)) // HOUR + 1)


@pytest.mark.parametrize("period", ["hourly", "daily"])
def test_what_nothing_is_known_of_is_not_written_as_nought(period, last):
    with pytest.raises(CommandError, match="There is nothing of before"):
        call_command("aggregate_metrics", period, at=(last - 20 * DAY).isoformat())
    assert not Period.objects.exists()


def test_events_of_before_all_that_was_counted_can_be_counted_by_hand(capsys, last):
    tell(last - 20 * DAY)
    (line,) = run(capsys, "hourly", at=(last - 20 * DAY).isoformat())
    assert line.endswith("counted 1 event")


@pytest.mark.parametrize(
    "write",
    [
        lambda start: f"{start:%Y-%m-%dT%H:%M}",
        lambda start: f"{start:%Y-%m-%d %H}:59:59",
        lambda start: f"{start + timedelta(hours=2, minutes=30):%Y-%m-%dT%H:%M}+02:30",
        lambda start: f"{start:%Y-%m-%dT%H:%M}Z",
    ],
    ids=["a time", "a moment within", "of another zone", "marked as UTC"],
)
def test_any_moment_of_the_hour_names_it(capsys, last, write):
    start = last - 5 * HOUR
    (line,) = run(capsys, "hourly", at=write(start))
    assert line.startswith(f"{start:%Y-%m-%d %H:%M}")


def test_an_hour_that_is_not_over_is_counted_when_it_is_named(capsys):
    now = timezone.now()
    (line,) = run(capsys, "hourly", at=now.isoformat())
    assert line.startswith(f"{hour(now):%Y-%m-%d %H:%M}")


def test_a_final_hour_stays(capsys, last):
    make_period("hour", last, sealed_at=timezone.now(), events=9)
    (line,) = run(capsys, "hourly")
    assert line.endswith("is final, it stays as it is")


@pytest.mark.django_db(transaction=True)
def test_one_that_somebody_else_counts_is_no_failure(capsys, last):
    with transaction.atomic():
        hold_period("hour", last)
        assert not raised(at_once(lambda: call_command("aggregate_metrics", "hourly")))
    assert "is being counted by somebody else just now" in capsys.readouterr().out


def test_it_ends_with_1_when_something_could_not_be_counted_and_goes_on_with_the_rest(capsys, last):
    break_the_counting_of(last - HOUR)
    with pytest.raises(CommandError, match="1 hour could not be counted in full"):
        call_command("aggregate_metrics", "hourly", backfill=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("  ")[2][:19] for line in lines] == [
        "counted 0 events",
        "could not be counte",
        "counted 0 events",
    ]


def test_as_json_each_line_is_one_period(capsys, last):
    tell(last)
    first, second = (json.loads(line) for line in run(capsys, "hourly", backfill=1, json=True))
    assert (first["start"], first["events"]) == ((last - HOUR).isoformat(), 0)
    assert second == {
        "period": "hour",
        "start": last.isoformat(),
        "outcome": "counted",
        "events": 1,
        "rows": second["rows"],
        "gaps": [],
    }


def test_a_day_as_json_says_of_how_many_hours(capsys, yesterday):
    make_snapshot("hour", yesterday)
    (line,) = run(capsys, "daily", json=True)
    assert json.loads(line)["hours"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"at": "yesterday"}, "--at 'yesterday' is no moment. Write it as 2026-03-31T14:00 or 2026-03-31 (UTC)."),
        ({"at": "\x1b[31m"}, "--at '�[31m' is no moment. Write it as 2026-03-31T14:00 or 2026-03-31 (UTC)."),
        ({"at": "9999-12-31T23:00-05:00"}, "is no moment"),
        ({"at": "2999-01-01"}, "--at lies in the future. Choose a moment before now."),
        ({"at": "1999-01-01"}, "History is kept from"),
        ({"backfill": -1}, "--backfill is a number of hours or days: 0 or more."),
    ],
    ids=["no date", "what a terminal acts on", "beyond time", "future", "long gone", "negative"],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(options, sentence):
    with pytest.raises(CommandError) as refusal:
        call_command("aggregate_metrics", "hourly", **options)
    assert sentence in str(refusal.value)
    assert not Period.objects.exists()


def test_however_much_is_asked_for_it_goes_no_further_back_than_history_is_kept(capsys, settings):
    settings.METRICS = {"days_kept": 2 * 86_400, "hours_kept": 2 * 86_400}
    lines = run(capsys, "daily", backfill=10**12)
    assert len(lines) == 1


def test_it_says_what_it_does(capsys):
    with pytest.raises(SystemExit):
        call_command("aggregate_metrics", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert "by default the last one that is" in told
