"""The table of clubs: whose figures are whose, and what belongs to none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from metrics import queries
from metrics.limits import DAY, HOUR
from metrics.models import END_TO_END
from tests.factories import make_club
from tests.metrics.factories import make_period, make_snapshot

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 3, 10, tzinfo=UTC)
NOW = TODAY + timedelta(hours=3, minutes=42)
YESTERDAY = TODAY - DAY


def clubs(start=YESTERDAY, end=TODAY):
    return queries.get_org_breakdown(start, end, now=NOW)


def volumes(*span):
    return [(club.name, club.figures.artifacts_received) for club in clubs(*span)]


def test_clubs_come_by_volume_and_no_club_last():
    make_snapshot("hour", YESTERDAY, artifacts_received=100)
    make_snapshot("hour", YESTERDAY, make_club(name="Ballymun"), artifacts_received=5)
    make_snapshot("hour", YESTERDAY, make_club(name="Na Fianna"), artifacts_received=30)
    assert volumes() == [("Na Fianna", 30), ("Ballymun", 5), ("No club", 65)]


def test_no_club_is_what_the_platform_has_more_than_its_clubs():
    platform = {"artifacts_received": 10, "ai_cost": Decimal("1.5"), "transcript_confidence": 4.5, "retries": 2}
    make_snapshot("hour", YESTERDAY, **platform)
    own = {"artifacts_received": 4, "ai_cost": Decimal("0.5"), "transcript_confidence": 2.25, "retries": 2}
    make_snapshot("hour", YESTERDAY, make_club(), **own)
    rest = clubs()[-1]
    assert (rest.organization_id, rest.name) == (None, "No club")
    figures = rest.figures
    assert (figures.artifacts_received, figures.ai_cost, figures.retries) == (6, Decimal("1"), 0)
    assert figures.transcript_confidence == pytest.approx(2.25)


def test_no_club_stays_at_the_end_however_much_it_has():
    make_snapshot("hour", YESTERDAY, artifacts_received=1000)
    make_snapshot("hour", YESTERDAY, make_club(name="Clontarf"), artifacts_received=1)
    assert volumes()[-1] == ("No club", 999)


def test_no_club_is_there_when_everything_has_one():
    club = make_club()
    make_snapshot("hour", YESTERDAY, artifacts_received=5, stages={END_TO_END: {"durations": [100]}})
    make_snapshot("hour", YESTERDAY, club, artifacts_received=5, stages={END_TO_END: {"durations": [100]}})
    rest = clubs()[-1]
    assert rest.figures.artifacts_received == rest.end_to_end.completed == 0
    assert rest.end_to_end.p95_ms is None


def test_no_club_has_the_percentiles_of_its_own_notes():
    of_club, of_none = [100] * 50, [4_000] * 10 + [90_000]
    make_snapshot("hour", YESTERDAY, stages={END_TO_END: {"durations": of_club + of_none}})
    make_snapshot("hour", YESTERDAY, make_club(), stages={END_TO_END: {"durations": of_club}})
    club, rest = clubs()
    assert (club.end_to_end.timed, club.end_to_end.p95_ms) == (50, pytest.approx(100, rel=0.01))
    assert rest.end_to_end.timed == 11
    assert rest.end_to_end.p50_ms == pytest.approx(4_000, rel=0.01)
    assert rest.end_to_end.p95_ms == pytest.approx(90_000, rel=0.01)
    assert rest.end_to_end.average_ms == pytest.approx(130_000 / 11)


def test_what_is_rest_after_a_gap_is_never_less_than_nothing():
    club = make_club()
    make_period("hour", YESTERDAY, gaps=[club.pk])
    make_snapshot("hour", YESTERDAY, has_gaps=True, artifacts_received=1)
    kept = {"artifacts_received": 3, "stages": {END_TO_END: {"durations": [100, 200]}}}
    make_snapshot("hour", YESTERDAY, club, has_gaps=True, **kept)
    rest = clubs()[-1]
    assert rest.figures.artifacts_received == rest.end_to_end.timed == 0
    assert rest.figures.has_gaps


def test_percentiles_of_a_club_are_those_of_all_its_days_and_hours():
    club = make_club()
    parts = {TODAY - 2 * DAY: ("day", [100] * 90), YESTERDAY: ("day", [100] * 5), TODAY: ("hour", [50_000] * 10)}
    for start, (kind, durations) in parts.items():
        make_snapshot(kind, start)
        make_snapshot(kind, start, club, stages={END_TO_END: {"durations": durations}})
    found = clubs(TODAY - 29 * DAY, TODAY + DAY)[0]
    assert found.end_to_end.p50_ms == pytest.approx(100, rel=0.01)
    assert found.end_to_end.p95_ms == pytest.approx(50_000, rel=0.01)


def test_only_the_whole_way_counts_for_a_club():
    club = make_club()
    make_snapshot("hour", YESTERDAY)
    make_snapshot("hour", YESTERDAY, club, stages={"transcription": {"durations": [900]}})
    assert clubs()[0].end_to_end.completed == 0


def test_clubs_of_the_same_volume_come_by_name():
    make_snapshot("hour", YESTERDAY, artifacts_received=6)
    for name in ("Cuala", "Ballyboden", "Kilmacud"):
        make_snapshot("hour", YESTERDAY, make_club(name=name), artifacts_received=2)
    assert volumes() == [("Ballyboden", 2), ("Cuala", 2), ("Kilmacud", 2), ("No club", 0)]


def test_a_club_at_work_is_listed_without_any_volume():
    make_club(name="Lucan Sarsfields")
    assert volumes() == [("Lucan Sarsfields", 0), ("No club", 0)]


def test_a_club_that_has_left_is_listed_as_long_as_it_has_volume():
    gone, quiet = make_club(name="Gone", is_active=False), make_club(name="Quiet", is_active=False)
    make_snapshot("hour", YESTERDAY, artifacts_failed=1)
    make_snapshot("hour", YESTERDAY, gone, artifacts_failed=1)
    make_snapshot("hour", YESTERDAY, quiet)
    assert [name for name, _ in volumes()] == ["Gone", "No club"]


def test_a_day_and_its_hours_are_not_added_together():
    club = make_club(name="Cuala")
    for owner in (None, club):
        make_snapshot("day", YESTERDAY, owner, artifacts_received=24)
        for number in range(24):
            make_snapshot("hour", YESTERDAY + number * HOUR, owner, artifacts_received=1)
    assert volumes(TODAY - 29 * DAY, NOW) == volumes(YESTERDAY, TODAY) == [("Cuala", 24), ("No club", 0)]
