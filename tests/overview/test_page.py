"""The overview as staff open it, and as their browser asks for it again."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_user
from tests.overview.polling import ask, opened, within_a_minute
from tests.retry.factories import make_failed, make_ready
from voicepipeline import roles

pytestmark = pytest.mark.django_db

LIVE = "admin:overview_live"
SECTIONS = ["health", "flow", "cards", "concerns", "activity", "deeds"]


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def test_all_of_it_is_there(client, viewer):
    make_ready()
    make_failed()
    assert list(opened(client, "admin:index")) == SECTIONS


def test_what_the_browser_has_is_not_sent_again(client, viewer):
    make_ready()
    answer = within_a_minute(lambda: ask(client, LIVE, opened(client, "admin:index")))
    assert (answer.status_code, answer.content) == (204, b"")


def test_it_asks_a_fixed_number_of_questions(client, viewer):
    for _ in range(3):
        make_failed()
    client.get(reverse("admin:index"))
    with CaptureQueriesContext(connection) as page:
        client.get(reverse("admin:index"))
    with CaptureQueriesContext(connection) as poll:
        ask(client, LIVE, {})
    assert (len(page), len(poll)) == (14, 14)
