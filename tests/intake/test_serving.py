"""Playing a recording: the whole of it, or the part that a player asks for."""

import contextlib
import hashlib

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, ContentReading, User, VoiceNote

pytestmark = pytest.mark.django_db

BYTES = bytes(range(256)) * 1000
SIZE = len(BYTES)
ETAG = f'"{hashlib.sha256(BYTES).hexdigest()}"'


@pytest.fixture
def artifact(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    note = VoiceNote(source_channel="admin_upload", mime_type="audio/ogg", sha256=ETAG.strip('"'), size_bytes=SIZE)
    note.audio.save("Tommy hurt his ankle.ogg", ContentFile(BYTES))
    return Artifact.objects.create(source_channel=note.source_channel, voice_note=note)


@pytest.fixture
def ask(client, artifact):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    url = reverse("admin:voicepipeline_artifact_audio", args=[artifact.artifact_id])
    with contextlib.ExitStack() as sent:

        def ask(method="get", **headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            response = getattr(client, method)(url, headers=headers)
            sent.callback(response.close)  # as a server does, whether or not all of it was read
            return response

        yield ask


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_whole_recording_comes_as_audio_that_no_cache_keeps(ask, artifact):
    response = ask()
    assert response.status_code == 200
    assert response["Content-Type"] == "audio/ogg"
    assert response["Content-Length"] == str(SIZE)
    assert response["Accept-Ranges"] == "bytes"
    assert response["ETag"] == ETAG
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    assert response["Content-Disposition"] == f'inline; filename="voice-note-{str(artifact.artifact_id)[:8]}.ogg"'
    assert body(response) == BYTES


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-50", SIZE - 50, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        (f"bytes=10-{SIZE * 2}", 10, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("BYTES=5-5", 5, 5),
        ("bytes=70000-140000", 70000, 140000),
    ],
)
def test_a_range_is_answered_with_exactly_these_bytes(ask, asked, first, last):
    response = ask(range=asked)
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert body(response) == BYTES[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 9}", "bytes=-0", "bytes=999999999999-"])
def test_a_range_behind_the_end_is_refused_with_the_size(ask, asked):
    response = ask(range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert body(response) == b""


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=9-3",
        "bytes=0-9,20-29",
        "seconds=0-9",
        "bytes=-٣",
        f"bytes={'9' * 5000}-",
    ],
)
def test_what_is_no_single_range_is_answered_with_everything(ask, asked):
    response = ask(range=asked)
    assert (response.status_code, len(body(response))) == (200, SIZE)


@pytest.mark.parametrize(("condition", "status"), [(ETAG, 206), ('"another"', 200), (f"W/{ETAG}", 200)])
def test_a_part_is_sent_only_of_the_version_that_was_begun(ask, condition, status):
    assert ask(range="bytes=1-2", if_range=condition).status_code == status


def test_head_tells_the_size_and_sends_nothing(ask):
    response = ask("head", range="bytes=0-9")
    assert (response.status_code, response["Content-Length"], body(response)) == (200, str(SIZE), b"")


def test_only_reading_is_possible(ask):
    assert ask("post").status_code == 405


def test_a_type_that_is_no_audio_is_never_told_to_the_browser(ask, artifact):
    VoiceNote.objects.update(mime_type="text/html")
    assert ask()["Content-Type"] == "application/octet-stream"


def test_a_recording_that_is_gone_is_not_found(ask, artifact):
    artifact.voice_note.audio.storage.delete(artifact.voice_note.audio.name)
    assert ask().status_code == 404


def test_a_typed_note_has_nothing_to_play(ask, artifact):
    VoiceNote.objects.update(audio="", text="Tommy trained well.")
    assert ask().status_code == 404


def test_without_a_role_nobody_listens(client, artifact):
    client.force_login(make_user())
    url = reverse("admin:voicepipeline_artifact_audio", args=[artifact.artifact_id])
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("role", roles.ROLES)
def test_without_the_right_to_read_nobody_listens_and_is_told_why(client, artifact, role):
    client.force_login(make_user(role, reads_content=False))
    response = client.get(reverse("admin:voicepipeline_artifact_audio", args=[artifact.artifact_id]))
    assert response.status_code == 403
    assert "Ask an administrator for the right to read it." in response.content.decode()
    assert not ContentReading.objects.exists()


@pytest.mark.parametrize("asked", ["", "bytes=0-99", f"bytes={SIZE // 2}-"])
def test_whoever_hears_any_part_of_it_is_recorded_once_a_quarter_of_an_hour(ask, artifact, asked):
    for _ in range(3):
        ask(range=asked)
    reading = ContentReading.objects.get()
    assert (reading.artifact, reading.place, reading.user.username) == (artifact, "audio", listener())


def test_asking_for_the_size_alone_is_no_hearing(ask):
    ask("head")
    assert not ContentReading.objects.exists()


def listener():
    return User.objects.get().username
