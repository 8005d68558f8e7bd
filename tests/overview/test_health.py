"""The sentences at the top: each situation, in words that say what happened, what became of it, and what to do."""

from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.ai.faults import FAULTS
from voicepipeline.ai_notices import Standstill
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService
from voicepipeline.overview.cards import own_cards
from voicepipeline.overview.health import Rows, health_of
from voicepipeline.overview.parts import Level
from voicepipeline.overview.pulse import MOST_COUNTED, Pulse
from voicepipeline.overview.states import states_of
from voicepipeline.pipeline_status import StageLoad
from voicepipeline.stages.contract import NeedsPersonFault, ProviderFault

NOW = datetime(2026, 3, 18, 9, 40, tzinfo=UTC)
LOST_AFTER = timedelta(seconds=30)


def pulse(**values):
    """All is well and nothing waits, but for what is said."""
    working = {
        "clusters_working": 1,
        "workers": 8,
        "cluster_seen_at": NOW,
        "watchdog_seen_at": NOW,
        "last_received_at": NOW - timedelta(minutes=5),
    }
    return Pulse(now=NOW, **{**working, **values})


def load(stage="transcription", **values):
    return StageLoad(stage=stage, label=stage, now=NOW, **values)


def ago(**length):
    return NOW - timedelta(**length)


def health(given, *, may_upload=True):
    return health_of(given, lost_after=LOST_AFTER, may_upload=may_upload)


def told(given, **who):
    """Each sentence with its level; moments in brackets."""
    return [(each.level, "".join(map(_words, each.pieces))) for each in health(given, **who).sentences]


def _words(piece):
    if piece.since:
        return f"[{(NOW - piece.since).total_seconds():.0f} s]"
    return f"[{piece.at:%H:%M}]" if piece.at else piece.words


def rows_of(given):
    return [piece.rows for each in health(given).sentences for piece in each.pieces if piece.rows]


def down(service="transcription", **fields):
    return Standstill(**{"service": service, "state": "open", "reason": "provider_error", "since": NOW, **fields})


def test_nothing_waits():
    assert told(pulse()) == [
        (Level.GOOD, "Everything is flowing and nothing waits; the last voice note was received [300 s] ago.")
    ]


def test_notes_are_on_their_way():
    given = pulse(active=3, oldest_active_at=ago(seconds=12))
    assert told(given) == [
        (Level.GOOD, "Everything is flowing; the oldest of 3 voice notes on their way has waited [12 s].")
    ]
    assert rows_of(given) == [Rows.ACTIVE]


def test_one_note_is_on_its_way():
    given = pulse(active=1, oldest_active_at=ago(seconds=2))
    assert told(given)[0][1] == "Everything is flowing; the only voice note on its way has waited [2 s]."


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 voice note is on its way."), (2, "2 voice notes are on their way.")]
)
def test_notes_that_wait_for_no_stage_yet_are_on_their_way_as_well(number, words):
    assert told(pulse(active=number)) == [(Level.GOOD, f"Everything is flowing; {words}")]


def test_nothing_was_received_for_an_hour():
    given = pulse(last_received_at=ago(hours=2))
    assert told(given) == [
        (
            Level.QUIET,
            "Nothing is wrong and nothing waits; the last voice note was received [7200 s] ago. If that is unusual, "
            "see where they come from.",
        )
    ]
    assert rows_of(given) == [Rows.NEWEST, Rows.SOURCES]


def test_what_failed_lately_is_told_although_all_flows():
    ((level, words),) = told(pulse(notes_failed=3))
    assert level == Level.GOOD
    assert words.endswith(" ago. 3 voice notes failed in the last 60 minutes and still need somebody.")
    assert rows_of(pulse(notes_failed=3)) == [Rows.NEWEST, Rows.FAILED]


def test_not_all_that_failed_are_counted():
    words = told(pulse(notes_failed=MOST_COUNTED + 1))[0][1]
    assert words.endswith(" ago. 1,000+ voice notes failed in the last 60 minutes and still need somebody.")


