"""How notes fared by source and by club on the page Pipeline, and what counts as unusual."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.figures import ClubFigures, Figures, StageFigures
from metrics.pipeline import by_club, by_source, marks_of
from tests.factories import make_club
from tests.metrics.factories import make_snapshot

NOW = datetime(2026, 3, 18, 9, 40, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)


def club(*, timed=10, typical=1_000, ready=10, failed=0):
    return ClubFigures(
        organization_id=1,
        name="St Brigid's",
        figures=Figures(artifacts_completed=ready, artifacts_failed=failed),
        end_to_end=StageFigures(stage="end_to_end", timed=timed, p50_ms=typical),
    )


@pytest.mark.parametrize(
    ("lately", "usual", "marks"),
    [
        (club(), club(), []),
        (club(typical=1_500), club(), ["slower than usual"]),
        (club(typical=1_400), club(), []),
        (club(typical=9_000, timed=4), club(), []),
        (club(typical=9_000), club(timed=4), []),
        (club(failed=2, ready=8), club(), ["fails more than usual"]),
        (club(failed=2, ready=2), club(), []),
        (club(failed=2, ready=8), club(failed=2, ready=8), []),
        (club(failed=1, ready=99), club(), []),
        (club(failed=5, ready=5, typical=3_000), club(), ["slower than usual", "fails more than usual"]),
        (club(failed=9), None, []),
    ],
)
def test_a_club_is_marked_where_it_is_worse_than_usual_by_more_than_chance(lately, usual, marks):
    assert list(marks_of(lately, usual)) == marks


@pytest.mark.django_db
def test_clubs_that_are_unusual_come_first(rf):
    quick, slow = make_club(name="Quick"), make_club(name="Slow")
    for each, lately in ((quick, 1_000), (slow, 5_000)):
        for start, duration in ((THIS_HOUR, lately), (THIS_HOUR - timedelta(days=2), 1_000)):
            stages = {"end_to_end": {"durations": [duration] * 6, "timed": 6, "completed": 6}}
            make_snapshot("hour", start, each, artifacts_received=9 if each == quick else 6, stages=stages)
    for start in (THIS_HOUR, THIS_HOUR - timedelta(days=2)):
        make_snapshot("hour", start, artifacts_received=15)
    rows = by_club(rf.get("/"), NOW)["rows"]
    assert [(row.name, row.marks) for row in rows] == [("Slow", ("slower than usual",)), ("Quick", ())]


@pytest.mark.django_db
def test_sources_are_told_by_volume(rf):
    make_snapshot(
        "hour",
        THIS_HOUR,
        sources={"voicemail": {"artifacts_received": 2}, "app_recorded": {"artifacts_received": 5}},
    )
    rows = by_source(rf.get("/"), NOW)["rows"]
    assert [(row["name"], row["received"].words) for row in rows] == [("App, recorded", "5"), ("Voicemail", "2")]
