"""GET /api/v1/voice-notes: how voice notes fare, told to their own club and to nobody else."""

import json
import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.helpers import make_key, problem
from tests.engine.helpers import scheduled
from tests.factories import (
    make_claim,
    make_club,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_resolution,
    make_team,
    make_user,
    mention,
)
from tests.pipeline.canaries import Lines
from voicepipeline import roles
from voicepipeline.models import ApiScope, Artifact, ContentReading, StageRun
from voicepipeline.operations.placing import assign_club, attach_coach

pytestmark = pytest.mark.django_db

SAID = ("Quixotella", "Brunhildebird", "Zephyrmarrow", "sprained", "icepack", "tomorrowish", "juggling")


@pytest.fixture
def ready(coach):
    """A note that is ready, with an entry about a player and names to check."""
    now = timezone.now()
    note = make_note(sender=coach, status="completed", completed_at=now, first_completed_at=now)
    player = make_player(organization=coach.organization, first_name="Quixotella", last_name="Brunhildebird")
    claim = make_claim(note, quote="Zephyrmarrow sprained it", title="Zephyrmarrow sprained", topic="injury")
    make_draft(
        claim,
        player=player,
        description="sprained",
        recommended_action="icepack",
        time_reference="tomorrowish",
        skill_name="juggling",
        severity="high",
    )
    return note


# --- One -------------------------------------------------------------------------------------------------------


def test_a_note_tells_where_it_stands_and_what_was_made_of_it(get, ready, coach):
    (entry,) = get(f"/{ready.artifact_id}").json()["entries"]
    note = get(f"/{ready.artifact_id}").json()
    assert (note["id"], note["status"], note["status_text"]) == (str(ready.artifact_id), "completed", "Ready")
    assert (note["sender_id"], note["message_id"], note["content_hidden"]) == (coach.pk, None, False)
    assert note["explanation"].startswith("Ready since ")
    assert entry["whom"]["name"] == "Quixotella Brunhildebird"
    assert (entry["status"], entry["status_text"], entry["severity"]) == ("pending", "To be confirmed", "high")
    assert set(SAID) <= {word for word in SAID if word in json.dumps(entry)}


def test_nothing_that_it_says_is_told_without_the_scope(client, club, get, ready):
    secret = make_key(club, ApiScope.READ_NOTES).secret
    for path in ("", f"/{ready.artifact_id}"):
        told = get(path, secret=secret).content.decode()
        assert [word for word in SAID if word in told] == []
    note = json.loads(told)
    assert note["content_hidden"] is True
    assert note["entries"][0]["title"] == "Hidden"
    assert note["entries"][0]["whom"]["name"] == "Q. B."
    assert (note["entries"][0]["topic"], note["entries"][0]["severity"]) == ("injury", "high")


def test_what_a_key_reads_is_recorded_and_not_logged(get, ready, key):
    with Lines().listening(logging.DEBUG) as lines:
        for _ in range(2):
            get(f"/{ready.artifact_id}")
    recorded = ContentReading.objects.values_list("api_key", "user", "artifact", "place")
    assert list(recorded) == [(key.key.pk, None, ready.pk, "api")]
    assert [word for word in SAID if word in lines.text()] == []


def test_who_is_told_nothing_of_what_it_says_reads_nothing(get, club, ready):
    get()
    get(f"/{ready.artifact_id}", secret=make_key(club, ApiScope.READ_NOTES).secret)
    get(f"/{make_note(organization=club).artifact_id}")
    get(f"/{make_draft().artifact.artifact_id}")
    assert not ContentReading.objects.exists()


@pytest.mark.parametrize("whose", ["another club's", "nobody's", "nowhere"])
def test_the_notes_of_others_are_not_there(get, whose):
    other = None if whose == "nobody's" else make_club()
    note_id = uuid.uuid4() if whose == "nowhere" else make_note(organization=other).artifact_id
    assert problem(get(f"/{note_id}")) == (404, "not_found")
    assert get().json()["items"] == []


