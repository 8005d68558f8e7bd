"""What the engine learns of an AI service from each call, and when the service is paused and back to normal."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.engine.helpers import active_run, make_artifact, make_due, scheduled
from tests.engine.services import (
    DOWN,
    HEARING,
    NO_CREDIT,
    UNREADABLE,
    ago,
    answered,
    calls,
    fail_in_a_row,
    health,
    paused,
    taken_up,
    told,
    turned_away,
)
from tests.factories import make_user
from tests.stages.scripted import USAGE, Given
from voicepipeline.engine.execution import perform
from voicepipeline.engine.health import (
    applying_pause,
    current_health,
    forget_old_calls,
    record_test_call,
    resume_service,
)
from voicepipeline.engine.settling import settle
from voicepipeline.engine.standing import locked_health, write_health
from voicepipeline.models import AIService, AIServiceHealth, Artifact, Pause, PipelineEvent, ProviderCall, StageRun
from voicepipeline.policies.breaker import TRANSITIONS
from voicepipeline.stages.contract import NeedsPersonFault, PermanentFault, ProviderFault, StageOutput, TransientFault

pytestmark = pytest.mark.django_db

STATES = AIServiceHealth.State.values


# --- What is learnt ---------------------------------------------------------------------------------------------


def test_a_call_that_was_answered_is_kept_with_when_it_started():
    taken = taken_up()
    answered(taken)
    call = ProviderCall.objects.get()
    assert (call.service, call.run_id, call.succeeded, call.charged) == (HEARING, taken.run_id, True, False)
    assert call.started_at == taken.started_at <= call.ended_at
    assert not AIServiceHealth.objects.exists()


def test_a_refusal_of_the_note_is_an_answer():
    settle(taken_up(), UNREADABLE)
    assert calls() == [(True, False, "audio_unsupported")]


def test_work_without_a_call_teaches_nothing():
    taken = taken_up()
    settle(taken, StageOutput(Given("transcription", "ok", taken.run_id, taken.token)))
    settle(taken_up(), PermanentFault("too_long", "It is too long."))
    settle(taken_up(), TransientFault("took_too_long", "It took too long."))
    assert calls() == []


def test_a_stage_without_a_service_teaches_nothing():
    artifact = make_artifact()
    scheduled(artifact)
    for _ in range(4):
        perform(active_run(artifact).pk)
    assert list(ProviderCall.objects.order_by("id").values_list("service", flat=True)) == ["transcription", "chat"]


def test_a_result_that_came_too_late_teaches_nothing():
    taken = taken_up()
    StageRun.objects.filter(pk=taken.run_id).update(lease_token=7)
    settle(taken, DOWN)
    answered(taken)
    assert calls() == []


def test_calls_older_than_an_hour_are_forgotten():
    answered(taken_up())
    assert forget_old_calls(timezone.now() + timedelta(minutes=59)) == 0
    assert forget_old_calls(timezone.now() + timedelta(minutes=61)) == 1


# --- Charged, or the provider's ---------------------------------------------------------------------------------


def failing_again(artifact):
    """The provider fails this note once more."""
    make_due(artifact)
    settle(taken_up(artifact), DOWN)
    return active_run(artifact)


def one_failed():
    taken = taken_up()
    settle(taken, DOWN)
    return Artifact.objects.get(pk=taken.artifact_pk)


def test_the_first_fault_is_the_providers():
    run = active_run(one_failed())
    assert (run.parked_reason, run.transient_no, run.attempt) == ("provider_error", 0, 1)
    assert calls() == [(False, False, "provider_error")]


def test_a_note_that_waits_on_hold_is_due_again_after_a_short_and_spread_pause():
    run = active_run(one_failed())
    assert timedelta(seconds=7.4) < run.not_before - run.parked_since < timedelta(seconds=12.6)


def test_a_note_waits_for_as_long_as_the_provider_asked():
    taken = taken_up()
    settle(taken, ProviderFault("provider_busy", "Busy.", retry_after=timedelta(minutes=9), usage=USAGE))
    run = StageRun.objects.get(pk=taken.run_id)
    assert run.not_before - run.parked_since == timedelta(minutes=9)


def test_a_second_fault_is_the_providers_while_it_answers_nobody_else():
    run = failing_again(one_failed())
    assert (run.parked_reason, run.transient_no) == ("provider_error", 0)


def test_a_second_fault_is_the_notes_own_when_another_was_answered_since():
    artifact = one_failed()
    answered(taken_up())
    run = failing_again(artifact)
    assert (run.parked_reason, run.transient_no, run.attempt) == ("", 1, 2)
    assert run.provider_failed_at is not None
    assert calls()[-1] == (False, True, "provider_error")


def test_an_answer_to_a_call_from_before_proves_nothing():
    straggler = taken_up()
    artifact = one_failed()
    answered(straggler)
    assert failing_again(artifact).parked_reason == "provider_error"


def test_a_charged_note_waits_at_least_as_long_as_the_provider_asked():
    artifact = one_failed()
    answered(taken_up())
    make_due(artifact)
    settle(taken_up(artifact), ProviderFault("provider_busy", "Busy.", retry_after=timedelta(minutes=9), usage=USAGE))
    run = active_run(artifact)
    assert run.not_before - run.queued_at == timedelta(minutes=9)


def test_what_needs_a_person_is_never_charged():
    artifact = one_failed()
    answered(taken_up())
    make_due(artifact)
    settle(taken_up(artifact), NO_CREDIT)
    assert active_run(artifact).transient_no == 0


def test_a_note_for_which_alone_the_provider_fails_ends_after_six_tries_and_pauses_nothing():
    artifact = one_failed()
    for _ in range(6):
        for _ in range(3):
            answered(taken_up())
        make_due(artifact)
        settle(taken_up(artifact), DOWN)
    artifact.refresh_from_db()
    assert (artifact.status, artifact.error_code) == ("failed", "provider_error")
    assert StageRun.objects.filter(artifact=artifact, status="failed").count() == 6
    assert health().state == "closed"
    assert told("circuit_breaker_opened") == 0
    assert told("stage_parked") == 1


def test_being_asked_to_slow_down_is_told_for_each_try():
    taken = taken_up()
    settle(taken, ProviderFault("provider_busy", "Busy.", usage=USAGE))
    settle(taken_up(), DOWN)
    event = PipelineEvent.objects.get(event_type="rate_limit_hit")
    assert (event.artifact_id, event.metadata["endpoint"]) == (taken.artifact_pk, "transcription")


def test_a_faults_cost_is_told_once_whether_charged_or_not():
    artifact = one_failed()
    answered(taken_up())
    failing_again(artifact)
    costs = PipelineEvent.objects.filter(artifact=artifact, metadata__has_key="ai_cost")
    assert sorted(costs.values_list("event_type", flat=True)) == ["stage_parked", "transcription_failed"]


# --- Opening ----------------------------------------------------------------------------------------------------


def test_five_faults_in_a_row_pause_the_service():
    fail_in_a_row(4)
    assert health().state == "closed"
    fail_in_a_row(1)
    row = health()
    assert (row.state, row.reason, row.needs_person) == ("open", "provider_error", False)
    assert row.next_probe_at - row.changed_at == row.probe_pause == timedelta(seconds=60)
    assert row.trouble_since == row.changed_at


def test_an_answer_in_between_begins_the_row_anew():
    fail_in_a_row(4)
    answered(taken_up())
    fail_in_a_row(4)
    assert health().state == "closed"


def test_half_of_ten_calls_in_a_minute_pause_the_service():
    for _ in range(5):
        answered(taken_up())
        assert told("circuit_breaker_opened") == 0
        fail_in_a_row(1)
    assert health().state == "open"


def test_what_was_more_than_a_minute_ago_does_not_count():
    for _ in range(4):
        answered(taken_up())
        fail_in_a_row(1)
    ProviderCall.objects.update(started_at=ago(70), ended_at=ago(65))
    answered(taken_up())
    fail_in_a_row(1)
    assert health().state == "closed"


def test_faults_for_which_notes_were_charged_do_not_count():
    for _ in range(12):
        answered(taken_up())
    now = timezone.now()
    ProviderCall.objects.bulk_create(
        ProviderCall(service=HEARING, succeeded=False, charged=True, code="x", started_at=now, ended_at=now)
        for _ in range(40)
    )
    fail_in_a_row(1)
    assert health().state == "closed"


def test_what_needs_a_person_pauses_the_service_at_once():
    settle(taken_up(), NO_CREDIT)
    row = health()
    assert (row.state, row.reason, row.needs_person) == ("open", "provider_no_credit", True)
    assert told("circuit_breaker_opened") == 1


def test_a_paused_service_turning_out_to_need_a_person_is_not_told_twice():
    claims = [taken_up() for _ in range(6)]
    for taken in claims[:5]:
        settle(taken, DOWN)
    settle(claims[5], NO_CREDIT)
    assert (health().needs_person, health().reason) == (True, "provider_no_credit")
    assert told("circuit_breaker_opened") == 1


def test_opening_is_told_without_a_note():
    fail_in_a_row()
    event = PipelineEvent.objects.get(event_type="circuit_breaker_opened")
    assert (event.artifact_id, event.pipeline_stage) == (None, "transcription")
    assert event.metadata == {"endpoint": "transcription", "reason": "provider_error"}


def test_stragglers_of_a_paused_service_change_nothing():
    claims = [taken_up() for _ in range(8)]
    for taken in claims[:5]:
        settle(taken, DOWN)
    before = health()
    for taken in claims[5:]:
        settle(taken, DOWN)
    after = health()
    assert (after.next_probe_at, after.probe_pause) == (before.next_probe_at, before.probe_pause)
    assert told("circuit_breaker_opened") == 1


def test_the_provider_asking_for_a_longer_pause_moves_the_test():
    claims = [taken_up() for _ in range(6)]
    for taken in claims[:5]:
        settle(taken, DOWN)
    settle(claims[5], ProviderFault("provider_busy", "Busy.", retry_after=timedelta(minutes=30), usage=USAGE))
    assert health().next_probe_at - timezone.now() > timedelta(minutes=29)


def test_one_service_in_trouble_leaves_the_other_alone():
    fail_in_a_row()
    assert current_health()[AIService.CHAT].state == "closed"
    assert current_health()[AIService.TRANSCRIPTION].state == "open"


# --- Testing and closing ----------------------------------------------------------------------------------------


def test_a_test_that_is_answered_ends_the_trouble_and_says_how_long_it_was():
    paused(trouble_since=ago(120))
    answered(taken_up())
    row = health()
    assert (row.state, row.reason, row.probe_run_id, row.trouble_since) == ("closed", "", None, None)
    event = PipelineEvent.objects.get(event_type="circuit_breaker_closed")
    assert event.artifact_id is None
    assert event.metadata["reason"] == "provider_error"
    assert 119_000 < event.duration_ms < 130_000


def test_a_test_that_ends_with_a_refusal_of_its_note_ends_the_trouble_too():
    paused()
    settle(taken_up(), UNREADABLE)
    assert health().state == "closed"


def test_a_test_that_fails_doubles_the_pause_and_is_not_told_as_a_new_trouble():
    row = paused()
    settle(taken_up(), DOWN)
    after = health()
    assert (after.state, after.probe_run_id, after.probe_until) == ("open", None, None)
    assert after.probe_pause == timedelta(seconds=120) == after.next_probe_at - after.changed_at
    assert after.trouble_since == row.trouble_since
    assert told("circuit_breaker_opened") == told("circuit_breaker_closed") == 0


def test_a_test_that_needs_a_person_stops_all_testing():
    paused()
    settle(taken_up(), NO_CREDIT)
    row = health()
    assert (row.state, row.needs_person, row.reason) == ("open", True, "provider_no_credit")


def test_the_note_that_tested_in_vain_is_not_charged():
    paused()
    taken = taken_up()
    settle(taken, DOWN)
    run = StageRun.objects.get(pk=taken.run_id)
    assert (run.parked_reason, run.transient_no) == ("provider_error", 0)


def test_an_answer_to_a_call_that_began_during_the_trouble_ends_it():
    paused()
    slow = taken_up()
    AIServiceHealth.objects.update(probe_until=ago(1))
    taken_up()  # takes the test over
    answered(slow)
    assert health().state == "closed"


def test_an_answer_to_a_call_from_before_the_trouble_does_not_end_it():
    slow = taken_up()
    fail_in_a_row()
    answered(slow)
    assert health().state == "open"


def test_an_answer_does_not_end_what_a_person_has_to_see_to():
    paused()
    slow = taken_up()
    AIServiceHealth.objects.update(probe_until=ago(1))
    settle(taken_up(), NO_CREDIT)
    answered(slow)
    assert health().needs_person


def test_faults_from_before_the_end_of_a_trouble_do_not_bring_it_back():
    stragglers = [taken_up() for _ in range(12)]
    paused()
    answered(taken_up())
    for taken in stragglers:
        settle(taken, DOWN)
    assert health().state == "closed"


def test_a_new_trouble_is_told_anew():
    fail_in_a_row()
    AIServiceHealth.objects.update(next_probe_at=ago(1))
    answered(taken_up())
    fail_in_a_row()
    assert health().state == "open"
    assert (told("circuit_breaker_opened"), told("circuit_breaker_closed")) == (2, 1)


# --- People -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("needs_person", [True, False])
def test_a_person_resumes_a_service(needs_person):
    paused(needs_person=needs_person, next_probe_at=None)
    person = make_user("Operator")
    assert resume_service(HEARING, by_id=person.pk)
    assert (health().state, health().resumed_by) == ("closed", person)
    assert PipelineEvent.objects.get(event_type="circuit_breaker_closed").actor == person
    taken_up()


def test_a_service_is_resumed_while_a_run_tests_it():
    paused()
    taken = taken_up()
    assert resume_service(HEARING, by_id=make_user("Operator").pk)
    settle(taken, DOWN)
    assert health().state == "closed"


def test_there_is_nothing_to_resume_in_a_service_that_is_well():
    person = make_user("Operator")
    assert not resume_service(HEARING, by_id=person.pk)
    AIServiceHealth.objects.create(service=HEARING)
    assert not resume_service(HEARING, by_id=person.pk)
    assert told("circuit_breaker_closed") == 0


def test_the_faults_before_a_person_resumed_do_not_count_again():
    fail_in_a_row()
    resume_service(HEARING, by_id=make_user("Operator").pk)
    fail_in_a_row(4)
    assert health().state == "closed"
    fail_in_a_row(1)
    assert health().state == "open"


def test_a_test_call_that_is_answered_ends_the_trouble():
    paused()
    record_test_call(HEARING, None)
    assert health().state == "closed"
    assert told("circuit_breaker_closed") == 1


def test_a_test_call_that_is_answered_does_not_resume_for_a_person():
    paused(needs_person=True)
    record_test_call(HEARING, None)
    assert health().state == "open"


def test_a_test_call_that_fails_doubles_the_pause():
    paused()
    record_test_call(HEARING, DOWN)
    assert health().probe_pause == timedelta(seconds=120)
    assert health().next_probe_at > timezone.now() + timedelta(seconds=100)


def test_a_test_call_that_fails_leaves_the_word_to_the_run_that_tests():
    paused()
    taken = taken_up()
    record_test_call(HEARING, DOWN)
    assert (health().state, health().probe_run_id) == ("half_open", taken.run_id)


def test_a_test_call_without_credit_pauses_a_service_that_is_well():
    record_test_call(HEARING, NO_CREDIT)
    assert health().needs_person
    assert told("circuit_breaker_opened") == 1


def test_a_test_call_that_fails_counts_like_any_other():
    fail_in_a_row(4)
    record_test_call(HEARING, DOWN)
    assert health().state == "open"


def test_a_test_call_that_is_asked_to_slow_down_says_so_of_no_note():
    for _ in range(2):
        record_test_call(HEARING, ProviderFault("provider_busy", "Busy."))
    record_test_call(HEARING, DOWN)
    events = PipelineEvent.objects.filter(event_type="rate_limit_hit")
    assert [(event.artifact_id, event.metadata["endpoint"]) for event in events] == [(None, "transcription")] * 2


def test_a_test_call_that_fails_in_passing_keeps_what_a_person_has_to_put_right():
    paused(needs_person=True, reason="provider_no_credit")
    record_test_call(HEARING, DOWN)
    assert (health().reason, health().needs_person) == ("provider_no_credit", True)
    record_test_call(HEARING, NeedsPersonFault("provider_key_refused", "The key is refused."))
    assert (health().reason, health().needs_person) == ("provider_key_refused", True)


def test_a_test_call_whose_note_was_refused_was_answered():
    paused()
    record_test_call(HEARING, UNREADABLE)
    assert health().state == "closed"


def test_the_pause_that_applies_is_named_the_one_for_all_clubs_first():
    note = make_artifact()
    person = make_user("Operator")
    assert applying_pause("transcription", note.organization_id) is None
    for_all = Pause.objects.create(subject="everything", reason="Works.", paused_by=person)
    assert applying_pause("transcription", note.organization_id) == for_all
    assert applying_pause("automatic_confirmation", 5) == for_all


# --- The table of moves -----------------------------------------------------------------------------------------

FIELDS = {
    "closed": {"reason": "", "trouble_since": None, "next_probe_at": None, "probe_pause": None},
    "open": {"reason": "provider_error", "trouble_since": ago(60)},
    "half_open": {"reason": "provider_error", "trouble_since": ago(60), "probe_until": ago(-60)},
}


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_a_service_moves_only_as_the_table_says(before, after):
    AIServiceHealth.objects.create(service=HEARING, state=before, **FIELDS[before])
    row = locked_health(HEARING)
    if after in TRANSITIONS[before]:
        write_health(row, timezone.now(), AIServiceHealth.State(after), **FIELDS[after])
        assert health().state == after
    else:
        with pytest.raises(AssertionError):
            write_health(row, timezone.now(), AIServiceHealth.State(after), **FIELDS[after])


def test_every_run_waits_while_the_service_is_paused():
    fail_in_a_row()
    assert turned_away().parked_reason == "provider_error"
