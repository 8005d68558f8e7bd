"""History against an independent reckoning of it, over streams of events such as life sends."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics import queries
from metrics.aggregation import aggregate_daily_metrics, aggregate_hourly_metrics
from metrics.models import END_TO_END, MetricsSnapshot, Period, PeriodType
from tests.factories import make_club
from tests.metrics.reference import DAY, figures_of, history_of, nearest_rank, of_club, once, start_of_hour
from tests.metrics.streams import CLUBS, MIDNIGHTS, days_of, new_event, streams
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import Organization, PipelineEvent

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BENEATH = {"stages": "stage", "sources": "source_channel", "prompts": "prompt_version"}
PERCENTILES = {"p50_ms", "p95_ms"}
FRACTIONS = {"transcript_confidence", "claim_confidence"}
NUMBERS = (models.PositiveBigIntegerField, models.FloatField, models.DecimalField)


@pytest.fixture
def clubs(db):
    """Made once for all examples; each of those is rolled back."""
    made = [make_club() for _ in range(CLUBS)]
    Organization.objects.update(created_at=LONG_AGO)
    return made


# The database is the same for all examples because each is undone at its end.
def examples(number):
    return settings(
        max_examples=number,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Undone:
    """A savepoint of which nothing is left."""

    def __enter__(self):
        self.savepoint = transaction.savepoint()

    def __exit__(self, *error):
        transaction.savepoint_rollback(self.savepoint)


def live_through(stream, clubs, chance):
    """Log the batches, and count after each what it touches, in any order, some twice; the days at the end."""
    for batch in stream.batches:
        log_events([new_event(event, clubs) for event in batch], strict=True)
        touched = sorted({start_of_hour(event["timestamp"]) for event in batch} | set(stream.quiet_hours))
        again = chance.sample(touched, min(2, len(touched)))
        for hour in chance.sample([*touched, *again], len(touched) + len(again)):
            aggregate_hourly_metrics(hour)
        for day in chance.sample(days_of(touched), min(1, len(touched))):
            aggregate_daily_metrics(day)
    for day in chance.sample(days_of(stream.hours()), len(days_of(stream.hours()))):
        aggregate_daily_metrics(day)


def compare(stream, clubs):
    hours = stream.hours()
    expected = history_of(stream.events, range(CLUBS), hours)
    number_of = {None: None} | {club.pk: number for number, club in enumerate(clubs)}
    rows = MetricsSnapshot.objects.prefetch_related(*BENEATH)
    found = {(row.period_type, row.period_start, number_of[row.organization_id]): row for row in rows}
    assert found.keys() == expected.keys()
    for key, row in found.items():
        compare_row(key, row, expected[key])
    compare_periods(stream, hours)


def compare_row(key, row, expected):
    compare_figures(key, row, expected["figures"])
    for kind, name in BENEATH.items():
        found = {getattr(each, name): each for each in getattr(row, kind).all()}
        for which in found.keys() | expected[kind].keys():
            compare_figures((*key, which), found.get(which), expected[kind].get(which, {}))


def compare_figures(key, row, expected):
    """Every figure of this row; one that is not there is one of zeros, and so is what is not expected."""
    if row is None:
        assert not any(expected.values()), key
        return
    for field in row._meta.local_fields:
        if type(field) in NUMBERS:
            nothing = None if field.name in PERCENTILES else 0
            check_figure(key, field.name, getattr(row, field.name), expected.get(field.name, nothing))
    if "p50_ms" in expected:
        assert sum(row.counts) == expected["timed"], key


def check_figure(key, name, found, wanted):
    if not wanted:
        agrees = not found and (found is None) == (wanted is None)
    elif name in PERCENTILES:
        agrees = found is not None and abs(found - wanted) <= wanted / 100
    else:
        agrees = math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9) if name in FRACTIONS else found == wanted
    assert agrees, f"{key}: {name} is {found} and should be {wanted}"


def compare_periods(stream, hours):
    logged = [start_of_hour(event["timestamp"]) for event in once(stream.events)]
    expected = {("hour", hour): (logged.count(hour), None) for hour in hours}
    for day in days_of(hours):
        its_hours = [hour for hour in hours if day <= hour < day + DAY]
        expected["day", day] = (sum(logged.count(hour) for hour in its_hours), len(its_hours))
    found = {(p.period_type, p.period_start): (p.events, p.hours) for p in Period.objects.filter(gaps=[])}
    assert found == expected


def ask_for_spans(stream, clubs):
    """What pages ask of the whole stream: once from its hours, once from its days."""
    events = once(stream.events)
    middle = stream.midnight
    for days in (2, 5):
        span = middle - days * DAY, middle + days * DAY
        for number in (None, 0):
            club = None if number is None else clubs[number]
            compare_span(span, club, figures_of(of_club(events, number)))
        compare_clubs(span, clubs, events)


def compare_span(span, club, expected):
    now = span[1] + DAY
    period_type = PeriodType.HOUR if span[1] - span[0] < 7 * DAY else PeriodType.DAY
    history = queries.get_historical_metrics(None, *span, club, now=now)
    assert history.period_type == period_type
    compare_attributes(history.total, expected["figures"])
    stages = {stage.stage: stage for stage in queries.get_stage_breakdown(*span, club, now=now)}
    sources = {source.source_channel: source for source in queries.get_source_breakdown(*span, club, now=now)}
    prompts = {prompt.prompt_version: prompt for prompt in queries.get_prompt_breakdown(*span, club, now=now)}
    for kind, found in (("stages", stages), ("sources", sources), ("prompts", prompts)):
        for which in found.keys() | expected[kind].keys():
            compare_attributes(found.get(which), expected[kind].get(which, {}))


def compare_clubs(span, clubs, events):
    """The table of clubs, which ends with what belongs to none."""
    *found, no_club = queries.get_org_breakdown(*span, now=span[1] + DAY)
    assert sorted(line.organization_id for line in found) == [club.pk for club in clubs]
    theirs = [(line, of_club(events, [club.pk for club in clubs].index(line.organization_id))) for line in found]
    for line, those in [*theirs, (no_club, [event for event in events if event["club"] is None])]:
        expected = figures_of(those)
        compare_attributes(line.figures, expected["figures"])
        compare_attributes(line.end_to_end, expected["stages"][END_TO_END])


def compare_attributes(found, expected):
    if found is None:
        assert not any(expected.values())
        return
    for name, wanted in expected.items():
        check_figure(found, name, getattr(found, name), wanted)


def check(stream, chance, clubs):
    with Undone():
        live_through(stream, clubs, chance)
        assert PipelineEvent.objects.count() == len(once(stream.events))
        compare(stream, clubs)
        ask_for_spans(stream, clubs)


@pytest.mark.parametrize("midnight", MIDNIGHTS)
@examples(3)
@given(data=st.data(), chance=st.randoms(use_true_random=False))
def test_hours_and_days_say_what_a_plain_reckoning_says(clubs, midnight, data, chance):
    check(data.draw(streams([midnight], fewest=6, most=15)), chance, clubs)


@pytest.mark.trial
@examples(500)
@given(stream=streams(), chance=st.randoms(use_true_random=False))
def test_hours_and_days_say_what_a_plain_reckoning_says_of_many_streams(clubs, stream, chance):
    check(stream, chance, clubs)


def test_percentiles_of_many_days_are_those_of_all_their_durations(clubs):
    """Each day of another size and speed, so that no mean of the days' own would do."""
    chance = random.Random(1)
    first = datetime(2025, 7, 1, tzinfo=UTC)
    durations = []
    for day in range(10):
        moment = first + day * DAY + timedelta(hours=day)
        taken = [round(chance.lognormvariate(7 + day / 3, 1.2)) for _ in range(40 + 1_500 // (day + 1))]
        log_events(_transcriptions(moment, taken), strict=True)
        aggregate_hourly_metrics(moment)
        aggregate_daily_metrics(first + day * DAY)
        durations += taken
    whole, *_ = queries.get_stage_breakdown(first, first + 10 * DAY, now=first + 12 * DAY)
    assert (whole.timed, whole.total_ms) == (len(durations), sum(durations))
    check_figure("10 days", "p50_ms", whole.p50_ms, nearest_rank(durations, 50))
    check_figure("10 days", "p95_ms", whole.p95_ms, nearest_rank(durations, 95))


def _transcriptions(moment, durations):
    return [
        NewEvent(
            event_type="transcription_completed",
            timestamp=moment,
            stage_started_at=moment - timedelta(milliseconds=duration),
            stage_completed_at=moment,
        )
        for duration in durations
    ]
