"""The picture of the pipeline: what stands in each box, how wide the arrows are, and that it fits wide and narrow."""

from datetime import UTC, datetime, timedelta

import pytest

from voicepipeline.ai_notices import Standstill
from voicepipeline.models import StageName
from voicepipeline.overview.flow import THINNEST, WIDEST, flow_of
from voicepipeline.overview.parts import Figure, FlowTimes, Level, StageTimes
from voicepipeline.overview.pulse import Pulse
from voicepipeline.pipeline_status import StageLoad

NOW = datetime(2026, 3, 18, 9, 40, 12, tzinfo=UTC)


def pulse(*, failed=None, transcription=None, **values):
    loads = tuple(
        StageLoad(stage=stage.value, label=stage.label, now=NOW, **(transcription or {}) if not place else {})
        for place, stage in enumerate(StageName)
    )
    return Pulse(now=NOW, **{"loads": loads, "failed": failed or {}, "clusters_working": 1, **values})


def times(received=0, **done):
    stages = {
        stage: StageTimes(Figure(str(done.get(stage.value, 0)), "/done/"), 3_200, 9_000, done.get(stage.value, 0))
        for stage in StageName
    }
    return FlowTimes(Figure(str(received), "/received/"), received, Figure("0"), 0, stages, NOW - timedelta(hours=1))


def paused(subject="transcription", club=None):
    return Standstill(subject=subject, club=club)


def station(flow, key):
    return next(each for each in flow.stations if each.key == key)


def figures(flow, key):
    return {line.label: line.figure.words for line in station(flow, key).lines}


def test_there_is_a_box_for_every_step():
    flow = flow_of(pulse(), times())
    assert [each.key for each in flow.stations] == ["received", *StageName.values, "review"]


def test_a_box_says_what_is_before_the_stage_in_it_and_behind_it():
    given = pulse(transcription={"due": 4, "later": 2, "on_hold": 3, "running": 5}, failed={"transcription": 1})
    assert figures(flow_of(given, times(transcription=60)), "transcription") == {
        "Waiting": "6",
        "Running": "5",
        "On hold": "3",
        "Done": "60",
        "Failed": "1",
    }


def test_failures_lead_to_those_of_the_same_60_minutes():
    failed = next(line for line in station(flow_of(pulse(), times()), "transcription").lines if line.label == "Failed")
    assert failed.figure.url.endswith("&last=yes&ended_in=2026-03-18T08:41:00~2026-03-18T09:41:00")


def test_times_are_told_with_what_they_are_of():
    flow = flow_of(pulse(), times())
    told = {line.label: line.figure.words for line in station(flow, "transcription").times}
    assert told == {"Typical": "3.2 s", "Slowest": "9.0 s"}
    assert flow.times_since == NOW - timedelta(hours=1)


def test_without_history_it_says_what_is_now():
    flow = flow_of(pulse(transcription={"running": 2}), None)
    assert figures(flow, "transcription")["Running"] == "2"
    assert figures(flow, "transcription")["Done"] == "\N{EN DASH}"


@pytest.mark.parametrize(
    ("transcription", "values", "expected"),
    [
        ({}, {}, (Level.QUIET, "Nothing to do")),
        ({"running": 1}, {}, (Level.GOOD, "Flowing")),
        ({"on_hold": 1}, {}, (Level.NOTICE, "Resuming")),
        ({"on_hold": 1}, {"standstills": (paused(club="A"),)}, (Level.NOTICE, "Paused for one club")),
        (
            {"on_hold": 1},
            {"standstills": (paused(club="A"), paused("everything", "A"), paused(club="B"))},
            (Level.NOTICE, "Paused for 2 clubs"),
        ),
        ({"on_hold": 1}, {"standstills": (paused("claims_extraction", "A"),)}, (Level.NOTICE, "Resuming")),
        ({"running": 1}, {"failed": {"transcription": 2}}, (Level.NOTICE, "2 failed")),
        ({"due": 9, "oldest_due": NOW - timedelta(minutes=6)}, {}, (Level.NOTICE, "Wait 6 min")),
        ({"running": 1}, {"clusters_working": 0}, (Level.TROUBLE, "No workers")),
        (
            {"on_hold": 9},
            {"standstills": (Standstill(service="transcription", state="open", reason="provider_error"),)},
            (Level.TROUBLE, "On hold"),
        ),
        ({}, {"standstills": (paused("everything"),)}, (Level.TROUBLE, "Paused by people")),
        (
            {"on_hold": 9},
            {"standstills": (paused("everything"), Standstill(service="transcription", state="open", reason="x"))},
            (Level.TROUBLE, "On hold"),
        ),
        ({}, {"standstills": (paused("everything", "A"),)}, (Level.QUIET, "Nothing to do")),
        ({}, {"standstills": (Standstill(service="chat", state="open", reason="x"),)}, (Level.QUIET, "Nothing to do")),
    ],
)
def test_a_box_says_how_its_stage_is(transcription, values, expected):
    found = station(flow_of(pulse(transcription=transcription, **values), times()), "transcription")
    assert (found.level, found.state) == expected


def test_arrows_are_as_wide_as_the_flow():
    drawing = flow_of(pulse(), times(received=100, transcription=50, claims_extraction=0)).drawings[0]
    assert [arrow.width for arrow in drawing.arrows[:3]] == [WIDEST, (THINNEST + WIDEST) / 2, THINNEST]


def test_an_arrow_reaches_from_one_box_to_the_next_and_points_at_it():
    drawing = flow_of(pulse(), times(received=100)).drawings[0]
    arrow, box, following = drawing.arrows[0], *drawing.boxes[:2]
    points = [tuple(map(float, point.split(","))) for point in arrow.points.split()]
    assert min(points)[0] == box.x + box.size.box_width
    assert [y for x, y in points if x == following.x] == [box.height // 2]


def test_without_any_flow_there_are_arrows_all_the_same():
    assert {arrow.width for arrow in flow_of(pulse(), None).drawings[0].arrows} == {THINNEST}


@pytest.mark.parametrize("place", [0, 1])
def test_nothing_of_a_box_leaves_it_and_no_box_meets_another(place):
    drawing = flow_of(pulse(transcription={"on_hold": 20_000}), times()).drawings[place]
    for box in drawing.boxes:
        for written in box.lines:
            assert 0 < written.x < written.end < box.size.box_width
            assert 0 < written.y < (box.times[0].y if box.times else box.height)
        assert all(written.y < box.height for written in box.times)
    corners = [(box.x, box.y) for box in drawing.boxes]
    assert corners == sorted(set(corners))
