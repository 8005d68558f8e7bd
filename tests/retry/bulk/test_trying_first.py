"""Few are tried before the rest, and a bulk retry stops by itself when it does not help."""

from datetime import timedelta

import pytest

from retry.bulk.deeds import resume
from retry.bulk.judging import Ending, judge
from retry.bulk.pacing import advance_all
from retry.limits import Limits
from retry.models import BulkRetry
from tests.factories import make_club
from tests.retry.bulk.bulks import (
    MESSAGE,
    State,
    make_broken,
    make_notes,
    operator,
    started,
    state_of,
    states,
    under_way,
    work_off,
)
from voicepipeline.engine.execution import perform
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import Artifact, Pause, StageName, VoiceNote

pytestmark = [pytest.mark.trial, pytest.mark.django_db]

OLD, NEW, OTHER, WELL = "old", "new", "other", ""
# At the last stage there is nothing after it: the quickest to succeed.
LAST = {"stage": StageName.DRAFT_GENERATION}


@pytest.fixture(autouse=True)
def _room_for_all(settings):
    settings.WORKERS = 40


def a_round(most=1):
    for _ in range(most):
        advance_all()
        work_off()
    advance_all()


def mend(notes):
    """The cause is away: retried, these notes succeed."""
    VoiceNote.objects.filter(artifact__in=notes).update(text="It is mended.")


# --- The decision -----------------------------------------------------------------------------------------------


def endings(*problems, before=OLD):
    return [Ending(problem, before) for problem in problems]


@pytest.mark.parametrize(
    ("problems", "found"),
    [
        pytest.param([OLD, OLD, OLD], OLD, id="all the same"),
        pytest.param([OLD, OLD, WELL], OLD, id="two of three"),
        pytest.param([OLD, WELL, WELL], None, id="one of three"),
        pytest.param([OLD, NEW, OTHER], None, id="each another"),
        pytest.param([OLD, OLD, NEW, OTHER], None, id="half is not more than half"),
        pytest.param([OLD] * 11 + [WELL] * 9, OLD, id="eleven of twenty"),
        pytest.param([OLD] * 10 + [WELL] * 10, None, id="ten of twenty"),
        pytest.param([NEW, NEW, NEW], NEW, id="always the same new one"),
        pytest.param([OLD, OLD], None, id="too few to tell"),
        pytest.param([WELL] * 20, None, id="all well"),
        pytest.param([], None, id="none"),
    ],
)
def test_one_problem_on_more_than_half_of_the_last_ones_stops_it(problems, found):
    came_back = judge(endings(*problems), Limits())
    assert (came_back and came_back.problem) == found


def test_it_is_told_whether_the_problem_is_the_old_one():
    assert judge(endings(OLD, OLD, OLD), Limits()).is_the_old_one
    assert not judge(endings(NEW, NEW, NEW), Limits()).is_the_old_one


def test_the_share_is_a_setting():
    assert judge(endings(OLD, OLD, WELL), Limits(stops_above_percent=70)) is None
    assert judge(endings(OLD, WELL, WELL, WELL), Limits(stops_above_percent=20)).failed == 1


# --- Try 3 first ------------------------------------------------------------------------------------------------


def test_only_the_first_three_are_begun():
    bulk = started(make_notes(6), tries_first=True)
    for _ in range(3):
        advance_all()
    assert states(bulk) == ["requested"] * 3 + ["waiting"] * 3


def test_the_rest_waits_until_all_of_them_have_ended():
    bulk = started(make_notes(6), tries_first=True)
    advance_all()
    note = bulk.items.order_by("position").first().artifact
    for run in note.runs.active():
        perform(run.pk)
    bulk.items.filter(artifact=note).update(state="succeeded", settled_at=database_now())
    advance_all()
    assert (state_of(bulk), under_way(bulk)) == (State.TRYING, 2)


def test_when_they_succeed_the_rest_follows():
    bulk = started(make_notes(6, **LAST), tries_first=True)
    a_round()
    assert state_of(bulk) == State.RUNNING
    assert states(bulk) == ["succeeded"] * 3 + ["requested"] * 3


def test_when_the_same_problem_comes_back_it_stops_by_itself_and_names_it():
    bulk = started(make_notes(6, "permanent"), tries_first=True)
    a_round(2)
    assert state_of(bulk) == State.HALTED
    assert states(bulk) == ["failed"] * 3 + ["waiting"] * 3
    assert bulk.state_reason == f"The same problem came back on 3 of the last 3: Transcription: {MESSAGE}"


