"""Notes of the running demo: who sends what, what goes wrong with it, and when there is enough."""

import itertools
import os
import signal
import threading
from collections import Counter
from random import Random

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.factories import make_club, make_note
from tests.simulator.running import control, simulating
from voicepipeline.demo import clubs, scripts, traffic
from voicepipeline.demo.traffic import BEGINNING, MOST_A_DAY, MOST_UNDER_WAY, SLOWER_FROM, Traffic, notes_to_send, send
from voicepipeline.intake.receiving import Result
from voicepipeline.models import Artifact, Coach, Organization, SourceChannel
from voicepipeline.operations import first_run
from voicepipeline.refusals import StartError

pytestmark = pytest.mark.django_db


class Impatient:
    """Instead of an Event: no wait takes any time, and after so many of them it is set."""

    def __init__(self, waits):
        self.waited = []
        self._waits = waits

    def is_set(self):
        return len(self.waited) >= self._waits

    def wait(self, seconds):
        self.waited.append(seconds)
        return self.is_set()


@pytest.fixture
def senders():
    first_run.create_demo_accounts()
    clubs.add_clubs()
    return [sender for club in clubs.read_clubs() for sender in club.senders]


@pytest.fixture
def simulator(settings):
    with simulating() as running:
        settings.OPENAI_BASE_URL = running.base_url
        yield running


