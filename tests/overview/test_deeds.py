"""What colleagues did: in words, by whom, and the same deed in a row as one."""

from datetime import timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_bulk_work, make_club, make_note, make_user
from voicepipeline import roles
from voicepipeline.events import log_event
from voicepipeline.models import BulkWork, EntryDecision, EventType, NoteDecision, Pause
from voicepipeline.overview.deeds import AT_ONCE, EVENT_TYPES, LONGEST_NAME, NEWEST, READ, TOLD, own_deeds

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")


def told():
    return [f"{deed.who} {deed.sentence}" for deed in own_deeds()]


def decide(note, by, kind="confirmed", times=1, **fields):
    """So many decisions about entries, as whoever decides leaves them."""
    why = {"reason": "A test."} if kind in ("rejected", "undone") else {}
    undone = {"undone_status": "confirmed"} if kind == "undone" else {}
    values = {"artifact": note, "draft_key": "key", "kind": kind, "by": by, **why, **undone, **fields}
    EntryDecision.objects.bulk_create(EntryDecision(**values) for _ in range(times))


def test_nobody_has_done_anything():
    log_event(EventType.DRAFT_CONFIRMED, make_note(), metadata={"automatic": True})
    log_event(EventType.CIRCUIT_BREAKER_CLOSED)
    assert told() == []


def test_the_same_deed_in_a_row_is_one_line(ana):
    note = make_note()
    decide(note, ana, times=12)
    decide(note, ana, "rejected")
    decide(note, ana)
    assert told() == ["Ana Nolan confirmed an entry", "Ana Nolan rejected an entry", "Ana Nolan confirmed 12 entries"]


def test_who_edits_an_entry_confirms_it(ana):
    note = make_note()
    decide(note, ana)
    decide(note, ana, "edited")
    assert told() == ["Ana Nolan confirmed 2 entries"]


def test_deeds_of_two_people_are_two_lines(ana):
    note, ben = make_note(), make_user(roles.OPERATOR, first_name="Ben", last_name="Daly")
    decide(note, ana)
    decide(note, ben)
    assert told() == ["Ben Daly confirmed an entry", "Ana Nolan confirmed an entry"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("held", "Ana Nolan put an entry on hold"),
        ("released", "Ana Nolan took an entry off hold"),
        ("undone", "Ana Nolan took a decision about an entry back"),
    ],
)
def test_what_is_done_to_an_entry_is_told(ana, kind, words):
    decide(make_note(), ana, kind)
    assert told() == [words]


@pytest.mark.parametrize(
    ("event_type", "words"),
    [
        (EventType.ENTITY_RESOLVED_BY_PERSON, "Ana Nolan settled a name"),
        (EventType.NAME_CHOICE_UNDONE, "Ana Nolan took a settled name back"),
        (EventType.ARTIFACT_RECEIVED, "Ana Nolan uploaded a voice note"),
    ],
)
def test_what_events_say_of_people_is_told(ana, event_type, words):
    log_event(event_type, make_note(), actor_id=ana.pk)
    assert told() == [words]


def test_every_kind_of_deed_has_its_words():
    decided = {f"note_{kind}" for kind in NoteDecision.Kind} | {f"entry_{kind}" for kind in EntryDecision.Kind}
    assert decided - {"entry_edited"} <= TOLD.keys()
    assert {f"work_{kind}" for kind in BulkWork.Kind} == AT_ONCE.keys()


def test_who_has_no_name_is_told_by_user_name():
    decide(make_note(), make_user(roles.OPERATOR, username="ana", first_name="", last_name=""))
    assert told() == ["ana confirmed an entry"]


def test_decisions_about_notes_and_pauses_stand_among_them(ana):
    now, note = timezone.now(), make_note()
    decide(note, ana)
    NoteDecision.objects.create(artifact=note, kind="reviewed", by=ana, decided_at=now - timedelta(minutes=2))
    times = {"paused_at": now - timedelta(minutes=4), "resumed_at": now - timedelta(minutes=3)}
    Pause.objects.create(subject="claims_extraction", reason="A bad prompt.", paused_by=ana, resumed_by=ana, **times)
    assert told() == [
        "Ana Nolan confirmed an entry",
        "Ana Nolan listened to a voice note",
        "Ana Nolan resumed statements",
        "Ana Nolan paused statements",
    ]


