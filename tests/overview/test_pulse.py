"""How the pipeline stands at one moment."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from retry.operations import retry_failed_stage
from tests.factories import make_note, make_user
from tests.overview.links import rows_at
from tests.overview.situations import make_workers
from tests.retry.factories import TRANSCRIPTION, make_failed, make_run
from voicepipeline import roles
from voicepipeline.models import ClusterBeat, StageRun
from voicepipeline.overview.pulse import load_pulse

pytestmark = pytest.mark.django_db


def ago(**span):
    return timezone.now() - timedelta(**span)


def test_a_note_is_on_its_way_since_its_first_stage_began_to_wait():
    note = make_note(received_at=ago(minutes=40))
    done = make_run(
        note, "transcription", StageRun.Status.SUCCEEDED, effective=True, queued_at=ago(minutes=30), input_version=1
    )
    make_run(note, "claims_extraction", origin=done.origin, queued_at=ago(minutes=1))
    assert load_pulse().oldest_active_at == done.queued_at


def test_an_old_note_that_was_retried_is_on_its_way_since_then():
    failed = make_failed(received_at=ago(days=3))
    retried = retry_failed_stage(failed.artifact_id, by=make_user(roles.OPERATOR))
    assert retried.success, retried.message
    assert load_pulse().oldest_active_at > ago(minutes=1)


def test_the_longest_of_several_counts():
    oldest = make_run(make_note(received_at=ago(minutes=9)), "transcription", queued_at=ago(minutes=9))
    make_run(make_note(received_at=ago(minutes=2)), "transcription", queued_at=ago(minutes=2))
    assert load_pulse().oldest_active_at == oldest.queued_at


def test_without_notes_on_their_way_there_is_none():
    make_failed()
    assert load_pulse().oldest_active_at is None


@pytest.fixture
def _web_clock_is_ahead():
    """The machine that asks; workers report in by the database's clock."""
    make_workers()
    make_run(make_note(), TRANSCRIPTION, not_before=timezone.now() + timedelta(seconds=30))
    with time_machine.travel(timezone.now() + timedelta(seconds=45)):
        yield


@pytest.mark.usefixtures("_web_clock_is_ahead")
def test_workers_that_report_in_work_whatever_the_time_is_where_somebody_looks():
    pulse = load_pulse()
    assert (pulse.clusters_working, pulse.clusters_silent, pulse.workers) == (1, 0, 8)


@pytest.mark.usefixtures("_web_clock_is_ahead")
def test_what_is_due_is_listed_by_the_clock_by_which_it_is_counted(client):
    client.force_login(make_user(roles.VIEWER))
    runs = reverse("admin:voicepipeline_stagerun_changelist")
    listed = {waits: rows_at(client.get(f"{runs}?waits={waits}")) for waits in ("now", "later")}
    pulse = load_pulse()
    assert listed == {"now": 0, "later": 1} == {"now": pulse.total("due"), "later": pulse.total("later")}


def make_silent(**span):
    """Another cluster that has said nothing since then."""
    begun, process = ago(hours=9), {"host": "other", "parent_pid": 1, "sentinel_pid": 1}
    ClusterBeat.objects.create(
        **process, parent_started_at=begun, started_at=begun, workers=8, last_seen_at=ago(**span)
    )


def test_a_cluster_that_is_gone_is_told_beside_one_that_works():
    make_workers()
    ClusterBeat.objects.update(started_at=ago(hours=9))
    make_silent(minutes=10)
    pulse = load_pulse()
    assert (pulse.clusters_working, pulse.clusters_silent) == (1, 1)
    assert pulse.silent_since == ClusterBeat.objects.get(host="other").last_seen_at


def test_a_cluster_that_was_started_anew_is_not_missed():
    make_silent(minutes=10)
    make_workers()
    pulse = load_pulse()
    assert (pulse.clusters_working, pulse.clusters_silent, pulse.silent_since) == (1, 0, None)
