"""The page on which staff upload voice notes, as a browser without a script sends it and as the page's script does."""

import io
import re
import resource
import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_club, make_coach, make_user
from tests.intake.helpers import files, nothing_left, recording
from voicepipeline import roles
from voicepipeline.intake.uploading import ArrivedFile
from voicepipeline.models import Artifact, PipelineEvent, VoiceNote

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


@pytest.fixture
def upload(client, operator):
    def upload(*sent, coach=None, text="", script=False, **fields):
        given = {"coach": coach.pk if coach else "", "text": text, "files": list(sent), **fields}
        headers = {"Accept": "application/json"} if script else {}
        return client.post(reverse("admin:voicepipeline_voicenote_add"), given, headers=headers)

    return upload


def file(content, name="note.wav"):
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def results(response):
    """Name, label and the rest of each line of the list of results."""
    lines = re.findall(r'<li class="vp-upload-item">(.*?)</li>', response.content.decode(), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]


def test_several_files_are_each_answered(upload, operator, media):
    coach, content = make_coach(), recording()
    response = upload(
        file(content, "one.wav"),
        file(recording(), "two.wav"),
        file(b"<html>", "page.mp3"),
        file(content, "three.wav"),
        coach=coach,
    )
    first, second = Artifact.objects.order_by("id")
    assert results(response) == [
        f"one.wav Accepted Voice note {str(first.artifact_id)[:8]}",
        f"two.wav Accepted Voice note {str(second.artifact_id)[:8]}",
        "page.mp3 Refused This is a web page, not a recording. Open the link, download the recording itself and "
        "send that.",
        f"three.wav Already here Voice note {str(first.artifact_id)[:8]} It was received before, so nothing was added.",
    ]
    assert reverse("admin:voicepipeline_artifact_change", args=[second.artifact_id]) in response.content.decode()
    assert len(files(media)) == 2


def test_an_arrived_file_that_is_gone_already_is_closed_all_the_same(tmp_path):
    written = tempfile.NamedTemporaryFile(dir=tmp_path)  # noqa: SIM115
    Path(written.name).unlink()
    ArrivedFile(written).close()
    assert written.file.closed


def test_what_is_uploaded_belongs_to_the_coach_and_tells_who_did_it(upload, operator):
    coach = make_coach()
    upload(file(recording()), coach=coach)
    artifact = Artifact.objects.get()
    assert (artifact.sender, artifact.organization, artifact.source_channel) == (
        coach,
        coach.organization,
        "admin_upload",
    )
    assert PipelineEvent.objects.get().actor == operator


def test_a_typed_note_is_one_beside_the_recordings(upload):
    response = upload(file(recording()), coach=make_coach(), text="Tommy trained well.")
    assert [line.split(" Accepted")[0] for line in results(response)] == ["note.wav", "Typed note"]
    assert VoiceNote.objects.filter(text="Tommy trained well.", source_channel="admin_upload").count() == 1


def test_the_same_text_sent_twice_from_one_page_is_one_note(upload):
    coach, page = make_coach(), "7a6f3a1e-53a6-44b8-a46a-5d4c2f0f7c11"
    said = [upload(coach=coach, text=text, page=page) for text in ("One.", "One.", "Two.")]
    assert ["Accepted" in results(response)[0] for response in said] == [True, False, True]
    assert VoiceNote.objects.count() == 2


def test_the_pages_script_is_answered_for_its_one_file(upload):
    coach, content = make_coach(), recording()
    (first,) = upload(file(content, "<b>.wav"), coach=coach, script=True).json()["items"]
    (again,) = upload(file(content), coach=coach, script=True).json()["items"]
    url = reverse("admin:voicepipeline_artifact_change", args=[Artifact.objects.get().artifact_id])
    assert (first["result"], first["name"], first["url"]) == ("accepted", "<b>.wav", url)
    assert (again["result"], again["label"], again["url"]) == ("duplicate", "Already here", url)


@pytest.mark.parametrize("script", [False, True])
def test_without_a_coach_nothing_is_taken(upload, media, script):
    make_coach()
    response = upload(file(recording()), script=script)
    assert "Choose the coach who sent this." in response.content.decode()
    assert nothing_left(media)


def test_a_coach_of_another_club_is_told(upload, media):
    coach, club = make_coach(), make_club()
    response = upload(file(recording()), coach=coach, club=club.pk)
    assert f"{coach} is not a coach of {club}." in response.content.decode()
    assert nothing_left(media)


