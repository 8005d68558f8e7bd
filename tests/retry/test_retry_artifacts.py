import json
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from retry.bulk.deeds import pause
from retry.models import BulkRetry, RetryAttempt
from tests.engine.helpers import run_to_the_end
from tests.factories import make_club, make_user
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    make_attempt,
    make_closed,
    make_confirmed,
    make_failed,
    make_moving,
    make_ready,
)
from voicepipeline import roles
from voicepipeline.models import Artifact, StageRun, User

WHY = "--reason=The prompt was mended."


@pytest.fixture
def ana(db):
    return make_user(roles.ADMINISTRATOR, username="ana", first_name="Ana")


class Terminal(StringIO):
    """Where somebody sits who types this, or to whom something is shown."""

    def isatty(self):
        return True


class Told(StringIO):
    """Where progress is shown; each time this is done."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def write(self, text):
        super().write(text)
        if "begun" in text:
            self.do()
        return len(text)


def run(*arguments, stdin=None, stderr=None):
    """What was printed, what was told beside it, and the exit code."""
    out, err, code = StringIO(), stderr or StringIO(), 0
    try:
        call_command("retry_artifacts", *map(str, arguments), stdout=out, stderr=err, stdin=stdin or StringIO())
    except SystemExit as ended:
        code = ended.code
    return out.getvalue(), err.getvalue(), code


def retry(*arguments, **how):
    return run("--timeout=30", *arguments, "--as=ana", WHY, "--yes", **how)


def refused(*arguments, **how):
    with pytest.raises(CommandError) as told:
        run(*arguments, **how)
    assert (told.value.returncode, RetryAttempt.objects.count(), BulkRetry.objects.count()) == (1, 0, 0)
    return str(told.value)


def ids(*notes):
    return [note.artifact_id for note in notes]


def attempts():
    return RetryAttempt.objects.order_by("artifact").values_list("artifact", "kind", "number", "reason")


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


# --- Asked first -----------------------------------------------------------------------------------------------------
def test_somebody_at_a_terminal_is_asked(ana):
    note = make_failed()
    _, err, code = run("failed_stage", *ids(note), "--as=ana", WHY, stdin=Terminal("y\n"))
    assert ("Retry 1 voice note now? [y/N]" in err, code, len(attempts())) == (True, 0, 1)


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_whoever_does_not_say_yes_gets_nothing_done(ana, answer):
    words = refused("failed_stage", *ids(make_failed()), "--as=ana", WHY, stdin=Terminal(answer))
    assert words == "Nothing was done."


def test_whoever_interrupts_the_question_gets_nothing_done(ana):
    class Interrupted(Terminal):
        def readline(self):
            raise KeyboardInterrupt

    assert refused("failed_stage", *ids(make_failed()), "--as=ana", WHY, stdin=Interrupted()) == "Nothing was done."


def test_where_nobody_can_be_asked_nothing_is_done(ana):
    assert "give --yes" in refused("failed_stage", *ids(make_failed()), "--as=ana", WHY)


def test_a_script_whose_user_is_asked_gets_the_preview_beside_its_json(ana):
    out, err, _ = run("failed_stage", *ids(make_failed()), "--as=ana", WHY, "--json", stdin=Terminal("yes\n"))
    assert ("1 of 1 voice note can be retried" in err, json.loads(out)["result"]["requested"]) == (True, 1)


def test_what_the_reason_should_say_is_asked_before(ana):
    note = make_failed()
    for _ in range(3):
        make_attempt(note, ana, outcome="failed", failed_stage=STATEMENTS, error_code="x", problem=note.fingerprint)
    out, _, _ = run("failed_stage", *ids(note), "--as=ana", "--dry-run")
    assert "Reason      The last 3 retries ended with the same problem. Say what has changed since." in out


class Slow(Terminal):
    """Somebody who says yes after something else has happened."""

    def __init__(self, do):
        super().__init__("y\n")
        self.do = do

    def readline(self):
        self.do()
        return super().readline()


def test_a_note_that_was_started_over_while_somebody_thought_is_left_alone(ana):
    note = make_failed()
    meanwhile = Slow(lambda: Artifact.objects.update(generation=2))
    out, _, code = run("failed_stage", *ids(note), "--as=ana", WHY, stdin=meanwhile)
    assert ("It has been started over since you looked at it" in out, code, len(attempts())) == (True, 4, 0)


def test_entries_that_were_confirmed_while_somebody_thought_are_not_agreed_to(ana):
    notes = [make_ready(), make_ready()]
    meanwhile = Slow(lambda: make_confirmed(notes[0]))
    with pytest.raises(CommandError, match="more entries were confirmed since you looked"):
        run("draft_generation", *ids(*notes), "--as=ana", WHY, "--agree", stdin=meanwhile)
    assert len(attempts()) == 0


def test_confirmed_entries_need_to_be_agreed_to(ana):
    notes = [make_ready(), make_ready()]
    make_confirmed(notes[0])
    words = refused("draft_generation", *ids(*notes), "--as=ana", WHY, "--yes")
    assert words.startswith("1 entry that was confirmed or applied depends on these voice notes.")
    out, _, code = retry("draft_generation", *ids(*notes), "--agree")
    assert ("1 entry of 1 voice note" in out, code) == (True, 0)


def test_so_they_do_for_a_single_note(ana):
    note = make_ready()
    make_confirmed(note)
    assert "give --agree" in refused("full", *ids(note), "--as=ana", WHY, "--yes")
    assert retry("full", *ids(note), "--agree")[2] == 0


# --- Refused in words ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["failed_stage"], "Say which voice notes"),
        (["failed_stage", "7"], "'7' is no id of a voice note"),
        (["failed_stage", uuid.UUID(int=7)], "There is no voice note with the id 00000000"),
        (["everything", "--status=failed"], "'everything' is none of failed_stage, transcription"),
        (["full", "--status=broken"], "invalid choice: 'broken'"),
        (["full", "--stage=hearing"], "'hearing' is none of transcription, claims_extraction"),
        (["full", "--organization=Nobody"], "There is no club with the id or the exact name 'Nobody'"),
        (["full", "--since=soon"], "Write it as 2026-03-31T14:00"),
        (["full", "--status=failed", "--limit=0"], "1 or more"),
        (["full", "--status=failed", "--timeout=0"], "a number of seconds above 0"),
        (["full", "--status=failed", "--reason= "], "Say why with --reason"),
        (["full", "--status=failed", f"--reason={'x' * 501}"], "longer than 500 characters"),
        (["full", "--status=failed", "--as=nobody\x1b"], "Nobody is called 'nobody�'"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_what_to_do(ana, arguments, words):
    assert words in refused("--as=ana", WHY, "--yes", *arguments)


@pytest.mark.parametrize("kind", ["failed_stage", "full"])
def test_a_viewer_starts_nothing(db, kind):
    make_user(roles.VIEWER, username="vera")
    assert "Your role does not include this" in refused(kind, *ids(make_failed()), "--as=vera", WHY, "--yes")


def test_an_operator_retries_and_does_not_start_over(db):
    make_user(roles.OPERATOR, username="otto")
    note = make_failed()
    assert "Your role does not include this" in refused("full", *ids(note), "--as=otto", WHY, "--yes")
    assert run("failed_stage", *ids(note), "--as=otto", WHY, "--yes")[2] == 0


@pytest.mark.parametrize("lost", ["is_active", "is_platform_staff"])
def test_who_is_no_longer_staff_starts_nothing(ana, lost):
    User.objects.update(**{lost: False})
    assert "platform staff only" in refused("failed_stage", *ids(make_failed()), "--as=ana", WHY, "--yes")


# --- Waited for ------------------------------------------------------------------------------------------------------
def test_the_rest_waits_for_the_first_few_and_goes_on_in_the_background(ana):
    notes = [make_failed() for _ in range(5)]
    out, err, code = retry("failed_stage", *ids(*notes), "--timeout=0.01")
    assert ("Requested: 3, refused: 0, not begun: 2" in out, code) == (True, 3)
    assert "60 % begun; the rest waits for how the first end" in err
    assert f"It goes on in the background: http://localhost:8000/admin/retry/bulkretry/{bulk_id()}/" in err


def test_the_first_few_are_not_waited_for_when_somebody_says_so(ana):
    out, _, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), "--all-at-once")
    assert ("Requested: 5, refused: 0, not begun: 0" in out, code) == (True, 0)


def test_once_the_first_few_have_succeeded_the_rest_follows(ana):
    notes = [make_failed(ENTRIES) for _ in range(5)]
    work = Told(lambda: [run_to_the_end(note) for note in notes])
    out, _, code = retry("failed_stage", *ids(*notes), stderr=work)
    assert ("Requested: 5, refused: 0, not begun: 0" in out, code) == (True, 0)
    assert Artifact.objects.filter(status="completed").count() >= 3


def test_one_that_somebody_pauses_is_no_longer_waited_for(ana):
    told = Told(lambda: pause(bulk_id(), by=ana))
    _, err, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), stderr=told)
    assert ("Paused. Paused by Ana." in err, code) == (True, 3)


def test_who_interrupts_it_is_told_that_it_goes_on(ana):
    def interrupt():
        raise KeyboardInterrupt

    _, err, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), stderr=Told(interrupt))
    assert ("You need not wait for it. It goes on in the background: http" in err, code) == (True, 3)
    assert BulkRetry.objects.get().state == "trying"


def test_a_terminal_gets_a_bar_that_is_taken_away_at_the_end(ana):
    _, err, _ = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), "--timeout=0.01", stderr=Terminal())
    assert "\r\x1b[K[##############          ] 3 of 5; the rest waits for how the first end" in err
    assert err.split("\r\x1b[K")[-1].startswith("0.01 s were not enough for all.")


def bulk_id():
    return BulkRetry.objects.get().bulk_id
