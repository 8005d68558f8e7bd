"""What problems and retries say on the overview and on the page Pipeline."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from retry import groups
from retry.overview import PROBLEMS_SHOWN, load
from retry.pipeline import problems
from tests.factories import make_club, make_user
from tests.retry.admin.rows import make_bulk
from tests.retry.factories import make_attempt, make_closed, make_failed, make_ready
from tests.retry.problems import fail, make_problems
from voicepipeline import roles
from voicepipeline.overview.parts import Level

pytestmark = pytest.mark.django_db


def asked_by(user, request):
    request.user = user or make_user(roles.OPERATOR)
    return request


def concerns(rf, by=None):
    return list(load(asked_by(by, rf.get("/")), timezone.now()).concerns)


def test_nothing_needs_anybody(rf):
    assert concerns(rf) == []


def test_a_problem_is_told_by_its_notes_and_clubs(rf):
    note = fail(organization=make_club())
    (found,) = concerns(rf)
    assert found.sentence.endswith(": 1 voice note of 1 club")
    assert (found.level, found.deed) == (Level.NOTICE, "Look and retry")
    assert note.fingerprint in found.url


def test_a_problem_of_several_clubs_is_trouble(rf):
    for _ in range(2):
        fail(organization=make_club())
    (found,) = concerns(rf)
    assert (found.level, found.clubs, found.notes) == (Level.TROUBLE, 2, 2)


def test_a_problem_that_somebody_marked_as_fixed_needs_nobody_until_it_comes_back(rf):
    note = fail(organization=make_club())
    groups.mark_fixed(note.fingerprint, by=make_user(roles.OPERATOR), note="A new key.")
    assert concerns(rf) == []
    fail(organization=make_club())
    (found,) = concerns(rf)
    assert found.level == Level.TROUBLE
    assert found.detail.endswith("It came back after it was marked as fixed.")


def test_who_may_not_retry_is_asked_to_look(rf):
    fail(organization=make_club())
    (found,) = concerns(rf, by=make_user(roles.VIEWER))
    assert found.deed == "Look"


def test_problems_beyond_those_shown_are_led_to(rf):
    make_problems(PROBLEMS_SHOWN)
    assert len(concerns(rf)) == PROBLEMS_SHOWN
    fail(message="One more.")
    assert concerns(rf)[-1].url == reverse("admin:retry_failuregroup_changelist")


# --- Retries that failed again ----------------------------------------------------------------------------------------
def failed_again(rf):
    found = {concern.key: concern for concern in concerns(rf)}
    return found.get("retries-failed")


def test_retries_that_failed_again_are_counted_and_lead_to_their_rows(rf, client):
    for _ in range(2):
        make_attempt(make_failed(), outcome="failed")
    make_attempt(make_ready(), outcome="succeeded")
    found = failed_again(rf)
    assert (found.sentence, found.notes) == ("2 retries failed again", 2)
    client.force_login(make_user(roles.VIEWER))
    assert {row.outcome for row in client.get(found.url).context["cl"].result_list} == {"failed"}
    assert client.get(found.url).context["cl"].result_count == 2


@pytest.mark.parametrize("outcome", ["under_way", "succeeded", "superseded", "not_started", "failed"])
def test_only_the_newest_retry_of_a_note_is_counted(rf, outcome):
    note = make_failed()
    make_attempt(note, outcome="failed")
    make_attempt(note, outcome=outcome)
    assert (failed_again(rf) is not None) == (outcome == "failed")
    assert outcome != "failed" or failed_again(rf).notes == 1


def test_a_retry_whose_note_is_no_longer_failed_or_is_closed_needs_nobody(rf):
    make_attempt(make_ready(), outcome="failed")
    make_attempt(make_closed(), outcome="failed")
    assert failed_again(rf) is None


def test_a_retry_of_long_ago_is_not_counted(rf):
    long_ago = timezone.now() - timedelta(hours=25)
    make_attempt(make_failed(), outcome="failed", requested_at=long_ago, finished_at=long_ago)
    assert failed_again(rf) is None


def test_bulk_retries_that_stopped_by_themselves_wait_for_a_person(rf):
    make_bulk(state="halted")
    (found,) = concerns(rf)
    assert found.sentence == "1 bulk retry has stopped by itself"
    make_bulk(state="halted")
    assert concerns(rf)[0].sentence == "2 bulk retries have stopped by themselves"


def test_it_is_two_questions_whatever_there_is(rf):
    for _ in range(3):
        fail(organization=make_club())
    make_bulk(state="running")
    ana = make_user(roles.OPERATOR)
    concerns(rf, by=ana)
    with CaptureQueriesContext(connection) as asked:
        concerns(rf, by=ana)
    assert len(asked) == 2


def test_the_page_pipeline_has_the_problems_of_its_stage_and_time(rf):
    fail(organization=make_club())

    def shown(**query):
        return len(problems(asked_by(None, rf.get("/", query)), timezone.now())["rows"])

    assert (shown(), shown(stage="claims_extraction"), shown(stage="entity_resolution")) == (1, 1, 0)
    later = timezone.now() + timedelta(hours=3)
    assert problems(asked_by(None, rf.get("/", {"range": "1h"})), later)["rows"] == []


def test_nonsense_in_its_address_is_the_usual(rf):
    given = problems(asked_by(None, rf.get("/", {"range": "x", "stage": "y"})), timezone.now())
    assert [each["words"] for each in given["ranges"] if each["is_chosen"]] == ["Last 24 hours"]
