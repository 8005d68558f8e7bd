"""Notes that keep flowing while the demo runs: what is sent next, by whom, and what goes wrong with it.

Sending goes the way that every note goes; what the AI service does wrong, the simulated one is told beforehand.
"""

import io
import itertools
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from voicepipeline.demo import scripts
from voicepipeline.demo.clubs import Sender, read_clubs
from voicepipeline.demo.recordings import TYPED, choose_channel, record
from voicepipeline.demo.rosters import NOBODYS_PHONE
from voicepipeline.intake.receiving import Received, receive_voice_note
from voicepipeline.models import Artifact, SourceChannel

logger = logging.getLogger(__name__)

PAUSE_SECONDS = (3.0, 8.0)
BURST_PAUSE_SECONDS = (0.2, 0.8)
BURST_OF = (4, 9)
BURST_SHARE = 0.02
# A demo that is left running must not fill the disk: after so many in one day (UTC) it waits for the next.
MOST_A_DAY = 3_000
SLOWER_FROM = 1_000
SLOWER_BY = 4
# With so many on their way something is paused or standing still, and more would only make the heap higher.
MOST_UNDER_WAY = 300
WAV_SHARE = 0.04
ROSTERS_READ_EVERY = 100  # notes
SIMULATOR_ANSWERS_WITHIN = 2.0
DATABASE_PAUSE_SECONDS = 5.0

# What may befall a note, in a thousand notes. What is told to the simulator meets the next call, whosever it is.
SILENCE, SPELL = "silence", "spell"
TROUBLES: Mapping[str, tuple[int, Mapping[str, Any]]] = {
    SILENCE: (25, {}),
    "unreadable": (15, {"queue": {"transcriptions": ["unsupported_audio"]}}),
    "filtered": (10, {"queue": {"chat": ["content_filter"]}}),
    "declined": (6, {"queue": {"chat": ["refusal"]}}),
    "hiccup": (12, {"queue": {"transcriptions": ["status:503"], "chat": ["rate_limited"]}}),
    SPELL: (6, {"outage": {"for": 30, "fault": "status:503"}}),
}
# About five minutes in which whoever has just arrived sees notes go all the way.
NOTES_BEFORE_A_SPELL = 60
NEEDS_A_RECORDING = frozenset({SILENCE, "unreadable"})
# What a visitor is to see within two minutes: one note of every kind, from coaches of every trust.
BEGINNING: Sequence[tuple[str, str, str]] = (
    ("101", "", "Róisín O'Brien was four out of five on the passing drill. Clíodhna Walsh was excellent all evening."),
    ("102", "", "Eoin Murphy was excellent all evening. Murphy missed two tackles early on but never stopped working."),
    ("203", "", "Vítor Almeida picked up a knock on the left ankle and had to come off."),
    ("302", "unreadable", "Étienne Rousseau was outstanding, the best on the pitch by a distance."),
    ("201", SILENCE, ""),
    ("304", "filtered", "Oscar Nyström argued with the referee and should know better."),
)


@dataclass(frozen=True)
class Note:
    """What is sent next, after a pause; with what the simulated AI service is told before it."""

    pause_seconds: float
    sender: Sender
    channel: SourceChannel
    script: str
    trouble: str = ""


def notes_to_send(choose: Random, senders: Sequence[Sender]) -> Iterator[Note]:
    """Notes without end: a beginning that shows everything, then one every few seconds, and a burst now and then."""
    by_phone = {sender.coach.phone: sender for sender in senders}
    for number, trouble, script in BEGINNING:
        if sender := by_phone.get(f"{NOBODYS_PHONE}{number}"):
            yield _beginning(choose, sender, trouble, script)
    left_of_burst = 0
    for sent in itertools.count():
        if not left_of_burst and choose.random() < BURST_SHARE:
            left_of_burst = choose.randint(*BURST_OF)
        pause = choose.uniform(*(BURST_PAUSE_SECONDS if left_of_burst else PAUSE_SECONDS))
        left_of_burst = max(0, left_of_burst - 1)
        note = _note(choose, choose.choice(senders), pause)
        early = note.trouble == SPELL and sent < NOTES_BEFORE_A_SPELL
        yield replace(note, trouble="") if early else note


def _beginning(choose: Random, sender: Sender, trouble: str, script: str) -> Note:
    """With a closing word of chance, or the second start of a demo would send what is known."""
    more = choose.choice(scripts.ABOUT_EVERYBODY[:8]) if script else ""
    count = choose.choice(range(11, 30))
    script = f"{script} {more} We were {count} tonight." if script else ""
    return Note(choose.uniform(*BURST_PAUSE_SECONDS), sender, SourceChannel.WHATSAPP_AUDIO, script, trouble)


