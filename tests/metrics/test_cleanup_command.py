"""Cleaning up by hand."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from metrics.models import JobRun, MetricsSnapshot, Period
from tests.metrics.factories import hour, make_period, make_snapshot
from tests.metrics.telling import break_the_counting_of, make_hours, tell
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db


def run(capsys, *arguments):
    call_command("cleanup_metrics", *arguments)
    return capsys.readouterr().out


def told_by(text):
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def old():
    """An hour with two events that are old enough; all between it and now is final, and an old job run is there."""
    now = timezone.now()
    start = hour(now, back=60)
    make_hours(start.replace(hour=0), start, sealed_at=now)
    make_hours(start + timedelta(hours=1), hour(now), sealed_at=now)
    tell(start, start)
    tell(now)
    JobRun.objects.create(name="x", started_at=now - timedelta(days=20))
    return start


def test_it_deletes_what_is_old_and_says_so(capsys, old):
    assert told_by(run(capsys)) == [
        "Counted for good",
        "hours 1",
        "Deleted",
        "events 2",
        "hourly figures 0",
        "daily figures 0",
        "records of counted hours and days 0",
        "records of events that came too late 0",
        "job runs 1",
    ]
    assert PipelineEvent.objects.count() == 1
    assert MetricsSnapshot.objects.get(period_start=old, organization=None).artifacts_received == 2


def test_a_dry_run_says_what_would_go_and_touches_nothing(capsys, old):
    before = [list(model.objects.order_by("pk").values()) for model in (PipelineEvent, Period, JobRun, MetricsSnapshot)]
    told = told_by(run(capsys, "--dry-run"))
    assert told[:4] == ["Would be counted for good", "hours 1", "Would be deleted", "events 2"]
    assert told[-1] == "job runs 1"
    after = [list(model.objects.order_by("pk").values()) for model in (PipelineEvent, Period, JobRun, MetricsSnapshot)]
    assert after == before


def test_as_json(capsys, old):
    plan = json.loads(run(capsys, "--dry-run", "--json"))
    none = {"hourly": 0, "daily": 0, "periods": 0, "refused_events": 0}
    assert plan == {"hours_to_seal": 1, "events": 2, "snapshots": {**none, "job_runs": 1}}
    done = json.loads(run(capsys, "--json"))
    assert done == {"hours_sealed": 1, "events_deleted": 2, "kept": [], "snapshots": {**none, "job_runs": 1}}


def test_figures_of_long_ago_go(capsys):
    make_snapshot("day", hour(timezone.now()).replace(hour=0) - timedelta(days=95))
    assert "daily figures 1" in told_by(run(capsys))


def test_it_ends_with_1_when_an_hour_keeps_its_events_and_says_why(capsys, old):
    break_the_counting_of(old)
    with pytest.raises(CommandError, match="1 hour could not be counted for good"):
        call_command("cleanup_metrics")
    told = capsys.readouterr().out
    assert f"{old:%Y-%m-%d %H:%M} keeps its events: psycopg.errors.CheckViolation" in told
    assert PipelineEvent.objects.count() == 3


def test_so_does_the_json(capsys, old):
    make_period("hour", old, sealed_at=timezone.now())
    with pytest.raises(CommandError):
        call_command("cleanup_metrics", "--json")
    done = json.loads(capsys.readouterr().out)
    assert done["kept"] == [
        {"hour": old.isoformat(), "reason": "it has more events than were counted", "is_trouble": True}
    ]
    assert PipelineEvent.objects.count() == 3
