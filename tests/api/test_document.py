"""The OpenAPI document: what it says is so, whatever is sent; and the page that shows it."""

import hypothesis
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test.utils import override_settings

from tests.api.helpers import make_key
from tests.factories import make_claim, make_club, make_coach, make_draft, make_note
from voicepipeline.models import ApiScope

pytestmark = pytest.mark.django_db

DOCUMENT = "/api/openapi.json"
SEED = 20261121
# Not among them: that whatever fits the document is taken, for only the database knows the coaches, and only the
# bytes whether they are a recording.
CONFORMING = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
)


@pytest.fixture
def document(client):
    return client.get(DOCUMENT).json()


def test_every_address_is_described_with_what_it_can_answer(document):
    described = {
        (method, path): sorted(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    always = ["401", "403", "405", "429", "500", "503"]
    assert described == {
        ("get", "/api/v1/voice-notes"): sorted(["200", "422", *always]),
        ("post", "/api/v1/voice-notes"): sorted(["200", "201", "400", "409", "411", "413", "415", "422", *always]),
        ("get", "/api/v1/voice-notes/{note_id}"): sorted(["200", "404", "422", *always]),
    }


def test_errors_are_described_as_problems(document):
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                kind = "application/problem+json" if status >= "400" else "application/json"
                assert list(answer["content"]) == [kind]


def test_the_document_tells_nothing_of_this_installation(client, settings):
    told = client.get(DOCUMENT).content.decode()
    assert client.get(DOCUMENT).status_code == 200
    assert settings.SITE_URL not in told


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(client):
    response = client.get("/api/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "//" not in page.replace("<!DOCTYPE html>", "")
    assert "<script>" not in page
    assert "'unsafe-inline'" not in response["Content-Security-Policy"].split("script-src")[1].split(";")[0]


@pytest.fixture
def answers():
    """A club with notes of every kind to be asked about, and a key to ask with."""
    club = make_club()
    coach = make_coach(organization=club, phone="+353861234567")
    note = make_note(sender=coach)
    make_draft(make_claim(note))
    # A request that ends closes the connection, and with it the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with override_settings(ALLOWED_HOSTS=["*"]):
        yield make_key(club, *ApiScope.values)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def check(secret, examples):
    # A second of work, which a process that does not run this test is spared.
    import schemathesis
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    schema = schemathesis.openapi.from_wsgi(DOCUMENT, WSGIHandler())
    checks = [CHECKS.get_one(name) for name in CONFORMING]
    unlike_it = schemathesis.GenerationMode.NEGATIVE
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            max_examples=examples, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(case=operation.as_strategy() | operation.as_strategy(generation_mode=unlike_it))
        def conforms(case):
            headers = {"Authorization": f"Bearer {secret}"}
            asked.append(case.call_and_validate(checks=checks, headers=headers).status_code)

        conforms()
    return asked


@pytest.mark.trial
def test_whatever_is_sent_the_answer_is_as_described(answers, media):
    asked = check(answers.secret, 12)
    assert {200, 422} <= set(asked)
    assert max(asked) < 500


@pytest.mark.trial
def test_whatever_else_is_sent_the_answer_is_as_described(answers, media):
    assert max(check(answers.secret, 1_000)) < 500