@pytest.mark.parametrize("text", ["1", "no-uuid", "é", "%00", "x" * 3_000])
def test_what_is_no_id_is_no_note(get, text):
    assert problem(get(f"/{text}"))[0] == 404


def test_an_entry_for_a_team_or_the_coach_says_so(get, coach):
    note = make_note(sender=coach)
    make_draft(make_claim(note), team=make_team(organization=coach.organization, name="Under 9"))
    make_draft(make_claim(note), held_at=timezone.now(), held_by=make_user(roles.OPERATOR))
    team, own = get(f"/{note.artifact_id}").json()["entries"]
    assert (team["whom"]["kind"], team["whom"]["name"]) == ("team", "Under 9")
    assert own["whom"] == {"kind": "coach", "id": coach.pk, "name": "Niamh Byrne"}
    assert (own["on_hold"], own["status_text"]) == (True, "On hold")


# --- Given to another club ---------------------------------------------------------------------------------------


@pytest.fixture
def moved(coach, club):
    """A note of the key's club that people here took from the club of another coach."""
    other = make_coach(organization=make_club(), first_name="Quixotella", last_name="Brunhildebird")
    note = make_note(sender=other)
    outcome = assign_club(note.artifact_id, club=club, by=make_user(roles.OPERATOR), seen=other.organization_id)
    assert outcome.done, outcome.message
    assert Artifact.objects.get(pk=note.pk).sender == other
    return note


def test_the_coach_of_the_club_that_it_was_taken_from_is_not_told(get, moved):
    make_draft(make_claim(moved))
    note = told(get, moved)
    assert note["sender_id"] is None
    assert note["entries"][0]["whom"] == {"kind": "coach", "id": None, "name": ""}


@pytest.mark.parametrize("kind", ["player", "team"])
def test_whom_a_settled_entry_was_for_at_the_other_club_is_not_told(get, moved, kind):
    other = Artifact.objects.get(pk=moved.pk).sender.organization
    whom = make_player(organization=other) if kind == "player" else make_team(organization=other)
    make_draft(make_claim(moved), status="rejected", decided_by=make_user(roles.OPERATOR), **{kind: whom})
    assert told(get, moved)["entries"][0]["whom"] == {"kind": kind, "id": None, "name": ""}


def test_the_clubs_own_coach_is_told_once_attached(get, moved, coach):
    outcome = attach_coach(
        moved.artifact_id, coach=coach, by=make_user(roles.OPERATOR), seen=Artifact.objects.get(pk=moved.pk).sender_id
    )
    assert outcome.done, outcome.message
    assert told(get, moved)["sender_id"] == coach.pk


# --- In words --------------------------------------------------------------------------------------------------


def told(get, note):
    one = get(f"/{note.artifact_id}").json()
    (listed,) = get().json()["items"]
    assert {name: one[name] for name in listed} == listed
    return one


def test_names_to_check_are_counted(get, ready):
    for _ in range(2):
        make_resolution(make_claim(ready, mentions=[mention("Neevo")]))
    make_resolution(make_claim(ready, mentions=[mention("Shivo")]), name_key="shivo")
    note = told(get, ready)
    assert (note["status_text"], note["names_to_check"]) == ("Ready, 2 names to check", 2)


def test_a_note_on_hold_says_why(get, coach):
    note = make_note(sender=coach)
    run = scheduled(note)
    StageRun.objects.filter(pk=run.pk).update(parked_reason="provider_error", parked_since=timezone.now())
    note = told(get, note)
    assert (note["status"], note["status_text"], note["on_hold"]) == (
        "received",
        "On hold: the AI service is down",
        True,
    )
    assert "it waits because the ai service is down" in note["explanation"].lower()