def test_pauses_of_different_things_are_told_one_by_one_with_their_club(ana):
    club = make_club(name="St Brigid's")
    for subject, of in (("everything", club), ("transcription", None)):
        Pause.objects.create(subject=subject, organization=of, reason="A test.", paused_by=ana)
    assert told() == ["Ana Nolan paused transcription", "Ana Nolan paused everything for St Brigid's"]


def test_what_is_asked_for_many_at_once_is_told_once_and_not_by_each_of_them(ana):
    work = make_bulk_work(kind="confirm_entries", requested_by=ana, expected=300)
    decide(make_note(), ana, times=5, bulk=work)
    (deed,) = own_deeds()
    assert (deed.who, deed.sentence) == ("Ana Nolan", "started to confirm 300 entries at once")
    assert deed.url == reverse("admin:voicepipeline_bulkwork_change", args=[work.pk])


def test_what_was_done_before_many_at_once_is_still_told(ana):
    note = make_note()
    decide(note, ana, "rejected")
    decide(note, ana, times=NEWEST - 1, bulk=make_bulk_work(kind="confirm_entries", requested_by=ana))
    assert "Ana Nolan rejected an entry" in told()


def test_more_than_are_read_are_told_as_so_many_and_more(ana):
    decide(make_note(), ana, times=READ + 1)
    assert told() == [f"Ana Nolan confirmed {READ}+ entries"]


def test_deeds_to_one_note_lead_to_it(ana):
    note = make_note()
    decide(note, ana, times=2)
    (deed,) = own_deeds()
    assert deed.url == reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])


def test_deeds_to_several_notes_lead_to_exactly_their_events(client, ana):
    for by in (make_user(roles.OPERATOR), ana, ana):
        log_event(EventType.ENTITY_RESOLVED_BY_PERSON, make_note(), actor_id=by.pk)
    log_event(EventType.DRAFT_CONFIRMED, make_note(), actor_id=ana.pk)
    client.force_login(ana)
    newest = next(own_deeds())
    shown = client.get(newest.url).context["cl"].result_list
    assert (newest.sentence, [event.actor for event in shown]) == ("settled 2 names", [ana, ana])


@pytest.mark.parametrize(("asked", "took", "is_listed"), [(40, 15, False), (40, 5, True), (2, 1, True)])
def test_deeds_among_which_others_of_many_at_once_would_be_listed_lead_nowhere(ana, asked, took, is_listed):
    now = timezone.now()
    for minutes in (30, 10):
        decide(make_note(), ana, decided_at=now - timedelta(minutes=minutes))
    made = now - timedelta(minutes=asked)
    make_bulk_work(requested_by=ana, created_at=made, finished_at=made + timedelta(minutes=took))
    urls = [deed.url for deed in own_deeds() if deed.sentence.startswith("confirmed")]
    assert any(urls) == is_listed


def test_deeds_to_several_notes_that_are_listed_nowhere_lead_nowhere(ana):
    for _ in range(2):
        NoteDecision.objects.create(artifact=make_note(), kind="closed", reason="A test.", by=ana)
    decide(make_note(), ana, decided_at=timezone.now() - timedelta(days=3))
    decide(make_note(), ana, decided_at=timezone.now() - timedelta(days=3))
    assert [deed.url for deed in own_deeds()] == ["", ""]


def test_what_people_are_called_is_text_and_cut():
    decide(make_note(), make_user(roles.OPERATOR, first_name="<script>", last_name="\u202e" + "b" * 100))
    drawn = render_to_string("voicepipeline/overview/deeds.html", {"deeds": own_deeds()})
    assert f"&lt;script&gt; {'b' * (LONGEST_NAME - 10)}…<" in drawn


def test_it_is_one_question_whatever_there_is(ana):
    note = make_note()
    for event_type in EVENT_TYPES:
        log_event(event_type, note, actor_id=ana.pk)
    decide(note, ana)
    make_bulk_work(requested_by=ana)
    with CaptureQueriesContext(connection) as asked:
        list(own_deeds())
    assert len(asked) == 1
