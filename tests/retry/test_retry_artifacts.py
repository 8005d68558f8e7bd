import json

import pytest

from retry.models import BulkRetry, RetryAttempt
from tests.factories import make_club, make_user
from tests.retry.factories import (
    NAMES,
    STATEMENTS,
    make_attempt,
    make_closed,
    make_failed,
    make_moving,
    make_ready,
)
from tests.retry.terminal import attempts, ids, retry, run
from voicepipeline import roles
from voicepipeline.models import Artifact, StageRun


@pytest.fixture
def ana(db):
    return make_user(roles.ADMINISTRATOR, username="ana", first_name="Ana")


# --- Done ------------------------------------------------------------------------------------------------------------
def test_several_notes_are_retried_as_one_bulk_retry(ana):
    notes = [make_failed(), make_failed(NAMES)]
    out, _, code = retry("failed-stage", *ids(*notes))
    bulk = BulkRetry.objects.get()
    assert [attempt[:3] for attempt in attempts()] == [
        (notes[0].pk, "claims_extraction", 1),
        (notes[1].pk, "entity_resolution", 1),
    ]
    assert (bulk.requested_by, bulk.reason, bulk.tries_first) == (ana, "The prompt was mended.", True)
    assert "Requested: 2, refused: 0, not begun: 0" in out
    assert (f"/admin/retry/bulkretry/{bulk.bulk_id}/" in out, code) == (True, 0)


def test_the_bulk_retry_says_how_its_notes_were_chosen(ana):
    for _ in range(2):
        make_failed(code="model_refused")
    retry("failed_stage", "--error-code=model_refused")
    assert BulkRetry.objects.get().chosen_by == "From the command line. Code: model_refused"


def test_one_note_alone_is_retried_without_a_bulk_retry(ana):
    note = make_failed()
    out, _, code = retry("failed_stage", *ids(note))
    assert list(attempts()) == [(note.pk, "claims_extraction", 1, "The prompt was mended.")]
    assert (out.splitlines()[-1], code) == ("Retry requested (attempt 1).", 0)
    assert not BulkRetry.objects.exists()


def test_a_note_on_which_workers_died_is_retried_alone_only(ana):
    deadly = [make_failed(code="worker_died") for _ in range(2)]
    out, _, code = retry("failed_stage", *ids(*deadly))
    assert ("retry such voice notes one by one" in out, code) == (True, 4)
    assert retry("failed_stage", *ids(deadly[0]))[2] == 0


def test_everything_that_fits_the_filters_is_retried(ana):
    club = make_club(name="Na Fianna")
    wanted = [make_failed(NAMES, organization=club) for _ in range(2)]
    make_failed(STATEMENTS, organization=club), make_failed(NAMES), make_closed(NAMES, organization=club)
    retry("failed_stage", "--organization=Na Fianna", "--stage=entity-resolution", "--since=2h", "--status=failed")
    assert [attempt[0] for attempt in attempts()] == [note.pk for note in wanted]


def test_starting_over_deletes_what_was_foretold(ana):
    out, _, _ = retry("full", *ids(make_ready(), make_ready()), "--all-at-once")
    assert "2 transcripts, 2 statements, 2 matched names, 2 suggested entries" in out
    assert [attempt.deleted["statements"] for attempt in RetryAttempt.objects.all()] == [1, 1]


# --- Exit codes ------------------------------------------------------------------------------------------------------
def test_when_some_are_refused_that_is_told_and_ends_with_3(ana):
    out, _, code = retry("failed_stage", *ids(make_failed(), make_ready(), make_failed()))
    assert ("Requested: 2, refused: 1, not begun: 0" in out, code) == (True, 3)
    assert "It has not failed" in out


@pytest.mark.parametrize("number", [1, 2])
def test_when_none_can_be_retried_nothing_is_written_and_it_ends_with_4(ana, number):
    out, _, code = retry("claims_extraction", *ids(*[make_moving(STATEMENTS) for _ in range(number)]))
    assert ("It waits for a worker" in out, code, BulkRetry.objects.count()) == (True, 4, 0)


def test_when_nothing_fits_it_says_so_and_ends_with_4(ana):
    out, _, code = retry("failed_stage", "--since=2h")
    assert (out, code) == ("No voice note fits this choice, so there is nothing to do.\n", 4)


def test_a_terminal_does_not_act_on_what_staff_are_called(ana):
    note = make_moving(STATEMENTS)
    make_attempt(note, make_user(roles.OPERATOR, first_name="\x1b[2JOtto"))
    out, _, _ = retry("full", *ids(note))
    assert "Already requested by �[2JOtto" in out


# --- Only looked at --------------------------------------------------------------------------------------------------
def test_a_dry_run_says_what_would_happen_and_writes_nothing(ana):
    notes = [make_failed(), make_failed(NAMES), make_ready()]
    before = list(Artifact.objects.order_by("pk").values()), StageRun.objects.count()
    out, _, code = run("failed_stage", *ids(*notes), "--as=ana", "--dry-run")
    assert (list(Artifact.objects.order_by("pk").values()), StageRun.objects.count()) == before
    assert (BulkRetry.objects.count(), RetryAttempt.objects.count(), code) == (0, 0, 0)
    assert out.splitlines() == [
        "Retry the stage that failed: 2 of 3 voice notes can be retried",
        "  Refused     1",
        "       1  It has not failed: choose from which stage it should be run again.",
        "  What        Read the statements again: 1, Match the names again: 1",
        "  Deleted     nothing",
        "  Stages      5",
        "  AI calls    1",
        "  AI cost     nothing, unknown for 1",
        "  Time        about 6 s",
        "Nothing was done: this was a dry run.",
    ]


def test_a_dry_run_for_a_script_is_one_json_object(ana):
    failed, ready = make_failed(), make_ready()
    out, err, _ = run("failed_stage", *ids(failed, ready), "--as=ana", "--dry-run", "--json")
    told = json.loads(out)
    assert (told["dry_run"], told["bulk"], err) == (True, None, "")
    assert {name: told["preview"][name] for name in ("possible", "refused", "runs", "calls", "cost_usd")} == {
        "possible": 1,
        "refused": 1,
        "runs": 3,
        "calls": 1,
        "cost_usd": None,
    }
    assert [(note["id"], note["result"]) for note in told["notes"]] == [
        (str(failed.artifact_id), "possible"),
        (str(ready.artifact_id), "refused"),
    ]


# --- For scripts -----------------------------------------------------------------------------------------------------
def test_what_became_of_each_note_is_one_json_object(ana):
    failed, ready, other = make_failed(), make_ready(), make_failed(NAMES)
    out, _, code = retry("failed_stage", *ids(failed, ready, other), "--json")
    told = json.loads(out)
    assert told["result"] == {"requested": 2, "refused": 1, "waiting": 0}
    assert (told["bulk"], code) == (str(BulkRetry.objects.get().bulk_id), 3)
    assert told["notes"][0] == {
        "id": str(failed.artifact_id),
        "kind": "claims_extraction",
        "result": "requested",
        "message": "Retry requested (attempt 1).",
        "attempt": 1,
    }
    assert told["notes"][1]["message"].startswith("It has not failed")


def test_one_note_alone_is_told_in_the_same_form(ana):
    out, err, _ = retry("failed_stage", *ids(make_failed()), "--json")
    told = json.loads(out)
    assert (told["bulk"], told["notes"][0]["attempt"], err) == (None, 1, "")
