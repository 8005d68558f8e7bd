"""What models cost, as people enter and read it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.engine.helpers import make_artifact, past, scheduled
from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.admin.prices import dollars
from voicepipeline.models import ModelPrice, StageRun
from voicepipeline.operations.prices import prices_on

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_modelprice_changelist")
ADD = reverse("admin:voicepipeline_modelprice_add")
RUNS = reverse("admin:voicepipeline_stagerun_changelist")
USED = {"ai_model": "new-model", "input_tokens": 900}


def change_url(price, page="change"):
    return reverse(f"admin:voicepipeline_modelprice_{page}", args=[price.pk])


def days_away(days):
    return timezone.now().date() + timedelta(days=days)


def make_price(days=-30, **fields):
    return ModelPrice.objects.create(
        **{"model": "new-model", "valid_from": days_away(days), "audio_usd_per_minute": Decimal("0.006"), **fields}
    )


def make_run(**fields):
    run = scheduled(make_artifact())
    StageRun.objects.filter(pk=run.pk).update(started_at=past(60), **fields)
    return run


def page_of(client, url=LIST, role=roles.VIEWER, **query):
    client.force_login(make_user(role))
    return " ".join(client.get(url, query).content.decode().split())


@pytest.fixture
def administrator(client):
    client.force_login(make_user(roles.ADMINISTRATOR))


# --- Entering --------------------------------------------------------------------------------------------------------
def test_an_administrator_enters_a_price_and_it_holds_from_its_day(client, administrator):
    data = {"model": " new-model ", "valid_from": days_away(0), "audio_usd_per_minute": "0.006"}
    assert client.post(ADD, data)["Location"] == LIST
    (price,) = [each for each in prices_on(days_away(0)) if each.model == "new-model"]
    assert price.audio_usd_per_minute == Decimal("0.006")
    assert not [each for each in prices_on(days_away(-1)) if each.model == "new-model"]


def test_a_new_price_is_a_new_row_and_the_old_one_stays(client, administrator):
    make_price(-30)
    client.post(ADD, {"model": "new-model", "valid_from": days_away(0), "audio_usd_per_minute": "0.005"})
    assert ModelPrice.objects.filter(model="new-model").count() == 2
    for days, amount in ((-1, "0.006"), (0, "0.005")):
        (price,) = [each for each in prices_on(days_away(days)) if each.model == "new-model"]
        assert price.audio_usd_per_minute == Decimal(amount)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Enter at least one price."),
        ({"input_usd_per_million_tokens": "1"}, "Both kinds of tokens are charged"),
        ({"output_usd_per_million_tokens": "1"}, "Both kinds of tokens are charged"),
        ({"audio_usd_per_minute": "cheap"}, "Enter a number."),
        ({"audio_usd_per_minute": "-1"}, "A price is not below zero."),
        ({"audio_usd_per_minute": "0.006"}, "This model has a price from this day already."),
    ],
)
def test_a_price_that_makes_no_sense_is_refused_in_words(client, administrator, data, words):
    make_price(0)
    response = client.post(ADD, {"model": "new-model", "valid_from": days_away(0), **data})
    assert words in response.content.decode()
    assert ModelPrice.objects.filter(model="new-model").count() == 1


def test_an_administrator_mends_a_price(client, administrator):
    price = make_price(-30)
    client.post(
        change_url(price), {"model": "new-model", "valid_from": price.valid_from, "audio_usd_per_minute": "0.007"}
    )
    price.refresh_from_db()
    assert price.audio_usd_per_minute == Decimal("0.007")


@pytest.mark.parametrize(("days", "status", "left"), [(-1, 403, 1), (0, 403, 1), (1, 302, 0)])
def test_only_a_price_that_never_held_can_be_deleted(client, administrator, days, status, left):
    price = make_price(days)
    assert client.post(change_url(price, "delete"), {"post": "yes"}).status_code == status
    assert ModelPrice.objects.filter(model="new-model").count() == left


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR])
def test_others_look_and_change_nothing(client, role):
    client.force_login(make_user(role))
    price = make_price(1)
    for url in (ADD, change_url(price), change_url(price, "delete")):
        assert client.post(url, {"model": "x", "post": "yes"}).status_code == 403
    assert client.get(change_url(price)).status_code == 200


# --- Reading ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 50])
def test_the_list_asks_as_many_questions_for_fifty_prices_as_for_one(client, django_assert_num_queries, count):
    client.force_login(make_user(roles.VIEWER))
    for number in range(count):
        make_price(model=f"model-{number}")
    # Session, viewer, their permissions (own and by role), models with a price, unknown costs, bounded count, rows,
    # what stands still.
    with django_assert_num_queries(9):
        client.get(LIST)


def test_each_price_says_whether_it_is_in_force(client):
    for days in (-60, -30, 10):
        make_price(days)
    page = page_of(client, q="new-model")
    assert [page.count(f">{words}<") for words in ("Past", "In force", "From that day")] == [1, 1, 1]


def test_a_model_in_use_without_a_price_is_unknown(client, settings):
    assert "is unknown" not in page_of(client)
    settings.AI_CLAIMS_MODEL = "new-model"
    assert "The price of new-model is unknown." in page_of(client)
    make_price(1)
    assert "The price of new-model is unknown." in page_of(client)


def test_tries_of_unknown_cost_are_counted_and_lead_to_their_rows(client):
    assert "Every try in the last 24 hours has a known cost." in page_of(client)
    unknown = make_run(**USED)
    make_run(**USED, cost_usd=Decimal("0.01"))
    make_run(ai_model="new-model")  # the call failed: nothing was used
    make_run()
    old = make_run(**USED)
    StageRun.objects.filter(pk=old.pk).update(started_at=past(25 * 3600))
    assert f'<a class="vp-link vp-link-inline" href="{RUNS}?cost=unknown">1</a>' in page_of(client)
    assert [row.pk for row in client.get(RUNS, {"cost": "unknown"}).context["cl"].result_list] == [unknown.pk]


@pytest.mark.parametrize(
    ("amount", "words"),
    [(None, "-"), ("0.004500", "0.0045"), ("0.1", "0.10"), ("2", "2.00"), ("1250.5", "1,250.50"), ("0", "0.00")],
)
def test_dollars_have_cents_and_no_zeros_behind_them(amount, words):
    assert dollars(None if amount is None else Decimal(amount)) == words
