"""The sentence at the top: each situation, in words that say what happened, what became of it, and what to do."""

from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.ai_notices import Standstill
from voicepipeline.overview.health import Rows, health_of
from voicepipeline.overview.parts import Level
from voicepipeline.overview.pulse import MOST_COUNTED, Pulse
from voicepipeline.pipeline_status import StageLoad

NOW = datetime(2026, 3, 18, 9, 40, tzinfo=UTC)
LOST_AFTER = timedelta(seconds=30)


def pulse(**values):
    """All is well and nothing waits, but for what is said."""
    working = {
        "clusters_working": 1,
        "cluster_seen_at": NOW,
        "watchdog_seen_at": NOW,
        "last_received_at": NOW - timedelta(minutes=5),
    }
    return Pulse(now=NOW, **{**working, **values})


def load(stage="transcription", **values):
    return StageLoad(stage=stage, label=stage, now=NOW, **values)


def ago(**length):
    return NOW - timedelta(**length)


def told(given):
    """Each sentence with its level; moments in brackets."""
    return [
        (each.level, "".join(map(_words, each.pieces))) for each in health_of(given, lost_after=LOST_AFTER).sentences
    ]


def _words(piece):
    if piece.since:
        return f"[{(NOW - piece.since).total_seconds():.0f} s]"
    return f"[{piece.at:%H:%M}]" if piece.at else piece.words


def rows_of(given):
    return [
        piece.rows for each in health_of(given, lost_after=LOST_AFTER).sentences for piece in each.pieces if piece.rows
    ]


def test_nothing_waits():
    assert told(pulse()) == [
        (Level.GOOD, "Everything is flowing; nothing waits. The last voice note was received [300 s] ago.")
    ]


def test_notes_are_on_their_way():
    given = pulse(active=3, oldest_active_at=ago(seconds=12))
    assert told(given) == [
        (Level.GOOD, "Everything is flowing; the oldest of 3 voice notes on their way has waited [12 s].")
    ]
    assert rows_of(given) == [Rows.ACTIVE]


def test_one_note_is_on_its_way():
    given = pulse(active=1, oldest_active_at=ago(seconds=2))
    assert told(given)[0][1] == "Everything is flowing; the oldest of 1 voice note on its way has waited [2 s]."


def test_nothing_was_received_for_an_hour():
    given = pulse(last_received_at=ago(hours=2))
    assert told(given) == [
        (Level.QUIET, "Nothing is wrong, and nothing waits; the last voice note was received [7200 s] ago.")
    ]


def test_nothing_was_ever_received():
    given = pulse(last_received_at=None)
    assert told(given)[0][1] == "Everything is ready, and no voice note has been received yet. Send the first one."
    assert rows_of(given) == [Rows.UPLOAD]


def test_a_service_is_down():
    down = Standstill(service="transcription", state="open", reason="provider_error", since=NOW)
    given = pulse(standstills=(down,), loads=(load(on_hold=143), load("claims_extraction", on_hold=7)))
    assert told(given) == [
        (
            Level.TROUBLE,
            "Transcription is on hold for all clubs since [09:40]: the AI service is down; 143 voice notes wait, "
            "nothing is lost. It is tried again by itself.",
        )
    ]
    assert rows_of(given) == [Rows.AI_SERVICE, Rows.ON_HOLD]


def test_credit_is_used_up_for_both_services():
    both = tuple(
        Standstill(service=service, state="open", reason="provider_no_credit", needs_person=True, since=NOW)
        for service in ("chat", "transcription")
    )
    assert told(pulse(standstills=both)) == [
        (
            Level.TROUBLE,
            "Transcription and reading statements are on hold for all clubs since [09:40]: the provider credit is used "
            "up; nothing waits for it yet. Somebody has to mend that and press Resume.",
        )
    ]


@pytest.mark.parametrize(
    ("subject", "club", "expected"),
    [
        (
            "everything",
            None,
            "All work on voice notes is paused by people for all clubs since [09:40]: voice notes are "
            "accepted and wait; nothing is lost.",
        ),
        (
            "claims_extraction",
            "St Brigid's",
            "The stage Statements is paused by people for St Brigid's since [09:40]: "
            "voice notes are accepted and wait; nothing is lost.",
        ),
        (
            "automatic_confirmation",
            None,
            "Automatic confirmation is paused by people for all clubs since [09:40]: every "
            "suggested entry waits for a person.",
        ),
    ],
)
def test_people_have_paused_something(subject, club, expected):
    assert told(pulse(standstills=(Standstill(subject=subject, club=club, since=NOW),))) == [(Level.NOTICE, expected)]


def test_workers_have_gone_silent():
    given = pulse(clusters_working=0, cluster_seen_at=ago(minutes=3), active=143, stalled=2)
    assert told(given) == [
        (
            Level.TROUBLE,
            "Processing has stopped: no workers have reported in for [180 s]. 143 voice notes wait; nothing is lost. "
            "An engineer starts them with manage.py up.",
        )
    ]


def test_no_workers_were_ever_there():
    words = told(pulse(clusters_working=0, cluster_seen_at=None))[0][1]
    assert words.startswith("Processing has stopped: no workers are running. Voice notes are accepted and wait;")


@pytest.mark.parametrize(
    ("seen", "words"), [(None, " is not running"), (ago(minutes=2), " has not reported in for [120 s]")]
)
def test_the_watchdog_is_gone(seen, words):
    ((level, told_words),) = told(pulse(watchdog_seen_at=seen))
    assert level == Level.TROUBLE
    assert told_words.startswith(f"The watchdog{words}: what is on hold or broke off is not picked up again.")


def test_notes_stand_still():
    given = pulse(stalled=2, active=2, oldest_active_at=ago(hours=1))
    assert told(given) == [(Level.TROUBLE, "2 voice notes have made no progress for too long: open one to see why.")]
    assert rows_of(given) == [Rows.STALLED]


def test_more_comes_in_than_workers_can_do():
    given = pulse(active=90, loads=(load(due=90, oldest_due=ago(minutes=6)),))
    assert told(given) == [
        (
            Level.NOTICE,
            "90 voice notes wait for a worker, the oldest for [360 s]: more comes in than the workers can do. "
            "It is worked off in order.",
        )
    ]


def test_a_short_queue_is_no_backlog():
    given = pulse(active=90, oldest_active_at=ago(minutes=1), loads=(load(due=90, oldest_due=ago(minutes=1)),))
    assert [level for level, _ in told(given)] == [Level.GOOD]


def test_what_is_not_counted_to_its_end_says_so():
    given = pulse(active=MOST_COUNTED + 1, oldest_active_at=ago(seconds=5))
    assert "more than 10,000 voice notes on their way" in told(given)[0][1]


def test_the_worst_comes_first():
    given = pulse(
        stalled=1,
        standstills=(Standstill(subject="everything", since=NOW),),
        loads=(load(due=1, oldest_due=ago(minutes=9)),),
    )
    assert [level for level, _ in told(given)] == [Level.TROUBLE, Level.NOTICE, Level.NOTICE]
