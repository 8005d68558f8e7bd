"""POST /api/v1/voice-notes: what is taken, what is refused, and what is left behind."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from tests.api.helpers import form, problem
from tests.factories import make_club, make_coach
from tests.intake.helpers import files, nothing_left, recording
from voicepipeline.models import Artifact, VoiceNote

pytestmark = pytest.mark.django_db

PHONE = "+353861234567"
URL = "/api/v1/voice-notes"


def received(response):
    return Artifact.objects.select_related("voice_note").get(artifact_id=response.json()["id"])


# --- Taken -----------------------------------------------------------------------------------------------------


def test_a_recording_becomes_a_note_of_the_keys_club(post, club, coach, media):
    content = recording()
    response = post(content, sender_phone=PHONE)
    artifact = received(response)
    assert response.status_code == 201
    assert response.json() == {
        "id": str(artifact.artifact_id),
        "status": "received",
        "status_text": "Received",
        "links": {"self": f"{URL}/{artifact.artifact_id}"},
    }
    assert response["Location"] == f"{URL}/{artifact.artifact_id}"
    assert (artifact.organization, artifact.sender, artifact.source_channel) == (club, coach, "api")
    assert artifact.voice_note.sha256 == hashlib.sha256(content).hexdigest()
    assert files(media) == [media / artifact.voice_note.audio.name]


@pytest.mark.parametrize("written", [PHONE, "+353 86 123 4567", "00353861234567"])
def test_the_sender_is_known_by_their_phone_however_it_is_written(post, coach, written):
    artifact = received(post(text="Trained well.", sender_phone=written))
    assert (artifact.sender, artifact.voice_note.sender_address) == (coach, written)


def test_the_sender_is_known_by_their_number(post, coach):
    assert received(post(text="Trained well.", sender_id=coach.pk)).sender == coach


def test_typed_text_is_taken_as_json_too(client, key, coach):
    response = client.post(
        URL,
        {"text": "Trained well.", "sender_id": coach.pk, "recorded_at": "2026-05-04T18:30:00Z"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key.secret}"},
    )
    assert (response.status_code, received(response).voice_note.text) == (201, "Trained well.")


@pytest.mark.parametrize("whose", ["nobody's", "another club's", "a switched off coach's"])
def test_a_phone_that_no_coach_of_the_club_has_is_kept_and_the_sender_unknown(post, club, whose):
    if whose != "nobody's":
        other = make_club() if whose == "another club's" else club
        make_coach(organization=other, phone=PHONE, is_active=whose == "another club's")
    response = post(text="Trained well.", sender_phone=PHONE)
    artifact = received(response)
    assert response.status_code == 201
    assert (artifact.organization, artifact.sender, artifact.voice_note.sender_address) == (club, None, PHONE)


def test_when_it_was_recorded_can_be_told(post, coach):
    artifact = received(post(text="Trained well.", sender_id=coach.pk, recorded_at="2026-05-04T18:30:00+02:00"))
    assert artifact.received_at == datetime(2026, 5, 4, 16, 30, tzinfo=UTC)


def test_a_message_that_came_before_is_answered_with_its_note(post, coach):
    first = post(text="Trained well.", sender_id=coach.pk, message_id="m-1")
    again = post(text="Trained well!", sender_id=coach.pk, message_id="m-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert VoiceNote.objects.count() == 1


def test_the_same_recording_of_the_same_coach_is_one_note(post, coach, media):
    content = recording()
    first, again = post(content, sender_id=coach.pk), post(content, sender_phone=PHONE)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert len(files(media)) == 1


def test_two_clubs_may_use_the_same_message_id(post, coach, make_other):
    first = post(text="Trained well.", sender_id=coach.pk, message_id="m-1")
    other = make_other()
    second = post(text="Trained well.", sender_phone=PHONE, message_id="m-1", secret=other.secret)
    assert [first.status_code, second.status_code] == [201, 201]
    assert received(second).organization == other.key.organization


@pytest.mark.parametrize("charset", ["base64", "idna", "rot13", "undefined", "utf-16", "latin-1", "no-such"])
def test_a_form_is_read_as_utf_8_whatever_it_calls_itself(client, key, coach, charset):
    body, kind = form(fields={"text": "Séamus trained well.", "sender_id": coach.pk})
    response = client.generic(
        "POST", URL, body, content_type=f"{kind}; charset={charset}", headers={"Authorization": f"Bearer {key.secret}"}
    )
    assert (response.status_code, received(response).voice_note.text) == (201, "Séamus trained well.")


def test_a_field_that_was_left_empty_was_not_filled_in(post, coach):
    response = post(text="Trained well.", sender_id=coach.pk, sender_phone="", message_id="", recorded_at="")
    assert (response.status_code, received(response).voice_note.channel_message_id) == (201, "")


# --- Refused ---------------------------------------------------------------------------------------------------

REFUSED = {
    "nothing": ({}, None),
    "nobody": ({"text": "x"}, None),
    "two senders": ({"text": "x", "sender_phone": PHONE, "sender_id": "1"}, None),
    "text and audio": ({"text": "x", "sender_phone": PHONE}, recording()),
    "a misspelt field": ({"text": "x", "sender_phone": PHONE, "mesage_id": "1"}, None),
    "no phone": ({"text": "x", "sender_phone": "Niamh"}, None),
    "no number": ({"text": "x", "sender_id": "Niamh"}, None),
    "a number too large": ({"text": "x", "sender_id": "9" * 30}, None),
    "a message id too long": ({"text": "x", "sender_phone": PHONE, "message_id": "x" * 181}, None),
    "a message id of two lines": ({"text": "x", "sender_phone": PHONE, "message_id": "a\nb"}, None),
    "no time": ({"text": "x", "sender_phone": PHONE, "recorded_at": "yesterday"}, None),
    "a time as a number": ({"text": "x", "sender_phone": PHONE, "recorded_at": "1762000000"}, None),
    "a time of nowhere": ({"text": "x", "sender_phone": PHONE, "recorded_at": "2026-05-04T18:30:00"}, None),
    "a time too long ago": ({"text": "x", "sender_phone": PHONE, "recorded_at": "0001-01-01T00:00:00+14:00"}, None),
    "text too long": ({"text": "x" * 20_001, "sender_phone": PHONE}, None),
    "white space": ({"text": " \n ", "sender_phone": PHONE}, None),
    "a web page": ({"sender_phone": PHONE}, b"<html>" * 100),
    "an empty file": ({"sender_phone": PHONE}, b""),
}


@pytest.mark.parametrize(("fields", "audio"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_is_refused_and_nothing_is_left(post, media, fields, audio):
    response = post(audio, **fields)
    assert problem(response)[0] == 422
    assert nothing_left(media)


def test_what_is_wrong_with_each_field_is_told_without_what_was_sent(post):
    response = post(text="x", sender_phone="Quixotella", recorded_at="Brunhildebird")
    assert [each["field"] for each in response.json()["errors"]] == ["sender_phone", "recorded_at"]
    assert "Quixotella" not in response.content.decode()
    assert "Brunhildebird" not in response.content.decode()


@pytest.mark.parametrize("whose", ["nobody's", "another club's", "a switched off coach's"])
def test_a_number_that_no_coach_of_the_club_has_is_refused_alike(post, club, media, whose):
    number = 4711
    if whose != "nobody's":
        other = make_club() if whose == "another club's" else club
        number = make_coach(organization=other, is_active=whose == "another club's").pk
    response = post(text="x", sender_id=number)
    assert problem(response) == (422, "invalid")
    assert response.json()["errors"] == [
        {"field": "sender_id", "message": "Your club has no active coach with this number. Check it."}
    ]
    assert nothing_left(media)


@pytest.mark.parametrize("files_sent", [("audio", "audio"), ("audio", "other"), ("other",)])
def test_one_file_is_sent_and_no_other(client, key, media, files_sent):
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\n\r\n'.encode()
        + recording()
        + b"\r\n"
        for name in files_sent
    ]
    response = client.generic(
        "POST",
        URL,
        b"".join(parts) + b"--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        headers={"Authorization": f"Bearer {key.secret}"},
    )
    assert problem(response) == (422, "invalid")
    assert nothing_left(media)


@pytest.mark.parametrize(
    ("kind", "body", "answer"),
    [
        ("text/plain", b"x", (415, "media_type")),
        ("application/x-www-form-urlencoded", b"text=x", (415, "media_type")),
        ("application/json", b"{", (400, "malformed")),
        ("application/json", b"\xff", (400, "malformed")),
        ("application/json", b"[]", (422, "invalid")),
        ("application/json", b'{"text": "x", "sender_id": "1"}', (422, "invalid")),
        ("application/json", b'{"text": "\\ud800", "sender_id": 1}', (400, "malformed")),
        ("application/json", b" " * 300_000, (413, "too_large")),
        ("multipart/form-data", b"x", (400, "malformed")),
        ("multipart/form-data; boundary=x", b"--x--", (422, "invalid")),
        ("multipart/form-data; boundary=x", b"--x\r\n", (422, "invalid")),
    ],
)
def test_a_body_that_is_something_else_is_told_so(client, key, media, kind, body, answer):
    response = client.generic("POST", URL, body, content_type=kind, headers={"Authorization": f"Bearer {key.secret}"})
    assert problem(response) == answer
    assert nothing_left(media)


def test_thirty_megabytes_are_not_even_read(post, media):
    response = post(recording() + bytes(30 * 1_048_576), sender_phone=PHONE)
    assert problem(response) == (413, "too_large")
    assert nothing_left(media)


def test_a_recording_a_little_too_large_is_refused_with_its_size(post, media):
    response = post(recording() + bytes(26_214_400), sender_phone=PHONE)
    assert problem(response) == (413, "too_large")
    assert "25.1 MB" in response.json()["detail"]
    assert nothing_left(media)


def test_a_body_of_unknown_length_is_not_begun(client, key):
    sent = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": ""}
    response = client.generic("POST", URL, headers={"Authorization": f"Bearer {key.secret}"}, **sent)
    assert problem(response) == (411, "length_required")


def test_a_disk_that_refuses_is_told_and_the_same_may_be_sent_again(post, media, coach):
    media.write_text("where the folder should be")
    content = recording()
    response = post(content, sender_id=coach.pk, idempotency_key="k")
    assert problem(response) == (503, "not_stored")
    assert response["Retry-After"] == "60"
    assert str(media) not in response.content.decode()
    media.unlink()
    assert post(content, sender_id=coach.pk, idempotency_key="k").status_code == 201


def test_everything_is_answered_in_one_bounded_number_of_queries(post, coach, django_assert_max_num_queries):
    with django_assert_max_num_queries(28):
        assert post(recording(), sender_phone=PHONE, message_id="m", idempotency_key="k").status_code == 201


# --- Addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/voice-notes/", "/api/nowhere"])
def test_an_address_that_is_not_there_is_answered_as_a_program_expects(client, path):
    assert problem(client.get(path)) == (404, "not_found")


def test_a_method_that_is_not_there_names_those_that_are(client):
    response = client.put(URL)
    assert problem(response) == (405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}


def test_answers_are_kept_by_nobody(post, coach):
    assert post(text="x", sender_id=coach.pk)["Cache-Control"] == "no-store"
    assert json.loads(post(text="x").content)["status"] == 422
