"""The preview of a bulk retry: what it would do as it was counted, and the one press that starts it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from retry.models import BulkRetry, RetryKind
from tests.factories import make_user
from tests.retry.admin.rows import TOO_LATE, make_bulk
from voicepipeline import roles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


def page_of(bulk):
    return reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])


def text_of(client, bulk):
    return " ".join(client.get(page_of(bulk)).content.decode().split())


def test_it_tells_what_it_would_do(client, operator):
    page = text_of(client, make_bulk(by=operator))
    assert "Retry 3 voice notes" in page
