"""The problems on the page Pipeline, and the retry of what failed at the chosen stage."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from retry.models import BulkRetry
from tests.factories import make_user
from tests.retry.factories import NAMES, STATEMENTS, TRANSCRIPTION, make_cancelled, make_closed, make_run
from tests.retry.problems import ended_at, fail, group_of
from voicepipeline import roles
from voicepipeline.models import Artifact, StageRun

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:pipeline")
LINK = re.compile(r'<a id="failed-at-stage"[^>]*href="([^"]+)">(.*?)</a>')


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


def panel(client, **query):
    page = client.get(PAGE, query).content.decode()
    return re.findall(r'<section[^>]*aria-labelledby="pipeline-problems-title".*?</section>', page, re.DOTALL)[0]


def titles(html):
    return re.findall(r'<p class="ov-row-lead">(.*?)</p>', html)


def press_retry(client, html):
    """What the browser sends when the button is pressed."""
    form = re.search(r"<form.*?</form>", html, re.DOTALL)[0]
    fields = dict(re.findall(r'name="(\w+)" value="(\w+)"', form))
    return client.post(re.search(r'action="([^"]+)"', form)[1].replace("&amp;", "&"), fields)


def hours_ago(number):
    return timezone.now() - timedelta(hours=number)


def fail_before(number, stage=STATEMENTS, **fields):
    """A note that failed so many hours ago, and nothing has been done about it."""
    note = fail(stage, at=hours_ago(number), **fields)
    ended_at(note, hours_ago(number))
    return note


def test_problems_are_those_of_the_stage_and_of_the_time(client, operator):
    fail(TRANSCRIPTION, code="audio_unsupported")
    group = group_of(fail_before(3))
    type(group).objects.filter(pk=group.pk).update(last_seen_at=hours_ago(3))
    assert titles(panel(client)) == ["Recording not readable", "Declined by the AI model"]
    assert titles(panel(client, range="1h")) == ["Recording not readable"]
    assert titles(panel(client, stage=STATEMENTS)) == ["Declined by the AI model"]
    assert titles(panel(client, stage=STATEMENTS, range="1h")) == []


def test_a_time_that_makes_no_sense_is_the_usual_one(client, operator):
    shown = panel(client, range="\x00 OR 1=1", stage="nonsense")
    assert re.findall(r'<a id="range-(\w+)"[^>]*aria-current', shown) == ["24h"]


def test_times_keep_the_stage(client, operator):
    assert 'href="/admin/pipeline/?range=7d&amp;stage=transcription#panel-problems"' in panel(
        client, stage=TRANSCRIPTION
    )


def test_what_failed_at_the_stage_is_counted_and_listed(client, operator):
    again = fail()
    make_run(again, STATEMENTS, StageRun.Status.FAILED, terminal=True, error_code="model_refused")
    fail_before(30)
    for other in (fail(TRANSCRIPTION), make_closed(), make_cancelled()):
        assert other.status == Artifact.Status.FAILED
    found = {each: LINK.search(panel(client, stage=STATEMENTS, range=each)) for each in ("1h", "24h", "7d")}
    assert [each[2] for each in found.values()] == ["1 voice note", "1 voice note", "2 voice notes"]
    lists = [client.get(each[1].replace("&amp;", "&")).context["cl"].result_count for each in found.values()]
    assert lists == [1, 1, 2]


def test_from_here_they_are_retried_after_a_look_at_what_that_would_do(client, operator):
    mine = {fail().pk, fail(code="content_filtered").pk}
    fail(NAMES)
    answer = press_retry(client, panel(client, stage=STATEMENTS))
    bulk = BulkRetry.objects.get()
    assert answer.url == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])
    assert set(bulk.items.values_list("artifact", flat=True)) == mine
    assert (bulk.state, "stage “Statements”" in bulk.chosen_by, "Last 24 hours" in bulk.chosen_by) == (
        "preview",
        True,
        True,
    )


def test_who_may_only_look_is_offered_no_retry(client):
    client.force_login(make_user(roles.VIEWER))
    fail()
    shown = panel(client, stage=STATEMENTS)
    assert LINK.search(shown)[2] == "1 voice note"
    assert "<form" not in shown
    assert "etry from here" not in shown
    assert ">Look<span" in shown


def test_without_a_stage_or_a_failure_there_is_nothing_to_retry_from_here(client, operator):
    fail()
    assert LINK.search(panel(client)) is None
    assert "choose a longer time to look further back" in panel(client, stage=NAMES)
