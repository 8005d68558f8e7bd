"""The sentences at the top in the situations that they are about, read off the page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_club, make_user
from tests.overview.links import rows_at
from tests.overview.polling import ask, opened, within_a_minute
from tests.overview.situations import make_workers
from tests.overview.strip import strip_of
from tests.retry.factories import (
    STATEMENTS,
    TRANSCRIPTION,
    make_failed,
    make_moving,
    make_ready,
    make_run,
    make_stalled,
)
from voicepipeline import roles
from voicepipeline.models import ClusterBeat, Pause, StageRun, WatchdogBeat
from voicepipeline.operations import ai_service

pytestmark = pytest.mark.django_db

ALL_WELL = ["AI service: normal", "8 workers in 1 cluster", "Watchdog: reporting in"]


@pytest.fixture(autouse=True)
def _somebody_works():
    make_workers()


@pytest.fixture
def operator():
    return make_user(roles.OPERATOR)


@pytest.fixture
def strip(client):
    """What somebody of this role reads."""

    def read(role=roles.VIEWER):
        client.force_login(make_user(role))
        return strip_of(client.get(reverse("admin:index")).content.decode())

    return read


def answers(client, strip):
    return {client.get(url).status_code for url in strip.addresses}


def ago(**length):
    return timezone.now() - timedelta(**length)


def test_nothing_was_ever_received(strip):
    assert strip().told == [
        (
            "quiet",
            "Everything is ready, and no voice note has been received yet. The first one is shown here as soon as it "
            "comes.",
        )
    ]


def test_who_may_upload_is_led_there(client, strip):
    read = strip(roles.OPERATOR)
    (said,) = read.sentences
    assert said.words == "Everything is ready, and no voice note has been received yet. Upload the first one."
    assert said.links == {"Upload the first one": reverse("admin:voicepipeline_voicenote_add")}
    assert answers(client, read) == {200}


def test_nothing_was_received_for_an_hour(client, strip):
    make_ready(received_at=ago(hours=2, minutes=5))
    read = strip()
    assert answers(client, read) == {200}
    assert read.told == [
        (
            "quiet",
            "Nothing is wrong and nothing waits; the last voice note was received 2 h 5 min ago. If that is unusual, "
            "see where they come from.",
        )
    ]


def test_all_is_done(strip):
    make_ready(received_at=ago(minutes=4))
    read = strip()
    assert read.told == [
        ("good", "Everything is flowing and nothing waits; the last voice note was received 4 min ago.")
    ]
    assert read.stands_on == ALL_WELL


def test_notes_are_on_their_way(client, strip):
    make_moving(received_at=ago(seconds=70), since=ago(seconds=70))
    make_moving(STATEMENTS, "running")
    (said,) = strip().sentences
    assert said.words == "Everything is flowing; the oldest of 2 voice notes on their way has waited 1 min."
    assert rows_at(client.get(said.links["2 voice notes on their way"])) == 2


def test_what_failed_lately_is_listed(client, strip):
    make_failed()
    make_failed()
    (said,) = strip().sentences
    assert said.words.endswith("2 voice notes failed in the last 60 minutes and still need somebody.")
    assert rows_at(client.get(said.links["2 voice notes"])) == 2


def test_a_note_that_failed_again_and_again_is_one(client, strip):
    again = make_failed()
    make_run(again, TRANSCRIPTION, StageRun.Status.FAILED, terminal=True, error_code="audio_unsupported", attempt=9)
    (said,) = strip().sentences
    assert said.words.endswith("1 voice note failed in the last 60 minutes and still needs somebody.")
    assert list(client.get(said.links["1 voice note"]).context["cl"].result_list) == [again]


def test_a_note_that_has_waited_for_long_without_progress_stands_still(client, strip):
    note = make_stalled()
    make_moving()
    (said,) = strip().sentences
    assert said[:2] == ("trouble", "1 voice note has made no progress for too long: open it to see why.")
    listed = client.get(said.links["1 voice note"])
    assert list(listed.context["cl"].result_list) == [note]


@pytest.mark.parametrize(
    ("subject", "club", "words"),
    [
        ("everything", None, "All work on voice notes is paused by people for all clubs since {}: voice notes are"),
        ("claims_extraction", "St Brigid's", "The stage Statements is paused by people for St Brigid's since {}:"),
        ("automatic_confirmation", None, "Automatic confirmation is paused by people for all clubs since {}: every"),
    ],
)
def test_what_people_have_paused_is_told_until_somebody_ends_it(strip, operator, subject, club, words):
    now = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    whose = make_club(name=club).pk if club else None
    assert ai_service.pause(subject, organization_id=whose, reason="A bad prompt.", by=operator, now=now).done
    ((level, told),) = strip().told
    assert (level, told.startswith(words.format("1 Mar, 09:30"))) == ("notice", True)

    assert ai_service.end_pause(Pause.objects.get().pk, by=operator, now=now).done
    assert [said.level for said in strip().sentences] == ["quiet"]


def test_workers_that_were_ended_are_gone(strip):
    ClusterBeat.objects.update(ended_at=timezone.now(), ended_reason="Processing had stopped.")
    read = strip()
    assert read.told == [
        (
            "trouble",
            "Processing has stopped: no workers are running; voice notes are accepted and wait, nothing is lost. "
            "Ask an engineer to start the workers.",
        )
    ]
    assert read.stands_on[1] == "Workers: none"


def test_a_watchdog_that_was_never_started_is_missed(strip):
    WatchdogBeat.objects.all().delete()
    read = strip()
    assert read.told[0] == (
        "trouble",
        "The watchdog is not running: voice notes that are on hold or were interrupted do not go on. Ask an engineer "
        "to start it.",
    )
    assert read.stands_on[2] == "Watchdog: none"


def test_a_sign_of_life_is_no_news(client):
    client.force_login(make_user(roles.VIEWER))

    def signs_of_life():
        seen = opened(client, "admin:index")
        WatchdogBeat.objects.update(last_seen_at=timezone.now())
        ClusterBeat.objects.update(last_seen_at=timezone.now())
        return ask(client, "admin:overview_live", seen)

    assert within_a_minute(signs_of_life).status_code == 204
