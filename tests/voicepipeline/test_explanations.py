"""One note in words, for every state it can be in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_claim, make_draft, make_note, make_resolution, make_transcript
from voicepipeline.ai.faults import FAULTS
from voicepipeline.engine.gate import PAUSED_BY_STAFF
from voicepipeline.explanations import HOLD_REASONS, Closing, Fault, Hold, Made, Rules, Run, Situation, explain
from voicepipeline.situations import load_situation
from voicepipeline.stages.contract import ProviderFault

NOW = datetime(2026, 11, 21, 14, 2, 30, tzinfo=UTC)
RULES = Rules(
    transient_budget=6,
    crash_budget=3,
    lease=timedelta(seconds=60),
    heartbeat=timedelta(seconds=20),
    forgotten_after=timedelta(seconds=30),
)


def ago(**units):
    return NOW - timedelta(**units)


WAITING = Run(stage="Transcription", running=False, attempt=1, queued_at=ago(minutes=1), not_before=ago(minutes=1))
RUNNING = replace(WAITING, running=True, started_at=ago(seconds=40), lease_until=NOW + timedelta(seconds=20))
FAULT = Fault("unreadable_audio", "The audio is not readable.", "Transcription", ago(minutes=2))
ON_ITS_WAY = Situation(
    now=NOW,
    status="transcribing",
    stage="Transcription",
    since=ago(minutes=1),
    rules=RULES,
    run=WAITING,
    cluster_seen_at=ago(seconds=4),
)
FAILED = replace(ON_ITS_WAY, status="failed", run=None, fault=FAULT)


def words(situation, **changes):
    return explain(replace(situation, **changes)).paragraph


def test_a_waiting_note_says_how_many_are_ahead_and_when_the_workers_were_seen():
    assert words(ON_ITS_WAY, ahead="3") == (
        "Waiting for a worker for the stage Transcription since 14:01. "
        "Ahead of it: 3. The workers were seen 4 s ago. Nothing to do: it moves on by itself."
    )


@pytest.mark.parametrize(
    ("seen_at", "sentence"),
    [(None, "No workers have reported in yet."), (ago(minutes=5), "The workers were seen 5 min ago.")],
)
def test_a_note_that_waits_for_workers_who_are_not_there_says_so(seen_at, sentence):
    paragraph = words(ON_ITS_WAY, cluster_seen_at=seen_at)
    assert sentence in paragraph
    assert paragraph.endswith(
        "Tell an engineer that no workers are running; the note is safe and goes on when they are back."
    )


def test_a_note_in_a_workers_hands_says_since_when():
    assert words(ON_ITS_WAY, run=RUNNING).startswith(
        "A worker has had it in the stage Transcription since 14:01. The work has taken 40 s so far."
    )


def test_the_number_of_the_try_is_said_from_the_second_on():
    assert "since 14:01, try 2." in words(ON_ITS_WAY, run=replace(RUNNING, attempt=2))


def test_a_dead_worker_is_named_with_the_moment_of_the_next_try():
    run = replace(RUNNING, started_at=ago(minutes=3), lease_until=ago(seconds=5))
    paragraph = words(ON_ITS_WAY, run=run)
    assert "Its worker died or lost the database at 14:01." in paragraph
    assert "It will be picked up again at 14:02." in paragraph


def test_a_dead_worker_that_nobody_noticed_points_to_the_watchdog():
    run = replace(RUNNING, started_at=ago(minutes=9), lease_until=ago(minutes=5))
    assert words(ON_ITS_WAY, run=run).endswith(
        "Tell an engineer that the watchdog may not be running; the note is safe."
    )


def test_a_note_picked_up_again_says_what_became_of_its_last_worker():
    fault = replace(FAULT, code="worker_died")
    paragraph = words(ON_ITS_WAY, run=replace(WAITING, attempt=2), fault=fault)
    assert "Its worker died, noticed at 14:00." in paragraph


def test_a_note_between_two_tries_says_why_when_and_how_many_are_left():
    run = replace(WAITING, attempt=2, not_before=NOW + timedelta(seconds=35))
    assert words(ON_ITS_WAY, run=run, fault=FAULT) == (
        "Waiting to be tried again in the stage Transcription. "
        "Try 1 failed at 14:00: The audio is not readable. "
        "It will be tried again at 14:03, in 35 s. 5 tries are left. "
        "Nothing to do: it tries again by itself."
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("provider_error", "the AI service is down"),
        ("provider_no_credit", "the provider credit is used up"),
        ("provider_key_refused", "the AI service refuses our key"),
        ("paused_by_staff", "people have paused this work"),
        ("something_new", "the AI service is in trouble"),
    ],
)
def test_a_note_on_hold_says_for_whose_trouble(code, reason):
    run = replace(WAITING, parked_reason=code, parked_since=ago(minutes=3), not_before=NOW + timedelta(seconds=50))
    paragraph = words(ON_ITS_WAY, run=run)
    assert paragraph.startswith("On hold before the stage Transcription since 13:59.")
    assert reason in paragraph
    assert paragraph.endswith("in 50 s. Nothing to do for this note.")


def test_every_trouble_of_the_provider_has_its_words():
    troubles = {code for code, (kind, _) in FAULTS.items() if issubclass(kind, ProviderFault)}
    assert HOLD_REASONS.keys() == troubles | {PAUSED_BY_STAFF}


@pytest.mark.parametrize(
    ("hold", "next_"),
    [
        (Hold(paused=True, needs_person=True), "It goes on when the pause is ended."),
        (Hold(needs_person=True), "It goes on once somebody has put that right and resumed the AI service."),
        (Hold(testing=True), "The AI service is being tested with one note; this one goes on once that works."),
        (
            Hold(next_test_at=NOW + timedelta(minutes=2)),
            "The AI service is tested again at 14:04, in 2 min; this note goes on once that works.",
        ),
        (Hold(), "It goes on in a moment: what was on hold is let go little by little, the oldest first."),
    ],
)
def test_a_note_on_hold_says_what_has_to_happen(hold, next_):
    run = replace(WAITING, parked_reason="provider_error", parked_since=ago(minutes=3), not_before=ago(minutes=2))
    assert f" {next_} Nothing to do for this note." in words(ON_ITS_WAY, run=run, hold=hold)


def test_a_stalled_note_may_be_released():
    paragraph = words(ON_ITS_WAY, stalled_for=timedelta(minutes=12))
    assert paragraph.endswith("No progress for 12 min: release and requeue it, nothing is lost by that.")


def test_a_permanent_failure_says_that_trying_again_will_not_help():
    assert words(FAILED) == (
        "Failed at 14:01 in the stage Transcription. The audio is not readable. "
        "Trying again will not help. Nothing more happens by itself. "
        "Once the cause is mended, retry it. If it cannot be, ask the coach to send it again and close this one."
    )


def test_a_used_up_budget_says_how_often_it_was_tried():
    paragraph = words(FAILED, fault=replace(FAULT, transient_no=5))
    assert "It was tried 6 times; the last time: The audio is not readable." in paragraph
    assert "will not help" not in paragraph
    assert paragraph.endswith("See whether others fail alike, and retry it once the cause is gone.")


def test_a_note_that_killed_its_workers_says_so():
    paragraph = words(FAILED, fault=replace(FAULT, code="worker_died"))
    assert "It gave up after 3 crashes" in paragraph
    assert paragraph.endswith("kills the workers; retry it once that is mended.")


def test_a_cancelled_note_says_so():
    paragraph = words(FAILED, fault=replace(FAULT, code="cancelled"))
    assert "A person cancelled it." in paragraph
    assert paragraph.endswith("Retry it if it is wanted after all; otherwise close it.")


def test_a_failed_note_of_which_no_try_is_known_can_still_be_retried():
    assert words(FAILED, fault=None) == (
        "Failed at 14:01. Nothing more happens by itself. Retry it if it is wanted after all; otherwise close it."
    )


def test_a_failure_on_another_day_says_which():
    assert words(FAILED, since=ago(days=1)).startswith("Failed on 20 Nov at 14:02 ")


def test_a_closed_note_says_by_whom_and_why():
    closing = Closing("Aoife Kelly", "sent twice", ago(minutes=1))
    assert words(FAILED, closing=closing) == (
        "Closed by Aoife Kelly at 14:01: it will not be fixed. The reason given: sent twice. "
        "Nothing happens to it any more, and it no longer counts as a problem. If that was wrong, reopen it."
    )


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (
            Made(nothing_said=True),
            "Nobody says anything in it, so nothing was made of it. Listen to it if you doubt that.",
        ),
        (Made(open_names=1), "Every stage has its result. 1 name is unclear."),
        (
            Made(doubtful=True, open_names=2, open_entries=3),
            "Every stage has its result. Somebody should listen to it: the transcript is doubtful. "
            "2 names are unclear. 3 suggested entries are to be confirmed.",
        ),
    ],
)
def test_a_ready_note_says_what_waits_for_a_person(made, told):
    assert words(ON_ITS_WAY, status="completed", run=None, made=made) == f"Ready since 14:01. {told}"


@pytest.mark.django_db
def test_what_waits_for_a_person_is_counted_for_a_ready_note():
    artifact = make_note(status="completed", completed_at=NOW, first_completed_at=NOW)
    make_transcript(artifact, verdict="flagged")
    claim = make_claim(artifact, "Murphy", "murphy")
    make_resolution(claim)
    make_resolution(claim)
    make_draft(claim)
    assert load_situation(artifact).made == Made(doubtful=True, open_names=1, open_entries=1)


def test_a_ready_note_says_since_when():
    assert (
        words(ON_ITS_WAY, status="completed", run=None)
        == "Ready since 14:01. Every stage has its result. Nothing to do."
    )


def test_a_forgotten_note_says_when_it_will_be_put_back():
    assert "The watchdog puts it back at 14:02." in words(ON_ITS_WAY, run=None, since=ago(seconds=10))


def test_a_note_that_stays_forgotten_points_to_the_watchdog():
    paragraph = words(ON_ITS_WAY, run=None, since=ago(minutes=30), stalled_for=timedelta(minutes=30))
    assert "it may not be running" in paragraph
    assert paragraph.endswith("releasing it puts it back at once.")


def test_a_note_without_its_recording_says_so():
    paragraph = words(ON_ITS_WAY, run=None, stage="", input_missing="The recording holds neither audio nor typed text.")
    assert paragraph.startswith("Received, but not waiting for any worker since 14:01. The recording holds neither")