def test_a_failed_note_says_why(get, coach):
    failed = {"error_code": "no_audio", "failed_stage": "transcription", "current_stage": "transcription"}
    note = told(get, make_note(sender=coach, status="failed", error_message="The recording is empty.", **failed))
    assert (note["status"], note["status_text"]) == ("failed", "Failed")
    assert note["explanation"].startswith("Failed ")


def test_a_closed_note_tells_neither_who_closed_it_nor_their_words(get, coach):
    by = make_user(roles.OPERATOR, username="orla")
    failed = {"error_code": "no_audio", "failed_stage": "transcription", "current_stage": "transcription"}
    closed = {"closed_at": timezone.now(), "closed_by": by, "closed_reason": "Zephyrmarrow rang."}
    note = told(get, make_note(sender=coach, status="failed", **failed, **closed))
    assert (note["closed"], note["status_text"]) == (True, "Closed, won't fix")
    assert "orla" not in str(note)
    assert "Zephyrmarrow" not in str(note)


def test_a_message_id_is_told_as_the_club_sent_it_and_to_no_other_club(post, get, coach, make_other):
    response = post(text="x", sender_id=coach.pk, message_id="m-1")
    (note,) = get().json()["items"]
    assert note["message_id"] == "m-1"
    other = make_other()
    Artifact.objects.filter(artifact_id=response.json()["id"]).update(organization=other.key.organization, sender=None)
    assert get().json()["items"] == []
    assert get(secret=other.secret).json()["items"][0]["message_id"] is None


# --- Many ------------------------------------------------------------------------------------------------------


def test_pages_hold_every_note_once_and_newest_first(get, club):
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    # Several at the same instant: the cursor tells them apart.
    notes = [make_note(organization=club, received_at=moment + timedelta(minutes=n // 3)) for n in range(11)]
    seen, cursor = [], {}
    for _ in range(4):
        page = get(limit=3, **cursor).json()
        seen += [note["id"] for note in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [str(note.artifact_id) for note in reversed(notes)]
    assert page["next_cursor"] is None


def test_notes_are_found_by_status_and_by_time(get, club):
    now = timezone.now()
    old = make_note(organization=club, received_at=now - timedelta(days=3))
    new = make_note(organization=club, status="transcribing")
    assert [note["id"] for note in get(status="received").json()["items"]] == [str(old.artifact_id)]
    since = (now - timedelta(days=1)).isoformat()
    assert [note["id"] for note in get(since=since).json()["items"]] == [str(new.artifact_id)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"status": "lost"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"since": "1762000000"}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"since": "2026-05-04T18:30:00"}, "since"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "\x00é"}, "cursor"),
        ({"cursor": "LTk5OTk5OTk5OTk5OTk5OTk5LjE"}, "cursor"),
        ({"cursor": "MS45OTk5OTk5OTk5OTk5OTk5OTk5"}, "cursor"),
        ({"cursor": "x" * 61}, "cursor"),
        ({"statuss": "failed"}, "statuss"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_is_told_what_is_wrong(get, query, field):
    response = get(**query)
    assert problem(response) == (422, "invalid")
    assert [each["field"] for each in response.json()["errors"]] == [field]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00+23:59"])
def test_no_moment_is_too_far(get, club, since):
    assert get(since=since).status_code == 200


def test_a_page_takes_two_queries_however_many_notes_it_has(get, club):
    taken = []
    for notes in (1, 99):
        for _ in range(notes):
            make_note(sender=make_coach(organization=club))
        with CaptureQueriesContext(connection) as queries:
            assert len(get(limit=100).json()["items"]) in (1, 100)
        taken.append(len(queries))
    assert taken == [2, 2]


def test_a_note_takes_as_many_queries_for_many_entries_as_for_one(get, ready):
    taken = []
    for entries in (0, 30):
        for _ in range(entries):
            make_draft(make_claim(ready), player=make_player(organization=ready.organization))
        with CaptureQueriesContext(connection) as queries:
            get(f"/{ready.artifact_id}")
        taken.append(len(queries))
    assert taken[0] == taken[1] <= 7
