"""An answer at any moment of a note's way: before matching, while a worker has it, after a failure."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import pytest

from tests.factories import make_claim
from tests.names.conftest import club, coach, note, real_stages
from tests.names.helpers import DRAFTS, RESOLUTION, resolve, scheduled
from tests.review.name_helpers import (
    ASK,
    asking,
    entries,
    means,
    settle,
    statuses,
    take_back,
    the_choice,
    two_murphys,
)
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import fail
from voicepipeline.engine.settling import settle as settle_run
from voicepipeline.models import Artifact, StageRun
from voicepipeline.stages import drafts, resolution
from voicepipeline.stages.contract import PermanentFault

pytestmark = pytest.mark.django_db


@pytest.fixture
def eoin(club, note):
    """Somebody whom a statement of the note may mean."""
    make_claim(note, "Murphy")
    return two_murphys(club)[0]


def queued(note):
    return StageRun.objects.get(artifact=note, status="queued")


def at_work(note):
    """What a worker has in hand: its claim, and what it has made of what it read."""
    run = queued(note)
    taken = claim(run.pk, worker="test:1:1")
    code = {RESOLUTION: resolution, DRAFTS: drafts}[run.stage]
    return taken, code.work(code.load(note))


def run_statuses(note, stage):
    runs = StageRun.objects.filter(artifact=note, stage=stage).order_by("attempt")
    return list(runs.values_list("status", flat=True))


def finish_the_way(note):
    while run := StageRun.objects.filter(artifact=note, status="queued").first():
        perform(run.pk)
    note.refresh_from_db()


def test_before_matching_the_answer_waits_for_it(note, eoin):
    outcome = settle(note, eoin)
    assert (outcome.done, outcome.rebuilt.names, means(note)) == (True, False, [])
    scheduled(note)
    finish_the_way(note)
    assert (means(note), [entry.player for entry in entries(note)], note.status) == ([eoin], [eoin], "completed")


def test_while_names_are_being_matched_the_stage_is_run_again_with_the_answer(note, eoin):
    scheduled(note)
    taken, output = at_work(note)
    outcome = settle(note, eoin)
    assert (outcome.done, outcome.rebuilt.names, outcome.rebuilt.entries) == (True, False, False)
    settle_run(taken, output)
    assert run_statuses(note, RESOLUTION) == ["superseded", "queued"]
    assert means(note) == []
    finish_the_way(note)
    assert (means(note), [entry.player for entry in entries(note)], note.status) == ([eoin], [eoin], "completed")


def test_while_entries_wait_to_be_made_the_names_are_matched_again_at_once(note, eoin):
    resolve(note)
    outcome = settle(note, eoin)
    assert (means(note), outcome.rebuilt.names, outcome.rebuilt.entries) == ([eoin], True, False)
    assert "Its names have been matched again; its entries follow." in outcome.message
    finish_the_way(note)
    assert (run_statuses(note, DRAFTS), [entry.player for entry in entries(note)]) == (["succeeded"], [eoin])


def test_while_entries_are_being_made_the_stage_is_run_again_with_the_answer(note, eoin):
    resolve(note)
    taken, output = at_work(note)
    settle(note, eoin)
    assert means(note) == [eoin]
    settle_run(taken, output)
    assert (run_statuses(note, DRAFTS), entries(note)) == (["superseded", "queued"], [])
    finish_the_way(note)
    assert ([entry.player for entry in entries(note)], note.status) == ([eoin], "completed")


def test_while_entries_are_being_made_an_undo_counts_too(note, eoin):
    resolve(note)
    settle(note, eoin)
    taken, output = at_work(note)
    take_back(the_choice(note))
    settle_run(taken, output)
    finish_the_way(note)
    assert (statuses(note), entries(note)) == ([ASK], [])


def test_after_a_failure_the_names_are_matched_again_and_the_note_stays_failed(note, eoin):
    resolve(note)
    taken, _ = at_work(note)
    fail(taken, PermanentFault("broken", "It broke."))
    assert settle(note, eoin).done
    note.refresh_from_db()
    assert (note.status, means(note), entries(note)) == ("failed", [eoin], [])


def test_an_answer_outlives_results_that_are_removed_and_made_again(note, eoin):
    asking(note, "Murphy")
    settle(note, eoin)
    resolution.remove(note)
    drafts.remove(note)
    StageRun.objects.filter(artifact=note, stage__in=[RESOLUTION, DRAFTS]).update(effective=False)
    Artifact.objects.filter(pk=note.pk).update(status="processing", current_stage=RESOLUTION, completed_at=None)
    scheduled(note)
    finish_the_way(note)
    assert set(means(note)) == {eoin}
