"""/metrics: closed without a token, and readable by Prometheus with it."""

from datetime import timedelta

import pytest
from django.core import checks
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from metrics.gauges import Counted, load_counted
from metrics.limits import DAY, HOUR
from metrics.models import CounterType, JobRun, Period, RefusedEvent
from metrics.schedules import HOURLY
from tests.engine.helpers import make_artifact, past, run_to_the_end, scheduled
from tests.factories import make_club, make_event, make_note
from tests.metrics.factories import hour, make_period
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
from tests.voicepipeline.test_pipeline_commands import make_beat
from voicepipeline.models import AIServiceHealth, EventType, StageRun

pytestmark = pytest.mark.django_db
TOKEN = "w3Yq0vQ1n8Zk5Jt7Rb2Xc4Lm"
URL = "/metrics"


@pytest.fixture(autouse=True)
def _token(settings):
    settings.METRICS_TOKEN = TOKEN


def scrape(token=TOKEN):
    return Client().get(URL, headers={"Authorization": f"Bearer {token}"})


def samples():
    """Each sample by its name and the values of its labels."""
    response = scrape()
    assert response.status_code == 200
    families = list(text_string_to_metric_families(response.content.decode()))
    return {
        (sample.name.removeprefix("voicepipeline_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


# --- Who gets in -----------------------------------------------------------------------------------------------------
def test_without_a_token_in_the_settings_there_is_no_such_page(settings):
    settings.METRICS_TOKEN = ""
    assert scrape("").status_code == 404
    assert Client().get(URL).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.lower()}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \udcff",
        "Bearer é",
        "Bearer " + "x" * 5_000,
    ],
    ids=range(12),
)
def test_a_wrong_token_is_told_nothing(header, django_assert_num_queries):
    headers = {} if header is None else {"Authorization": header}
    with django_assert_num_queries(0):
        response = Client().get(URL, headers=headers)
    assert (response.status_code, response.content) == (401, b"Unauthorized.\n")
    assert response["WWW-Authenticate"] == 'Bearer realm="metrics"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_opens_it_however_the_scheme_is_written(scheme):
    assert Client().get(URL, headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(method):
    assert getattr(Client(), method)(URL, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_a_head_gets_no_body():
    response = Client().head(URL, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (response.status_code, response.content) == (200, b"")


def test_the_token_stands_in_no_log(caplog):
    with caplog.at_level("DEBUG"):
        scrape()
        scrape(f"{TOKEN}x")
    assert TOKEN not in caplog.text


# --- What it tells ---------------------------------------------------------------------------------------------------
def test_every_figure_has_a_help_and_a_type_and_stands_there_once():
    text = scrape().content.decode()
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names)) > 20
    assert all(family.documentation.endswith(".") and family.type == "gauge" for family in families)
    assert all(name.startswith("voicepipeline_") for name in names)
    lines = [line.partition(" ")[0] for line in text.splitlines() if not line.startswith("#")]
    assert {line.partition("{")[0] for line in lines} <= set(names)


def test_it_is_prometheus_text():
    response = scrape()
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response["Cache-Control"]


def test_no_process_keeps_figures_of_its_own():
    before = {family.name for family in REGISTRY.collect()}
    text = scrape().content.decode()
    assert {family.name for family in REGISTRY.collect()} == before
    assert "python_" not in text
    assert "process_" not in text


def test_live_figures_are_those_of_all_clubs_together():
    for club in (make_club(name="Na Fianna"), make_club(), None):
        note = make_note(organization=club)
        make_event(note, EventType.ARTIFACT_RECEIVED)
    make_event(None, EventType.RETRY_INITIATED)
    found = samples()
    assert found["voice_notes_received_last_hour",] == 3
    assert found["retries_last_hour",] == 1
    assert found["voice_notes_ready_last_hour",] == 0
    assert sum(name.endswith(("_last_hour", "_last_hour_dollars")) for name, *_ in found) == len(CounterType)
    assert "Na Fianna" not in scrape().content.decode()


def test_work_is_told_by_stage_and_by_what_it_waits_for():
    waiting, rung, held = make_artifact(), make_artifact(), make_artifact(transcription=["provider"])
    for note, rung_at in ((waiting, None), (rung, past(1))):
        scheduled(note)
        StageRun.objects.filter(artifact=note).update(not_before=past(120), rung_at=rung_at)
    scheduled(held)
    run_to_the_end(held, most=1)
    found = samples()
    assert found["stage_runs", "transcription", "due"] == 2
    assert found["stage_runs", "transcription", "on_hold"] == 1
    assert found["stage_runs", "draft_generation", "running"] == 0
    assert 120 <= found["oldest_due_seconds", "transcription"] < 180
    assert found["oldest_due_seconds", "claims_extraction"] == 0
    assert found["stage_runs_due_not_rung",] == 1
    assert found["voice_notes", "received"] + found["voice_notes", "transcribing"] == 3


def test_failed_notes_count_until_somebody_closes_them():
    artifact = make_artifact(transcription=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    assert samples()["voice_notes", "failed"] == 1


def test_the_state_of_each_ai_service_is_told():
    trouble = {"needs_person": True, "reason": "provider_no_credit", "trouble_since": timezone.now()}
    AIServiceHealth.objects.create(service="chat", state="open", **trouble)
    found = samples()
    assert [found["ai_service_state", "chat", state] for state in ("closed", "open", "half_open")] == [0, 1, 0]
    assert [found["ai_service_needs_person", service] for service in ("chat", "transcription")] == [1, 0]
    assert found["ai_service_state", "transcription", "closed"] == 1


def test_the_age_of_beats_is_told_once_there_was_one():
    assert ("worker_beat_age_seconds",) not in samples()
    make_beat(4000)
    make_beat(30)
    make_beat(1, ended_at=past(1), ended_reason="Processing had stopped.")
    assert 30 <= samples()["worker_beat_age_seconds",] < 90


def test_the_age_of_each_jobs_last_success_is_told():
    now = timezone.now()
    for succeeded, minutes in ((True, 20), (True, 10), (False, 1)):
        began = now - timedelta(minutes=minutes)
        JobRun.objects.create(name=HOURLY, started_at=began, finished_at=began, succeeded=succeeded)
    found = {key: value for key, value in samples().items() if key[0] == "metrics_job_age_seconds"}
    assert set(found) == {("metrics_job_age_seconds", HOURLY)}
    assert 600 <= found["metrics_job_age_seconds", HOURLY] < 660


def test_what_history_lacks_is_told():
    now = timezone.now()
    this_hour = hour(now)
    assert load_counted(now).hours_missing == 0
    make_period("hour", this_hour - 60 * HOUR)
    for back in range(5, 40):
        make_period("hour", this_hour - back * HOUR)
    make_period("hour", this_hour, gaps=[])
    make_period("hour", this_hour - 41 * HOUR, gaps=[Period.NO_CLUB])
    RefusedEvent.objects.create(period_start=this_hour, event_type="artifact_received")
    RefusedEvent.objects.create(period_start=this_hour, event_type="artifact_received", refused_at=past(25 * 3600))
    assert load_counted(now) == Counted(hours_missing=48 - 35 - 1, hours_with_gaps=1, refused=1)


def test_what_history_lacks_is_among_what_is_told():
    RefusedEvent.objects.create(period_start=hour(timezone.now()), event_type="artifact_received")
    found = samples()
    assert (found["metrics_hours_missing",], found["metrics_hours_with_gaps",]) == (0, 0)
    assert found["metrics_events_refused_last_day",] == 1


def test_an_event_that_came_months_late_does_not_make_history_lack_hours():
    now = timezone.now()
    make_period("hour", hour(now) - 100 * DAY)
    for back in range(5):
        make_period("hour", hour(now) - back * HOUR)
    assert load_counted(now).hours_missing == 0


@pytest.mark.parametrize("count", [1, 30])
def test_it_asks_as_many_questions_however_much_there_is(django_assert_num_queries, count):
    for number in range(count):
        scheduled(make_artifact())
        make_beat(number + 1, host=f"web-{number}")
    # The moment, last wedge, depth, stages, clusters; live figures; due and not rung; notes, failed ones; services;
    # jobs; hours, refused events.
    with django_assert_num_queries(13):
        scrape()


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_says_so_in_plain_words(caplog):
    connection.close()
    port, connection.settings_dict["PORT"] = connection.settings_dict["PORT"], "1"
    host, connection.settings_dict["HOST"] = connection.settings_dict["HOST"], "127.0.0.1"
    try:
        response = scrape()
    finally:
        connection.close()
        connection.settings_dict.update(PORT=port, HOST=host)
    assert (response.status_code, response.content) == (503, b"The database is not reachable.\n")
    assert TOKEN not in caplog.text


# --- The token itself ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("token", "warnings"),
    [("", 0), (TOKEN, 0), (TOKEN[:-1], 1), ("p" * 30 + " q", 1), ("é" * 30, 1), ("short\n", 2)],
    ids=["unset", "long", "short", "space", "not ascii", "both"],
)
def test_a_token_that_is_not_safe_is_warned_of(settings, token, warnings):
    settings.METRICS_TOKEN = token
    told = [each for each in checks.run_checks() if each.id == "metrics.W001"]
    assert len(told) == warnings
    assert not token or not any(token in str(each) for each in told)
