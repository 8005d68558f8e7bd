"""People with the same rights share what a poll of one of them finds; nobody is given what only others may see."""

import re
import threading
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_resolution, make_user
from tests.overview.polling import within_a_minute
from tests.retry.factories import TRANSCRIPTION, make_moving
from tests.retry.problems import fail
from tests.threads import at_once, raised
from voicepipeline import roles
from voicepipeline.admin.overview import live_view, shared_sections, what_decides
from voicepipeline.admin.sharing import NotFoundNow, Shared

LONG = 60
POLL = "admin:overview_live"
# Who asks: the session, the person, their rights.
FEW = 5


@pytest.fixture
def find():
    """Numbers its answers, so that a new one is told from one that is shared."""
    numbers = iter(range(1, 100))
    return lambda: next(numbers)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def _shared(settings):
    settings.OVERVIEW_SHARED_SECONDS = LONG
    shared_sections.forget()
    yield
    shared_sections.forget()


def queries_of(client):
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse(POLL))
    return len(captured)


def digests(client, address=POLL):
    return re.findall(r'data-digest="(\w+)"', client.get(reverse(address)).content.decode())


def test_what_was_just_found_is_given_to_the_next_who_asks_for_the_same(find):
    shared = Shared()
    assert [shared.get("viewer", find, seconds=LONG) for _ in range(3)] == [1, 1, 1]


def test_who_asks_for_something_else_gets_their_own(find):
    shared = Shared()
    assert [shared.get(key, find, seconds=LONG) for key in ("viewer", "operator", "viewer")] == [1, 2, 1]


def test_what_is_too_old_is_found_anew(find):
    shared = Shared()
    shared.get("viewer", find, seconds=LONG)
    shared.get("operator", find, seconds=LONG)
    assert shared.get("viewer", find, seconds=1e-9) == 3


def test_without_a_time_nothing_is_shared(find):
    shared = Shared()
    assert [shared.get("viewer", find, seconds=0) for _ in range(2)] == [1, 2]


def test_who_asks_while_it_is_being_found_waits_for_it(find):
    shared, is_found = Shared(), threading.Event()

    def find_slowly():
        is_found.wait(LONG)
        return find()

    first = threading.Thread(target=lambda: shared.get("viewer", find_slowly, seconds=LONG))
    first.start()
    threading.Timer(0.05, is_found.set).start()
    assert shared.get("viewer", find_slowly, seconds=LONG) == 1
    first.join()


def test_what_cannot_be_found_is_looked_for_again_by_the_next(find):
    shared = Shared()
    with pytest.raises(ZeroDivisionError):
        shared.get("viewer", lambda: 1 / 0, seconds=LONG)
    assert shared.get("viewer", find, seconds=LONG) == 1


class Sought(str):
    """A key that knows when everybody has asked for it."""

    number = 8

    def __init__(self, _):
        self.times, self.by_all = 0, threading.Event()

    def __hash__(self):
        self.times += 1
        if self.times == self.number:
            self.by_all.set()
        return super().__hash__()


@contextmanager
def being_found(shared, key):
    """Somebody finds it for as long as this lasts."""
    has_begun, is_over = threading.Event(), threading.Event()

    def find_slowly():
        has_begun.set()
        is_over.wait(LONG)
        return []

    first = threading.Thread(target=lambda: shared.get(key, find_slowly, seconds=LONG))
    first.start()
    assert has_begun.wait(LONG)
    try:
        yield
    finally:
        is_over.set()
        first.join()


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_one_who_fails_does_not_try_in_turn():
    shared, key, tries = Shared(patience=LONG), Sought("viewer"), []

    def find_nothing():
        tries.append(key)
        assert key.by_all.wait(LONG)
        raise ZeroDivisionError

    outcomes = raised(at_once(*[lambda: shared.get(key, find_nothing, seconds=LONG)] * key.number))
    assert sorted(type(each).__name__ for each in outcomes) == ["NotFoundNow"] * 7 + ["ZeroDivisionError"]
    assert len(tries) == 1


def test_nobody_waits_for_ever(find):
    shared = Shared(patience=0.01)
    with being_found(shared, "viewer"), pytest.raises(NotFoundNow):
        shared.get("viewer", find, seconds=LONG)


@pytest.mark.django_db
@pytest.mark.usefixtures("_shared")
def test_a_poll_that_waits_too_long_is_asked_to_come_again(rf):
    request = rf.get(reverse(POLL))
    request.user = make_user(roles.VIEWER)
    usual, shared_sections.patience = shared_sections.patience, 0.01
    with being_found(shared_sections, what_decides(request)):
        answer = live_view(request)
    shared_sections.patience = usual
    assert answer.status_code == 503


@pytest.mark.django_db
@pytest.mark.usefixtures("_shared")
def test_viewers_share_a_poll_and_the_page_is_always_as_things_are():
    ours, theirs = (signed_in(make_user(roles.VIEWER)) for _ in range(2))
    before = digests(ours)
    make_moving(TRANSCRIPTION)
    assert digests(theirs) == before
    assert digests(theirs, "admin:index") != before


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_shared")
def test_polls_that_come_at_once_ask_the_database_once():
    viewers = [signed_in(make_user(roles.VIEWER)) for _ in range(4)]
    queries = at_once(*(lambda viewer=viewer: queries_of(viewer) for viewer in viewers))
    assert sorted(queries)[-1] > FEW
    assert sorted(queries)[-2] <= FEW


@pytest.mark.django_db
def test_people_with_other_rights_share_nothing(settings):
    people = [
        make_user(roles.VIEWER, reads_content=True),
        make_user(roles.VIEWER, reads_content=False),
        make_user(roles.OPERATOR),
        make_user(roles.ADMINISTRATOR),
    ]
    fail()
    make_resolution()

    def alone_and_sharing():
        shared_sections.forget()
        for settings.OVERVIEW_SHARED_SECONDS in (0, LONG):
            yield [digests(signed_in(person)) for person in people]

    alone, sharing = within_a_minute(lambda: list(alone_and_sharing()))
    assert sharing == alone
    assert alone[0] != alone[2]
