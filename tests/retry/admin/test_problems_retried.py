"""A problem's voice notes are retried together: frozen in a preview first."""

import pytest
from django.urls import reverse

from retry.models import BulkRetry
from tests.factories import make_user
from tests.retry.factories import NAMES, make_closed
from tests.retry.problems import fail, group_of
from voicepipeline import roles
from voicepipeline.models import Artifact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


def retry(client, note, **more):
    return client.post(reverse("admin:retry_failuregroup_retry", args=[note.fingerprint]), **more)


def test_those_that_fail_with_it_now_are_frozen_in_a_preview_and_nothing_happens_to_them(client, operator):
    notes = [fail() for _ in range(3)]
    fail(NAMES), make_closed()
    answer = retry(client, notes[0])
    bulk = BulkRetry.objects.get()
    assert answer["Location"] == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])
    assert (bulk.state, bulk.kind, bulk.requested_by) == ("preview", "failed_stage", operator)
    assert list(bulk.items.order_by("position").values_list("artifact", flat=True)) == [note.pk for note in notes]
    assert "Declined by the AI model" in bulk.chosen_by


def test_of_more_than_can_be_retried_at_once_the_oldest_come_first(client, operator, settings):
    settings.RETRY = {"most_in_bulk": 2}
    notes = [fail() for _ in range(3)]
    retry(client, notes[0])
    bulk = BulkRetry.objects.get()
    assert [item.artifact for item in bulk.items.order_by("position")] == notes[:2]
    assert "the 2 oldest of 3 voice notes" in bulk.chosen_by


def test_when_none_fails_with_it_any_more_that_is_told(client, operator):
    note = fail()
    Artifact.objects.filter(pk=note.pk).update(
        status="processing", failed_stage="", error_code="", error_message="", fingerprint=""
    )
    page = retry(client, note, follow=True).content.decode()
    assert not BulkRetry.objects.exists()
    assert 'id="messages"' in page or "voice note" in page
    assert 'id="retry"' not in page
    assert group_of(fail()).failures == 2
