"""The metrics come to a database that has events, and leave one that has figures."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from metrics import jobs
from metrics.aggregation import aggregate_hourly_metrics
from metrics.limits import HOUR
from metrics.models import CounterType, JobRun, MetricsSnapshot, Period, RefusedEvent
from metrics.queries import get_real_time_metrics
from tests.factories import make_club, make_note
from tests.faults.figures import CHECKS
from tests.metrics.factories import hour
from voicepipeline.events import log_event
from voicepipeline.models import Artifact

pytestmark = pytest.mark.django_db

OURS = """
    SELECT 'function', proname::text FROM pg_proc WHERE proname LIKE 'metrics%'
    UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger
        WHERE tgrelid = 'voicepipeline_pipelineevent'::regclass AND NOT tgisinternal
    UNION ALL SELECT 'table', relname::text FROM pg_class WHERE relname LIKE 'metrics%' AND relkind = 'r'
"""


def ask(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def migrate(*where):
    """What the test has written is checked now: a table with checks to come cannot be changed."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    call_command("migrate", "metrics", *where, verbosity=0)


def without_metrics():
    """A database of before there were metrics."""
    with_them = set(ask(OURS))
    migrate("zero")
    return with_them


@pytest.fixture(autouse=True)
def _tables_come_back():
    """However a test leaves them; all of it happens in one transaction."""
    as_it_was = transaction.savepoint()
    yield
    transaction.savepoint_rollback(as_it_was)


@pytest.fixture
def club():
    return make_club()


def test_nothing_of_the_metrics_stays_behind_and_the_log_goes_on(club):
    now = timezone.now()
    log_event("artifact_received", organization_id=club.pk)
    aggregate_hourly_metrics(hour(now))
    RefusedEvent.objects.create(period_start=hour(now), event_type="artifact_received")
    JobRun.objects.create(name="a job", started_at=now)
    without_metrics()
    assert {name for kind, name in ask(OURS) if name != "event_never_changes"} == set()
    assert log_event("artifact_received", organization_id=club.pk) == 1


def test_they_come_back_as_they_were():
    before = without_metrics()
    migrate()
    assert set(ask(OURS)) == before
    assert log_event("artifact_received") == 1
    assert get_real_time_metrics(now=timezone.now() + timedelta(minutes=1))[CounterType.ARTIFACTS_RECEIVED] == 1


def test_events_of_before_are_counted_into_history_and_live_figures(club):
    now = timezone.now()
    without_metrics()
    artifact: Artifact = make_note(text="Good session.", organization=club)
    for back in (0, 1, 5, 26, 47):
        log_event("artifact_received", artifact, timestamp=now - timedelta(hours=back))
    migrate()
    jobs.refresh_running_hour(now=now)
    platform = MetricsSnapshot.objects.filter(period_type="hour", organization=None)
    counted = dict(platform.filter(artifacts_received__gt=0).values_list("period_start", "artifacts_received"))
    assert counted == dict.fromkeys([hour(now, back=back) for back in (0, 1, 5, 26, 47)], 1)
    hours = list(
        Period.objects.filter(period_type="hour").order_by("period_start").values_list("period_start", flat=True)
    )
    assert hours == [hours[0] + number * HOUR for number in range(len(hours))]
    assert hours[-1] == hour(now)


def test_live_figures_of_the_last_hour_are_right_at_once(club):
    without_metrics()
    for minutes in (0, 1, 59, 150):
        log_event("artifact_received", organization_id=club.pk, timestamp=timezone.now() - timedelta(minutes=minutes))
    migrate()
    log_event("artifact_received", organization_id=club.pk)
    assert ask(CHECKS["live figures are what the events of each minute say"]) == []