def test_a_coach_who_is_switched_off_cannot_be_chosen(upload, media):
    make_coach()
    assert "not there any more" in upload(file(recording()), coach=make_coach(is_active=False)).content.decode()
    assert nothing_left(media)


def test_nothing_chosen_and_nothing_typed_is_told(upload):
    response = upload(coach=make_coach(), text="  ")
    assert "Choose at least one recording, or type a note." in response.content.decode()


def test_what_was_typed_is_not_lost_when_something_is_missing(upload):
    make_coach()
    assert "Tommy trained well." in upload(text="Tommy trained well.").content.decode()


def test_a_name_that_is_markup_is_shown_as_text(upload):
    name = '"><img src=x onerror=alert(1)>.wav'
    page = upload(file(recording(), name), coach=make_coach()).content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.wav" in page


@pytest.mark.parametrize("name", ["../../note.wav", "a" * 3000 + ".wav", "note." + "w" * 3000, "no\x07te\u202e.wav"])
def test_no_name_is_too_much(upload, media, name):
    assert "Accepted" in results(upload(file(recording(), name), coach=make_coach()))[0]
    assert len(files(media)) == 1


def test_thirty_megabytes_are_refused_and_never_written_whole(upload, media):
    response = upload(file(recording() + bytes(30 * 1_048_576), "match.wav"), coach=make_coach())
    assert "The recording is 30.1 MB; the AI service takes at most 24.9 MB." in results(response)[0]
    assert nothing_left(media)


def test_a_full_disk_is_told_for_each_file_and_leaves_nothing(upload, media):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        response = upload(file(recording(seconds=60), "long.wav"), file(recording(), "short.wav"), coach=make_coach())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    long, short = results(response)
    assert long.startswith("long.wav Refused The recording broke off")
    assert short.startswith("short.wav Accepted")
    assert len(files(media)) == 1


def test_a_folder_that_refuses_is_told(upload, media):
    media.write_text("where the folder should be")
    assert "Refused" in results(upload(file(recording()), coach=make_coach()))[0]
    assert not VoiceNote.objects.exists()


class BreaksOff(io.BytesIO):
    """A request whose sender goes away in the middle."""

    def read(self, *args):
        return super().read(*args) or self._gone()

    def _gone(self):
        raise OSError("connection reset by peer")


def test_an_upload_that_is_aborted_leaves_nothing(client, operator, media):
    coach = make_coach()
    head = (
        f'--x\r\nContent-Disposition: form-data; name="coach"\r\n\r\n{coach.pk}\r\n'
        '--x\r\nContent-Disposition: form-data; name="files"; filename="note.wav"\r\n\r\n'
    )
    body = head.encode() + recording(seconds=60)
    client.generic(
        "POST",
        reverse("admin:voicepipeline_voicenote_add"),
        content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(len(body) + 1000), "wsgi.input": BreaksOff(body)},
    )
    assert nothing_left(media)


@pytest.mark.parametrize("who", ["nobody", "a coach"])
def test_a_strangers_file_is_never_written(client, media, who):
    if who == "a coach":
        client.force_login(make_user(is_platform_staff=False))
    client.post(reverse("admin:login"), {"username": "x", "password": "y", "file": file(recording())})
    assert not media.exists()


def test_viewers_upload_nothing(client, media):
    client.force_login(make_user(roles.VIEWER))
    response = client.post(reverse("admin:voicepipeline_voicenote_add"), {"files": [file(recording())]})
    assert response.status_code == 403
    assert nothing_left(media)


def test_a_request_without_the_forms_token_is_refused(operator, media):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    given = {"coach": make_coach().pk, "files": [file(recording())]}
    assert strict.post(reverse("admin:voicepipeline_voicenote_add"), given).status_code == 403
    assert nothing_left(media)


def test_an_empty_installation_says_what_comes_first(client, operator):
    address = reverse("admin:voicepipeline_voicenote_add")
    assert "There is no club yet." in client.get(address).content.decode()
    make_club()
    assert "There is no coach yet." in client.get(address).content.decode()


def test_the_page_takes_as_many_queries_for_many_coaches_as_for_one(client, operator):
    address, taken = reverse("admin:voicepipeline_voicenote_add"), []
    for coaches in (1, 30):
        for _ in range(coaches):
            make_coach()
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        taken.append(len(queries))
    assert taken[0] == taken[1] < 10
