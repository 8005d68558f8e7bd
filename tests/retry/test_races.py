"""Real threads against the real database: people who retry the same note at once, with workers at it meanwhile."""

import random
import threading
import time
import uuid
from collections import Counter
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from retry import closing
from retry.kinds import FAILED_STAGE
from retry.models import RetryAttempt, RetryKind
from retry.operations import retry, retry_failed_stage, retry_full_pipeline
from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_user
from tests.faults.invariants import broken
from tests.faults.surroundings import TEST_STAGES
from tests.retry.factories import LONG, make_failed, make_ready, make_stalled
from tests.threads import PATIENCE_SECONDS, at_once, raised
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.models import Artifact, PipelineEvent, StageRun

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

PEOPLE = 8
KINDS = (*RetryKind.values, FAILED_STAGE)
NO_LIMITS = {"retries_an_hour": 10**6, "destructive_an_hour": 10**6, "same_problem_asked_after": 10**6}
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(autouse=True)
def _unlimited_and_scripted(settings):
    settings.RETRY = NO_LIMITS
    settings.STAGE_CODE = TEST_STAGES
    settings.ENGINE = {"first_pause": 0.001, "longest_pause": 0.002}


@pytest.fixture(autouse=True)
def _no_earlier_results(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tests_stageresult")


def deadlocks():
    with connection.cursor() as cursor:
        cursor.execute(DEADLOCKS)
        return cursor.fetchone()[0]


# --- Everybody at one note, round after round --------------------------------------------------------------------


class Worker:
    """Does whatever waits, as workers do, until nobody asks for more; and looks how much there is at once."""

    def __init__(self, note):
        self.note, self.over, self.most_active = note, threading.Event(), 0

    def __call__(self):
        while not self.over.wait(0.002):
            self.most_active = max(self.most_active, self.note.runs.active().count())
            for run_id in self.note.runs.filter(status="queued").values_list("pk", flat=True):
                perform(run_id)
        connection.close()

    def wait_until_all_is_done(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.note.runs.active().exists():
            assert time.monotonic() < deadline
            self.over.wait(0.005)


def keeps_retrying(note, by, rounds, chance, all_together):
    """In each round one request of any kind at the instant of the others' ones, while a worker is at the note."""
    results = []
    for _ in range(rounds):
        kind = chance.choice(KINDS)
        all_together.wait()
        results.append(retry(kind, note.artifact_id, by=by, reason="Again.", agreed_to=9))
    return results


def everybody_retries(rounds):
    words = random.Random(4711).choices(["ok", "ok", "permanent", "transient"], k=900)
    note = make_artifact(transcription=words[::3], claims_extraction=words[1::3], draft_generation=words[2::3])
    scheduled(note)
    run_to_the_end(note)
    worker = Worker(note)
    all_together = threading.Barrier(PEOPLE, action=worker.wait_until_all_is_done, timeout=PATIENCE_SECONDS)
    acts = [
        partial(keeps_retrying, note, make_user(roles.ADMINISTRATOR), rounds, random.Random(number), all_together)
        for number in range(PEOPLE)
    ]
    working = threading.Thread(target=worker)
    working.start()
    try:
        outcomes = at_once(*acts)
        worker.wait_until_all_is_done()
    finally:
        worker.over.set()
        working.join()
    assert raised(outcomes) == []
    return note, worker, [result for results in outcomes for result in results]


def check_everybody_retries(rounds):
    before = deadlocks()
    note, worker, results = everybody_retries(rounds)
    begun = [result for result in results if result.success]
    attempts = RetryAttempt.objects.filter(artifact=note).order_by("number")
    assert len(results) == PEOPLE * rounds
    assert [attempt.number for attempt in attempts] == list(range(1, len(begun) + 1))
    assert {result.retry_attempt.pk for result in begun} == {attempt.pk for attempt in attempts}
    assert worker.most_active <= 1
    assert deadlocks() == before
    return note, attempts


def check_it_is_all_told(note, attempts):
    assert set(attempts.values_list("outcome", flat=True)) <= {"succeeded", "failed"}
    told = Counter(PipelineEvent.objects.filter(artifact=note).values_list("event_type", flat=True))
    assert told["retry_initiated"] == told["retry_succeeded"] + told["retry_failed"] == len(attempts)
    assert set(StageRun.objects.exclude(requested_by=None).values_list("origin", flat=True)) == {
        attempt.origin for attempt in attempts
    }
    with connection.cursor() as cursor:
        assert broken(cursor) == []


def test_whatever_eight_people_ask_for_at_once_is_numbered_and_ended():
    note, attempts = check_everybody_retries(2)
    assert len(attempts) >= 2
    check_it_is_all_told(note, attempts)


@pytest.mark.trial
def test_eight_people_and_twenty_five_rounds():
    note, attempts = check_everybody_retries(25)
    assert len(attempts) >= 25
    check_it_is_all_told(note, attempts)


# --- The same at the same instant --------------------------------------------------------------------------------


def check_one_form_many_times(times):
    note, ana, key = make_failed(), make_user(roles.OPERATOR, first_name="Ana"), uuid.uuid4().hex
    asked = partial(retry_failed_stage, note.artifact_id, by=ana, idempotency_key=key)
    outcomes = at_once(*[asked] * times)
    assert raised(outcomes) == []
    said = Counter(outcome.message.partition(" (")[0].partition(" by Ana")[0] for outcome in outcomes)
    assert said == {"Retry requested": 1, "Already requested": times - 1}
    assert {outcome.retry_attempt.pk for outcome in outcomes} == {RetryAttempt.objects.get().pk}
    assert (note.runs.active().count(), PipelineEvent.objects.filter(event_type="retry_initiated").count()) == (1, 1)


def test_a_form_sent_twelve_times_at_once_is_one_retry():
    check_one_form_many_times(12)


@pytest.mark.trial
def test_a_form_sent_fifty_times_at_once_is_one_retry():
    check_one_form_many_times(50)


def test_one_form_sent_for_two_notes_at_once_retries_one_and_raises_nothing():
    """As nobody does who means well."""
    ana, notes = make_user(roles.OPERATOR), [make_failed() for _ in range(6)]
    outcomes = at_once(*[partial(retry_failed_stage, note.artifact_id, by=ana, idempotency_key="k") for note in notes])
    assert raised(outcomes) == []
    assert [outcome.success for outcome in outcomes].count(True) == 1
    assert (RetryAttempt.objects.count(), StageRun.objects.active().count()) == (1, 1)


@pytest.mark.parametrize("make", [make_ready, make_failed, make_stalled])
def test_of_those_who_start_over_at_once_one_does_and_the_others_read_who(make):
    note = make()
    people = [make_user(roles.ADMINISTRATOR, username=f"person-{make.__name__}-{n}") for n in range(4)]
    outcomes = at_once(*[partial(retry_full_pipeline, note.artifact_id, by=by, reason="Anew.") for by in people])
    assert raised(outcomes) == []
    (first,) = [outcome for outcome in outcomes if outcome.success]
    told = f"Already requested by {first.retry_attempt.requested_by.username} "
    assert [outcome.message.startswith(told) for outcome in outcomes].count(True) == 3
    assert Artifact.objects.get(pk=note.pk).generation == 2


def test_a_retry_meets_the_end_of_a_note_and_either_waits_for_it_or_comes_after():
    ana = make_user(roles.ADMINISTRATOR)
    for _ in range(4):
        note = make_artifact()
        scheduled(note)
        for _ in range(3):
            perform(note.runs.get(status="queued").pk)
        last = note.runs.get(status="queued").pk
        asked = partial(retry, RetryKind.DRAFT_GENERATION, note.artifact_id, by=ana)
        outcomes = at_once(partial(perform, last), asked)
        assert raised(outcomes) == []
        assert note.runs.active().count() == int(outcomes[1].success)
        run_to_the_end(note)
        assert Artifact.objects.get(pk=note.pk).status == "completed"
    assert not RetryAttempt.objects.exclude(outcome="succeeded").exists()


def test_two_watchdogs_close_a_retry_that_was_left_open_once():
    note, ana = make_ready(), make_user(roles.ADMINISTRATOR)
    RetryAttempt.objects.create(
        artifact=note, number=1, kind="full", generation=1, requested_by=ana, requested_at=timezone.now() - LONG
    )
    outcomes = at_once(*[closing.close_forgotten] * 4)
    assert (raised(outcomes), sum(outcomes)) == ([], 1)
    assert PipelineEvent.objects.filter(event_type="retry_succeeded").count() == 1


def test_who_starts_many_over_at_once_gets_no_more_of_them_than_one_after_the_other(settings):
    settings.RETRY = {"destructive_an_hour": 2}
    ana, notes = make_user(roles.ADMINISTRATOR), [make_ready() for _ in range(6)]
    outcomes = at_once(*[partial(retry_full_pipeline, note.artifact_id, by=ana, reason="Anew.") for note in notes])
    assert raised(outcomes) == []
    assert [outcome.success for outcome in outcomes].count(True) == 2
