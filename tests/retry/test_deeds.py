"""What people did about failures, as the overview tells it: each once, in words, with where it leads."""

import pytest
from django.urls import reverse

from retry import groups
from retry.deeds import NEWEST, deed_questions, deeds_of
from retry.models import FailureMark, RetryAttempt
from tests.factories import make_note, make_user
from tests.retry.admin.rows import make_bulk
from tests.retry.factories import make_attempt, make_failed
from tests.retry.problems import fail, fail_again
from voicepipeline import roles
from voicepipeline.overview.asking import ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")


def deeds():
    return list(deeds_of(ask(**deed_questions())))


def told():
    return [f"{deed.who} {deed.sentence}" for deed in deeds()]


def test_nobody_has_done_anything():
    fail()
    make_bulk()
    assert told() == []


def test_retries_in_a_row_are_one_line(ana):
    for _ in range(3):
        make_attempt(make_note(), ana)
    make_attempt(make_note(), make_user(roles.OPERATOR, first_name="Ben", last_name="Daly"))
    make_attempt(make_note(), ana)
    assert told() == [
        "Ana Nolan retried a voice note",
        "Ben Daly retried a voice note",
        "Ana Nolan retried 3 voice notes",
    ]


def test_who_starts_notes_over_is_told_so(ana):
    make_attempt(make_note(), ana, kind="full")
    assert told() == ["Ana Nolan started a voice note over"]


def test_a_retry_leads_to_its_note(ana):
    note = make_note()
    make_attempt(note, ana, outcome="failed")
    make_attempt(note, ana)
    assert [deed.url for deed in deeds()] == [reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])]


def test_several_lead_to_exactly_them(client, ana):
    make_attempt(make_note(), make_user(roles.OPERATOR))
    mine = {make_attempt(make_note(), ana).pk for _ in range(2)}
    make_bulk(state="running", by=ana, counts={"requested": 2})
    client.force_login(ana)
    url = next(deed.url for deed in deeds() if deed.sentence == "retried 2 voice notes")
    assert {row.pk for row in client.get(url).context["cl"].result_list} == mine


def test_a_bulk_retry_is_one_line_and_its_retries_are_none(ana):
    bulk = make_bulk(state="running", by=ana, counts={"requested": 2, "succeeded": 3})
    (deed,) = deeds()
    assert (deed.who, deed.sentence) == ("Ana Nolan", "started a bulk retry of 5 voice notes")
    assert deed.url == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])


def test_what_was_retried_before_a_bulk_retry_is_still_told(ana):
    make_attempt(make_failed(), ana)
    make_bulk(state="running", by=ana, counts={"requested": 150})
    assert "Ana Nolan retried a voice note" in told()


def test_no_more_retries_than_the_newest_are_looked_through(ana):
    make_attempt(make_failed(), ana)
    note, like = make_note(), {"kind": "claims_extraction", "generation": 1, "requested_by": ana}
    rows = [
        RetryAttempt(artifact=note, number=number, requested_at=ana.date_joined, **like) for number in range(1, 1001)
    ]
    RetryAttempt.objects.bulk_create(rows)
    assert (len(rows), told()) == (NEWEST, ["Ana Nolan retried 100+ voice notes"])


def test_what_people_decide_about_a_problem_is_told_and_leads_to_it(ana):
    problem = fail().fingerprint
    groups.mark_fixed(problem, by=ana, note="A new key.")
    groups.reopen(problem, by=ana)
    assert told() == [
        "Ana Nolan opened a problem again: Declined by the AI model",
        "Ana Nolan marked a problem as fixed: Declined by the AI model",
    ]
    assert {deed.url for deed in deeds()} == {reverse("admin:retry_failuregroup_change", args=[problem])}


def test_a_problem_that_comes_back_by_itself_is_nobodys_deed(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="A new key.")
    fail_again(note)
    assert FailureMark.objects.filter(kind="came_back").exists()
    assert len(told()) == 1
