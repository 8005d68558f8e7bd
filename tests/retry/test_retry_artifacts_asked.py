"""What `retry_artifacts` asks before it does anything, and what it refuses."""

import json
import uuid

import pytest
from django.core.management import CommandError

from tests.factories import make_user
from tests.retry.factories import STATEMENTS, make_attempt, make_confirmed, make_failed, make_ready
from tests.retry.terminal import WHY, Slow, Terminal, attempts, ids, refused, retry, run
from voicepipeline import roles
from voicepipeline.models import Artifact, User


@pytest.fixture
def ana(db):
    return make_user(roles.ADMINISTRATOR, username="ana", first_name="Ana")


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