def test_nothing_was_ever_received():
    given = pulse(last_received_at=None)
    assert told(given)[0][1] == "Everything is ready, and no voice note has been received yet. Upload the first one."
    assert rows_of(given) == [Rows.UPLOAD]


def test_who_may_not_upload_is_not_asked_to():
    ((_, words),) = told(pulse(last_received_at=None), may_upload=False)
    assert words.endswith("no voice note has been received yet. The first one is shown here as soon as it comes.")


def test_a_service_is_down():
    given = pulse(standstills=(down(),), loads=(load(on_hold=143), load("claims_extraction", on_hold=7)))
    assert told(given) == [
        (
            Level.TROUBLE,
            "Transcription is on hold for all clubs since [09:40]: the AI service is down; 143 voice notes wait, "
            "nothing is lost. It is tried again by itself.",
        )
    ]
    assert rows_of(given) == [Rows.AI_SERVICE, Rows.ON_HOLD]
    assert health(given).sentences[0].pieces[5].stages == ("transcription",)


def test_credit_is_used_up_for_both_services():
    no_credit = {"reason": "provider_no_credit", "needs_person": True}
    both = (down("chat", **no_credit), down(**no_credit))
    assert told(pulse(standstills=both)) == [
        (
            Level.TROUBLE,
            "Transcription and reading statements are on hold for all clubs since [09:40]: the provider credit is used "
            "up; nothing waits yet, nothing is lost. Somebody has to add credit with the AI provider and press Resume.",
        )
    ]


def test_both_services_are_down():
    both = tuple(down(service) for service in AIService.values)
    given = pulse(standstills=both, loads=(load(on_hold=1),))
    assert told(given)[0][1].endswith("1 voice note waits, nothing is lost. They are tried again by themselves.")


def test_what_does_not_pass_by_itself_comes_first():
    refused = down("chat", reason="provider_key_refused", needs_person=True)
    words = [words for _, words in told(pulse(standstills=(down(), refused)))]
    assert [each.split(" is on hold")[0] for each in words] == ["Reading statements", "Transcription"]
    assert words[0].endswith("Somebody has to enter a key that the AI provider accepts and press Resume.")


@pytest.mark.parametrize(
    "code", [code for code, (kind, _) in FAULTS.items() if issubclass(kind, ProviderFault | NeedsPersonFault)]
)
def test_every_reason_has_its_words(code):
    assert HOLD_REASONS[code] in told(pulse(standstills=(down(reason=code),)))[0][1]


@pytest.mark.parametrize(
    ("subject", "club", "expected"),
    [
        (
            "everything",
            None,
            "All work on voice notes is paused by people for all clubs since [09:40]: voice notes are "
            "accepted and wait, nothing is lost. Somebody has to press Resume when the reason is gone.",
        ),
        (
            "claims_extraction",
            "St Brigid's",
            "The stage Statements is paused by people for St Brigid's since [09:40]: "
            "voice notes are accepted and wait, nothing is lost. Somebody has to press Resume when the reason is gone.",
        ),
        (
            "automatic_confirmation",
            None,
            "Automatic confirmation is paused by people for all clubs since [09:40]: every "
            "suggested entry waits for a person. Somebody has to switch it on when the reason is gone.",
        ),
    ],
)
def test_people_have_paused_something(subject, club, expected):
    assert told(pulse(standstills=(Standstill(subject=subject, club=club, since=NOW),))) == [(Level.NOTICE, expected)]


def test_a_long_name_of_a_club_keeps_to_its_place():
    paused = Standstill(subject="transcription", club="A\u202egrof\n" + "x" * 150, since=NOW)
    ((_, words),) = told(pulse(standstills=(paused,)))
    assert f"for Agrof {'x' * 53}\N{HORIZONTAL ELLIPSIS} since" in words


