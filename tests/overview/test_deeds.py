"""What colleagues did: in words, by whom, and the same deed in a row as one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_note, make_user
from voicepipeline import roles
from voicepipeline.events import log_event
from voicepipeline.models import EventType, NoteDecision, Pause
from voicepipeline.overview.deeds import EVENTS, own_deeds

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")


def told():
    return [f"{deed.who} {deed.sentence}" for deed in own_deeds()]


def confirm(note, by, times=1):
    for _ in range(times):
        log_event(EventType.DRAFT_CONFIRMED, note, actor_id=by.pk)


def test_nobody_has_done_anything():
    log_event(EventType.DRAFT_CONFIRMED, make_note(), metadata={"automatic": True})
    assert told() == []


def test_the_same_deed_in_a_row_is_one_line(ana):
    note = make_note()
    confirm(note, ana, times=12)
    log_event(EventType.DRAFT_REJECTED, note, actor_id=ana.pk)
    confirm(note, ana)
    assert told() == ["Ana Nolan confirmed an entry", "Ana Nolan rejected an entry", "Ana Nolan confirmed 12 entries"]


def test_deeds_of_two_people_are_two_lines(ana):
    note, ben = make_note(), make_user(roles.OPERATOR, first_name="Ben", last_name="Daly")
    confirm(note, ana)
    confirm(note, ben)
    assert told() == ["Ben Daly confirmed an entry", "Ana Nolan confirmed an entry"]


def test_who_has_no_name_is_told_by_user_name():
    confirm(make_note(), make_user(roles.OPERATOR, username="ana", first_name="", last_name=""))
    assert told() == ["ana confirmed an entry"]


def test_decisions_about_notes_and_pauses_stand_among_them(ana):
    now, note = timezone.now(), make_note()
    confirm(note, ana)
    NoteDecision.objects.create(artifact=note, kind="reviewed", by=ana, decided_at=now - timedelta(minutes=2))
    Pause.objects.create(
        subject="claims_extraction",
        reason="A bad prompt.",
        paused_by=ana,
        paused_at=now - timedelta(minutes=4),
        resumed_by=ana,
        resumed_at=now - timedelta(minutes=3),
    )
    assert told() == [
        "Ana Nolan confirmed an entry",
        "Ana Nolan listened to a voice note",
        "Ana Nolan resumed work: statements",
        "Ana Nolan paused work: statements",
    ]


def test_one_deed_leads_to_its_note_and_several_nowhere(ana):
    note = make_note()
    confirm(note, ana)
    assert [str(note.artifact_id) in deed.url for deed in own_deeds()] == [True]
    confirm(note, ana)
    assert [deed.url for deed in own_deeds()] == [""]


def test_it_is_one_question_whatever_there_is(ana):
    note = make_note()
    for event_type in EVENTS:
        log_event(event_type, note, actor_id=ana.pk)
    with CaptureQueriesContext(connection) as asked:
        list(own_deeds())
    assert len(asked) == 1
