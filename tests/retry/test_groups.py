"""Problems: kept as voice notes fail, and what people decide about them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from retry import groups
from retry.models import FailureGroup, FailureMark
from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_event, make_user
from tests.retry.factories import make_cancelled, make_closed, make_failed, make_ready
from tests.retry.problems import fail, fail_again, group_of, in_an_hour
from tests.stages.fixtures import scripted_stages  # noqa: F401
from voicepipeline import roles
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import Artifact, EventType, StageName
from voicepipeline.registry import registry

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=3)


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Silva")


def kinds_of(group):
    return list(group.marks.order_by("id").values_list("kind", flat=True))


# --- Kept as they happen ----------------------------------------------------------------------------------------------
def test_a_note_that_fails_makes_its_problem():
    note = fail(message="Recording 4711 cannot be read.")
    group = group_of(note)
    assert (group.stage, group.error_code, group.error_message) == (
        StageName.CLAIMS_EXTRACTION,
        note.error_code,
        "Recording 4711 cannot be read.",
    )
    assert (group.failures, group.status, group.example) == (1, "open", note)


def test_failures_that_differ_in_numbers_are_one_problem_as_the_last_had_it():
    fail(message="Recording 1 cannot be read.", at=LONG_AGO)
    last = fail(message="Recording 2 cannot be read.")
    group = FailureGroup.objects.get()
    assert (group.failures, group.example, group.error_message) == (2, last, "Recording 2 cannot be read.")
    assert (group.first_seen_at, group.last_seen_at > LONG_AGO) == (LONG_AGO, True)


def test_what_is_told_late_does_not_take_the_place_of_the_last():
    last = fail(message="Recording 2 cannot be read.")
    fail(message="Recording 1 cannot be read.", at=LONG_AGO)
    group = FailureGroup.objects.get()
    assert (group.failures, group.example, group.first_seen_at) == (2, last, LONG_AGO)


def test_many_that_fail_in_one_transaction_are_counted_each_with_its_own():
    notes = [make_failed(message=message) for message in ("One.", "Two.", "One.")]
    log_events([NewEvent(event_type=EventType.ARTIFACT_FAILED, artifact=note) for note in notes])
    assert [group_of(note).failures for note in notes] == [2, 1, 2]


def test_the_engine_itself_makes_the_problem_in_the_transaction_in_which_a_note_fails(scripted_stages):  # noqa: F811
    note = make_artifact(transcription=["permanent"])
    scheduled(note)
    run_to_the_end(note)
    assert group_of(note).example == note


def test_what_a_person_cancelled_is_no_problem():
    make_event(make_cancelled(), EventType.ARTIFACT_FAILED)
    assert not FailureGroup.objects.exists()


def test_an_event_that_is_told_twice_counts_once():
    note = make_failed()
    event = NewEvent(event_type=EventType.ARTIFACT_FAILED, artifact=note)
    log_events([event])
    log_events([event])
    assert group_of(note).failures == 1


def test_transactions_in_which_nothing_fails_ask_for_nothing_more():
    note = make_failed()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        make_event(note, EventType.ARTIFACT_COMPLETED)
    assert "retry_" not in "".join(query["sql"] for query in queries)


def test_a_failure_costs_one_statement_more():
    note = make_failed()
    with CaptureQueriesContext(connection) as queries:
        make_event(note, EventType.ARTIFACT_FAILED)
    assert sum("retry_" in query["sql"] for query in queries) == 1


def test_the_longest_texts_and_the_highest_number_keep_no_note_from_failing():
    note = fail(code="x" * 60, message="é" * 500)
    FailureGroup.objects.update(failures=2**31 - 1)
    assert fail_again(note).failures == 2**31 - 1
    assert group_of(note).error_message == "é" * 500


# --- Those of before --------------------------------------------------------------------------------------------------
def test_problems_of_notes_that_failed_before_are_added_once():
    notes = [make_failed(message="Recording 1 is bad."), make_failed(message="Recording 2 is bad.")]
    for _ in range(2):
        registry.ticks["problems"].run()
    group = FailureGroup.objects.get()
    assert (group.failures, group.example) == (2, notes[1])


def test_nothing_is_added_for_notes_that_are_no_problem():
    make_closed(), make_cancelled(), make_ready()
    groups.add_missing()
    assert not FailureGroup.objects.exists()


def test_problems_that_are_known_are_left_as_they_are(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    groups.add_missing()
    assert (group_of(note).failures, group_of(note).status) == (1, "fixed")


# --- Fixed ------------------------------------------------------------------------------------------------------------
def test_a_problem_is_marked_as_fixed_with_who_and_what(ana):
    note = fail()
    outcome = groups.mark_fixed(note.fingerprint, by=ana, note=" New key. ")
    mark = FailureMark.objects.get()
    assert (outcome.done, group_of(note).status) == (True, "fixed")
    assert (mark.kind, mark.by, mark.note) == ("fixed", ana, "New key.")


@pytest.mark.parametrize("note", ["", "  \n"])
def test_fixed_needs_to_say_what_was_done(ana, note):
    artifact = fail()
    outcome = groups.mark_fixed(artifact.fingerprint, by=ana, note=note)
    assert (outcome.done, group_of(artifact).status) == (False, "open")
    assert "Say what was done" in outcome.message


def test_a_fixed_problem_that_fails_again_is_open_and_came_back(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    group = fail_again(note)
    mark = group.marks.first()
    assert (group.status, group.came_back_at) == ("open", group.last_seen_at)
    assert (mark.kind, mark.by, mark.marked_at) == ("came_back", None, group.came_back_at)


def test_it_comes_back_once_for_each_time_it_was_fixed(ana):
    note = fail()
    for _ in range(2):
        groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
        fail_again(note), fail_again(note), fail_again(note)
    assert kinds_of(group_of(note)) == ["fixed", "came_back"] * 2
    assert group_of(note).failures == 7


def test_of_many_that_fail_at_once_only_the_fixed_one_comes_back(ana):
    fixed, open_one = fail(message="One."), fail(message="Two.")
    groups.mark_fixed(fixed.fingerprint, by=ana, note="New key.")
    log_events([NewEvent(event_type=EventType.ARTIFACT_FAILED, artifact=each) for each in (fixed, open_one)])
    assert [kinds_of(group_of(each)) for each in (fixed, open_one)] == [["fixed", "came_back"], []]


def test_fixed_again_it_no_longer_counts_as_come_back(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    fail_again(note)
    groups.mark_fixed(note.fingerprint, by=ana, note="Another key.")
    assert group_of(note).came_back_at is None


def test_who_comes_second_is_told_who_was_first(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    outcome = groups.mark_fixed(note.fingerprint, by=make_user(roles.OPERATOR), note="Mine.")
    assert outcome.message == "It is marked as fixed already, by Ana Silva."
    assert kinds_of(group_of(note)) == ["fixed"]


# --- Put aside --------------------------------------------------------------------------------------------------------
def test_a_problem_is_put_aside_until_a_moment_and_goes_on_being_counted(ana):
    note, until = fail(), in_an_hour()
    assert groups.snooze(note.fingerprint, by=ana, until=until, note="They know.").done
    group = fail_again(note)
    assert (group.status, group.snoozed_until, group.failures) == ("snoozed", until, 2)
    assert kinds_of(group) == ["snoozed"]


def test_it_is_open_again_by_itself_once_its_time_is_over(ana):
    note, until = fail(), in_an_hour()
    groups.snooze(note.fingerprint, by=ana, until=until)
    group = group_of(note)
    assert not groups.is_open(group, until - timedelta(seconds=1))
    assert groups.is_open(group, until)


def test_it_can_be_put_aside_for_another_time(ana):
    note = fail()
    groups.snooze(note.fingerprint, by=ana, until=in_an_hour())
    later = in_an_hour() + timedelta(days=1)
    assert groups.snooze(note.fingerprint, by=ana, until=later).done
    assert group_of(note).snoozed_until == later


@pytest.mark.parametrize(
    ("wait", "words"),
    [(timedelta(seconds=-1), "That moment is over"), (timedelta(days=400), "longer than a year")],
)
def test_a_moment_that_makes_no_sense_is_refused(ana, wait, words):
    note = fail()
    outcome = groups.snooze(note.fingerprint, by=ana, until=timezone.now() + wait)
    assert (outcome.done, group_of(note).status) == (False, "open")
    assert words in outcome.message


def test_what_is_fixed_is_not_put_aside(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    outcome = groups.snooze(note.fingerprint, by=ana, until=in_an_hour())
    assert (outcome.done, group_of(note).status) == (False, "fixed")


# --- Open again -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", ["fixed", "snoozed"])
def test_a_problem_is_opened_again(ana, before):
    note = fail()
    if before == "fixed":
        groups.mark_fixed(note.fingerprint, by=ana, note="New key.")
    else:
        groups.snooze(note.fingerprint, by=ana, until=in_an_hour())
    assert groups.reopen(note.fingerprint, by=ana, note="Not yet.").done
    group = group_of(note)
    assert (group.status, group.snoozed_until, kinds_of(group)) == ("open", None, [before, "reopened"])


def test_what_is_open_is_not_opened_again(ana):
    note = fail()
    assert groups.reopen(note.fingerprint, by=ana).message == "It is open already."


# --- For all of them --------------------------------------------------------------------------------------------------
DEEDS = {
    "fixed": lambda problem, by: groups.mark_fixed(problem, by=by, note="New key."),
    "aside": lambda problem, by: groups.snooze(problem, by=by, until=in_an_hour()),
    "open": lambda problem, by: groups.reopen(problem, by=by),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_problem_that_nobody_knows_is_told(ana, deed):
    assert DEEDS[deed]("nonsense", ana).message == "There is no such problem."


@pytest.mark.parametrize("deed", DEEDS)
def test_those_who_only_look_decide_nothing(deed):
    note = fail()
    with pytest.raises(PermissionDenied):
        DEEDS[deed](note.fingerprint, make_user(roles.VIEWER))
    assert not FailureMark.objects.exists()


def test_a_long_note_is_cut_and_what_the_database_refuses_is_left_out(ana):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=ana, note="a\x00" * 600)
    assert len(FailureMark.objects.get().note) == 500


def test_the_problem_of_a_note_stays_when_the_note_is_retried():
    note = fail()
    Artifact.objects.filter(pk=note.pk).update(
        status="processing", failed_stage="", error_code="", error_message="", fingerprint=""
    )
    groups.add_missing()
    assert FailureGroup.objects.get().failures == 1