def test_workers_have_gone_silent():
    given = pulse(clusters_working=0, cluster_seen_at=ago(minutes=3), active=143, stalled=2)
    assert told(given) == [
        (
            Level.TROUBLE,
            "Processing has stopped: no workers have reported in for [180 s]; 143 voice notes wait, nothing is lost. "
            "Ask an engineer to start the workers.",
        )
    ]


def test_no_workers_were_ever_there():
    words = told(pulse(clusters_working=0, cluster_seen_at=None))[0][1]
    assert words.startswith("Processing has stopped: no workers are running; voice notes are accepted and wait,")


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        (1, "One of 2 groups of workers has not reported in for [600 s]"),
        (2, "2 of 3 groups of workers have not reported in, the first of them for [600 s]"),
    ],
)
def test_some_workers_have_gone_silent(silent, words):
    given = pulse(clusters_silent=silent, silent_since=ago(minutes=10))
    assert told(given) == [
        (Level.NOTICE, f"{words}: the others go on, and nothing is lost. Ask an engineer to look at it.")
    ]
    assert rows_of(given) == [Rows.QUEUE]


@pytest.mark.parametrize(
    ("seen", "words"), [(None, " is not running"), (ago(minutes=2), " has not reported in for [120 s]")]
)
def test_the_watchdog_is_gone(seen, words):
    ((level, told_words),) = told(pulse(watchdog_seen_at=seen))
    assert level == Level.TROUBLE
    assert told_words.startswith(f"The watchdog{words}: voice notes that are on hold or were interrupted do not go on.")


def test_notes_stand_still():
    given = pulse(stalled=2, active=2, oldest_active_at=ago(hours=1))
    assert told(given) == [(Level.TROUBLE, "2 voice notes have made no progress for too long: open one to see why.")]
    assert rows_of(given) == [Rows.STALLED]


def test_more_comes_in_than_workers_can_do():
    given = pulse(active=97, loads=(load(due=90, running=7, oldest_due=ago(minutes=6)),))
    assert told(given) == [
        (
            Level.NOTICE,
            "90 voice notes wait for a worker, the oldest for [360 s]: more came in than 8 workers can do. Nothing is "
            "lost; if this lasts, ask an engineer for more workers.",
        )
    ]
    assert rows_of(given) == [Rows.WAITING]


def test_one_note_waits_for_a_worker():
    given = pulse(active=2, workers=1, loads=(load(due=1, running=1, oldest_due=ago(minutes=6)),))
    words = told(given)[0][1]
    assert words.startswith("1 voice note waits for a worker, for [360 s]: more came in than 1 worker can do.")


def test_notes_wait_although_workers_are_free():
    given = pulse(active=3, loads=(load(due=2, oldest_due=ago(minutes=6)), load("claims_extraction", running=1)))
    assert told(given) == [
        (
            Level.NOTICE,
            "2 voice notes wait for a worker, the oldest for [360 s] although workers are free. Nothing is lost; ask "
            "an engineer to look at the queue.",
        )
    ]
    assert rows_of(given) == [Rows.WAITING, Rows.QUEUE]


def test_a_short_queue_is_no_backlog():
    given = pulse(active=90, oldest_active_at=ago(minutes=1), loads=(load(due=90, oldest_due=ago(minutes=1)),))
    assert [level for level, _ in told(given)] == [Level.GOOD]


def test_what_is_not_counted_to_its_end_says_so():
    given = pulse(stalled=MOST_COUNTED + 1, active=MOST_COUNTED + 1)
    assert told(given)[0][1].startswith("1,000+ voice notes have made no progress")


def test_the_worst_comes_first():
    given = pulse(
        stalled=1,
        standstills=(Standstill(subject="everything", since=NOW),),
        loads=(load(due=1, oldest_due=ago(minutes=9)),),
    )
    assert [level for level, _ in told(given)] == [Level.TROUBLE, Level.NOTICE, Level.NOTICE]


