"""The pages on which administrators make, change and revoke keys."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_api_key, make_club, make_user
from tests.threads import at_once
from voicepipeline import roles
from voicepipeline.models import ApiKey
from voicepipeline.operations.api_keys import admit

pytestmark = pytest.mark.django_db

LIST = reverse("admin:voicepipeline_apikey_changelist")
ADD = reverse("admin:voicepipeline_apikey_add")
SECRET = re.compile(r"vp_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def by(client):
    user = make_user(roles.ADMINISTRATOR)
    client.force_login(user)
    return user


def page_of(key, page="change"):
    return reverse(f"admin:voicepipeline_apikey_{page}", args=[key.pk])


def given(of, **fields):
    return {"club": of.pk, "name": "The club's app", "scopes": ["notes:send", "notes:read"], "rate": 60, **fields}


def test_the_key_is_shown_once_and_kept_by_no_browser(client, by, club):
    response = client.post(ADD, given(club))
    (secret,) = set(SECRET.findall(response.content.decode()))
    key = ApiKey.objects.get()
    assert admit(secret).caller.club_id == club.pk
    assert (key.created_by, key.scopes) == (by, ["notes:send", "notes:read"])
    assert "no-store" in response["Cache-Control"]
    assert (
        "<div>Send voice notes</div><div>See its voice notes and how they fare</div>"
        in client.get(LIST).content.decode()
    )
    for page in (LIST, page_of(key), page_of(key, "history"), page_of(key, "revoke")):
        shown = client.get(page).content.decode()
        assert key.prefix in shown or page == page_of(key, "history")
        assert not SECRET.search(shown)


def once_of(response):
    return re.search(r'name="once" value="([^"]+)"', response.content.decode())[1]


def test_the_same_form_sent_again_makes_no_second_key(client, by, club):
    once = once_of(client.get(ADD))
    refused = client.post(ADD, given(club, scopes=[], once=once))
    assert once_of(refused) == once
    assert SECRET.search(client.post(ADD, given(club, once=once)).content.decode())
    again = client.post(ADD, given(club, once=once), follow=True)
    assert "was made already, and cannot be shown again" in again.content.decode()
    assert not SECRET.search(again.content.decode())
    assert ApiKey.objects.count() == 1
    client.post(ADD, given(club, once=once_of(client.get(ADD))))
    assert ApiKey.objects.count() == 2


def test_a_form_whose_key_could_not_be_made_may_be_sent_again(client, by, club):
    once = once_of(client.get(ADD))

    def away(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "voicepipeline_apikey"'):
            raise OperationalError("server closed the connection")
        return execute(sql, params, many, context)

    client.raise_request_exception = False
    with connection.execute_wrapper(away):
        assert client.post(ADD, given(club, once=once)).status_code >= 500
    assert SECRET.search(client.post(ADD, given(club, once=once)).content.decode())


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_the_same_instant_makes_one_key(client, by, club):
    once = once_of(client.get(ADD))

    def send():
        browser = Client()
        browser.force_login(by)
        return browser.post(ADD, given(club, once=once)).status_code

    assert sorted(at_once(*[send] * 4)) == [200, 302, 302, 302]
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"club": ""}, "Choose the club whose programs use the key."),
        ({"scopes": []}, "Choose at least one thing that the key may do."),
        ({"scopes": ["content:read"]}, "must see the voice notes"),
        ({"rate": 0}, "greater than or equal to 1"),
    ],
)
def test_a_form_that_cannot_be_says_what_to_do(client, by, club, fields, sentence):
    response = client.post(ADD, given(club, **fields))
    assert sentence in response.content.decode()
    assert not ApiKey.objects.exists()


def test_a_change_is_kept_with_who_and_what(client, by):
    key = make_api_key(name="Old", scopes=["notes:send"])
    client.post(page_of(key), {"name": "New", "scopes": ["notes:send", "notes:read"], "rate": 30})
    key.refresh_from_db()
    entry = LogEntry.objects.get()
    assert (key.name, key.requests_per_minute, entry.user) == ("New", 30, by)
    assert entry.change_message == (
        "Before: “Old”, notes:send, 120 a minute. Now: “New”, notes:send, notes:read, 30 a minute."
    )
    assert entry.change_message in client.get(page_of(key, "history")).content.decode()


def test_a_look_at_the_page_that_revokes_revokes_nothing(client, by):
    key = make_api_key()
    assert "cannot be taken back" in client.get(page_of(key, "revoke")).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None
    client.post(page_of(key, "revoke"))
    key.refresh_from_db()
    assert key.revoked_by == by
    assert "is revoked already" in client.get(page_of(key, "revoke")).content.decode()
    shown = client.get(page_of(key)).content.decode()
    assert 'name="rate"' not in shown
    assert "It may: Send voice notes; See its voice notes and how they fare; Read what suggested entries say;" in shown


def test_a_request_without_the_forms_token_changes_nothing(by):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(by)
    key = make_api_key()
    assert strict.post(page_of(key, "revoke")).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize("number", ["abc", "9" * 30, "4711"])
def test_a_key_that_is_not_there_is_a_missing_page(client, by, number):
    assert client.get(f"{LIST}{number}/change/").status_code == 404


def test_the_list_takes_as_many_queries_for_many_keys_as_for_one(client, by):
    taken = []
    for keys in (1, 99):
        for _ in range(keys):
            make_api_key(organization=make_club())
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        taken.append(len(queries))
    assert taken[0] == taken[1] < 14
