"""Many writers, killed ones among them, while minutes are added up: nobody waits for ever, and nothing is lost."""

import signal
import threading
from collections import Counter as Tally
from datetime import timedelta
from random import Random

import pytest
from django.db.models import Sum

from metrics.counters import fold_counters
from metrics.models import Counter
from metrics.verification import find_differences
from tests.factories import make_club
from tests.faults.crashing import FORKS, Surroundings
from tests.metrics.counting import db_minute
from tests.metrics.writing import write_once, write_until_killed
from tests.threads import at_once, raised
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS_TO_DIE = 120


def platform_counts():
    rows = Counter.objects.filter(organization=None).values_list("counter_type").annotate(Sum("value"))
    return {counter_type.removesuffix("_1h"): value for counter_type, value in rows}


def event_counts():
    counts = Tally(PipelineEvent.objects.values_list("event_type", flat=True))
    return {
        "artifacts_received": counts["artifact_received"],
        "artifacts_completed": counts["artifact_completed"],
        "artifacts_failed": counts["artifact_failed"],
        "failures": counts["artifact_failed"],
        "claims_extracted": counts["claims_extracted"],
    }


def fold_until(done):
    """As if every minute were over, so that what writers are at is what is added up."""
    later = db_minute() + timedelta(hours=1)
    while not done.is_set():
        fold_counters(later)


def test_several_flushes_a_transaction_by_eight_while_minutes_are_added_up():
    club_ids = [make_club().pk for _ in range(3)]
    done, left = threading.Event(), Tally(writers=8)
    lock = threading.Lock()

    def writer(seed):
        random = Random(seed)
        try:
            for _ in range(40):
                write_once(random, club_ids)
        finally:
            with lock:
                left["writers"] -= 1
                if not left["writers"]:
                    done.set()

    assert not raised(at_once(*(lambda seed=seed: writer(seed) for seed in range(8)), *[lambda: fold_until(done)] * 2))
    assert platform_counts() == event_counts()
    assert find_differences() == []


def kill_writers(number, transactions):
    club_ids = [make_club().pk for _ in range(5)]
    here, random = Surroundings.here(), Random(number)
    children = [
        FORKS.Process(target=write_until_killed, args=(here, seed, club_ids, random.randrange(*transactions)))
        for seed in range(number)
    ]
    try:
        for child in children:
            child.start()
        for child in children:
            child.join(SECONDS_TO_DIE)
        assert {child.exitcode for child in children} == {-signal.SIGKILL}
    finally:
        for child in children:
            if child.exitcode is None:
                child.kill()
                child.join()
    assert PipelineEvent.objects.exists()
    assert platform_counts() == event_counts()
    assert find_differences() == []


def test_killed_writers_leave_figures_that_are_right():
    kill_writers(3, (1, 20))


@pytest.mark.trial
def test_sixteen_killed_writers_leave_figures_that_are_right():
    done = threading.Event()
    folding = threading.Thread(target=lambda: at_once(lambda: fold_until(done)))
    folding.start()
    try:
        kill_writers(16, (20, 100))
    finally:
        done.set()
        folding.join()