def test_with_trouble_three_are_shown_and_the_others_on_demand():
    paused = tuple(Standstill(subject=subject, since=NOW) for subject in ("transcription", "claims_extraction"))
    given = health(pulse(stalled=1, standstills=paused, loads=(load(due=1, oldest_due=ago(minutes=9)),)))
    assert [each.level for each in given.shown] == [Level.TROUBLE, Level.NOTICE, Level.NOTICE]
    assert [each.pieces[0].rows for each in given.more] == [Rows.WAITING]


def test_no_trouble_is_left_out():
    two = (down(), down("chat", reason="provider_no_credit", needs_person=True))
    given = health(pulse(clusters_working=0, watchdog_seen_at=None, standstills=(*two, Standstill(caution="Soon."))))
    assert ({each.level for each in given.shown}, len(given.shown)) == ({Level.TROUBLE}, 4)
    assert [each.level for each in given.more] == [Level.NOTICE]


# --- What it stands on ----------------------------------------------------------------------------------------------
def states(given):
    return [(each.words, each.level) for each in states_of(given, lost_after=LOST_AFTER)]


def test_all_that_it_stands_on_is_well():
    assert states(pulse()) == [
        ("AI service: normal", Level.GOOD),
        ("8 workers in 1 cluster", Level.GOOD),
        ("Watchdog: reporting in", Level.GOOD),
    ]


@pytest.mark.parametrize(
    ("standstills", "expected"),
    [
        ((down(),), ("AI service: paused for transcription", Level.TROUBLE)),
        ((down("chat", state="half_open"), down()), ("AI service: paused for transcription", Level.TROUBLE)),
        ((down(), down("chat")), ("AI service: paused", Level.TROUBLE)),
        ((down(state="half_open"),), ("AI service: testing for transcription", Level.NOTICE)),
        ((down(state="half_open"), down("chat", state="half_open")), ("AI service: testing", Level.NOTICE)),
        ((Standstill(subject="everything", since=NOW),), ("AI service: normal", Level.GOOD)),
    ],
)
def test_the_ai_service_is_told_as_the_worst_of_its_parts(standstills, expected):
    assert states(pulse(standstills=standstills))[0] == expected


@pytest.mark.parametrize(
    ("standstills", "expected"),
    [
        ((), ("Normal", Level.GOOD)),
        ((down("chat", state="half_open"), down()), ("Paused", Level.TROUBLE)),
        ((down(), down("chat", state="half_open")), ("Paused", Level.TROUBLE)),
        ((down(state="half_open"),), ("Testing", Level.NOTICE)),
    ],
)
def test_the_card_tells_the_worst_of_them_as_well(standstills, expected):
    *_, card = own_cards(pulse(standstills=standstills))
    assert (card.main.words, card.level) == expected


def test_in_whatever_order_services_come_they_are_told_in_one():
    two = down("chat", state="half_open"), down()
    *_, card = own_cards(pulse(standstills=two))
    *_, again = own_cards(pulse(standstills=reversed(two)))
    assert card.more == again.more


def test_workers_of_several_clusters_are_told_together():
    assert states(pulse(clusters_working=2, workers=64))[1][0] == "64 workers in 2 clusters"


def test_clusters_that_are_silent_are_told_beside_those_that_work():
    given = pulse(clusters_silent=1, silent_since=ago(minutes=10))
    assert states(given)[1] == ("8 workers in 1 of 2 clusters", Level.NOTICE)


def test_nobody_is_there():
    given = pulse(clusters_working=0, workers=0, watchdog_seen_at=None)
    assert states(given)[1:] == [("Workers: none", Level.TROUBLE), ("Watchdog: none", Level.TROUBLE)]


def test_a_silent_watchdog_is_told_with_its_last_sign_of_life():
    seen = ago(minutes=3)
    *_, watchdog = states_of(pulse(watchdog_seen_at=seen), lost_after=LOST_AFTER)
    assert (watchdog.words, watchdog.since) == ("Watchdog: silent for", seen)
