"""Voice notes fail with the same problems at the same time, while staff decide about them."""

import itertools
import random
import threading
import time
from functools import partial

import pytest

from retry import groups
from retry.models import FailureGroup
from tests.engine.helpers import active_run, make_artifact, make_due, scheduled
from tests.factories import make_user
from tests.retry.factories import NAMES, make_failed
from tests.retry.problems import fail, in_an_hour
from tests.stages.fixtures import scripted_stages  # noqa: F401
from tests.threads import at_once, raised
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import EventType

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]
WORKERS = 8
ENOUGH = 60  # seconds, for what takes two on an idle machine
# Each with its own problem.
SCRIPTS = ({"transcription": ["permanent"]}, {"transcription": ["bad_result"]})


def prepared(number):
    notes = [make_artifact(**script) for script in itertools.islice(itertools.cycle(SCRIPTS), number)]
    for note in notes:
        scheduled(note)
        make_due(note)
    return notes


def test_eight_workers_fail_notes_of_two_problems_while_staff_decide(scripted_stages, caplog):  # noqa: F811
    notes, staff = prepared(160), [make_user(roles.OPERATOR) for _ in range(3)]
    over, deadline = threading.Event(), time.monotonic() + ENOUGH
    all_failed = threading.Barrier(WORKERS, action=over.set)

    def work(mine):
        for note in mine:
            perform(active_run(note).pk)
        all_failed.wait(ENOUGH)

    def decide(person, chance):
        acts = (
            lambda problem: groups.mark_fixed(problem, by=person, note="A new key."),
            lambda problem: groups.snooze(problem, by=person, until=in_an_hour()),
            lambda problem: groups.reopen(problem, by=person),
            lambda problem: groups.add_missing(),
        )
        while not over.is_set() and time.monotonic() < deadline:
            for problem in FailureGroup.objects.values_list("fingerprint", flat=True):
                chance.choice(acts)(problem)

    workers = [partial(work, notes[at::WORKERS]) for at in range(WORKERS)]
    people = [partial(decide, person, random.Random(seed)) for seed, person in enumerate(staff)]
    assert not raised(at_once(*workers, *people))
    assert [record.message for record in caplog.records if "collision" in record.message] == []
    assert list(FailureGroup.objects.values_list("failures", flat=True)) == [80, 80]
    for group in FailureGroup.objects.all():
        assert_story_is_possible(group)


# What may follow what: only what is fixed comes back, only what is not open is opened.
MAY_FOLLOW = {
    "": {"fixed", "snoozed"},
    "fixed": {"came_back", "reopened"},
    "came_back": {"fixed", "snoozed"},
    "reopened": {"fixed", "snoozed"},
    "snoozed": {"fixed", "snoozed", "reopened"},
}


def assert_story_is_possible(group):
    marks = ["", *group.marks.order_by("id").values_list("kind", flat=True)]
    wrong = [pair for pair in itertools.pairwise(marks) if pair[1] not in MAY_FOLLOW[pair[0]]]
    assert wrong == []
    stands = {"fixed": "fixed", "snoozed": "snoozed"}.get(marks[-1], "open")
    assert group.status == stands


def test_a_fixed_problem_comes_back_once_however_many_fail_at_once():
    person, note = make_user(roles.OPERATOR), fail()
    for _ in range(10):
        assert groups.mark_fixed(note.fingerprint, by=person, note="A new key.").done
        events = [NewEvent(event_type=EventType.ARTIFACT_FAILED, artifact=note) for _ in range(6)]
        assert not raised(at_once(*(lambda event=event: log_events([event]) for event in events)))
    group = FailureGroup.objects.get()
    assert group.failures == 61
    assert list(group.marks.order_by("id").values_list("kind", flat=True)) == ["fixed", "came_back"] * 10


def test_batches_that_name_the_same_problems_in_other_orders_never_wait_for_each_other():
    notes = [make_failed(message="One."), make_failed(NAMES), make_failed(message="Two.")]
    orders = [order for order in itertools.permutations(notes) for _ in range(2)]

    def tell(order):
        for _ in range(10):
            log_events([NewEvent(event_type=EventType.ARTIFACT_FAILED, artifact=note) for note in order])

    assert not raised(at_once(*(lambda order=order: tell(order) for order in orders)))
    assert list(FailureGroup.objects.values_list("failures", flat=True)) == [120] * 3


def test_two_people_at_once_make_one_decision():
    note, people = fail(), [make_user(roles.OPERATOR) for _ in range(4)]
    outcomes = at_once(
        *(lambda person=person: groups.mark_fixed(note.fingerprint, by=person, note="A new key.") for person in people)
    )
    assert sorted(outcome.done for outcome in outcomes) == [False, False, False, True]
    assert FailureGroup.objects.get().marks.count() == 1
