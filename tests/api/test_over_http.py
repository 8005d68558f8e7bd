"""The API behind its real web server: many at once, large, slow and broken uploads, and what is logged of them."""

import contextlib
import json
import select
import socket
import time
from collections import Counter

import pytest

from tests.api.helpers import BOUNDARY, SECONDS, form, make_key, over_http
from tests.api.serving import gunicorn
from tests.factories import make_club, make_coach
from tests.intake.helpers import files, nothing_left, recording
from tests.pipeline.canaries import NAMES, PHONE, SAID, found_in
from tests.supervisor.upping import until
from tests.threads import at_once
from voicepipeline.models import ApiRequest, ApiScope, Artifact, PipelineEvent, StageRun, VoiceNote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]

URL = "/api/v1/voice-notes"
AT_ONCE = 50
SECRETS = (*NAMES, "Zephyrmarrow", "hurt her ankle", "765 4321", "7654321", "Filenamia", "Msgidonia")


@pytest.fixture(scope="module")
def served(tmp_path_factory, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("served")
        with gunicorn(folder) as served:
            yield served


@pytest.fixture
def coach():
    return make_coach(organization=make_club(), phone=PHONE)


@pytest.fixture
def secret(coach):
    return make_key(coach.organization, *ApiScope.values).secret


@pytest.fixture
def ask(served, secret):
    def ask(*body, **headers):
        status, told, content = over_http(
            served.url, "POST", URL, *form(*body), Authorization=f"Bearer {secret}", **headers
        )
        return status, told, json.loads(content)

    return ask


@pytest.fixture(autouse=True)
def _nothing_is_kept_of_the_recordings(served):
    yield
    for path in files(served.media):
        path.unlink()


def rows():
    return {model.__name__: model.objects.count() for model in (VoiceNote, Artifact, StageRun, PipelineEvent)}


# --- At the same instant ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["known", "unknown"])
def test_of_fifty_at_once_one_is_accepted_and_the_others_are_told_of_it(served, ask, sender):
    body = (recording(), {"sender_phone": PHONE if sender == "known" else "+353869999999"})
    outcomes = at_once(*[lambda: ask(*body, **{"Idempotency-Key": "k-1"})] * AT_ONCE)
    assert Counter(status for status, *_ in outcomes) == {201: 1, 200: AT_ONCE - 1}
    assert {told["id"] for *_, told in outcomes} == {str(Artifact.objects.get().artifact_id)}
    assert len(files(served.media)) == 1
    assert set(rows().values()) == {1}


def test_of_two_contents_at_once_one_is_taken_and_the_other_refused(served, ask):
    bodies = [(recording(), {"sender_phone": PHONE}) for _ in range(2)]
    outcomes = at_once(*[lambda body=body: ask(*body, **{"Idempotency-Key": "k-1"}) for body in bodies * 10])
    assert Counter(status for status, *_ in outcomes) == {201: 1, 200: 9, 409: 10}
    assert len(files(served.media)) == VoiceNote.objects.count() == 1


def test_a_bad_recording_sent_many_times_at_once_never_keeps_its_key(served, ask):
    body = (b"<html>" * 100, {"sender_phone": PHONE})
    outcomes = at_once(*[lambda: ask(*body, **{"Idempotency-Key": "k-1"})] * 20)
    assert {status for status, *_ in outcomes} == {422}
    assert (ApiRequest.objects.count(), nothing_left(served.media)) == (0, True)


# --- Large, slow, broken ---------------------------------------------------------------------------------------


def test_thirty_megabytes_are_refused_and_never_stored(served, ask):
    status, _, told = ask(recording() + bytes(30 * 1_048_576), {"sender_phone": PHONE})
    assert (status, told["type"]) == (413, "urn:voice-pipeline:problem:too_large")
    assert nothing_left(served.media)


def test_a_body_in_chunks_is_told_what_to_do(served, secret):
    body, kind = form(None, {"text": "x", "sender_phone": PHONE})
    status, _, told = over_http(served.url, "POST", URL, iter([body]), kind, Authorization=f"Bearer {secret}")
    assert (status, json.loads(told)["type"]) == (411, "urn:voice-pipeline:problem:length_required")


class Line:
    """A connection on which a request is sent as slowly and as far as one likes."""

    def __init__(self, served, secret, length, kind=f"multipart/form-data; boundary={BOUNDARY}", keep="close"):
        self.socket = socket.create_connection(("127.0.0.1", served.port), timeout=SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST {URL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
        self.send(f"{head}Content-Type: {kind}\r\nContent-Length: {length}\r\nConnection: {keep}\r\n\r\n".encode())

    def send(self, content):
        self.socket.sendall(content)

    def trickle(self):
        """Go on sending, a byte at a time, until there is an answer."""
        deadline = time.monotonic() + SECONDS
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline and not select.select([self.socket], [], [], 0.05)[0]:
                self.send(b"x")

    def answer(self):
        """The status line and all that follows, up to the end of the connection."""
        with self.socket.makefile("rb") as file:
            return file.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def test_a_form_that_comes_byte_by_byte_is_taken_whole(served, secret):
    body, _ = form(None, {"text": "Trained well.", "sender_phone": PHONE})
    with Line(served, secret, len(body)) as line:
        for byte in body:
            line.send(bytes([byte]))
        assert line.answer().startswith("HTTP/1.1 201 ")
    assert VoiceNote.objects.get().text == "Trained well."


SPOKEN = form(recording(seconds=20), {"sender_phone": PHONE})[0]
TYPED = form(None, {"sender_phone": PHONE, "text": "Tommy was not bad at all."})[0]
BROKEN = {
    "in the middle of a recording": (SPOKEN, len(SPOKEN) // 2),
    "before its last byte": (SPOKEN, len(SPOKEN) - 1),
    "in the middle of a text": (TYPED, TYPED.index(b" bad")),
    "before anything": (SPOKEN, 0),
}


@pytest.mark.parametrize(("body", "sent"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_off_is_told_so_and_leaves_nothing(served, secret, body, sent):
    with Line(served, secret, len(body)) as line:
        line.send(body[:sent])
        line.socket.shutdown(socket.SHUT_WR)
        told = line.answer()
    assert told.startswith("HTTP/1.1 400 ")
    assert "broken_off" in told
    assert nothing_left(served.media)


def test_who_hangs_up_in_the_middle_leaves_nothing(served, secret, ask):
    with Line(served, secret, len(SPOKEN)) as line:
        line.send(SPOKEN[: len(SPOKEN) // 2])
        until(lambda: files(served.media), "the recording has begun to be written")
    until(lambda: not files(served.media), "what had come of it is gone")
    assert nothing_left(served.media)
    assert ask(None, {"text": "x", "sender_phone": PHONE})[0] == 201


@pytest.fixture(scope="module")
def hurried(tmp_path_factory, django_db_setup, django_db_blocker):
    """A server that waits two seconds, and of whose two threads one is for the slow."""
    limits = {"API_UPLOAD_SECONDS": "2", "API_SILENT_SECONDS": "2", "API_SLOW_SECONDS": "1", "WEB_THREADS": "2"}
    with django_db_blocker.unblock(), gunicorn(tmp_path_factory.mktemp("hurried"), **limits) as served:
        yield served


def test_who_falls_silent_is_not_waited_for(hurried, secret):
    with Line(hurried, secret, len(SPOKEN)) as line:
        line.send(SPOKEN[: len(SPOKEN) // 2])
        assert "broken_off" in line.answer()
    assert nothing_left(hurried.media)


def test_who_sends_byte_by_byte_for_ever_is_given_up(hurried, secret):
    with Line(hurried, secret, len(SPOKEN), keep="keep-alive") as line:
        line.send(SPOKEN[: len(SPOKEN) // 2])
        line.trickle()
        told = line.answer()
    assert told.startswith("HTTP/1.1 400 ")
    assert "broken_off" in told
    assert nothing_left(hurried.media)


def test_who_is_refused_and_goes_on_sending_is_not_heard_for_ever(hurried, secret):
    with Line(hurried, secret, 10**9, keep="keep-alive") as line:
        line.trickle()
        assert line.answer().startswith("HTTP/1.1 413 ")


def test_of_two_slow_ones_one_makes_way_for_others(hurried, secret):
    with Line(hurried, secret, len(SPOKEN)) as one, Line(hurried, secret, len(SPOKEN)) as other:
        told = at_once(*[lambda line=line: (line.trickle(), line.answer())[1] for line in (one, other)])
    assert sorted(each.split()[1] for each in told) == ["400", "503"]
    refused = max(told)
    assert "too_many_slow" in refused
    assert "Retry-After: 2\r\n" in refused
    assert nothing_left(hurried.media)


# --- What is logged --------------------------------------------------------------------------------------------


def test_neither_keys_nor_phones_nor_words_are_logged(served, secret, ask):
    good = {"sender_phone": PHONE, "message_id": "Msgidonia-77"}
    for body in (
        (None, {**good, "text": SAID}),
        (None, {**good, "text": SAID, "Filenamia": "x"}),
        (SAID.encode(), good, "Filenamia.wav"),
        (recording(SAID), {"sender_phone": "Quixotella"}, "Filenamia.wav"),
    ):
        ask(*body)
    over_http(served.url, "GET", f"{URL}/{PHONE}?cursor=Quixotella", Authorization=f"Bearer {secret}")
    over_http(served.url, "GET", URL, Authorization=f"Basic {secret}")
    logged = served.lines.read_text()
    assert "Unprocessable" in logged
    assert found_in(logged, (*SECRETS, secret[-20:])) == []
