"""Real threads against the real database: whoever comes second finds that there is nothing left to do."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from tests.engine.helpers import active_run, claimed, events_of, make_artifact, past, results, scheduled
from tests.engine.services import DOWN, HEARING, answered, closed_for, paused, taken_up, told, turned_away
from tests.factories import make_user
from tests.stages.scripted import Given
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.health import resume_service
from voicepipeline.engine.reclaiming import Suspect, reclaim
from voicepipeline.engine.releasing import release, release_due
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.engine.settling import finish, settle
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import AIServiceHealth, Artifact, Pause, PipelineEvent, ProviderCall, StageName, StageRun
from voicepipeline.stages.contract import StageOutput

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

RELEASE_TIMEOUT = 30


class Crew:
    """Threads that each keep a connection and do the same thing at the same instant, round after round."""

    def __init__(self, size: int) -> None:
        self.size = size

    def at_once(self, rounds: int, prepare: Callable[[], object], act: Callable[[object], object]) -> list[list]:
        barrier = threading.Barrier(self.size + 1, timeout=RELEASE_TIMEOUT)
        subjects: list = [None] * rounds
        outcomes: list[list] = [[] for _ in range(rounds)]

        def member() -> None:
            try:
                for number in range(rounds):
                    barrier.wait()
                    try:
                        outcomes[number].append(act(subjects[number]))
                    except Exception as error:
                        outcomes[number].append(error)
                    barrier.wait()
            finally:
                connection.close()

        threads = [threading.Thread(target=member) for _ in range(self.size)]
        for thread in threads:
            thread.start()
        for number in range(rounds):
            subjects[number] = prepare()
            barrier.wait()
            barrier.wait()
        for thread in threads:
            thread.join()
        return outcomes


def scheduled_run() -> int:
    artifact = make_artifact()
    return scheduled(artifact).pk


def test_of_two_claimers_one_wins_every_time():
    outcomes = Crew(2).at_once(200, scheduled_run, lambda run_id: claim(run_id, worker="test:1:1"))
    assert [sum(outcome is not None for outcome in pair) for pair in outcomes] == [1] * 200
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert set(StageRun.objects.values_list("lease_token", flat=True)) == {1}


def test_of_eight_who_schedule_one_does_and_seven_are_told():
    def schedule(artifact_pk):
        return schedule_stage(artifact_pk, StageName.TRANSCRIPTION)

    outcomes = Crew(8).at_once(50, lambda: make_artifact().pk, schedule)
    assert not [error for eight in outcomes for error in eight if isinstance(error, Exception)]
    assert [sum(scheduling.run is not None for scheduling in eight) for eight in outcomes] == [1] * 50
    refusals = {scheduling.refusal for eight in outcomes for scheduling in eight if scheduling.run is None}
    assert refusals == {"Transcription is already waiting for this voice note."}
    assert StageRun.objects.count() == 50


def test_a_hundred_late_results_are_discarded_and_told():
    for _ in range(100):
        artifact = make_artifact()
        run = scheduled(artifact)
        late = claimed(artifact)
        StageRun.objects.filter(pk=run.pk).update(lease_until=past(seconds=120))
        run.refresh_from_db()
        assert reclaim(Suspect(run.pk, artifact.pk, late.token, run.lease_until))
        finish(late, StageOutput(Given("transcription", "ok", run.pk, late.token)))
        assert results(artifact) == []
        assert events_of(artifact).count("stage_result_discarded") == 1
    assert PipelineEvent.objects.filter(event_type="stage_result_discarded").count() == 100
    assert StageRun.objects.filter(status="queued", crash_no=1).count() == 100


def test_a_late_result_told_twice_is_logged_once():
    artifact = make_artifact()
    run = scheduled(artifact)
    late = claimed(artifact)
    StageRun.objects.filter(pk=run.pk).update(lease_until=past(seconds=120))
    run.refresh_from_db()
    reclaim(Suspect(run.pk, artifact.pk, late.token, run.lease_until))
    for _ in range(2):
        finish(late, StageOutput(Given("transcription", "ok", run.pk, late.token)))
    assert events_of(artifact).count("stage_result_discarded") == 1


def test_finish_and_reclaim_at_the_same_instant_leave_one_ending():
    def prepare():
        artifact = make_artifact()
        run = scheduled(artifact)
        taken = claimed(artifact)
        StageRun.objects.filter(pk=run.pk).update(lease_until=past(seconds=120))
        run.refresh_from_db()
        return taken, Suspect(run.pk, artifact.pk, taken.token, run.lease_until)

    turns = iter(range(100))

    def act(subject):
        taken, suspect = subject
        if next(turns) % 2:
            return reclaim(suspect)
        return finish(taken, StageOutput(Given("transcription", "ok", taken.run_id, taken.token)))

    outcomes = Crew(2).at_once(50, prepare, act)
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    for artifact in Artifact.objects.all():
        ended = events_of(artifact)
        finished = ended.count("transcription_completed")
        assert finished + ended.count("stage_run_reclaimed") == 1
        assert len(results(artifact)) == finished
        assert active_run(artifact).status == "queued"


def test_a_heartbeat_beats_a_reclaim_that_saw_the_older_lease():
    artifact = make_artifact()
    run = scheduled(artifact)
    taken = claimed(artifact)
    StageRun.objects.filter(pk=run.pk).update(lease_until=past(seconds=120))
    run.refresh_from_db()
    suspect = Suspect(run.pk, artifact.pk, taken.token, run.lease_until)
    StageRun.objects.filter(pk=run.pk).update(lease_until=run.lease_until + timedelta(seconds=200))
    assert not reclaim(suspect)
    assert active_run(artifact).status == "running"


# --- AI services ------------------------------------------------------------------------------------------------


def test_of_two_claimers_one_tests_a_paused_service():
    def prepare():
        AIServiceHealth.objects.all().delete()
        StageRun.objects.active().update(not_before=past(-3600))
        StageRun.objects.running().update(status="queued", lease_until=None)
        paused()
        return iter([scheduled_run(), scheduled_run()])

    outcomes = Crew(2).at_once(60, prepare, lambda runs: claim(next(runs), worker="test:1:1"))
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert [sum(outcome is not None for outcome in pair) for pair in outcomes] == [1] * 60
    assert StageRun.objects.parked().count() == 60


def test_of_eight_faults_at_once_one_pauses_the_service_and_it_is_told_once():
    def prepare():
        AIServiceHealth.objects.update(
            state="closed", reason="", trouble_since=None, next_probe_at=None, changed_at=past(0)
        )
        return iter([taken_up() for _ in range(8)])

    outcomes = Crew(8).at_once(15, prepare, lambda claims: settle(next(claims), DOWN))
    assert not [error for eight in outcomes for error in eight if isinstance(error, Exception)]
    assert told("circuit_breaker_opened") == 15
    assert ProviderCall.objects.count() == 120
    assert StageRun.objects.parked().count() == 120


def test_a_note_that_two_watchdogs_let_go_is_let_go_once():
    def prepare():
        StageRun.objects.active().update(not_before=past(-3600))
        return StageRun.objects.get(pk=turned_away().pk)

    paused(next_probe_at=past(-3600))
    outcomes = Crew(2).at_once(50, prepare, lambda run: release(run.pk, run.artifact_id))
    assert [sorted(pair) for pair in outcomes] == [[False, True]] * 50
    assert told("stage_released") == 50


def test_two_watchdogs_together_fill_the_room_once(settings):
    settings.WORKERS = 8

    def prepare():
        StageRun.objects.active().update(not_before=past(-3600))
        AIServiceHealth.objects.all().delete()
        paused(next_probe_at=past(-3600))
        runs = [turned_away().pk for _ in range(12)]
        StageRun.objects.filter(pk__in=runs).update(not_before=past())
        Artifact.objects.filter(runs__in=runs).update(received_at=past(7200))
        AIServiceHealth.objects.all().delete()
        closed_for(3600)

    outcomes = Crew(2).at_once(20, prepare, lambda _: release_due(database_now()))
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert [sum(pair) for pair in outcomes] == [4] * 20


def test_a_pause_meets_a_claim_and_the_note_is_either_at_work_or_on_hold():
    person = make_user("Operator")

    def pause():
        Pause.objects.create(subject="everything", reason="Works.", paused_by=person)

    def prepare():
        Pause.objects.filter(resumed_at=None).update(resumed_at=past(0), resumed_by=person)
        return iter([pause, partial(claim, scheduled_run(), worker="test:1:1")])

    outcomes = Crew(2).at_once(60, prepare, lambda acts: next(acts)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert StageRun.objects.running().count() + StageRun.objects.parked().count() == 60
    assert turned_away().parked_reason == "paused_by_staff"


def test_a_test_that_is_answered_while_a_person_resumes_ends_the_trouble_once():
    person = make_user("Operator")

    def prepare():
        AIServiceHealth.objects.all().delete()
        paused()
        taken = taken_up()
        return iter([lambda: answered(taken), lambda: resume_service(HEARING, by_id=person.pk)])

    outcomes = Crew(2).at_once(40, prepare, lambda acts: next(acts)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert told("circuit_breaker_closed") == 40
