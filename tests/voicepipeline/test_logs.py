import io
import json
import logging

import pytest
import structlog
from django.db import OperationalError, connection
from django.urls import reverse

from tests.factories import make_user
from voicepipeline import logs

SECRETS = {
    "database address": ("postgresql://app:hunter2-secret@db.example/app", "hunter2-secret"),
    "password with an at sign": ("postgresql://app:hunter2@odd@db.example/app", "hunter2"),
    "its rest": ("postgresql://app:hunter2@odd@db.example/app", "odd@"),
    "connection string": ("host=db password=hunter2-secret user=app", "hunter2-secret"),
    "quoted password": ("{'password': 'hunter2 with space'}", "hunter2 with space"),
    "JSON password": ('{"new_password1": "hunter2-secret"}', "hunter2-secret"),
    "query string": ("GET /hook?token=tok-12345&x=1", "tok-12345"),
    "OpenAI key": ("Incorrect API key provided: sk-proj-abcDEF123456", "abcDEF123456"),
    "bearer": ("authorization header Bearer abc.def-ghi12345", "abc.def-ghi12345"),
    "basic": ("Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "international number": ("call +353 87 123 4567 today", "123 4567"),
    "number with dashes": ("from +353-87-123-4567.", "123-4567"),
    "national number": ("sender 087 1234567", "1234567"),
    "number with brackets": ("sender (087) 123 4567", "123 4567"),
    "messenger's number": ("from 353871234567@s.whatsapp.net", "353871234567"),
}


@pytest.fixture
def lines():
    """What the log would hold, through the very formatter of standard error."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    handler.close()


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_leave_the_text_of_a_line(lines, kind):
    text, secret = SECRETS[kind]
    logging.getLogger("library").warning("Trouble: %s", text)
    assert secret not in json.dumps(lines(), ensure_ascii=False)


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_leave_exceptions_and_their_causes(lines, kind):
    text, secret = SECRETS[kind]
    try:
        try:
            raise ConnectionError(text)
        except ConnectionError as error:
            raise RuntimeError("gave up") from error
    except RuntimeError:
        logging.getLogger("library").exception("It broke")
    (line,) = lines()
    assert "ConnectionError" in line["exception"]
    assert secret not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("kind", SECRETS)
def test_secrets_leave_our_own_entries_however_deep_they_lie(lines, kind):
    text, secret = SECRETS[kind]
    structlog.get_logger("ours").warning("call_failed", answer={"bodies": [text]}, error=ValueError(text))
    assert secret not in json.dumps(lines(), ensure_ascii=False)


@pytest.mark.parametrize(
    "key", ["password", "SECRET_KEY", "api_key", "apikey", "access_token", "Authorization", "sessionid"]
)
def test_fields_whose_name_says_so_are_hidden(lines, key):
    structlog.get_logger("ours").warning("seen", **{key: "plain"}, inner={key: "plain"})
    assert "plain" not in json.dumps(lines())


@pytest.mark.parametrize(
    "harmless",
    [
        "2026-11-21T03:55:40.123456Z",
        "8c7f2f0e-51b0-4a9c-9d3f-0123456789ab",
        "took 0.123456789 s",
        "artifact 1234567 of 9876543",
        "GET /admin/voicepipeline/user/?p=2",
    ],
)
def test_times_ids_and_numbers_stay_readable(harmless):
    assert logs.clean(harmless) == harmless


def test_counted_tokens_stay(lines):
    structlog.get_logger("ours").warning("call_finished", input_tokens=1200, cost_usd=0.01)
    assert lines()[0]["input_tokens"] == 1200


def test_a_long_text_keeps_its_beginning_and_its_end():
    text = logs.clean(f"first {'x' * 10_000} last")
    assert len(text) < 4_100
    assert text.startswith("first")
    assert text.endswith("last")


def test_a_line_says_when_how_bad_and_where(lines):
    logging.getLogger("library").warning("Trouble")
    (line,) = lines()
    assert line["event"] == "Trouble"
    assert line["level"] == "warning"
    assert line["logger"] == "library"
    assert line["timestamp"].endswith("Z")


def test_the_readable_style_hides_the_same():
    record = logging.makeLogRecord({"msg": "password=hunter2", "levelno": 30, "levelname": "WARNING", "name": "x"})
    assert "hunter2" not in logs.formatter("text").format(record)


def test_a_line_of_a_request_carries_its_id(lines, client):
    response = client.get("/nowhere/", headers={"X-Request-ID": "edge-17"})
    assert response.status_code == 404
    assert [line["request_id"] for line in lines() if line["logger"] == "django.request"] == ["edge-17"]


@pytest.mark.django_db
def test_what_somebody_types_at_sign_in_reaches_no_line(lines, client):
    make_user(username="ana", password="correct horse battery")
    for _ in range(6):
        client.post(reverse("admin:login"), {"username": "ana", "password": "hunter2-typed"})
    assert lines()
    assert "hunter2-typed" not in json.dumps(lines())


@pytest.mark.django_db
def test_a_crash_at_sign_in_reaches_the_log_without_the_password(lines, client):
    def down(execute, sql, params, many, context):
        raise OperationalError("connection to postgresql://app:hunter2-db@db.example/app failed")

    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        client.post(reverse("admin:login"), {"username": "ana", "password": "hunter2-typed"})
    text = json.dumps(lines())
    assert "OperationalError" in text
    assert "hunter2" not in text