def test_different_problems_do_not_stop_it():
    names = (StageName.CLAIMS_EXTRACTION, StageName.ENTITY_RESOLUTION)
    notes = [make_broken("permanent"), *(make_broken(later=name) for name in names), *make_notes(2)]
    bulk = started(notes, tries_first=True)
    a_round()
    assert state_of(bulk) == State.RUNNING


def test_a_new_problem_that_all_of_them_meet_stops_it_too():
    bulk = started([make_broken(later=StageName.CLAIMS_EXTRACTION) for _ in range(5)], tries_first=True)
    a_round()
    assert state_of(bulk) == State.HALTED
    assert bulk.state_reason.startswith("Another problem came up on 3 of the last 3: ")


def test_a_note_that_is_refused_is_not_among_the_first_three():
    notes = make_notes(5)
    bulk = started(notes, tries_first=True)
    Artifact.objects.filter(pk=notes[0].pk).update(generation=2)
    advance_all()
    assert states(bulk) == ["refused", "requested", "requested", "requested", "waiting"]


def test_for_one_that_was_replaced_another_is_tried():
    notes = make_notes(5)
    bulk = started(notes, tries_first=True)
    advance_all()
    bulk.items.filter(position=1).update(state="superseded", settled_at=database_now())
    advance_all()
    assert states(bulk) == ["superseded", "requested", "requested", "requested", "waiting"]


@pytest.mark.parametrize("number", [1, 3])
def test_with_none_left_to_keep_from_it_there_is_nothing_to_stop(number):
    bulk = started(make_notes(number, "permanent"), tries_first=True)
    a_round()
    assert (state_of(bulk), states(bulk)) == (State.FINISHED, ["failed"] * number)


def test_how_many_are_tried_is_a_setting(settings):
    settings.RETRY = settings.RETRY | {"tried_first": 2}
    bulk = started(make_notes(4), tries_first=True)
    advance_all()
    assert under_way(bulk) == 2


# --- Later on ---------------------------------------------------------------------------------------------------


def test_when_it_comes_back_later_it_stops_too(settings):
    settings.WORKERS = 8
    bulk = started([*make_notes(3, **LAST), *make_notes(6, "permanent", **LAST)], tries_first=True)
    a_round(3)
    assert state_of(bulk) == State.HALTED
    assert states(bulk).count("waiting") > 0


def test_it_looks_no_further_back_than_it_should(settings):
    settings.WORKERS, settings.RETRY = 6, settings.RETRY | {"looked_back_at": 3}
    bulk = started([*make_notes(3, **LAST), *make_notes(4, "permanent", **LAST)])
    a_round(2)
    assert state_of(bulk) == State.HALTED
    assert states(bulk) == ["succeeded"] * 3 + ["failed"] * 3 + ["waiting"]


def test_after_the_cure_three_are_tried_again_and_then_all_succeed():
    notes = make_notes(8, *["permanent"] * 9, **LAST)
    bulk = started(notes, tries_first=True)
    a_round()
    mend(notes)
    assert resume(bulk.bulk_id, by=operator()).done
    advance_all()
    assert (state_of(bulk), under_way(bulk)) == (State.TRYING, 3)
    a_round(3)
    assert state_of(bulk) == State.FINISHED
    assert states(bulk) == ["failed"] * 3 + ["succeeded"] * 5


def test_those_that_a_pause_holds_are_not_among_the_first_three():
    held = make_club()
    bulk = started([*(make_broken(organization=held) for _ in range(2)), *make_notes(5, **LAST)], tries_first=True)
    advance_all()
    Pause.objects.create(subject="everything", organization=held, reason="They asked us to.", paused_by=operator())
    a_round(2)
    assert state_of(bulk) == State.RUNNING
    assert states(bulk)[2:5] == ["succeeded"] * 3


def test_resumed_without_a_cure_it_stops_again():
    bulk = started(make_notes(8, "permanent"), tries_first=True)
    a_round()
    resume(bulk.bulk_id, by=operator())
    a_round()
    assert state_of(bulk) == State.HALTED
    assert states(bulk) == ["failed"] * 6 + ["waiting"] * 2


def test_what_was_begun_before_it_was_resumed_is_not_held_against_it(settings):
    settings.WORKERS = 8
    bulk = started(make_notes(5, "permanent"))
    advance_all()  # four are under way
    resumed_at = database_now() + timedelta(milliseconds=1)
    BulkRetry.objects.filter(pk=bulk.pk).update(moving_since=resumed_at)
    work_off()
    advance_all()
    assert state_of(bulk) == State.RUNNING
