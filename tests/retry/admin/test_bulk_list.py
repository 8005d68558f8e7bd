"""The list of bulk retries: what, who, how many, how far and when."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from retry.models import RetryKind
from tests.retry.admin.rows import make_bulk

pytestmark = pytest.mark.django_db

LIST = reverse("admin:retry_bulkretry_changelist")


def url_of(bulk, page="change", *more):
    return reverse(f"admin:retry_bulkretry_{page}", args=[bulk.bulk_id, *more])


def text_of(client, url):
    return " ".join(client.get(url).content.decode().split())


def test_the_list_tells_what_who_how_many_and_how_far(client, operator):
    make_bulk(state="running", by=operator, counts={"succeeded": 4, "failed": 2, "waiting": 1})
    page = text_of(client, LIST)
    for words in ("Read the statements again", "Aoife Kelly", "4 succeeded, 2 failed again", "Under way", ">7<"):
        assert words in page


def test_previews_are_listed_for_who_made_them_alone(client, operator):
    mine, _, started = make_bulk(by=operator), make_bulk(), make_bulk(state="running")
    rows = client.get(LIST).context["cl"].result_list
    assert {row.pk for row in rows} == {mine.pk, started.pk}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=open", {"running", "halted"}),
        ("state=halted", {"halted"}),
        ("state=ended", {"finished"}),
        ("state=preview", {"preview"}),
        ("who=me", {"preview", "finished"}),
        ("kind=full", {"finished"}),
        ("kind=nonsense", {"running", "halted", "finished", "preview"}),
    ],
)
def test_the_list_is_filtered(client, operator, query, found):
    make_bulk(state="running")
    make_bulk(state="halted")
    make_bulk(state="finished", by=operator, kind=RetryKind.FULL)
    make_bulk(by=operator)
    rows = client.get(f"{LIST}?{query}").context["cl"].result_list
    assert {row.state for row in rows} == found


@pytest.mark.parametrize("number", [1, 12])
def test_the_list_costs_the_same_with_one_and_with_many(client, operator, django_assert_num_queries, number):
    for _ in range(number):
        make_bulk(state="running", counts={"succeeded": 1})
    client.get(LIST)
    with django_assert_num_queries(8):
        client.get(LIST)


def test_an_address_of_the_list_leads_to_its_page(client, operator):
    bulk = make_bulk(state="running", by=operator)
    assert f'href="{url_of(bulk)}' in text_of(client, LIST)
    assert client.get(reverse("admin:retry_bulkretry_change", args=[bulk.pk])).status_code == 200


def test_an_expired_preview_is_listed_as_what_it_is(client, operator):
    make_bulk(by=operator, created_at=timezone.now() - timedelta(hours=2))
    assert "Preview, too old to start" in text_of(client, LIST)
