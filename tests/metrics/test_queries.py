from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from metrics import queries
from metrics.figures import Figures
from metrics.history_rows import Known
from metrics.limits import DAY, HOUR
from metrics.models import END_TO_END, Period, PeriodType
from tests.factories import make_club
from tests.metrics.factories import make_period, make_snapshot

pytestmark = pytest.mark.django_db

TODAY = datetime(2026, 3, 10, tzinfo=UTC)
NOW = TODAY + timedelta(hours=3, minutes=42)
YESTERDAY = TODAY - DAY
MONTH = (TODAY - 29 * DAY, TODAY + DAY)
# Skewed, as durations are: a few notes take ten times as long as most.
SKEWED = [2_000 + 37 * n for n in range(190)] + [60_000 + 997 * n for n in range(20)]


def history(start, end, club=None, period_type=None):
    return queries.get_historical_metrics(period_type, start, end, club, now=NOW)


def true_percentile(durations, share):
    return sorted(durations)[-(-len(durations) * share // 100) - 1]


def close(figure):
    return pytest.approx(figure, rel=0.01)


def test_the_platform_has_rows_of_its_own_and_clubs_are_not_added_to_them():
    make_snapshot("hour", TODAY, artifacts_received=10)
    make_snapshot("hour", TODAY, make_club(), artifacts_received=7)
    assert history(TODAY, NOW).total.artifacts_received == 10


def test_a_club_has_its_rows_and_nobody_elses():
    club = make_club()
    make_snapshot("hour", TODAY, artifacts_received=10)
    make_snapshot("hour", TODAY, make_club(), artifacts_received=4)
    make_snapshot("hour", TODAY, club, artifacts_received=3)
    assert history(TODAY, NOW, club).total.artifacts_received == 3


def test_a_week_is_shown_in_hours_and_each_has_its_figures():
    make_snapshot("hour", TODAY, artifacts_received=2, ai_cost=Decimal("0.25"))
    make_snapshot("hour", TODAY + HOUR, artifacts_received=3, ai_cost=Decimal("0.5"))
    shown = history(TODAY - 6 * DAY, TODAY + DAY)
    assert shown.period_type == PeriodType.HOUR
    assert [point.figures.artifacts_received for point in shown.points[-4:]] == [2, 3, 0, 0]
    assert shown.total.ai_cost == Decimal("0.75")


def test_a_month_is_shown_in_days_and_today_in_the_sum_of_its_hours():
    make_snapshot("day", YESTERDAY, artifacts_received=100)
    for number in range(4):
        make_snapshot("hour", TODAY + number * HOUR, artifacts_received=5)
    shown = history(*MONTH)
    assert shown.period_type == PeriodType.DAY
    assert [point.figures.artifacts_received for point in shown.points[-2:]] == [100, 20]
    assert shown.total.artifacts_received == 120
    assert [point.is_running for point in shown.points[-2:]] == [False, True]


def test_a_day_and_its_hours_are_never_added_together():
    make_snapshot("day", YESTERDAY, artifacts_received=24)
    for number in range(24):
        make_snapshot("hour", YESTERDAY + number * HOUR, artifacts_received=1)
    for period_type in (None, *PeriodType):
        assert history(YESTERDAY, TODAY, period_type=period_type).total.artifacts_received == 24
    assert history(*MONTH).total.artifacts_received == 24
    assert sum(stage.attempts for stage in queries.get_stage_breakdown(*MONTH, now=NOW)) == 0


def test_a_day_that_has_not_been_added_up_yet_is_shown_from_its_hours():
    for number in range(24):
        make_snapshot("hour", YESTERDAY + number * HOUR, artifacts_received=2)
    assert history(*MONTH).points[-2].figures.artifacts_received == 48


def test_hours_that_nobody_counted_are_a_gap_and_make_it_partial():
    make_snapshot("hour", YESTERDAY)
    make_snapshot("hour", YESTERDAY + 2 * HOUR)
    shown = history(YESTERDAY, YESTERDAY + 3 * HOUR)
    assert [point.is_missing for point in shown.points] == [False, True, False]
    assert shown.is_partial


def test_hours_that_were_all_counted_are_not_partial():
    make_snapshot("hour", YESTERDAY)
    make_snapshot("hour", YESTERDAY + HOUR)
    assert not history(YESTERDAY, YESTERDAY + 2 * HOUR).is_partial


def test_the_running_hour_makes_it_partial():
    make_snapshot("hour", TODAY + 3 * HOUR, artifacts_received=1)
    shown = history(TODAY + 3 * HOUR, NOW)
    assert shown.is_partial
    assert shown.points[0].is_running


def test_a_period_that_was_counted_without_any_row_is_a_gap():
    make_period("hour", YESTERDAY)
    assert history(YESTERDAY, YESTERDAY + HOUR).points[0].is_missing


def test_history_says_from_when_on_something_is_known():
    make_snapshot("day", TODAY - 3 * DAY)
    assert history(*MONTH).known_from == TODAY - 3 * DAY
    assert history(YESTERDAY, TODAY).known_from is None


def test_a_club_that_could_not_be_counted_has_a_gap_and_the_platform_is_incomplete():
    club, other = make_club(), make_club()
    make_period("hour", YESTERDAY, gaps=[club.pk])
    make_snapshot("hour", YESTERDAY, has_gaps=True, artifacts_received=3)
    make_snapshot("hour", YESTERDAY, other, artifacts_received=3)
    span = (YESTERDAY, YESTERDAY + HOUR)
    assert history(*span, club).points[0].is_missing
    assert not history(*span, other).is_partial
    platform = history(*span)
    assert platform.is_partial
    assert not platform.points[0].is_missing
    assert platform.total.has_gaps


def test_a_club_that_did_not_exist_yet_had_nothing():
    make_snapshot("hour", YESTERDAY, artifacts_received=3)
    shown = history(YESTERDAY, YESTERDAY + HOUR, make_club())
    assert shown.total == Figures()
    assert not shown.is_partial


def test_averages_weigh_by_what_told_them():
    make_snapshot("hour", YESTERDAY, transcript_confidence=0.5, transcripts_with_confidence=1, artifacts_completed=50)
    make_snapshot("hour", YESTERDAY + HOUR, transcript_confidence=2.7, transcripts_with_confidence=3)
    total = history(YESTERDAY, TODAY).total
    assert total.average_transcript_confidence == pytest.approx(0.8)


def test_rates_over_nothing_are_not_known():
    make_snapshot("hour", YESTERDAY, stages={"transcription": {"attempts": 2}})
    total = history(YESTERDAY, TODAY).total
    transcription = queries.get_stage_breakdown(YESTERDAY, TODAY, now=NOW)[0]
    assert total.failure_rate is total.ai_cost_per_note is total.average_claim_confidence is None
    assert transcription.failure_rate is transcription.average_ms is transcription.p95_ms is None
    assert transcription.attempts == 2


@pytest.mark.parametrize("periods", ["hours", "days", "days and hours"])
def test_percentiles_are_those_of_all_durations_together(periods):
    parts = [SKEWED[:150], SKEWED[150:195], SKEWED[195:]]
    starts = {
        "hours": [YESTERDAY, YESTERDAY + HOUR, TODAY],
        "days": [TODAY - 9 * DAY, TODAY - 8 * DAY, YESTERDAY],
        "days and hours": [TODAY - 9 * DAY, TODAY, TODAY + HOUR],
    }[periods]
    for start, durations in zip(starts, parts, strict=True):
        kind = "hour" if periods == "hours" or start >= TODAY else "day"
        make_snapshot(kind, start, stages={"transcription": {"durations": durations}})
    span = (YESTERDAY, NOW) if periods == "hours" else MONTH
    found = queries.get_stage_breakdown(*span, now=NOW)[0]
    assert found.p50_ms == close(true_percentile(SKEWED, 50))
    assert found.p95_ms == close(true_percentile(SKEWED, 95))
    mean_of_p95s = sum(true_percentile(part, 95) for part in parts) / 3
    assert found.p95_ms != pytest.approx(mean_of_p95s, rel=0.2)
    assert found.average_ms == sum(SKEWED) / len(SKEWED)


def test_today_has_the_percentiles_of_all_its_hours():
    make_snapshot("hour", TODAY, stages={END_TO_END: {"durations": SKEWED[:150]}})
    make_snapshot("hour", TODAY + HOUR, stages={END_TO_END: {"durations": SKEWED[150:]}})
    make_snapshot("day", YESTERDAY, stages={END_TO_END: {"durations": [100, 200]}})
    points = history(*MONTH).points
    assert points[-1].stages[END_TO_END].p95_ms == close(true_percentile(SKEWED, 95))
    assert points[-2].stages[END_TO_END].p95_ms == close(200)


def test_each_hour_has_its_stages():
    make_snapshot("hour", TODAY, stages={"transcription": {"durations": [100, 200, 900], "failed": 1}})
    make_snapshot("hour", TODAY + HOUR, stages={"transcription": {"attempts": 1}})
    first, second = history(TODAY, TODAY + 2 * HOUR).points
    assert first.stages["transcription"].p95_ms == close(900)
    assert first.stages["transcription"].failure_rate == 0.25
    assert second.stages["transcription"].p95_ms is None
    assert "claims_extraction" not in first.stages


def test_the_stages_come_in_order_and_the_whole_way_last():
    stages = [stage.stage for stage in queries.get_stage_breakdown(YESTERDAY, TODAY, now=NOW)]
    assert stages == ["transcription", "claims_extraction", "entity_resolution", "draft_generation", END_TO_END]


def test_the_stages_of_a_club_are_its_own():
    club = make_club()
    make_snapshot("hour", YESTERDAY, stages={"transcription": {"durations": [9000] * 9}})
    make_snapshot("hour", YESTERDAY, club, stages={"transcription": {"durations": [100]}})
    found = queries.get_stage_breakdown(YESTERDAY, TODAY, club, now=NOW)[0]
    assert (found.completed, found.p95_ms) == (1, close(100))


def test_sources_come_by_volume():
    sources = {"api": {"artifacts_received": 2}, "voicemail": {"artifacts_received": 5, "artifacts_failed": 1}}
    make_snapshot("hour", YESTERDAY, sources=sources)
    make_snapshot("hour", YESTERDAY + HOUR, sources={"api": {"artifacts_received": 4, "artifacts_completed": 3}})
    make_snapshot("hour", YESTERDAY, make_club(), sources={"api": {"artifacts_received": 50}})
    found = queries.get_source_breakdown(YESTERDAY, TODAY, now=NOW)
    assert [(source.source_channel, source.artifacts_received) for source in found] == [("api", 6), ("voicemail", 5)]
    assert [source.failure_rate for source in found] == [0, 1]


def test_prompts_come_newest_first_and_v10_is_newer_than_v9():
    prompts = {f"claims-v{n}": {"claims": n, "completed": 1, "ai_cost": Decimal("0.5")} for n in (2, 9, 10)}
    make_snapshot("day", YESTERDAY, prompts=prompts)
    make_snapshot("hour", TODAY, prompts={"claims-v10": {"claims": 1, "completed": 1}})
    found = queries.get_prompt_breakdown(*MONTH, now=NOW)
    assert [(prompt.prompt_version, prompt.claims) for prompt in found] == [
        ("claims-v10", 11),
        ("claims-v9", 9),
        ("claims-v2", 2),
    ]
    assert found[0].ai_cost_per_note == 0.25


@pytest.mark.parametrize("period", ["hour", "day"])
def test_the_number_of_queries_grows_neither_with_clubs_nor_with_periods(period, django_assert_num_queries):
    step = HOUR if period == "hour" else DAY
    span = (TODAY - 5 * step, TODAY)
    for clubs in (1, 4):
        owners = [None, *(make_club() for _ in range(clubs))]
        for number in range(1, clubs + 1):
            for owner in owners:
                start = TODAY - number * step
                if not Period.objects.filter(period_start=start).exists() or owner:
                    make_snapshot(period, start, owner, stages={"transcription": {"durations": [5]}})
        with django_assert_num_queries(3):
            history(*span, period_type=PeriodType(period))
        with django_assert_num_queries(2):
            queries.get_stage_breakdown(*span, now=NOW)
        with django_assert_num_queries(2):
            assert len(queries.get_org_breakdown(*span, now=NOW)) > clubs
        with django_assert_num_queries(2):
            queries.get_source_breakdown(*span, now=NOW)
        with django_assert_num_queries(2):
            queries.get_prompt_breakdown(*span, now=NOW)


def test_questions_that_share_what_is_known_ask_for_it_once(django_assert_num_queries):
    start, end = NOW - timedelta(hours=5), NOW
    with django_assert_num_queries(3):
        known = Known.of(start, end, None, now=NOW)
        queries.get_total(start, end, known=known)
        queries.get_stage_breakdown(start + timedelta(hours=2), end, known=known)


def test_what_was_not_looked_up_is_refused():
    known = Known.of(NOW - timedelta(hours=5), NOW, None, now=NOW)
    with pytest.raises(ValueError, match="not looked up"):
        queries.get_total(NOW - timedelta(hours=6), NOW, known=known)
    with pytest.raises(ValueError, match="not looked up"):
        queries.get_total(NOW - timedelta(hours=5), NOW, make_club(), known=known)
