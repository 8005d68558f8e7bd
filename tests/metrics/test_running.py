"""The whole way: notes are received, heard, read and decided about, and both live figures and history say so."""

from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from metrics.aggregation import aggregate_hourly_metrics
from metrics.limits import HOUR, MINUTE
from metrics.models import JobRun, MetricsSnapshot, Period
from metrics.queries import get_historical_metrics, get_real_time_metrics
from metrics.schedules import SCHEDULES
from tests.engine.helpers import active_run, run_to_the_end
from tests.factories import make_user
from tests.faults.figures import CHECKS
from tests.intake.conftest import media  # noqa: F401
from tests.intake.helpers import recording, send
from tests.metrics.factories import hour
from tests.pipeline.conftest import befall, shared_simulator, simulator  # noqa: F401
from tests.pipeline.helpers import SCRIPT, go_on, squad
from tests.stages.fixtures import django_db_setup  # noqa: F401
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.models import Artifact, InsightDraft, PipelineEvent, ScheduledJob, StageRun
from voicepipeline.operations.entry_decisions import confirm_entry, reject_entry, undo_entry
from voicepipeline.operations.entry_edits import seen_of
from voicepipeline.simulator.faults import CHAT, TRANSCRIPTIONS
from voicepipeline.stages import STAGES
from voicepipeline.tasks import run_scheduled_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_stages(settings, simulator):  # noqa: F811
    settings.STAGE_CODE = {
        "transcription": "voicepipeline.stages.transcription",
        "claims_extraction": "voicepipeline.stages.claims",
        "entity_resolution": "voicepipeline.stages.resolution",
        "draft_generation": "voicepipeline.stages.drafts",
    }


@pytest.fixture
def coach():
    coach, _ = squad("Niamh Kelly", "Aoife Ryan")
    return coach


def received(coach, words=SCRIPT):
    outcome = send(recording(words, seconds=12), sender=coach)
    return Artifact.objects.get(artifact_id=outcome.artifact_id)


def ready(coach, words=SCRIPT):
    return run_to_the_end(received(coach, words))


def live(club=None):
    """What has been counted so far; the minute that is running is read as if it were over."""
    figures = get_real_time_metrics(club, now=timezone.now() + MINUTE)
    return {kind.value.removesuffix("_1h"): value for kind, value in figures.values.items() if value}


def history(club=None):
    """Of all hours in which something happened: the test may begin in one and end in the next."""
    now = timezone.now()
    for start in (hour(now, back=1), hour(now)):
        aggregate_hourly_metrics(start)
    return get_historical_metrics("hour", hour(now, back=1), hour(now) + HOUR, club)


def stage_figures(of, stage):
    """Attempts, successes and final failures."""
    stages = [point.stages[stage] for point in of.points if stage in point.stages]
    return tuple(sum(getattr(each, name) for each in stages) for name in ("attempts", "completed", "failed"))


def nothing_is_wrong():
    with connection.cursor() as cursor:
        for name, query in CHECKS.items():
            cursor.execute(query)
            assert cursor.fetchall() == [], name


def test_a_note_that_becomes_ready_is_counted_at_every_stage(coach):
    ready(coach)
    cost = StageRun.objects.filter(cost_usd__isnull=False).values_list("cost_usd", flat=True)
    told = live()
    assert told.pop("ai_cost") == sum(cost) > 0
    assert told == dict.fromkeys(
        [
            "artifacts_received",
            "artifacts_completed",
            "transcriptions_completed",
            "claims_extracted",
            "entities_resolved",
            "drafts_generated",
        ],
        1,
    )
    assert live() == live(coach.organization)
    week = history(coach.organization)
    total = week.total
    assert (total.artifacts_received, total.artifacts_completed, total.claims, total.drafts) == (1, 1, 2, 2)
    assert (total.entities, total.entities_auto_resolved, total.ai_calls) == (2, 2, 2)
    assert total.ai_cost == sum(cost, Decimal(0))
    assert {stage: stage_figures(week, stage) for stage in STAGES} == dict.fromkeys(STAGES, (1, 1, 0))
    nothing_is_wrong()


def test_silence_is_ready_and_without_speech(coach):
    ready(coach, "")
    total = history().total
    assert (total.artifacts_completed, total.artifacts_no_speech, total.drafts) == (1, 1, 0)
    nothing_is_wrong()


def test_what_fails_for_good_is_a_failure_of_stage_and_note(coach, befall):  # noqa: F811
    befall(TRANSCRIPTIONS, "unsupported_audio")
    ready(coach)
    assert {name: value for name, value in live().items() if name != "ai_cost"} == {
        "artifacts_received": 1,
        "artifacts_failed": 1,
        "failures": 2,
    }
    told = history()
    assert told.total.failure_rate == 1
    assert stage_figures(told, "transcription") == (1, 0, 1)
    nothing_is_wrong()


def test_a_note_that_waited_for_the_ai_service_has_failed_nowhere(coach, befall):  # noqa: F811
    befall(CHAT, "status:503")
    artifact = received(coach)
    perform(active_run(artifact).pk)
    go_on(artifact)
    assert PipelineEvent.objects.filter(event_type="stage_parked").count() == 1
    run_to_the_end(artifact)
    assert "failures" not in live()
    told = history()
    assert stage_figures(told, "claims_extraction") == (2, 1, 0)
    assert told.total.failure_rate == 0
    nothing_is_wrong()


def test_what_people_decide_about_entries_stands_in_history(coach):
    artifact, person = ready(coach), make_user(roles.OPERATOR)
    first, second = InsightDraft.objects.filter(artifact=artifact, status="pending").order_by("pk")
    confirm_entry(first.pk, by=person, seen=seen_of(first))
    reject_entry(second.pk, by=person, reason="Said in passing.", seen=seen_of(second))
    second.refresh_from_db()
    undo_entry(second.pk, by=person, reason="It was meant after all.", seen=seen_of(second))
    total = history(coach.organization).total
    assert (total.drafts_confirmed, total.drafts_rejected, total.drafts_undone) == (1, 1, 1)
    nothing_is_wrong()


def test_the_jobs_of_the_clock_count_what_happened_and_say_what_they_did(coach):
    ready(coach)
    for schedule in SCHEDULES:
        run_scheduled_job(schedule.name)
    assert set(JobRun.objects.values_list("name", "succeeded")) == {(each.name, True) for each in SCHEDULES}
    assert not JobRun.objects.filter(finished_at=None).exists()
    assert ScheduledJob.objects.filter(last_succeeded=True).count() == len(SCHEDULES)
    days = MetricsSnapshot.objects.filter(period_type="day", organization=None)
    assert sum(day.artifacts_completed for day in days) == 1
    assert set(Period.objects.values_list("period_type", flat=True)) == {"hour", "day"}
    nothing_is_wrong()