def _note(choose: Random, sender: Sender, pause: float) -> Note:
    shares = [share for share, _ in TROUBLES.values()]
    trouble = choose.choices(["", *TROUBLES], [1_000 - sum(shares), *shares])[0]
    channel = choose_channel(choose, may_be_typed=trouble not in NEEDS_A_RECORDING)
    script = choose.choice(scripts.ACCIDENTS) if trouble == SILENCE else sender.speaks(choose)
    return Note(pause, sender, channel, script, trouble)


class Traffic:
    """Sends until it is told to stop."""

    def __init__(self, choose: Random, stop: threading.Event) -> None:
        self.choose = choose
        self.stop = stop
        self.day = timezone.now().date()
        self.sent_today = _sent_since_midnight(timezone.now())

    def run(self) -> None:
        """Send notes, each after its pause; a database that is away is waited for."""
        for number, note in enumerate(self._notes()):
            if self.stop.wait(note.pause_seconds * (SLOWER_BY if self.sent_today >= SLOWER_FROM else 1)):
                return
            self._wait_for_room()
            if self.stop.is_set():
                return
            self._send_and_count(number, note)

    def _notes(self) -> Iterator[Note]:
        """With rosters read afresh now and then: people may change them while the demo runs."""
        notes: Iterator[Note] = iter(())
        for number in itertools.count():
            if number % ROSTERS_READ_EVERY == 0:
                senders = [sender for club in read_clubs() for sender in club.senders]
                if not senders:
                    logger.warning("no coach of the demo is left to send voice notes")
                    return
                beginning = notes_to_send(self.choose, senders)
                notes = beginning if number == 0 else itertools.islice(beginning, len(BEGINNING), None)
            yield next(notes)

    def _send_and_count(self, number: int, note: Note) -> None:
        try:
            send(self.choose, note)
        except (OperationalError, InterfaceError):
            logger.warning("the database is away: the demo's voice notes wait for it")
            connection.close()
            self.stop.wait(DATABASE_PAUSE_SECONDS)
            return
        self.sent_today += 1
        if number % ROSTERS_READ_EVERY == 0:
            logger.info("demo voice notes are being sent", extra={"sent_today": self.sent_today, "most": MOST_A_DAY})

    def _wait_for_room(self) -> None:
        """Until tomorrow when today has had enough, and until the pipeline has worked off what it has."""
        told = False
        while not self.stop.is_set() and (reason := self._no_room()):
            if not told:
                logger.info(reason)
                told = True
            self.stop.wait(DATABASE_PAUSE_SECONDS)

    def _no_room(self) -> str:
        today = timezone.now().date()
        if today != self.day:
            self.day, self.sent_today = today, 0
        if self.sent_today >= MOST_A_DAY:
            return f"{MOST_A_DAY:,} demo voice notes today are enough; more are sent after midnight (UTC)"
        try:
            under_way = Artifact.objects.active()[: MOST_UNDER_WAY + 1].count()
        except (OperationalError, InterfaceError):
            connection.close()
            return "the database is away: the demo's voice notes wait for it"
        if under_way > MOST_UNDER_WAY:
            return f"more than {MOST_UNDER_WAY} voice notes are on their way: no demo notes until there are fewer"
        return ""


def _sent_since_midnight(now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Artifact.objects.filter(received_at__gte=midnight, sender__phone__startswith=NOBODYS_PHONE).count()


def send(choose: Random, note: Note) -> Received:
    """Have this note go wrong, if it is to, and hand it in."""
    if wishes := TROUBLES.get(note.trouble, (0, {}))[1]:
        tell_simulator(wishes)
    if note.channel in TYPED:
        return receive_voice_note(
            source_channel=note.channel, audio=None, text=note.script, sender=note.sender.coach, organization=None
        )
    recording = record(choose, note.script, wav_share=WAV_SHARE)
    return receive_voice_note(
        source_channel=note.channel,
        audio=io.BytesIO(recording.content),
        filename=f"recording.{recording.extension}",
        sender=note.sender.coach,
        organization=None,
    )


def tell_simulator(wishes: Mapping[str, Any]) -> None:
    """Change what the simulated AI service does wrong; one that does not answer does enough wrong already."""
    # settings.AI_SIMULATED means that this address is one of this machine.
    request = urllib.request.Request(  # noqa: S310
        f"{settings.OPENAI_BASE_URL.removesuffix('/v1')}/_control",
        data=json.dumps(wishes).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=SIMULATOR_ANSWERS_WITHIN).close()  # noqa: S310
    except (OSError, urllib.error.URLError):
        logger.warning("the simulated AI service did not take a change of plan")
