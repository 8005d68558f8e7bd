"""Live figures are compared with the events, and every difference is told."""

import json
from datetime import timedelta
from random import Random

import pytest
from django.core.management import call_command
from django.db.models import F

from metrics.models import Counter, CounterType
from metrics.verification import compare, find_differences
from tests.factories import make_club
from tests.metrics.counting import MINUTE, db_minute, random_event
from voicepipeline.events import log_event, log_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def falsified():
    """A figure that says 3 where there was one event; put right at the end, for the comparison after every test."""
    log_event("artifact_received", timestamp=db_minute())
    Counter.objects.update(value=3)
    yield Counter.objects.get()
    Counter.objects.update(value=1)


def test_figures_that_are_right_differ_in_nothing():
    random, first, clubs = Random(1), db_minute() - 100 * MINUTE, [make_club(), make_club()]
    log_events(random_event(random, first, 130, clubs) for _ in range(500))
    assert compare() == []


def test_a_wrong_figure_is_told_with_what_it_should_be(falsified):
    (difference,) = compare()
    assert (difference.counted, difference.happened, difference.organization_id) == (3, 1, None)
    assert (difference.minute, difference.counter_type) == (falsified.window_start, CounterType.ARTIFACTS_RECEIVED)
    assert str(difference) == (
        f"{falsified.window_start:%Y-%m-%d %H:%M} UTC, Platform, Voice notes received:"
        " the live figure says 3, the events say 1"
    )


def test_an_event_that_nobody_counted_and_a_figure_of_nothing_are_differences():
    club = make_club()
    log_event("retry_initiated", organization_id=club.pk)
    right = list(Counter.objects.values())
    Counter.objects.filter(organization=club).delete()
    Counter.objects.update(counter_type=CounterType.CLAIMS_EXTRACTED)
    found = {(each.organization_id, each.counter_type, each.counted, each.happened) for each in compare()}
    assert found == {
        (None, CounterType.RETRIES, 0, 1),
        (club.pk, CounterType.RETRIES, 0, 1),
        (None, CounterType.CLAIMS_EXTRACTED, 1, 0),
    }
    Counter.objects.all().delete()
    Counter.objects.bulk_create(Counter(**row) for row in right)


def test_what_is_older_than_live_figures_are_kept_is_not_compared(falsified):
    Counter.objects.update(window_start=F("window_start") - timedelta(hours=3))
    assert [each.minute for each in compare()] == [falsified.window_start]
    assert compare(falsified.window_start + timedelta(hours=3)) == []
    Counter.objects.update(window_start=falsified.window_start)


@pytest.mark.django_db(transaction=True)
def test_the_command_says_that_all_is_right(capsys):
    log_event("artifact_received")
    assert find_differences() == []
    call_command("verify_counters")
    assert capsys.readouterr().out == "The live figures of the last 2 hours are what the events say.\n"


@pytest.mark.django_db(transaction=True)
def test_the_command_tells_every_difference_and_fails(falsified, capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("verify_counters")
    told = capsys.readouterr().out.splitlines()
    assert (ended.value.code, len(told)) == (1, 2)
    assert told[1] == "1 live figure differs from the events of the last 2 hours."


@pytest.mark.django_db(transaction=True)
def test_the_command_answers_scripts(falsified, capsys):
    with pytest.raises(SystemExit):
        call_command("verify_counters", "--json")
    (difference,) = json.loads(capsys.readouterr().out)["differences"]
    assert difference == {
        "organization_id": None,
        "minute": falsified.window_start.isoformat(),
        "counter_type": "artifacts_received_1h",
        "counted": "3",
        "happened": "1",
    }
