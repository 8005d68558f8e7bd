"""Entries that nobody decides about run out, and nothing that somebody decided does."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.factories import make_claim, make_draft, make_note, make_user
from voicepipeline import tasks
from voicepipeline.models import InsightDraft, PipelineEvent
from voicepipeline.operations import entries
from voicepipeline.operations.entries import Expired, expire_entries

pytestmark = pytest.mark.django_db

NOW = timezone.now()
OVER = {"expires_at": NOW - timedelta(seconds=1)}


def statuses():
    return list(InsightDraft.objects.order_by("id").values_list("status", flat=True))


def test_an_entry_expires_when_its_time_is_over():
    make_draft(expires_at=NOW)
    make_draft(expires_at=NOW + timedelta(seconds=1))
    assert expire_entries(now=NOW) == Expired(entries=1, notes=1)
    assert statuses() == ["expired", "pending"]
    expired = InsightDraft.objects.get(status="expired")
    assert (expired.decided_at, expired.decided_by, expired.automatic) == (NOW, None, False)


@pytest.mark.parametrize("status", ["confirmed", "applied", "rejected"])
def test_what_a_person_decided_does_not_expire(status):
    make_draft(status=status, decided_by=make_user(), **OVER)
    assert expire_entries(now=NOW) == Expired(entries=0, notes=0)
    assert statuses() == [status]


def test_each_entry_has_its_event():
    claim = make_claim()
    for _ in range(3):
        make_draft(claim, **OVER)
    other = make_draft(**OVER)
    assert expire_entries(now=NOW) == Expired(entries=4, notes=2)
    said = PipelineEvent.objects.filter(event_type="draft_expired")
    assert said.filter(artifact=claim.artifact).count() == 3
    assert said.filter(artifact=other.artifact).count() == 1
    assert said.first().metadata == {"topic": "performance"}


def test_a_second_run_finds_nothing():
    make_draft(**OVER)
    expire_entries(now=NOW)
    assert expire_entries(now=NOW + timedelta(hours=1)) == Expired(entries=0, notes=0)
    assert PipelineEvent.objects.filter(event_type="draft_expired").count() == 1


def test_an_entry_that_was_brought_back_may_expire_again():
    draft = make_draft(**OVER)
    expire_entries(now=NOW)
    InsightDraft.objects.filter(pk=draft.pk).update(status="pending", decided_at=None, expires_at=NOW)
    expire_entries(now=NOW + timedelta(hours=1))
    assert PipelineEvent.objects.filter(event_type="draft_expired").count() == 2


def test_the_scheduled_job_does_it():
    make_draft(**OVER)
    tasks.expire_entries()
    assert statuses() == ["expired"]


@pytest.mark.django_db(transaction=True)
def test_a_person_who_confirms_at_the_same_moment_is_not_overwritten():
    note = make_note()
    draft = make_draft(make_claim(note), **OVER)
    by = make_user()
    results = []

    def expire():
        results.append(entries.expire_entries_of(note.pk, now=NOW))
        connection.close()

    other = threading.Thread(target=expire)
    with transaction.atomic():
        decided = InsightDraft.objects.filter(pk=draft.pk, status="pending")
        assert decided.update(status="confirmed", decided_by=by, decided_at=NOW) == 1
        other.start()
        wait_until_somebody_waits_for_a_lock()
    other.join()
    assert (results, statuses()) == ([0], ["confirmed"])
    assert not PipelineEvent.objects.filter(event_type="draft_expired").exists()


def wait_until_somebody_waits_for_a_lock():
    deadline = timezone.now() + timedelta(seconds=20)
    while timezone.now() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")
