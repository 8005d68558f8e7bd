"""What stands between a due run and its worker."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.engine.helpers import active_run, events_of, make_artifact, results, run_to_the_end, scheduled
from tests.engine.services import DOWN, ago, answered, health, paused, taken_up, turned_away
from tests.factories import make_club, make_user
from tests.stages.scripted import Given
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.reclaiming import Suspect, reclaim
from voicepipeline.engine.settling import give_back, settle
from voicepipeline.models import AIServiceHealth, Artifact, Pause, PipelineEvent, StageRun
from voicepipeline.stages.contract import StageOutput

pytestmark = pytest.mark.django_db


def make_pause(subject="everything", organization=None, **values):
    person = make_user("Operator")
    return Pause.objects.create(
        subject=subject, organization=organization, reason="Works on the line.", paused_by=person, **values
    )


def note_of(club):
    artifact = make_artifact()
    Artifact.objects.filter(pk=artifact.pk).update(organization=club)
    scheduled(artifact)
    return artifact


# --- People's pauses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", ["everything", "transcription"])
def test_a_pause_puts_the_note_on_hold_before_its_worker_begins(subject):
    make_pause(subject)
    run = turned_away()
    assert (run.status, run.parked_reason, run.rung_at) == ("queued", "paused_by_staff", None)
    assert (run.transient_no, run.crash_no, run.lease_token) == (0, 0, 0)
    assert events_of(run.artifact) == ["stage_parked"]
    event = PipelineEvent.objects.get(event_type="stage_parked")
    assert event.metadata == {"reason": "paused_by_staff"}


@pytest.mark.parametrize("subject", ["claims_extraction", "automatic_confirmation"])
def test_a_pause_of_something_else_holds_nothing_up(subject):
    make_pause(subject)
    taken_up()


def test_a_pause_that_was_ended_holds_nothing_up():
    make_pause(resumed_by=make_user("Operator"), resumed_at=ago(1))
    taken_up()


def test_a_clubs_pause_holds_up_its_own_notes_alone():
    club = make_club()
    make_pause(organization=club)
    turned_away(note_of(club))
    taken_up(note_of(make_club()))
    taken_up()


def test_a_hold_is_told_once_however_often_it_is_rung_for():
    make_pause()
    run = turned_away()
    perform(run.pk)
    assert events_of(run.artifact) == ["stage_parked"]


def test_a_later_stage_may_be_paused_alone():
    make_pause("entity_resolution")
    artifact = make_artifact()
    scheduled(artifact)
    for _ in range(3):
        perform(active_run(artifact).pk)
    assert results(artifact) == ["transcription", "claims_extraction"]
    assert active_run(artifact).parked_reason == "paused_by_staff"


# --- A service in trouble ---------------------------------------------------------------------------------------


def test_a_paused_service_puts_the_note_on_hold_for_its_reason():
    paused(next_probe_at=ago(-60))
    run = turned_away()
    assert (run.parked_reason, run.transient_no) == ("provider_error", 0)
    assert run.parked_since is not None


def test_a_paused_service_holds_up_no_stage_that_does_without_it():
    artifact = make_artifact()
    scheduled(artifact)
    perform(active_run(artifact).pk)
    paused(next_probe_at=ago(-60))
    assert run_to_the_end(artifact).status == "completed"


def test_a_run_that_is_not_due_is_not_put_on_hold():
    paused(next_probe_at=ago(-60))
    run = scheduled(make_artifact())
    StageRun.objects.filter(pk=run.pk).update(not_before=ago(-60))
    assert claim(run.pk, worker="test:1:1") is None
    run.refresh_from_db()
    assert run.parked_since is None


def test_when_its_time_has_come_one_run_tests_the_service_and_all_others_wait():
    paused()
    taken = taken_up()
    row = health()
    assert (row.state, row.probe_run_id) == ("half_open", taken.run_id)
    assert row.probe_until - taken.started_at == timedelta(seconds=240)
    assert turned_away().parked_reason == "provider_error"
    assert health().probe_run_id == taken.run_id


def test_what_a_person_has_to_see_to_is_not_tested():
    paused(needs_person=True, reason="provider_no_credit")
    assert turned_away().parked_reason == "provider_no_credit"
    assert health().state == "open"


def test_a_test_that_takes_too_long_is_taken_over():
    paused()
    slow = taken_up()
    AIServiceHealth.objects.update(probe_until=ago(1))
    taken = taken_up()
    assert health().probe_run_id == taken.run_id != slow.run_id


def ended_by_giving_back(taken):
    give_back(taken)


def ended_by_a_crash(taken):
    run = StageRun.objects.get(pk=taken.run_id)
    assert reclaim(Suspect(run.pk, run.artifact_id, taken.token, run.lease_until))


def ended_without_a_call(taken):
    settle(taken, StageOutput(Given("transcription", "ok", taken.run_id, taken.token)))


@pytest.mark.parametrize("end", [ended_by_giving_back, ended_by_a_crash, ended_without_a_call])
def test_a_test_that_ends_without_a_word_is_followed_by_another(end):
    paused()
    first = taken_up()
    end(first)
    assert health().state == "half_open"
    taken = taken_up()
    assert health().probe_run_id == taken.run_id
    answered(taken)
    assert health().state == "closed"


def test_a_pause_of_people_comes_before_a_test():
    paused()
    make_pause()
    assert turned_away().parked_reason == "paused_by_staff"
    assert health().state == "open"


# --- What it costs ----------------------------------------------------------------------------------------------


def asking_of(asked, *tables):
    return [query["sql"] for query in asked if any(table in query["sql"] for table in tables)]


def test_the_gate_costs_a_healthy_claim_one_question():
    run = scheduled(make_artifact())
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert claim(run.pk, worker="test:1:1")
    about = [
        query["sql"] for query in asked if "aiservicehealth" in query["sql"] or "voicepipeline_pause" in query["sql"]
    ]
    assert len(about) == 1
    assert about[0].lstrip().startswith("SELECT")
    statements = [q["sql"] for q in asked if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) == 7


def test_a_healthy_call_costs_its_end_one_statement_and_no_lock():
    taken = taken_up()
    with CaptureQueriesContext(connection) as asked:
        answered(taken)
    about = asking_of(asked, "aiservicehealth", "providercall")
    assert len(about) == 1
    assert "FOR NO KEY UPDATE" not in about[0]


def test_what_fails_at_the_gate_does_not_reach_the_provider():
    paused(next_probe_at=ago(-60))
    artifact = make_artifact(transcription=["die"])
    perform(scheduled(artifact).pk)
    assert active_run(artifact).parked_since


def test_a_run_on_hold_is_not_taken_up_even_when_the_service_is_back():
    row = paused(next_probe_at=ago(-60))
    run = turned_away()
    row.delete()
    assert claim(run.pk, worker="test:1:1") is None


def test_the_provider_failing_a_run_puts_it_on_hold_with_its_cost_told_once():
    taken = taken_up()
    settle(taken, DOWN)
    run = StageRun.objects.get(pk=taken.run_id)
    assert (run.parked_reason, run.lease_until, run.transient_no) == ("provider_error", None, 0)
    assert run.provider_failed_at is not None
    costs = PipelineEvent.objects.filter(metadata__has_key="ai_cost")
    assert [event.event_type for event in costs] == ["stage_parked"]