@pytest.fixture
def _handlers():
    """The handlers of the test run come back; a command that does not refuse is told to stop."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    impatience = threading.Timer(10, os.kill, (os.getpid(), signal.SIGTERM))
    impatience.start()
    yield
    impatience.cancel()
    impatience.join()
    for number, handler in kept.items():
        signal.signal(number, handler)


def first(count, senders, seed=1):
    return list(itertools.islice(notes_to_send(Random(seed), senders), count))


def run(waits, *, sent_today=0, seed=1):
    stop = Impatient(waits)
    running = Traffic(Random(seed), stop)
    running.sent_today = sent_today
    running.run()
    return stop.waited


def test_the_same_chance_sends_the_same(senders):
    assert first(50, senders) == first(50, senders)


def test_it_begins_with_one_note_of_every_kind(senders):
    beginning = first(len(BEGINNING), senders)
    assert Counter(note.trouble for note in beginning) == {"": 3, "unreadable": 1, "silence": 1, "filtered": 1}
    assert sum(note.pause_seconds for note in beginning) < 5
    assert {note.sender.coach.trust_level for note in beginning} == {2, 3}


def test_a_second_start_does_not_send_the_same_beginning(senders):
    scripts_of = [{note.script for note in first(len(BEGINNING), senders, seed) if note.script} for seed in (1, 2)]
    assert scripts_of[0].isdisjoint(scripts_of[1])


def test_then_one_every_few_seconds_with_a_burst_now_and_then(senders):
    pauses = [note.pause_seconds for note in first(1_000, senders)[len(BEGINNING) :]]
    hasty = [pause for pause in pauses if pause < 1]
    assert 0 < len(hasty) < 250
    assert all(3 <= pause <= 8 for pause in pauses if pause not in hasty)


def test_six_to_nine_in_a_hundred_have_trouble_and_every_kind_occurs(senders):
    troubles = Counter(note.trouble for note in first(4_000, senders)[len(BEGINNING) :])
    assert troubles.keys() == {"", *traffic.TROUBLES}
    assert 0.06 < 1 - troubles[""] / troubles.total() < 0.09


def test_a_note_without_speech_is_a_recording(senders):
    silent = [note for note in first(2_000, senders) if note.trouble == "silence"]
    assert {note.script for note in silent} <= {*scripts.ACCIDENTS}
    assert not {note.channel for note in silent} & {SourceChannel.APP_TYPED, SourceChannel.WHATSAPP_TEXT}


def test_a_note_comes_in_as_every_note_does(senders):
    notes = first(40, senders)
    received = [send(Random(number), note) for number, note in enumerate(notes) if not note.trouble]
    assert {each.result for each in received} == {Result.ACCEPTED}
    assert Artifact.objects.filter(sender__isnull=False, voice_note__text="").exists()
    assert Artifact.objects.exclude(voice_note__text="").exists()
    assert Artifact.objects.active().count() == len(received)


def test_the_simulator_is_told_what_to_do_wrong(senders, simulator):
    unreadable = next(note for note in first(len(BEGINNING), senders) if note.trouble == "unreadable")
    send(Random(1), unreadable)
    assert control(simulator)["queued"] == {"transcriptions": 1, "chat": 0, "models": 0}


@pytest.mark.parametrize("trouble", [name for name, (_, wishes) in traffic.TROUBLES.items() if wishes])
def test_every_trouble_is_one_that_the_simulator_knows(trouble, simulator, caplog):
    traffic.tell_simulator(traffic.TROUBLES[trouble][1])
    assert caplog.messages == []


def test_a_simulator_that_does_not_answer_stops_nothing(senders, settings, caplog):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    note = next(note for note in first(len(BEGINNING), senders) if note.trouble == "filtered")
    assert send(Random(1), note).result is Result.ACCEPTED
    assert "did not take a change of plan" in caplog.text


def test_it_sends_until_it_is_told_to_stop(senders, simulator):
    assert len(run(10)) == 10
    assert Artifact.objects.count() == 9


def test_enough_for_a_day_is_enough(senders, caplog):
    caplog.set_level("INFO")
    run(10, sent_today=MOST_A_DAY)
    assert Artifact.objects.count() == 0
    assert caplog.text.count("3,000 demo voice notes today are enough; more are sent after midnight (UTC)") == 1


def test_a_new_start_knows_what_was_sent_today(senders):
    make_note(sender=senders[0].coach, received_at=timezone.now())
    make_note(sender=Coach.objects.create(organization=make_club(), first_name="Own"))
    assert Traffic(Random(1), Impatient(1)).sent_today == 1


def test_it_slows_down_on_a_busy_day(senders, simulator):
    quick, slow = run(4), run(4, sent_today=SLOWER_FROM)
    assert slow == [4 * pause for pause in quick]


def test_it_waits_while_the_pipeline_stands_still(senders, settings, caplog):
    caplog.set_level("INFO")
    Artifact.objects.bulk_create(Artifact(source_channel="api") for _ in range(MOST_UNDER_WAY + 1))
    run(5)
    assert Artifact.objects.count() == MOST_UNDER_WAY + 1
    assert "are on their way" in caplog.text


def test_without_a_coach_there_is_nothing_to_send(senders, caplog):
    Coach.objects.update(is_active=False)
    assert run(5) == []
    assert "no coach of the demo is left" in caplog.text


def test_a_roster_that_people_have_emptied_sends_nothing(senders):
    for club in Organization.objects.all():
        club.players.update(team=None)
    assert [sender for club in clubs.read_clubs() for sender in club.senders] == []


@pytest.mark.usefixtures("_handlers")
def test_the_command_refuses_somebodys_own_clubs():
    make_club()
    with pytest.raises(StartError, match="somebody's own clubs"):
        call_command("demo_traffic")
    assert not Artifact.objects.exists()


@pytest.mark.usefixtures("_handlers")
def test_the_command_refuses_a_provider_that_costs_money(settings):
    first_run.create_demo_accounts()
    clubs.add_clubs()
    settings.AI_SIMULATED = False
    with pytest.raises(StartError, match="an OPENAI_API_KEY is set, and notes of the demo would cost money"):
        call_command("demo_traffic")
    assert not Artifact.objects.exists()


@pytest.mark.usefixtures("_handlers")
def test_the_command_refuses_pages_that_others_can_reach(settings):
    settings.WEB_HOST = "0.0.0.0"
    with pytest.raises(StartError, match="opens them to other machines"):
        call_command("demo_traffic")


def test_whoever_has_just_arrived_sees_no_outage_before_notes_go_all_the_way(senders):
    early = len(BEGINNING) + traffic.NOTES_BEFORE_A_SPELL
    for seed in range(60):
        assert traffic.SPELL not in {note.trouble for note in first(early, senders, seed)}
