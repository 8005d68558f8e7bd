"""Reading what a note says is recorded, and administrators see by whom."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_api_key, make_club, make_note, make_reading, make_transcript, make_user
from voicepipeline import roles
from voicepipeline.models import ContentReading
from voicepipeline.operations.api_keys import Caller
from voicepipeline.operations.readings import record_reading, was_read_lately

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_contentreading_changelist")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAGE = ContentReading.Place.NOTE_PAGE


@pytest.fixture
def note():
    note = make_note()
    make_transcript(note)
    return note


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


@pytest.fixture
def administrator(client):
    user = make_user(roles.ADMINISTRATOR, first_name="Ana", last_name="Nowak")
    client.force_login(user)
    return user


def url_of(note, page="change"):
    return reverse(f"admin:voicepipeline_artifact_{page}", args=[note.artifact_id])


def places():
    return list(ContentReading.objects.order_by("pk").values_list("place", flat=True))


# --- What counts as reading ------------------------------------------------------------------------------------------
def test_opening_a_notes_page_is_a_reading(client, operator, note):
    client.get(url_of(note))
    reading = ContentReading.objects.get()
    assert (reading.user, reading.artifact, reading.place) == (operator, note, PAGE)
    assert timezone.now() - reading.read_at < timedelta(minutes=1)


@pytest.mark.parametrize("role", roles.ROLES)
def test_who_is_shown_nothing_reads_nothing(client, note, role):
    client.force_login(make_user(role, reads_content=False))
    for page in ("change", "live"):
        client.get(url_of(note, page))
    assert places() == []


def test_a_page_that_asks_again_for_itself_is_no_new_reading(client, operator, note):
    with time_machine.travel(NOON, tick=False) as clock:
        client.get(url_of(note))
        for _ in range(4):
            clock.shift(timedelta(hours=4))
            client.get(url_of(note, "live"))
    assert places() == [PAGE]


def test_asking_for_the_part_alone_is_a_reading_and_so_is_a_page_left_open_for_days(client, operator, note):
    with time_machine.travel(NOON, tick=False) as clock:
        client.get(url_of(note, "live"))
        assert places() == [PAGE]
        clock.shift(timedelta(days=1, minutes=15))
        client.get(url_of(note, "live"))
    assert places() == [PAGE, PAGE]


def test_opening_it_again_within_a_quarter_of_an_hour_is_the_same_reading(operator, note):
    for minutes in (0, 7, 14, 15, 29, 30):
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            record_reading(operator, [note.pk], PAGE)
    moments = ContentReading.objects.order_by("pk").values_list("read_at", flat=True)
    assert [(at - NOON).total_seconds() / 60 for at in moments] == [0, 15, 30]


def test_each_api_key_reads_for_itself_and_again_within_a_quarter_is_the_same_reading(operator, note):
    callers = [Caller(make_api_key().pk, 1, frozenset()) for _ in range(2)]
    for minutes in (0, 14, 15):
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            for reader in (*callers, operator):
                record_reading(reader, [note.pk], ContentReading.Place.API)
    readings = ContentReading.objects.order_by("pk").values_list("user", "api_key")
    once = [(None, callers[0].key_id), (None, callers[1].key_id), (operator.pk, None)]
    assert list(readings) == [*once, *once]


@pytest.mark.parametrize("both", [True, False], ids=["both", "neither"])
def test_a_reading_is_by_a_person_or_a_key_and_never_by_both_or_nobody(operator, note, both):
    readers = {"user": operator, "api_key": make_api_key()} if both else {}
    with pytest.raises(IntegrityError, match="reading_by_a_person_or_a_key"), transaction.atomic():
        ContentReading.objects.create(artifact=note, place=PAGE, quarter=NOON, **readers)


def test_each_person_note_and_place_is_a_reading_of_its_own(operator, note):
    other = make_note()
    for user in (operator, make_user(roles.VIEWER, reads_content=True)):
        for place in (PAGE, ContentReading.Place.NAMES):
            record_reading(user, [note.pk, other.pk, note.pk], place)
    assert len(places()) == 8


def test_many_notes_are_recorded_in_one_statement(operator, django_assert_num_queries):
    notes = [make_note().pk for _ in range(20)]
    with django_assert_num_queries(1):
        record_reading(operator, notes, PAGE)
    assert len(places()) == 20


def test_what_was_read_lately_is_asked_of_the_same_person_note_and_place(operator, note):
    make_reading(note, operator, read_at=timezone.now() - timedelta(hours=23))
    assert was_read_lately(operator, note.pk, PAGE)
    assert not was_read_lately(operator, note.pk, ContentReading.Place.AUDIO)
    assert not was_read_lately(make_user(), note.pk, PAGE)
    assert not was_read_lately(operator, make_note().pk, PAGE)


def test_no_page_asks_for_a_recording_before_somebody_plays_it():
    players = [
        tag
        for file in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for tag in re.findall("<audio[^>]*>", file.read_text())
    ]
    assert players
    assert [tag for tag in players if 'preload="none"' not in tag] == []


# --- Who read what ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("role", "status"), [(roles.VIEWER, 403), (roles.OPERATOR, 403), (roles.ADMINISTRATOR, 200)])
def test_the_list_is_for_administrators(client, role, status):
    client.force_login(make_user(role))
    assert client.get(LIST).status_code == status


def test_the_list_says_who_read_what_where_and_when(client, administrator, note):
    reader = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    make_reading(note, reader, place="audio", read_at=NOON)
    page = client.get(LIST).content.decode()
    told = ["Aoife Kelly", str(note.artifact_id)[:8], url_of(note), "The recording", "20 Nov, 12:00:00"]
    assert [words for words in told if words not in page] == []


def found(client, **query):
    return [row.pk for row in client.get(LIST, query).context["cl"].result_list]


def test_the_list_is_narrowed_by_person_place_time_and_note(client, administrator, note):
    mine = make_reading(note, administrator)
    heard = make_reading(place="audio")
    old = make_reading(read_at=timezone.now() - timedelta(days=3))
    assert found(client) == [old.pk, heard.pk, mine.pk]
    assert found(client, who=administrator.pk) == [mine.pk]
    assert found(client, place__exact="audio") == [heard.pk]
    assert found(client, read="24h") == [heard.pk, mine.pk]
    assert found(client, q=str(note.artifact_id)) == [mine.pk]
    assert found(client, q=str(note.artifact_id)[:8]) == [mine.pk]
    assert found(client, q=str(uuid.uuid4())) == []


def test_what_a_program_read_stands_with_its_name_and_club_and_leads_to_the_rest_of_it(client, administrator, note):
    key = make_api_key(name="The club's app", organization=make_club(name="Na Fianna"))
    mine = make_reading(note, administrator)
    first, second = (make_reading(api_key=key, place="api") for _ in range(2))
    make_reading(api_key=make_api_key(), place="api")
    page = client.get(LIST).content.decode()
    assert f'href="{LIST}?who=key-{key.pk}">API key “The club&#x27;s app” of Na Fianna</a>' in page
    assert found(client, who=f"key-{key.pk}") == [second.pk, first.pk]
    assert found(client, who=administrator.pk) == [mine.pk]


@pytest.mark.parametrize("junk", ["x", "²", "9" * 30, "-1", "\x00", "key-", "key-x", "key-key-1", f"key-{'9' * 30}"])
def test_a_person_that_is_none_narrows_nothing_and_breaks_nothing(client, administrator, junk):
    make_reading()
    assert client.get(LIST, {"who": junk}).status_code == 200


@pytest.mark.parametrize("count", [1, 100])
def test_the_list_asks_as_many_questions_for_a_hundred_readings_as_for_one(
    client, administrator, django_assert_num_queries, count
):
    for _ in range(count):
        make_reading()
        make_reading(api_key=make_api_key(), place="api")
    # Session, viewer, their permissions (own and by role), people of the filter, bounded count, rows, what stands
    # still, whether a bulk retry of theirs has ended.
    with django_assert_num_queries(9):
        client.get(LIST)


def test_nobody_changes_what_was_recorded(client, administrator):
    for reading in (make_reading(), make_reading(api_key=make_api_key(), place="api")):
        url = reverse("admin:voicepipeline_contentreading_change", args=[reading.pk])
        page = client.get(url)
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert client.post(url, {"place": "audio"}).status_code == 403


# --- On the note's own page ------------------------------------------------------------------------------------------
def test_administrators_see_on_its_page_how_many_have_read_a_note(client, administrator, note):
    make_reading(note, make_user())
    for place in ("audio", "names"):
        make_reading(note, administrator, place=place)
    page = client.get(url_of(note)).content.decode()
    assert f'href="{LIST}?q={note.artifact_id}">2 people</a>' in page
    key = make_api_key()
    for minutes in (0, 15):
        make_reading(note, api_key=key, place="api", read_at=NOON + timedelta(minutes=minutes))
    assert ">2 people and 1 API key</a>" in client.get(url_of(note)).content.decode()


def test_an_administrator_who_may_not_read_sees_when_nobody_has(client, note):
    client.force_login(make_user(roles.ADMINISTRATOR, reads_content=False))
    assert ">Nobody yet</a>" in client.get(url_of(note)).content.decode()
    make_reading(note)
    assert ">1 person</a>" in client.get(url_of(note)).content.decode()


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR])
def test_others_do_not_see_who_has_read_it(client, note, role):
    client.force_login(make_user(role))
    assert "Read by" not in client.get(url_of(note)).content.decode()
