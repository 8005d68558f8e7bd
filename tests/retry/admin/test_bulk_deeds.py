"""What people do to a bulk retry, who may, and what is offered when."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from retry.models import BulkRetry, RetryKind
from tests.factories import make_user
from tests.retry.admin.rows import MESSAGE, make_bulk
from tests.retry.factories import make_failed
from voicepipeline import roles

pytestmark = pytest.mark.django_db


def url_of(bulk, page="change", *more):
    return reverse(f"admin:retry_bulkretry_{page}", args=[bulk.bulk_id, *more])


def text_of(client, url):
    return " ".join(client.get(url).content.decode().split())


def page_of(client, bulk):
    return text_of(client, url_of(bulk))


def do(client, bulk, deed):
    return client.post(url_of(bulk, "deed", deed))


def offered(client, bulk):
    return set(re.findall(r'id="do-(\w+)"', page_of(client, bulk)))


def test_it_is_paused_and_goes_on_with_a_few_first_or_with_all(client, operator):
    bulk = make_bulk(state="running", by=operator, counts={"waiting": 9, "succeeded": 3})
    assert do(client, bulk, "pause")["Location"] == url_of(bulk)
    assert "Paused by Aoife Kelly." in page_of(client, bulk)
    do(client, bulk, "resume")
    assert BulkRetry.objects.get().state == "trying"
    do(client, bulk, "pause")
    do(client, bulk, "resume_all")
    assert BulkRetry.objects.get().state == "running"


def test_it_is_stopped_on_a_page_that_says_what_that_means(client, operator):
    bulk = make_bulk(state="paused", by=operator, counts={"waiting": 9, "requested": 1})
    page = text_of(client, url_of(bulk, "stop"))
    assert "9 voice notes that have not begun stay as before." in page
    assert BulkRetry.objects.get().state == "paused"
    assert client.post(url_of(bulk, "stop"))["Location"] == url_of(bulk)
    assert BulkRetry.objects.get().state == "stopped"
    assert "there is nothing to stop" in text_of(client, url_of(bulk, "stop"))


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("trying", {"pause", "stop"}),
        ("running", {"pause", "stop"}),
        ("paused", {"resume", "resume_all", "stop"}),
        ("halted", {"resume", "resume_all", "stop"}),
        ("stopped", {"again", "failed"}),
        ("finished", {"failed"}),
    ],
)
def test_only_what_makes_sense_now_is_offered(client, operator, state, buttons):
    bulk = make_bulk(state=state, by=operator, counts={"failed": 2, "waiting": 5})
    assert offered(client, bulk) == buttons


@pytest.mark.parametrize("state", ["running", "halted"])
def test_a_viewer_sees_everything_and_moves_nothing(client, state):
    bulk = make_bulk(state=state, counts={"failed": 2, "waiting": 5})
    client.force_login(make_user(roles.VIEWER))
    page = page_of(client, bulk)
    assert MESSAGE in page
    assert 'id="do-' not in page
    for deed in ("pause", "resume", "resume_all", "again", "failed", "put_away"):
        assert do(client, bulk, deed).status_code == 403
    assert (client.post(url_of(bulk, "stop")).status_code, client.post(url_of(bulk)).status_code) == (403, 403)
    bulk.refresh_from_db()
    assert (bulk.state, BulkRetry.objects.count()) == (state, 1)


def test_many_that_are_started_over_are_paused_by_operators_and_moved_by_administrators(client, operator):
    bulk = make_bulk(state="running", by=make_user(roles.ADMINISTRATOR), kind=RetryKind.FULL)
    assert offered(client, bulk) == {"pause"}
    do(client, bulk, "pause")
    assert BulkRetry.objects.get().state == "paused"
    assert do(client, bulk, "resume").status_code == 403
    assert client.post(url_of(bulk, "stop")).status_code == 403


def test_deeds_take_a_post_with_a_token(client, operator):
    bulk = make_bulk(state="running", by=operator)
    for deed in ("pause", "resume", "failed", "put_away"):
        assert client.get(url_of(bulk, "deed", deed)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(url_of(bulk, "deed", "pause")).status_code == 403
    assert do(client, bulk, "no_such_deed").status_code == 404
    assert BulkRetry.objects.get().state == "running"


def test_those_that_failed_again_are_previewed_by_themselves(client, operator):
    bulk = make_bulk(state="finished", by=operator, counts={"succeeded": 1})
    note = make_failed()
    item = bulk.items.get()
    item.attempt.outcome, item.state, item.artifact, item.attempt.artifact = "failed", "failed", note, note
    item.attempt.save()
    item.save()
    answer = do(client, bulk, "failed")
    preview = BulkRetry.objects.latest("id")
    assert answer["Location"] == url_of(preview)
    assert (preview.state, [item.artifact for item in preview.items.all()]) == ("preview", [note])
    assert "Those that failed again in the bulk retry of" in preview.chosen_by


def test_where_none_failed_again_there_is_nothing_to_preview(client, operator):
    bulk = make_bulk(state="finished", by=operator, counts={"succeeded": 1})
    assert do(client, bulk, "failed")["Location"] == url_of(bulk)
    assert BulkRetry.objects.count() == 1


@pytest.mark.parametrize("state", ["paused", "halted"])
def test_what_its_starter_may_no_more_is_previewed_anew_by_another(client, operator, state):
    left = make_user(roles.OPERATOR, is_active=False)
    bulk = make_bulk(state=state, by=left, counts={"succeeded": 2, "waiting": 3})
    assert offered(client, bulk) == {"again", "stop"}
    answer = do(client, bulk, "again")
    preview = BulkRetry.objects.latest("id")
    assert answer["Location"] == url_of(preview)
    not_begun = bulk.items.filter(state="waiting").values_list("artifact", flat=True)
    assert set(preview.items.values_list("artifact", flat=True)) == set(not_begun)
    assert (preview.requested_by, "Those that were not begun" in preview.chosen_by) == (operator, True)
