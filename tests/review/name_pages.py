"""The pages of names to check, as tests look at them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import make_claim, make_resolution, make_user
from tests.review.name_helpers import operator
from voicepipeline import roles
from voicepipeline.admin.name_queue import Question, question_url
from voicepipeline.models import EntityResolution

QUEUE = reverse("admin:voicepipeline_entityresolution_changelist")
CANDIDATES = [
    {"id": 1, "name": "Eoin Murphy", "score": 93.3, "reason": "the same last name"},
    {"id": 2, "name": "Seán Murphy", "score": 90.0, "reason": "a last name spelt alike"},
]


@pytest.fixture
def ana(client):
    user = operator(first_name="Ana", last_name="Nowak")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def question(name="Murphy", artifact=None, **fields):
    """An open question, as rows alone."""
    claim = make_claim(artifact, name, **fields)
    return make_resolution(claim, candidates=CANDIDATES)


def url_of(row, **more):
    asked = Question(row.artifact_id, row.kind, row.name_key)
    return question_url(asked, row.artifact.artifact_id, **more)


def url_in(note, name="Murphy"):
    return url_of(EntityResolution.objects.filter(artifact=note, raw_text=name).first())


def names_on(response):
    return re.findall(r'class="vp-names-name"[^>]*>([^<]*)<', response.content.decode())


def text_of(response):
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def queries_of(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def post(client, url, **given):
    return client.post(url, {"seen": "", "only": "", **given})
