"""Whoever started a bulk retry is told, wherever they are, that it has finished or stopped; once, and they alone."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from retry.models import BulkRetry
from tests.factories import make_user
from tests.retry.admin.rows import make_bulk
from voicepipeline import roles

pytestmark = pytest.mark.django_db

INDEX, PROBLEMS = reverse("admin:index"), reverse("admin:retry_failuregroup_changelist")
DONE = {"succeeded": 3, "failed": 1}


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


def notice_on(client, url=INDEX):
    """The words of the notice, or nothing."""
    page = " ".join(client.get(url).content.decode().split())
    found = re.search(r'<div class="vp-banner[^"]*" role="status">(.*?)</div>', page)
    return re.sub(r"<[^>]+>", "", found[1]) if found else ""


def put_away(client, bulk, **given):
    return client.post(reverse("admin:retry_bulkretry_deed", args=[bulk.bulk_id, "put_away"]), given)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"state": "finished", "counts": DONE},
            "Your bulk retry has finished: 3 of 4 voice notes succeeded, 1 failed again.",
        ),
        (
            {"state": "finished", "counts": {"succeeded": 1}},
            "Your bulk retry has finished: 1 of 1 voice note succeeded.",
        ),
        (
            {"state": "halted", "counts": DONE, "state_reason": "The same problem came back."},
            "Your bulk retry of 4 voice notes stopped by itself. The same problem came back.",
        ),
        (
            {"state": "stopped", "counts": DONE, "state_reason": "Stopped by Ana Nowak."},
            "Your bulk retry of 4 voice notes was stopped. Stopped by Ana Nowak.",
        ),
    ],
    ids=["some failed", "finished", "halted", "stopped by another"],
)
def test_its_starter_is_told_in_one_sentence(client, operator, fields, sentence):
    make_bulk(by=operator, **fields)
    assert sentence in notice_on(client)
    assert sentence in notice_on(client, reverse("admin:voicepipeline_artifact_changelist"))


def test_it_leads_to_its_page_from_every_other(client, operator):
    make_bulk(by=operator, state="halted")
    own = reverse("admin:retry_bulkretry_change", args=[BulkRetry.objects.get().bulk_id])
    assert "See why" in notice_on(client)
    assert "See why" not in notice_on(client, own)


@pytest.mark.parametrize("state", ["preview", "trying", "running", "paused"])
def test_nothing_is_told_before_its_end(client, operator, state):
    make_bulk(by=operator, state=state)
    assert notice_on(client) == ""


def test_nobody_else_is_told(client, operator):
    make_bulk(state="finished", counts=DONE)
    assert notice_on(client) == ""


def test_it_leads_to_its_page(client, operator):
    bulk = make_bulk(by=operator, state="finished", counts=DONE)
    url = reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])
    assert f'<a href="{url}">See what came of it</a>' in client.get(INDEX).content.decode()


def test_it_is_put_away_by_a_press_and_does_not_come_back(client, operator):
    bulk = make_bulk(by=operator, state="finished", counts=DONE)
    place = reverse("admin:voicepipeline_artifact_changelist") + "?status=failed"
    assert put_away(client, bulk, next=place)["Location"] == place
    assert notice_on(client) == ""


def test_looking_at_it_does_not_put_it_away(client, operator):
    bulk = make_bulk(by=operator, state="finished", counts=DONE)
    client.get(reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id]))
    assert BulkRetry.objects.get().seen_at is None


@pytest.mark.parametrize("elsewhere", ["https://example.com/", "//example.com/", "javascript:alert(1)", "0", ""])
def test_it_leads_back_to_pages_of_ours_alone(client, operator, elsewhere):
    bulk = make_bulk(by=operator, state="finished", counts=DONE)
    answer = put_away(client, bulk, next=elsewhere)
    assert answer["Location"] == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])


def test_on_a_page_that_answered_a_post_it_does_not_lead_back_there(client, operator):
    bulk = make_bulk(by=operator, state="halted", counts=DONE)
    preview = make_bulk(by=operator)
    refused = client.post(reverse("admin:retry_bulkretry_change", args=[preview.bulk_id]), {"reason": ""})
    back = re.search(r'name="next" value="([^"]*)"', refused.content.decode())[1]
    assert back == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])


def test_somebody_else_cannot_put_it_away(client, operator):
    bulk = make_bulk(state="finished", counts=DONE)
    assert put_away(client, bulk).status_code == 403
    assert BulkRetry.objects.get().seen_at is None


def test_of_two_the_newest_is_told_first(client, operator):
    make_bulk(by=operator, state="finished", counts={"succeeded": 1})
    newer = make_bulk(by=operator, state="finished", counts=DONE)
    assert "3 of 4" in notice_on(client)
    put_away(client, newer)
    assert "1 of 1" in notice_on(client)


def test_what_it_tells_is_no_markup(client, operator):
    make_bulk(by=operator, state="halted", counts=DONE, state_reason="<b>Because</b>")
    assert "&lt;b&gt;Because&lt;/b&gt;" in client.get(INDEX).content.decode()


def test_a_page_asks_once_for_it_whatever_there_is_to_tell(client, operator):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            client.get(PROBLEMS)
        return [query["sql"] for query in queries if "retry_bulkretry" in query["sql"]]

    client.get(INDEX)
    assert len(asked()) == 1
    for _ in range(3):
        make_bulk(by=operator, state="finished", counts={"succeeded": 30, "failed": 3})
    assert len(asked()) == 1


def test_who_can_start_none_is_not_asked_about(client):
    viewer = make_user(roles.VIEWER)
    make_bulk(by=viewer, state="finished", counts=DONE)
    client.force_login(viewer)
    with CaptureQueriesContext(connection) as queries:
        assert notice_on(client, PROBLEMS) == ""
    assert not [query for query in queries if "retry_bulkretry" in query["sql"]]


def test_who_has_no_role_and_who_is_no_staff_is_told_nothing(client):
    without_role = make_user()
    make_bulk(by=without_role, state="finished", counts=DONE)
    client.force_login(without_role)
    assert notice_on(client) == ""
    make_bulk(by=make_user(is_platform_staff=False), state="finished", counts=DONE, seen_at=timezone.now())
    client.logout()
    assert notice_on(client, reverse("admin:login")) == ""
