"""How what was on hold is let go."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from tests.engine.helpers import doorbells, events_of, make_artifact, scheduled
from tests.engine.services import (
    DOWN,
    HEARING,
    ago,
    answered,
    closed_for,
    health,
    on_hold,
    paused,
    taken_up,
    told,
    turned_away,
)
from tests.factories import make_club, make_user
from voicepipeline.engine import doorbell
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.health import resume_service
from voicepipeline.engine.releasing import release, release_due
from voicepipeline.engine.settling import settle
from voicepipeline.engine.transactions import database_now
from voicepipeline.engine.watchdog import Watchdog
from voicepipeline.models import AIServiceHealth, Artifact, Pause, PipelineEvent, StageRun

pytestmark = pytest.mark.django_db


def notes_on_hold(count: int, *, stage: str = "transcription", since: float = 600, **values) -> list[int]:
    """Runs on hold since then, the oldest first; their ids."""
    moment = ago(since)
    values = {"parked_reason": "provider_error", "parked_since": moment, "not_before": moment, **values}
    notes = Artifact.objects.bulk_create(
        Artifact(source_channel="app_typed", current_stage=stage, received_at=moment) for _ in range(count)
    )
    runs = StageRun.objects.bulk_create(
        StageRun(
            artifact=note, stage=stage, generation=1, attempt=1,
            queued_at=moment + timedelta(milliseconds=number), **values,
        )
        for number, note in enumerate(notes)
    )  # fmt: skip
    return [run.pk for run in runs]


def let_go() -> set[int]:
    return set(StageRun.objects.filter(status="queued", parked_since=None).values_list("pk", flat=True))


def take_up_what_was_let_go() -> int:
    taken = [claim(pk, worker="test:1:1") for pk in let_go()]
    return sum(claim is not None for claim in taken)


# --- A service that is well -------------------------------------------------------------------------------------


def test_with_nothing_on_hold_a_round_asks_one_question():
    scheduled(make_artifact())
    now = database_now()
    with CaptureQueriesContext(connection) as asked:
        assert release_due(now) == 0
    assert len(asked) == 1


def test_the_oldest_are_let_go_first_up_to_half_of_the_workers(settings):
    settings.WORKERS = 8
    runs = notes_on_hold(20)
    assert release_due(database_now()) == 4
    assert let_go() == set(runs[:4])
    assert release_due(database_now()) == 0


def test_places_that_become_free_are_filled_again(settings):
    settings.WORKERS = 8
    runs = notes_on_hold(20)
    release_due(database_now())
    StageRun.objects.filter(pk__in=runs[:3]).update(status="cancelled", finished_at=timezone.now())
    assert release_due(database_now()) == 3


def test_one_worker_gets_one_at_a_time(settings):
    settings.WORKERS = 1
    notes_on_hold(3)
    assert [release_due(database_now()) for _ in range(3)] == [1, 0, 0]


def test_a_service_that_is_just_back_gets_one_then_two_then_four(settings):
    settings.WORKERS = 32
    notes_on_hold(100)
    row = closed_for(0)
    seen = []
    for second in range(6):
        AIServiceHealth.objects.update(changed_at=ago(second + 0.2))
        seen.append(release_due(database_now()))
    assert row.state == "closed"
    assert seen == [1, 1, 2, 4, 8, 0]


def test_what_was_let_go_says_for_what_it_waited_and_is_rung_for_in_the_same_round():
    run = StageRun.objects.get(pk=notes_on_hold(1)[0])
    Watchdog().round()
    run.refresh_from_db()
    assert (run.parked_reason, run.parked_since, run.ring_count) == ("", None, 1)
    event = PipelineEvent.objects.get(event_type="stage_released")
    assert (event.artifact_id, event.metadata) == (run.artifact_id, {"reason": "provider_error"})
    assert [args[1] for _, args in doorbells()] == [run.pk]


def test_what_is_on_hold_is_never_rung_for():
    notes_on_hold(3)
    assert doorbell.ring_due(database_now()) == 0


def test_what_is_not_due_yet_stays():
    notes_on_hold(1, not_before=ago(-60))
    assert release_due(database_now()) == 0


def test_a_run_that_is_not_on_hold_is_not_released():
    run = scheduled(make_artifact())
    assert not release(run.pk, run.artifact_id)
    assert told("stage_released") == 0


def test_a_run_may_be_held_and_let_go_again_and_each_is_told():
    paused(next_probe_at=ago(-60))
    run = turned_away()
    for _ in range(2):
        assert release(run.pk, run.artifact_id)
        assert claim(run.pk, worker="test:1:1") is None
    assert events_of(run.artifact) == ["stage_parked", "stage_released"] * 2 + ["stage_parked"]


# --- People's pauses --------------------------------------------------------------------------------------------


def make_pause(subject="everything", organization=None):
    person = make_user("Operator")
    return Pause.objects.create(subject=subject, organization=organization, reason="Works.", paused_by=person)


def end(pause):
    Pause.objects.filter(pk=pause.pk).update(resumed_by=pause.paused_by, resumed_at=timezone.now())


@pytest.mark.parametrize("stage", ["transcription", "claims_extraction", "entity_resolution", "draft_generation"])
def test_what_people_have_paused_stays_until_they_end_it(stage):
    pause = make_pause()
    notes_on_hold(2, stage=stage, parked_reason="paused_by_staff")
    assert release_due(database_now()) == 0
    end(pause)
    assert release_due(database_now()) == 2


def test_a_clubs_pause_keeps_its_own_notes_alone():
    club = make_club()
    make_pause(organization=club)
    runs = notes_on_hold(4)
    Artifact.objects.filter(runs__in=runs[:2]).update(organization=club)
    Artifact.objects.filter(runs__in=runs[2:3]).update(organization=make_club())
    assert release_due(database_now()) == 2
    assert let_go() == set(runs[2:])


def test_after_a_pause_of_people_what_waited_is_paced_too(settings):
    settings.WORKERS = 8
    pause = make_pause("entity_resolution")
    notes_on_hold(50, stage="entity_resolution", parked_reason="paused_by_staff")
    end(pause)
    assert release_due(database_now()) == 4
    assert release_due(database_now()) == 0


# --- A service in trouble ---------------------------------------------------------------------------------------


def test_while_a_service_is_paused_its_notes_stay():
    paused(next_probe_at=ago(-60))
    notes_on_hold(5)
    assert release_due(database_now()) == 0


def test_what_needs_a_person_waits_for_the_person(settings):
    settings.WORKERS = 32
    paused(needs_person=True)
    notes_on_hold(5)
    assert release_due(database_now()) == 0
    resume_service(HEARING, by_id=make_user("Operator").pk)
    assert release_due(database_now()) == 1


def test_when_the_time_of_a_test_has_come_one_is_let_go_and_becomes_it():
    paused()
    runs = notes_on_hold(5)
    assert [release_due(database_now()) for _ in range(3)] == [1, 0, 0]
    assert take_up_what_was_let_go() == 1
    assert health().probe_run_id == runs[0]
    assert release_due(database_now()) == 0


def test_a_fresh_note_that_waits_tests_in_place_of_one_on_hold():
    paused()
    notes_on_hold(5)
    scheduled(make_artifact())
    assert release_due(database_now()) == 0


def test_it_is_not_always_the_same_note_that_tests():
    paused()
    notes_on_hold(3)
    testers = []
    for _ in range(6):
        AIServiceHealth.objects.update(next_probe_at=ago(1))
        StageRun.objects.update(not_before=ago(1))
        assert release_due(database_now()) == 1
        (run,) = let_go()
        settle(claim(run, worker="test:1:1"), DOWN)
        testers.append(run)
    assert testers[:3] == testers[3:]
    assert len(set(testers)) == 3


def test_a_test_is_not_put_off_because_the_provider_asked_a_note_to_wait():
    paused()
    notes_on_hold(1, not_before=ago(-3600))
    assert release_due(database_now()) == 1
    assert take_up_what_was_let_go() == 1


def test_who_may_come_sooner_tests_first():
    paused()
    waits_long, waits_short = notes_on_hold(2)
    StageRun.objects.filter(pk=waits_long).update(not_before=ago(-3600))
    release_due(database_now())
    assert let_go() == {waits_short}


def test_a_test_that_ended_without_a_word_is_followed_by_another():
    paused()
    first, second = notes_on_hold(2)
    release_due(database_now())
    assert take_up_what_was_let_go() == 1
    StageRun.objects.filter(pk=first).update(
        status="failed", error_code="worker_died", lease_until=None, finished_at=timezone.now()
    )
    assert release_due(database_now()) == 1
    assert let_go() == {second}


def test_a_pause_of_people_also_keeps_a_service_from_being_tested_with_the_paused():
    club = make_club()
    make_pause(organization=club)
    paused()
    first, second = notes_on_hold(2)
    Artifact.objects.filter(runs=first).update(organization=club)
    release_due(database_now())
    assert let_go() == {second}


# --- Fresh notes ------------------------------------------------------------------------------------------------


@pytest.mark.trial
@pytest.mark.parametrize("fresh_at_once", [1, 3])
def test_fresh_notes_do_not_wait_behind_a_thousand_that_were_on_hold(
    settings, fresh_at_once, django_capture_on_commit_callbacks
):
    """Eight workers, a beat of the clock for each job: a fresh note starts in the beat in which it comes."""
    settings.WORKERS = 8
    closed_for(3600)
    thousand = set(notes_on_hold(1_000, since=7200))
    beats_waited, busy_with_old = [], []
    waiting: dict[int, int] = {}
    for beat in range(20):
        StageRun.objects.filter(status="running").update(
            status="succeeded", lease_until=None, finished_at=timezone.now()
        )
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(fresh_at_once):
                waiting[scheduled(make_artifact()).pk] = beat
        Watchdog().round()
        taken = answer_the_oldest(settings.WORKERS)
        beats_waited += [beat - waiting.pop(run) for run in taken if run in waiting]
        busy_with_old.append(len(thousand & set(taken)))
    assert max(beats_waited) <= 1
    assert len(beats_waited) >= 20 * fresh_at_once - 8
    assert max(busy_with_old) == 4
    assert sum(busy_with_old) >= 18 * 4


def answer_the_oldest(workers: int) -> list[int]:
    """The next doorbells in the queue, one for each worker; the runs that were taken up."""
    taken = []
    while len(taken) < workers and (row := OrmQ.objects.order_by("id").first()):
        run = SignedPackage.loads(row.payload)["args"][1]
        row.delete()
        if claim(run, worker="test:1:1"):
            taken.append(run)
    return taken


# --- A whole outage ---------------------------------------------------------------------------------------------


@pytest.mark.trial
def test_an_outage_over_thirty_notes_fails_none_charges_none_and_is_over_when_it_is_over(settings):
    settings.WORKERS = 8
    settings.ENGINE = {"provider_pause": 0.05, "probe_pause": 0.2, "longest_probe_pause": 0.4}
    notes = [make_artifact() for _ in range(30)]
    for note in notes:
        scheduled(note)
    watchdog, began = Watchdog(), time.monotonic()
    while time.monotonic() - began < 2:
        beat(watchdog, down=True)
    tests = PipelineEvent.objects.filter(event_type="transcription_started").count()
    assert (health().state in {"open", "half_open"}, told("circuit_breaker_opened")) == (True, 1)
    assert tests <= 8 + 2 / 0.2 + 1
    deadline = time.monotonic() + 30
    while Artifact.objects.active().exists():
        assert time.monotonic() < deadline
        beat(watchdog, down=False)
    assert (told("circuit_breaker_opened"), told("circuit_breaker_closed")) == (1, 1)
    assert on_hold() == 0
    assert Artifact.objects.failed().count() == 0
    assert not StageRun.objects.exclude(transient_no=0, crash_no=0).exists()
    assert not StageRun.objects.filter(status="failed").exists()


def beat(watchdog: Watchdog, *, down: bool) -> None:
    """The watchdog's round, then eight workers, who all make their call before the first is answered."""
    watchdog.round()
    OrmQ.objects.all().delete()
    due = StageRun.objects.due(database_now()).order_by("queued_at")
    claims = [claim(pk, worker="test:1:1") for pk in due.values_list("pk", flat=True)[:8]]
    for taken in filter(None, claims):
        if down:
            settle(taken, DOWN)
        else:
            answered(taken)


# --- What it costs ----------------------------------------------------------------------------------------------


@pytest.mark.trial
def test_ten_thousand_on_hold_are_let_go_through_their_index():
    notes_on_hold(10_000)
    closed_for(3600)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE voicepipeline_stagerun")
    with CaptureQueriesContext(connection) as asked:
        release_due(database_now())
    oldest = next(query["sql"] for query in asked if "LIMIT 16" in query["sql"] and "queued_at" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {oldest}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "run_on_hold" in plan
    assert "Sort" not in plan


@pytest.mark.trial
def test_ten_thousand_on_hold_cost_the_ringing_nothing():
    notes_on_hold(10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE voicepipeline_stagerun")
        cursor.execute(
            f"EXPLAIN SELECT id FROM voicepipeline_stagerun WHERE stage = 'transcription' AND {doorbell.RING_DUE}"
            " ORDER BY queued_at, id LIMIT 128",
            {"now": database_now(), "first": 30.0, "longest": 600.0},
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "run_waiting" in plan


def test_a_released_run_is_taken_up_by_the_next_worker():
    (run,) = notes_on_hold(1)
    release_due(database_now())
    taken = claim(run, worker="test:1:1")
    assert taken is not None
    taken_up()
