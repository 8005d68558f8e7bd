"""What live figures and history say on the overview: of which time, and where its rows are."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.overview import load, load_history
from tests.factories import make_club
from tests.metrics.factories import make_snapshot
from voicepipeline.models import StageName
from voicepipeline.overview.parts import CardKey, Level

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 18, 9, 40, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THIS_HOUR = NOW.replace(minute=0)


def end_to_end(*durations):
    return {"end_to_end": {"durations": list(durations), "timed": len(durations), "completed": len(durations)}}


def cards(rf):
    return {card.key: card for card in load(rf.get("/"), NOW).cards}


def test_times_are_those_of_this_hour_and_the_one_before_it():
    for back, duration in ((0, 1_000), (1, 3_000), (2, 90_000)):
        make_snapshot("hour", THIS_HOUR - back * HOUR, stages=end_to_end(*[duration] * 3))
    history = load_history(NOW)
    assert history.since == THIS_HOUR - HOUR
    assert history.lately["end_to_end"].timed == 6
    assert history.lately["end_to_end"].p95_ms == pytest.approx(3_000, rel=0.01)


def test_what_is_usual_is_this_time_of_the_seven_days_before():
    for days in range(9):
        make_snapshot("hour", THIS_HOUR - days * DAY, stages=end_to_end(days * 1_000 + 1))
    make_snapshot("hour", THIS_HOUR - DAY + 5 * HOUR, stages=end_to_end(1))
    assert load_history(NOW).usually["end_to_end"].timed == 7


def test_clubs_are_not_added_to_the_platform():
    make_snapshot("hour", THIS_HOUR, artifacts_completed=5, stages=end_to_end(1_000))
    make_snapshot("hour", THIS_HOUR, make_club(), artifacts_completed=5, stages=end_to_end(1_000))
    assert load_history(NOW).lately["end_to_end"].timed == 1
    assert load_history(NOW).today.artifacts_completed == 5


def test_today_is_the_utc_day_and_its_days_are_not_counted_beside_its_hours():
    make_snapshot("hour", NOW.replace(hour=0, minute=0), artifacts_completed=2, ai_cost=Decimal("0.25"))
    make_snapshot("hour", NOW.replace(hour=0, minute=0) - HOUR, artifacts_completed=100)
    make_snapshot("day", NOW.replace(hour=0, minute=0), artifacts_completed=2)
    today = load_history(NOW).today
    assert (today.artifacts_completed, today.ai_cost) == (2, Decimal("0.25"))


def test_each_card_says_its_time(rf):
    make_snapshot(
        "hour", THIS_HOUR, artifacts_received=9, artifacts_completed=6, artifacts_failed=2, stages=end_to_end(4_200)
    )
    told = {key: (card.main.words, card.window) for key, card in cards(rf).items()}
    assert told == {
        CardKey.READY: ("6", "today (UTC)"),
        CardKey.FAILED: ("2", "today (UTC)"),
        CardKey.TIME: ("4.2 s", "typical, since 08:00 UTC"),
        CardKey.COST: ("$0.00", "today (UTC)"),
    }


def test_failures_are_told_with_their_share(rf):
    make_snapshot("hour", THIS_HOUR, artifacts_completed=6, artifacts_failed=2)
    failed = cards(rf)[CardKey.FAILED]
    assert (failed.level, [figure.words for figure in failed.more]) == (Level.NOTICE, ["25 % of those that ended"])


def test_what_was_received_is_no_whole_of_what_is_ready(rf):
    make_snapshot("hour", THIS_HOUR, artifacts_received=2, artifacts_completed=9)
    ready = cards(rf)[CardKey.READY]
    assert (ready.main.words, [figure.words for figure in ready.more]) == ("9", ["2 received"])


@pytest.mark.parametrize(("calls", "told"), [(0, []), (1, ["1 call not priced"]), (2_000, ["2,000 calls not priced"])])
def test_what_the_cost_leaves_out_is_told_in_few_words(rf, calls, told):
    make_snapshot("hour", THIS_HOUR, ai_calls_unpriced=calls)
    assert [figure.words for figure in cards(rf)[CardKey.COST].more] == told


def test_nothing_happened_and_nothing_is_made_up(rf):
    told = {key: (card.main.words, card.change) for key, card in cards(rf).items()}
    assert told[CardKey.TIME] == ("\N{EN DASH}", "")
    assert told[CardKey.FAILED] == ("0", "")


def test_a_change_needs_enough_notes_on_both_sides(rf):
    make_snapshot("hour", THIS_HOUR, stages=end_to_end(*[2_000] * 5))
    make_snapshot("hour", THIS_HOUR - DAY, stages=end_to_end(*[1_000] * 4))
    assert cards(rf)[CardKey.TIME].change == ""
    make_snapshot("hour", THIS_HOUR - 2 * DAY, stages=end_to_end(1_000))
    change = cards(rf)[CardKey.TIME].change
    assert change.startswith("Against this time in the last 7 days: from")
    assert change.endswith("+100 %, slower")


def test_the_flow_has_the_times_of_each_stage(rf):
    rows = {"transcription": {"durations": [3_000], "timed": 1, "completed": 1}}
    make_snapshot("hour", THIS_HOUR, stages=rows)
    stages = load(rf.get("/"), NOW).flow_times.stages
    assert stages[StageName.TRANSCRIPTION].typical_ms == pytest.approx(3_000, rel=0.01)
    assert stages[StageName.CLAIMS_EXTRACTION].typical_ms is None


def test_it_is_two_questions_whatever_there_is(rf):
    for days in range(8):
        make_snapshot("hour", THIS_HOUR - days * DAY, stages=end_to_end(1_000))
    with CaptureQueriesContext(connection) as asked:
        load(rf.get("/"), NOW)
    assert len(asked) == 2
