from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from metrics.figures import (
    Figures,
    History,
    LiveMetrics,
    Point,
    PromptFigures,
    SourceFigures,
    StageFigures,
    figures_of,
    safe_divide,
)
from metrics.models import CounterType, MetricsSnapshot, PromptSnapshot, SourceSnapshot, StageSnapshot

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NAMES = {StageFigures: {"stage": "transcription"}, SourceFigures: {"source_channel": "api"}}
NAMES |= {PromptFigures: {"prompt_version": "claims-v1"}, Figures: {}}


def rates(kind):
    return [name for name, value in vars(kind).items() if isinstance(value, property)]


def test_a_rate_over_nothing_is_not_known_and_over_something_it_is():
    assert safe_divide(3, 0) is None
    assert safe_divide(0, 3) == 0
    assert safe_divide(Decimal("1.5"), 3) == 0.5


@pytest.mark.parametrize(
    ("kind", "rate"),
    [(kind, rate) for kind in NAMES for rate in rates(kind)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_of_nothing_no_rate_and_no_average_is_known(kind, rate):
    assert getattr(kind(**NAMES[kind]), rate) is None


@pytest.mark.parametrize(
    ("rate", "sums", "expected"),
    [
        ("failure_rate", {"artifacts_completed": 3, "artifacts_failed": 1}, 0.25),
        ("average_transcript_confidence", {"transcript_confidence": 2.7, "transcripts_with_confidence": 3}, 0.9),
        ("average_claim_confidence", {"claim_confidence": 1.6, "notes_with_claim_confidence": 2}, 0.8),
        ("claims_per_note", {"claims": 9, "notes_with_claim_count": 4, "artifacts_completed": 7}, 2.25),
        ("unsupported_rate", {"claims": 10, "claims_unsupported": 1}, 0.1),
        ("auto_resolution_rate", {"entities": 4, "entities_auto_resolved": 3}, 0.75),
        ("disambiguation_rate", {"entities": 4, "disambiguations": 1}, 0.25),
        ("retry_success_rate", {"retries": 9, "retries_succeeded": 3, "retries_failed": 1}, 0.75),
        ("ai_cost_per_note", {"ai_cost": Decimal("1.5"), "artifacts_completed": 3, "artifacts_failed": 2}, 0.5),
    ],
)
def test_a_rate_is_over_what_it_is_a_part_of(rate, sums, expected):
    assert getattr(Figures(**sums), rate) == pytest.approx(expected)


def test_a_stage_fails_among_what_ended_for_good_and_takes_what_was_timed():
    stage = StageFigures(stage="transcription", attempts=30, completed=6, failed=2, timed=4, total_ms=1000)
    assert (stage.failure_rate, stage.average_ms) == (0.25, 250)


def test_a_source_fails_among_what_ended():
    source = SourceFigures(source_channel="api", artifacts_received=9, artifacts_completed=3, artifacts_failed=1)
    assert source.failure_rate == 0.25


def test_a_prompt_is_rejected_among_what_was_decided():
    prompt = PromptFigures(prompt_version="v1", drafts_confirmed=3, drafts_rejected=1, drafts_undone=4)
    assert prompt.rejection_rate == 0.25


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (Figures, MetricsSnapshot),
        (StageFigures, StageSnapshot),
        (SourceFigures, SourceSnapshot),
        (PromptFigures, PromptSnapshot),
    ],
    ids=lambda value: value.__name__,
)
def test_figures_have_every_sum_that_history_keeps(kind, model):
    identity = {"id", "period_type", "period_start", "organization", "snapshot", "buckets", "counts"}
    assert {field.name for field in fields(kind)} == {field.name for field in model._meta.local_fields} - identity


def test_figures_of_a_row_leave_out_what_it_does_not_have():
    assert figures_of(Figures, {"claims": 3, "drafts": None, "point": NOON}) == Figures(claims=3)


def test_history_is_known_from_its_first_counted_period_on():
    points = [
        Point(start=NOON.replace(hour=hour), figures=Figures(), is_missing=hour < 14) for hour in (12, 13, 14, 15)
    ]
    history = History(period_type="hour", start=NOON, end=NOON, points=points, total=Figures(), is_partial=False)
    assert history.known_from == NOON.replace(hour=14)


def test_a_live_figure_that_nobody_counted_is_zero():
    live = LiveMetrics(start=NOON, end=NOON, values={CounterType.RETRIES: Decimal(2)})
    assert (live[CounterType.RETRIES], live[CounterType.FAILURES]) == (2, 0)
