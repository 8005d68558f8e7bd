"""What a page of sections is answered when it asks again: what has changed, and nothing else."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_user
from tests.overview.polling import ask, digests, opened, within_a_minute
from tests.retry.factories import TRANSCRIPTION, make_moving
from voicepipeline import roles
from voicepipeline.admin.live import Section
from voicepipeline.templatetags.moments import ago, clock

pytestmark = pytest.mark.django_db

PAGES = [("admin:index", "admin:overview_live"), ("admin:pipeline", "admin:pipeline_live")]


@pytest.fixture
def _viewer(client):
    client.force_login(make_user(roles.VIEWER))


def section(html):
    return Section("activity", html, "overview-activity", "")


@pytest.mark.usefixtures("_viewer")
@pytest.mark.parametrize(("page", "live"), PAGES)
def test_nothing_is_answered_while_notes_are_on_their_way_and_nothing_happens(client, page, live):
    make_moving(TRANSCRIPTION, received_at=timezone.now() - timedelta(minutes=7))
    answer = within_a_minute(lambda: ask(client, live, opened(client, page, stage=TRANSCRIPTION), stage=TRANSCRIPTION))
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.usefixtures("_viewer")
def test_only_what_has_changed_is_sent_and_takes_its_place(client):
    def a_note_comes():
        seen = opened(client, "admin:pipeline")
        make_moving(TRANSCRIPTION)
        return ask(client, "admin:pipeline_live", seen).content.decode()

    answer = within_a_minute(a_note_comes)
    assert list(digests(answer)) == ["flow", "on-their-way"]
    assert answer.count('hx-swap-oob="outerHTML"') == 2


@pytest.mark.usefixtures("_viewer")
@pytest.mark.parametrize("seen", ["", "nonsense", "activity", "activity=,=", "activity=" + "0" * 5000])
def test_who_says_nonsense_is_sent_everything(client, seen):
    answer = client.get(reverse("admin:overview_live"), headers={"X-Seen": seen})
    assert len(digests(answer.content.decode())) == 6


@pytest.mark.parametrize("address", ["admin:overview_live", "admin:pipeline_live"])
def test_who_may_see_no_notes_is_refused(client, address):
    client.force_login(make_user())
    assert client.get(reverse(address)).status_code == 403


def test_how_long_ago_something_was_is_no_change_and_when_it_was_is_one():
    when = timezone.now() - timedelta(seconds=50)
    told, later = str(ago(when)), re.sub(r">.*<", ">3 min<", str(ago(when)))
    assert told != later
    assert section(told).digest == section(later).digest
    assert section(told).digest != section(str(ago(when - timedelta(seconds=1)))).digest
    assert section(str(clock(when))).digest != section(str(clock(when - timedelta(minutes=1)))).digest
