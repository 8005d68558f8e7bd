"""A process is killed in the middle of a retry: either nothing has happened, or the retry runs and its end is told."""

import time
from dataclasses import dataclass

import pytest
from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from retry import closing
from retry.models import RetryAttempt
from retry.operations import retry
from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_user
from tests.faults.crashing import After, AfterCommit, Before, BeforeCommit, crash
from tests.faults.invariants import broken
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.engine.watchdog import Watchdog
from voicepipeline.models import Artifact, PipelineEvent, StageRun, User

pytestmark = [pytest.mark.faults, pytest.mark.trial, pytest.mark.django_db(transaction=True)]

CONVERGES_WITHIN_SECONDS = 30
SHORT = {"lease": 0.3, "first_pause": 0.1, "ring_again_first": 0.2, "forgotten_after": 0.2, "beat_every": 0.1}
RING = "voicepipeline.engine.doorbell:ring"


@dataclass(frozen=True)
class Point:
    """Where the process dies, and whether the retry has begun by then."""

    name: str
    moment: object
    begun: bool = True

    def __str__(self) -> str:
        return self.name


POINTS = [
    Point("with everything looked at and nothing written", Before("retry.operations:_carry_out"), begun=False),
    Point("with the attempt kept", Before("retry.operations:_begin"), begun=False),
    Point("with the results deleted", After("voicepipeline.engine.requests:_remove_results"), begun=False),
    Point("with everything written, before the commit", BeforeCommit(), begun=False),
    Point("after the commit, before ringing", AfterCommit()),
    Point("when it is about to ring", Before(RING)),
    Point("after ringing", After(RING)),
]


@pytest.fixture(autouse=True)
def _short_limits(settings):
    settings.ENGINE = SHORT


@pytest.fixture(autouse=True)
def _no_earlier_results(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tests_stageresult")


def failed_note(**script):
    note = make_artifact(**(script or {"claims_extraction": ["permanent"]}))
    scheduled(note)
    run_to_the_end(note)
    OrmQ.objects.all().delete()
    return note


def ask(kind: str, artifact_pk: int, by_pk: int) -> None:
    """In the child: no object with a connection crosses over."""
    artifact_id = Artifact.objects.get(pk=artifact_pk).artifact_id
    retry(kind, artifact_id, by=User.objects.get(pk=by_pk), reason="It hangs.", idempotency_key=f"form-{kind}")


def rows(note):
    tables = (Artifact.objects.filter(pk=note.pk), note.runs, note.events, note.retries, OrmQ.objects)
    return [list(table.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize("kind", ["failed_stage", "full"])
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_kill_leaves_nothing_half_done_and_what_has_begun_ends(point, kind):
    note, by = failed_note(), make_user(roles.ADMINISTRATOR)
    before = rows(note)
    crash(point.moment, ask, kind, note.pk, by.pk)
    if point.begun:
        assert RetryAttempt.objects.get(artifact=note).outcome == "under_way"
    else:
        assert rows(note) == before
        ask(kind, note.pk, by.pk)
    recover(note)
    assert note.status == "completed"
    assert [(each.number, each.outcome) for each in note.retries.all()] == [(1, "succeeded")]
    assert told(note) == ["retry_initiated", "retry_succeeded"]
    assert_nothing_is_broken()


def test_who_sends_the_form_again_after_a_kill_asks_for_the_same_retry():
    note, by = failed_note(), make_user(roles.ADMINISTRATOR)
    crash(AfterCommit(), ask, "full", note.pk, by.pk)
    ask("full", note.pk, by.pk)
    recover(note)
    assert (note.generation, note.retries.count()) == (2, 1)


@pytest.mark.parametrize("moment", [BeforeCommit(2), AfterCommit(2), Before("retry.closing:close")], ids=str)
def test_a_worker_killed_while_it_ends_the_retry_leaves_it_ended_once(moment):
    """The note and its retry end in one transaction, so there is no moment at which only one of them has."""
    note, by = failed_note(draft_generation=["permanent"]), make_user(roles.ADMINISTRATOR)
    ask("failed_stage", note.pk, by.pk)
    crash(moment, perform, note.runs.get(status="queued").pk)
    note.refresh_from_db()
    attempt = note.retries.get()
    assert (note.status == "completed") == (attempt.outcome == "succeeded")
    recover(note)
    assert told(note) == ["retry_initiated", "retry_succeeded"]
    assert_nothing_is_broken()


def test_a_retry_of_which_only_the_attempt_is_left_is_closed_by_the_watchdog(settings):
    """As when its run had been lost and the note was brought to its end by another."""
    note, by = failed_note(), make_user(roles.ADMINISTRATOR)
    ask("failed_stage", note.pk, by.pk)
    note.runs.filter(status="queued").delete()
    recover(note)
    assert note.retries.get().outcome == "under_way"
    RetryAttempt.objects.update(requested_at=note.received_at - 2 * closing.FORGOTTEN_AFTER)
    watch_until(lambda: note.retries.get().outcome == "succeeded")
    assert told(note) == ["retry_initiated", "retry_succeeded"]


def recover(note):
    """A watchdog that knows nothing of before, and a worker that answers whatever rings, until the note has ended."""
    watchdog = Watchdog()
    deadline = time.monotonic() + CONVERGES_WITHIN_SECONDS
    note.refresh_from_db()
    while note.is_active:
        assert time.monotonic() < deadline, list(StageRun.objects.filter(artifact=note).values())
        watchdog.round()
        for row in OrmQ.objects.order_by("id"):
            package = SignedPackage.loads(row.payload)
            import_string(package["func"])(*package["args"])
            row.delete()
        note.refresh_from_db()


def watch_until(condition):
    watchdog = Watchdog()
    deadline = time.monotonic() + CONVERGES_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        watchdog.round()


def told(note):
    events = PipelineEvent.objects.filter(artifact=note, event_type__startswith="retry_").order_by("id")
    return list(events.values_list("event_type", flat=True))


def assert_nothing_is_broken():
    with connection.cursor() as cursor:
        assert broken(cursor) == []
