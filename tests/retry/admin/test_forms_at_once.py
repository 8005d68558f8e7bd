"""One form of one note's retry, sent many times at the same instant, as by an impatient hand or a broken network."""

import uuid
from collections import Counter
from functools import partial

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from retry.models import RetryAttempt, RetryKind
from tests.factories import make_user
from tests.retry.factories import STATEMENTS, make_failed, make_ready
from tests.threads import at_once
from voicepipeline import roles
from voicepipeline.models import StageRun

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def send(client, url, form):
    """Whether it led back to the note, and what was said there."""
    response = client.post(url, form)
    (said,) = get_messages(response.wsgi_request)
    return response.status_code, str(said).partition(" (")[0].partition(" by Ana")[0]


def check_one_form(note, kind, times):
    ana = make_user(roles.ADMINISTRATOR, first_name="Ana")
    url = reverse("admin:retry_note", args=[note.artifact_id, kind])
    form = {"reason": "Anew.", "idempotency_key": uuid.uuid4().hex, "expected_generation": 1, "agreed_to": 0}
    answers = at_once(*[partial(send, signed_in(ana), url, form) for _ in range(times)])
    assert Counter(answers) == {(302, "Retry requested"): 1, (302, "Already requested"): times - 1}
    assert (RetryAttempt.objects.count(), StageRun.objects.active().count()) == (1, 1)


def test_a_form_that_is_sent_eight_times_at_once_is_one_retry():
    check_one_form(make_failed(), STATEMENTS, 8)


@pytest.mark.trial
@pytest.mark.parametrize(("make", "kind"), [(make_failed, STATEMENTS), (make_ready, RetryKind.FULL)])
def test_a_form_that_is_sent_fifty_times_at_once_is_one_retry(make, kind):
    check_one_form(make(), kind, 50)
