"""What problems and retries say on the overview and on the page Pipeline."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from retry import groups
from retry.overview import load
from retry.pipeline import problems
from tests.factories import make_club, make_user
from tests.retry.admin.rows import make_bulk
from tests.retry.factories import make_attempt
from tests.retry.problems import fail
from voicepipeline import roles
from voicepipeline.overview.parts import Level

pytestmark = pytest.mark.django_db


def concerns(rf):
    return list(load(rf.get("/"), timezone.now()).concerns)


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


def test_retries_that_failed_again_are_counted(rf):
    make_attempt(fail(), outcome="failed", finished_at=timezone.now())
    found = {concern.key: concern for concern in concerns(rf)}["retries-failed"]
    assert found.sentence == "1 retry failed again"
    assert found.url.endswith("?outcome__exact=failed&requested=24h")


def test_bulk_retries_that_stopped_by_themselves_wait_for_a_person(rf):
    make_bulk(state="halted")
    (found,) = concerns(rf)
    assert found.sentence == "1 bulk retry has stopped by itself"


def test_it_is_two_questions_whatever_there_is(rf):
    for _ in range(3):
        fail(organization=make_club())
    with CaptureQueriesContext(connection) as asked:
        concerns(rf)
    assert len(asked) == 2


def test_the_page_pipeline_has_the_problems_of_its_stage_and_time(rf):
    fail(organization=make_club())

    def shown(**query):
        return len(problems(rf.get("/", query), timezone.now())["rows"])

    assert (shown(), shown(stage="claims_extraction"), shown(stage="entity_resolution")) == (1, 1, 0)
    later = timezone.now() + timedelta(hours=3)
    assert problems(rf.get("/", {"range": "1h"}), later)["rows"] == []


def test_nonsense_in_its_address_is_the_usual(rf):
    given = problems(rf.get("/", {"range": "x", "stage": "y"}), timezone.now())
    assert [each["words"] for each in given["ranges"] if each["is_chosen"]] == ["Last 24 hours"]
