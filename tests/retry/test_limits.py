"""How often one note, and by how much one person, may retry; and when somebody has to say what has changed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry.models import RetryKind
from retry.operations import retry_claims_extraction, retry_failed_stage, retry_full_pipeline
from tests.factories import make_user
from tests.retry.dumps import dump
from tests.retry.factories import CODE, STATEMENTS, make_attempt, make_confirmed, make_failed, make_ready
from voicepipeline import roles
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_user(roles.ADMINISTRATOR)


def minutes_ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def ended(note, by, **fields):
    return make_attempt(note, by, outcome="failed", failed_stage=STATEMENTS, error_code=CODE, **fields)


def retried(note, by, times, *, minutes):
    """So many times, a minute apart, the first so many minutes ago."""
    return [ended(note, by, requested_at=minutes_ago(minutes - number)) for number in range(times)]


# --- Of one note -------------------------------------------------------------------------------------------------


def test_the_eleventh_retry_within_an_hour_is_refused_and_told_when_it_is_possible(ana):
    note = make_failed()
    first, *_ = retried(note, ana, 10, minutes=50)
    before = dump()
    result = retry_failed_stage(note.artifact_id, by=make_user(roles.OPERATOR))
    again = first.requested_at + timedelta(hours=1)
    assert not result.success
    assert f"{again:%H:%M} (UTC)" in result.message
    assert dump() == before


def test_what_is_told_as_possible_is_possible_then(ana, settings):
    settings.RETRY = {"retries_an_hour": 2}
    note = make_failed()
    retried(note, ana, 2, minutes=61)
    assert retry_failed_stage(note.artifact_id, by=ana).success


def test_of_more_than_the_most_the_last_ones_count(ana, settings):
    """As when the limit has been lowered since."""
    settings.RETRY = {"retries_an_hour": 2}
    note = make_failed()
    attempts = retried(note, ana, 5, minutes=50)
    again = attempts[-2].requested_at + timedelta(hours=1)
    assert f"{again:%H:%M} (UTC)" in retry_failed_stage(note.artifact_id, by=ana).message


def test_the_tenth_is_not_refused_and_other_notes_do_not_count(ana):
    note = make_failed()
    retried(note, ana, 9, minutes=50)
    retried(make_failed(), ana, 10, minutes=50)
    assert retry_failed_stage(note.artifact_id, by=ana).success


def test_a_refused_retry_is_no_retry(ana, settings):
    settings.RETRY = {"retries_an_hour": 1}
    note = make_failed()
    for _ in range(3):
        assert not retry_full_pipeline(note.artifact_id, by=ana, reason="").success
    assert retry_failed_stage(note.artifact_id, by=ana).success


def test_deleting_events_gives_nobody_more_retries(ana, settings):
    settings.RETRY = {"retries_an_hour": 1}
    note = make_failed()
    ended(note, ana)
    PipelineEvent.objects.all().delete()
    assert "once within" in spelled(retry_failed_stage(note.artifact_id, by=ana).message)


def spelled(message):
    return message.replace("1 times within", "once within")


# --- Of one person -----------------------------------------------------------------------------------------------


def test_one_person_starts_over_only_so_often_within_an_hour(ana, settings):
    settings.RETRY = {"destructive_an_hour": 2}
    for minutes in (50, 40):
        make_attempt(make_failed(), ana, kind=RetryKind.FULL, requested_at=minutes_ago(minutes))
    note = make_ready()
    before = dump()
    result = retry_full_pipeline(note.artifact_id, by=ana, reason="Anew.")
    assert not result.success
    assert f"{minutes_ago(50) + timedelta(hours=1):%H:%M} (UTC)" in result.message
    assert dump() == before


def test_what_others_start_over_does_not_count(ana, settings):
    settings.RETRY = {"destructive_an_hour": 1}
    make_attempt(make_failed(), make_user(roles.ADMINISTRATOR), kind=RetryKind.FULL)
    assert retry_full_pipeline(make_ready().artifact_id, by=ana, reason="Anew.").success


def test_replacing_confirmed_entries_counts_as_starting_over_does(ana, settings):
    settings.RETRY = {"destructive_an_hour": 1}
    make_attempt(make_failed(), ana, agreed_to=2)
    note = make_ready()
    make_confirmed(note)
    agreed = {"reason": "The prompt.", "agreed_to": 1}
    assert "within an hour" in retry_claims_extraction(note.artifact_id, by=ana, **agreed).message
    assert "within an hour" in retry_full_pipeline(note.artifact_id, by=ana, **agreed).message


def test_what_deletes_only_what_the_machine_makes_again_is_not_capped(ana, settings):
    settings.RETRY = {"destructive_an_hour": 1}
    make_attempt(make_failed(), ana, kind=RetryKind.FULL)
    assert retry_claims_extraction(make_ready().artifact_id, by=ana).success


# --- The same problem again and again ----------------------------------------------------------------------------


def same_problem(note, by, times, **fields):
    for number in range(times):
        ended(note, by, problem=note.fingerprint, requested_at=minutes_ago(300 - number), **fields)


def test_after_the_same_problem_three_times_somebody_has_to_say_what_has_changed(ana):
    note = make_failed()
    same_problem(note, ana, 3)
    before = dump()
    result = retry_failed_stage(note.artifact_id, by=ana)
    assert not result.success
    assert "last 3 retries ended with the same problem. Say what has changed" in result.message
    assert dump() == before
    assert retry_failed_stage(note.artifact_id, by=ana, reason="The recording was replaced.").success


def test_after_the_same_problem_twice_nobody_is_asked(ana):
    note = make_failed()
    same_problem(note, ana, 2)
    assert retry_failed_stage(note.artifact_id, by=ana).success


def test_another_problem_in_between_begins_the_count_anew(ana):
    note = make_failed()
    same_problem(note, ana, 2)
    ended(note, ana, problem="another", requested_at=minutes_ago(200))
    ended(note, ana, problem=note.fingerprint, requested_at=minutes_ago(190))
    assert retry_failed_stage(note.artifact_id, by=ana).success


@pytest.mark.parametrize("outcome", ["superseded", "not_started"])
def test_what_came_to_nothing_in_between_does_not_begin_it_anew(ana, outcome):
    note = make_failed()
    same_problem(note, ana, 2)
    make_attempt(note, ana, outcome=outcome, requested_at=minutes_ago(250))
    ended(note, ana, problem=note.fingerprint, requested_at=minutes_ago(240))
    assert "Say what has changed" in retry_failed_stage(note.artifact_id, by=ana).message


def test_every_kind_asks_what_has_changed(ana):
    note = make_failed()
    same_problem(note, ana, 3)
    assert "Say what has changed" in retry_full_pipeline(note.artifact_id, by=ana).message
