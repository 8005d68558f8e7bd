"""The pages under Engineering: queue, stage runs, schedules."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.engine.helpers import claimed, make_artifact, past, run_to_the_end, scheduled
from tests.factories import make_user
from tests.voicepipeline.test_pipeline_commands import make_beat
from voicepipeline import roles
from voicepipeline.models import ScheduledJob, StageRun, WatchdogBeat

pytestmark = pytest.mark.django_db
QUEUE = reverse("admin:voicepipeline_clusterbeat_changelist")
RUNS = reverse("admin:voicepipeline_stagerun_changelist")
SCHEDULES = reverse("admin:voicepipeline_scheduledjob_changelist")
RUN = reverse("admin:voicepipeline_scheduledjob_run")


@pytest.fixture
def viewer(client):
    client.force_login(make_user(roles.VIEWER))


@pytest.fixture
def administrator(client):
    user = make_user(roles.ADMINISTRATOR, first_name="Niamh", last_name="Byrne")
    client.force_login(user)
    return user


def text(client, url, **query):
    return " ".join(client.get(url, query).content.decode().split())


# --- Queue -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 100])
def test_the_queue_asks_as_many_questions_for_a_hundred_runs_as_for_one(
    client, viewer, django_assert_num_queries, count
):
    for _ in range(count):
        artifact = make_artifact()
        scheduled(artifact)
        claimed(artifact)
    # Session, viewer, their permissions (own and by role), the moment, last wedge, depth, stages, clusters, running,
    # the watchdog, what stands still.
    with django_assert_num_queries(12):
        client.get(QUEUE)


def test_the_queue_shows_who_works_on_what_and_for_how_long(client, viewer):
    artifact = make_artifact()
    scheduled(artifact)
    claimed(artifact)
    StageRun.objects.filter(artifact=artifact).update(started_at=past(100), lease_until=past(5))
    page = text(client, QUEUE)
    assert "test:1:1" in page
    assert "1 min <span" in page
    assert "no sign of life" in page


def test_the_queue_says_how_long_the_oldest_has_been_due(client, viewer):
    artifact = make_artifact()
    scheduled(artifact)
    StageRun.objects.filter(artifact=artifact).update(not_before=past(7300))
    assert "<dt>Oldest due for</dt><dd>2 h 1 min</dd>" in text(client, QUEUE)


def test_the_queue_says_that_nobody_works_and_what_to_do(client, viewer):
    make_beat(300)
    assert "No workers are running." in text(client, QUEUE)


@pytest.mark.parametrize(
    ("seen", "words", "is_missed"),
    [(None, "never", True), (125, "2 min ago", True), (2, " s ago", False)],
)
def test_the_queue_says_when_the_watchdog_was_last_seen(client, viewer, seen, words, is_missed):
    if seen is not None:
        WatchdogBeat.objects.create(host="h", pid=1, last_seen_at=past(seen))
    page = text(client, QUEUE)
    assert words in page.partition("<dt>Watchdog</dt>")[2].partition("</div>")[0]
    assert ("No watchdog is running." in page) is is_missed


def test_the_queue_shows_clusters_and_the_last_that_was_ended(client, viewer):
    make_beat(3)
    make_beat(4000, host="web-2", ended_at=past(3990), ended_reason="Processing had stopped.")
    page = text(client, QUEUE)
    assert "No workers are running." not in page
    assert "3 s ago" in page
    assert "Processing last stopped:" in page


def test_the_queues_live_part_is_silent_while_nothing_moves(client, viewer):
    part = client.get(reverse("admin:voicepipeline_clusterbeat_live")).content.decode()
    digest = part.split('"X-Seen": "')[1].split('"')[0]
    url = reverse("admin:voicepipeline_clusterbeat_live")
    assert client.get(url, headers={"X-Seen": digest}).status_code == 204
    make_beat()
    assert client.get(url, headers={"X-Seen": digest}).status_code == 200


# --- Stage runs ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 100])
def test_the_runs_ask_as_many_questions_for_a_hundred_as_for_one(client, viewer, django_assert_num_queries, count):
    for _ in range(count):
        scheduled(make_artifact())
    # Session, viewer, their permissions (own and by role), clubs, bounded count, rows, what stands still.
    with django_assert_num_queries(8):
        client.get(RUNS)


def test_runs_are_found_by_their_voice_note(client, viewer):
    scheduled(make_artifact())
    run = scheduled(make_artifact())
    for term in (str(run.artifact.artifact_id), str(run.artifact.artifact_id)[:8]):
        assert [row.pk for row in client.get(RUNS, {"q": term}).context["cl"].result_list] == [run.pk]


def test_a_runs_page_shows_its_problem_and_its_note(client, viewer):
    artifact = make_artifact(transcription=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    page = text(client, reverse("admin:voicepipeline_stagerun_change", args=[StageRun.objects.get().pk]))
    assert "The audio is not readable." in page
    assert str(artifact.artifact_id) in page


# --- Schedules -------------------------------------------------------------------------------------------------------
def test_the_schedules_show_when_they_run_next_and_that_they_never_ran(client, viewer, django_assert_num_queries):
    page = text(client, SCHEDULES)
    assert "Tidy up" in page
    assert "03:20:00" in page
    assert "Never" in page
    # Session, viewer, their permissions (own and by role), jobs, next runs, what stands still.
    with django_assert_num_queries(7):
        client.get(SCHEDULES)


@pytest.mark.parametrize(("succeeded", "words"), [(True, "Succeeded"), (False, "Failed"), (None, "Running")])
def test_the_schedules_show_how_the_last_run_went(client, viewer, succeeded, words):
    now = timezone.now()
    ended = None if succeeded is None else now
    ScheduledJob.objects.create(
        name="Tidy up", last_started_at=now - timedelta(seconds=3), last_finished_at=ended, last_succeeded=succeeded
    )
    assert f">{words}<" in text(client, SCHEDULES)


def test_an_administrator_runs_a_job_now_and_is_named(client, administrator):
    response = client.post(RUN, {"name": "Tidy up"}, follow=True)
    page = response.content.decode()
    assert "Tidy up starts as soon as a worker is free." in page
    assert "Niamh Byrne, " in page


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR])
def test_others_are_not_offered_it_and_may_not_do_it(client, role):
    client.force_login(make_user(role))
    assert "Run now" not in text(client, SCHEDULES)
    assert client.post(RUN, {"name": "Tidy up"}).status_code == 403


def test_an_unknown_job_is_refused_in_words(client, administrator):
    response = client.post(RUN, {"name": "os.system"}, follow=True)
    assert "There is no scheduled job with this name." in response.content.decode()


def test_runs_that_wait_are_told_by_what_they_wait_for(client, viewer):
    due, later, held = (scheduled(make_artifact()) for _ in range(3))
    StageRun.objects.filter(pk=later.pk).update(not_before=timezone.now() + timedelta(hours=1))
    StageRun.objects.filter(pk=held.pk).update(parked_since=timezone.now(), parked_reason="provider_no_credit")
    found = {each: client.get(RUNS, {"waits": each}).context["cl"].result_list for each in ("now", "later", "nonsense")}
    assert {each: {run.pk for run in runs} for each, runs in found.items()} == {
        "now": {due.pk},
        "later": {later.pk},
        "nonsense": {due.pk, later.pk, held.pk},
    }
