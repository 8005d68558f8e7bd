"""What is sent and asked over the API reaches no log line, no event and no table but those of content."""

import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection

from tests.api.helpers import make_key
from tests.pipeline.canaries import (
    FILE_NAME,
    MESSAGE_ID,
    NAMES,
    PHONE,
    SAID,
    Lines,
    found_in,
    leaks_in_rows,
    make_people,
)
from voicepipeline.models import ApiScope
from voicepipeline.simulator.audio import make_wav

pytestmark = pytest.mark.django_db

URL = "/api/v1/voice-notes"
SECRETS = (*NAMES, "Zephyrmarrow", "hurt her ankle", "765 4321", "7654321", "Filenamia", "Msgidonia")


@pytest.fixture
def key():
    return make_key(make_people().organization, *ApiScope.values)


@pytest.fixture
def lines():
    with Lines().listening(logging.DEBUG) as listening:
        yield listening


@pytest.fixture
def ask(client, key):
    client.raise_request_exception = False

    def ask(fields, **headers):
        return client.post(URL, fields, headers={"Authorization": f"Bearer {key.secret}", **headers})

    return ask


def assert_nothing_leaked(lines, key):
    words = (*SECRETS, key.secret[-20:])
    assert found_in(lines.text(), words) == []
    assert {name: leaks for name, leaks in leaks_in_rows().items() if set(leaks) & set(SECRETS)} == {}


def file(content):
    return SimpleUploadedFile(FILE_NAME, content)


GOOD = {"sender_phone": PHONE, "message_id": MESSAGE_ID}
SENT = {
    "typed": (201, lambda: {**GOOD, "text": SAID}),
    "spoken": (201, lambda: {**GOOD, "audio": file(make_wav(SAID, 3))}),
    "no recording": (422, lambda: {**GOOD, "audio": file(SAID.encode())}),
    "words in every field": (422, lambda: dict.fromkeys(("sender_phone", "sender_id", "recorded_at", "text"), SAID)),
    "a field of that name": (422, lambda: {**GOOD, "text": "x", "Quixotella Brunhildebird": SAID}),
}


@pytest.mark.parametrize(("status", "fields"), SENT.values(), ids=SENT)
def test_nothing_leaks_of_what_is_sent(ask, key, lines, status, fields):
    for _ in range(2):
        response = ask(fields(), **{"Idempotency-Key": "k-1"})
        assert response.status_code in (status, 200)
    assert_nothing_leaked(lines, key)


@pytest.mark.parametrize("table", ["voicepipeline_voicenote", "voicepipeline_artifact"])
def test_nothing_leaks_when_the_database_refuses_what_was_sent(ask, key, lines, table):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT nothing_fits CHECK (false) NOT VALID")
    response = ask({**GOOD, "text": SAID})
    assert (response.status_code, found_in(response.content.decode(), SECRETS)) == (500, [])
    assert response["Content-Type"].startswith("application/problem+json")
    assert "CheckViolation: SQLSTATE 23514" in lines.text()
    assert_nothing_leaked(lines, key)


def test_nothing_leaks_of_what_is_asked(client, key, lines):
    headers = {"Authorization": f"Bearer {key.secret}"}
    for path in (f"{URL}/{PHONE}", f"{URL}?cursor={PHONE}&status=Quixotella"):
        client.get(path, headers=headers)
    client.get(URL, headers={"Authorization": f"Bearer {key.secret}x"})
    assert_nothing_leaked(lines, key)


def test_a_database_that_is_away_is_told_and_may_be_tried_again(ask, key, lines):
    def away(execute, sql, params, many, context):
        raise OperationalError(f"server closed the connection while {SAID}")

    with connection.execute_wrapper(away):
        response = ask({**GOOD, "text": SAID})
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "the database failed during a request of the API" in lines.text()
    assert_nothing_leaked(lines, key)
