"""What the demo's operator has retried, so that whoever looks at the demo sees how it looks."""

import pytest

from retry import demo
from retry.models import BulkRetry, RetryAttempt
from tests.retry.factories import STATEMENTS, TRANSCRIPTION, make_closed, make_failed
from tests.simulator.running import control, simulating
from voicepipeline.demo import scenes
from voicepipeline.models import User
from voicepipeline.operations import first_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def simulator(settings):
    with simulating() as running:
        settings.OPENAI_BASE_URL = running.base_url
        yield running


@pytest.fixture
def history():
    """Notes as the demo's history has them."""
    first_run.create_demo_accounts()
    make_failed(TRANSCRIPTION, sent_as="recorded", code="audio_unsupported")
    make_failed(TRANSCRIPTION, sent_as="recorded", code="provider_timeout")
    make_closed(STATEMENTS, code="content_filtered")
    return [make_failed(STATEMENTS, code="content_filtered") for _ in range(2)]


def test_two_notes_are_retried_one_of_which_will_fail_again(history, simulator):
    scenes.play()
    assert [retry.problem_before != "" for retry in RetryAttempt.objects.all()] == [True, True]
    assert control(simulator)["queued"]["transcriptions"] == 1


def test_all_with_one_problem_are_retried_at_once_but_those_that_people_have_closed(history):
    demo.play()
    bulk = BulkRetry.objects.get()
    assert (bulk.state, bulk.expected, bulk.requested_by.username) == ("trying", 2, "operator")
    assert {item.artifact_id for item in bulk.items.all()} == {note.pk for note in history}


def test_the_next_start_of_the_demo_retries_nothing(history):
    demo.play()
    demo.play()
    assert (RetryAttempt.objects.count(), BulkRetry.objects.count()) == (2, 1)


def test_without_the_demos_operator_nothing_is_retried(history):
    User.objects.filter(username="operator").update(email="operator@example.com")
    demo.play()
    assert not RetryAttempt.objects.exists()
