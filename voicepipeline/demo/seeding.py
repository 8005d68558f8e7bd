"""The demo's clubs with a week of history, written in one transaction: all of it is there, or nothing is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction

from voicepipeline.ai.endpoint import configured_endpoint
from voicepipeline.demo import clubs, fates
from voicepipeline.demo.history import OUTAGE_FAULT, Outage, Story, Writer
from voicepipeline.demo.people import People
from voicepipeline.demo.results import Surroundings
from voicepipeline.demo.rhythm import moments
from voicepipeline.demo.telling import events_of, events_of_outage, events_of_people
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import (
    Artifact,
    Claim,
    EntityResolution,
    EntryDecision,
    InsightDraft,
    NameChoice,
    NoteDecision,
    PlayerAlias,
    StageRun,
    Transcript,
    User,
    VoiceNote,
)
from voicepipeline.operations.first_run import DEMO_ACCOUNTS
from voicepipeline.operations.prices import add_default_prices, prices_on
from voicepipeline.roles import VIEWER

SEED = 20_261
NOTES = 400
# A day more than the lifetime of suggested entries, so that some have expired.
HISTORY = timedelta(days=8)
# The last notes are done when the demo begins.
UNTIL_BEFORE = timedelta(minutes=4)
# In the evening before, when coaches are about.
OUTAGE_HOUR, OUTAGE_MINUTE = 19, 40
NOTES_IN_OUTAGE = 7
EVENTS_A_STATEMENT = 500
# One seeds, whoever else wants to waits, and then finds everything there.
LOCK = 7_310_260_130


@dataclass(frozen=True)
class Seeded:
    """What was written; nothing when the demo was there already."""

    notes: int = 0
    rows: int = 0
    audio_bytes: int = 0

    @property
    def in_words(self) -> str:
        if not self.notes:
            return "The demo's clubs and their history are there already."
        megabytes = self.audio_bytes / 1_000_000
        return f"Made the demo's clubs and a week of {self.notes} voice notes: {self.rows:,} rows, {megabytes:.1f} MB."


@transaction.atomic(durable=True)
def seed(*, now: datetime, notes: int = NOTES) -> Seeded:
    """Write clubs and history unless they are there; refuses a database with somebody's own clubs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    clubs.refuse_own_data()
    if clubs.are_there():
        return Seeded()
    clubs.add_clubs()
    add_default_prices()
    writer, outage = _writer(now)
    stories = _stories(writer, outage, now, notes)
    kept = _keep_recordings(stories)
    rows = _save(stories, writer.people)
    return Seeded(len(stories), rows + _log(stories, outage), kept)


def _writer(now: datetime) -> tuple[Writer, Outage]:
    choose = Random(SEED)  # noqa: S311 — chance, not secrecy
    addresses = [account.email for account in DEMO_ACCOUNTS if account.role != VIEWER]
    staff = list(User.objects.filter(email__in=addresses).order_by("username"))
    outage = Outage((now - timedelta(days=1)).replace(hour=OUTAGE_HOUR, minute=OUTAGE_MINUTE))
    writer = Writer(
        choose,
        [Surroundings.of(club) for club in clubs.read_clubs()],
        configured_endpoint(),
        prices_on(now.date()),
        outage,
        People(Random(SEED), staff, now),  # noqa: S311
    )
    return writer, outage


def _stories(writer: Writer, outage: Outage, now: datetime, count: int) -> list[Story]:
    in_outage = min(NOTES_IN_OUTAGE, count)
    when = moments(writer.choose, since=now - HISTORY, until=now - UNTIL_BEFORE, count=count - in_outage)
    when += moments(writer.choose, since=outage.starts_at, until=outage.ends_at, count=in_outage)
    return [
        writer.write(fate, moment) for fate, moment in zip(fates.draw(writer.choose, count), sorted(when), strict=True)
    ]


def _keep_recordings(stories: list[Story]) -> int:
    kept = 0
    for story in stories:
        if story.recording is not None:
            name = str(story.note.audio.name)
            if not default_storage.exists(name):  # left by a run that broke off
                default_storage.save(name, ContentFile(story.recording.content))
            kept += len(story.recording.content)
    return kept


def _save(stories: list[Story], people: People) -> int:
    """Everything but the events, parents first; the runs in the order in which they were queued."""
    runs = sorted((each.run for story in stories for each in story.timeline.tries), key=lambda run: run.queued_at)
    results = [story.results for story in stories]
    batches: list[tuple[type[models.Model], Iterable[models.Model]]] = [
        (VoiceNote, (story.note for story in stories)),
        (Artifact, (story.artifact for story in stories)),
        (StageRun, runs),
        (Transcript, (each.transcript for each in results if each.transcript)),
        (Claim, (claim for each in results for claim in each.claims)),
        (PlayerAlias, people.aliases),
        (NameChoice, (choice for each in results for choice in each.choices)),
        (EntityResolution, (row for each in results for row in each.resolutions)),
        (InsightDraft, (draft for each in results for draft in each.drafts)),
        (EntryDecision, (row for each in results for row in each.decisions)),
        (NoteDecision, people.closings),
    ]
    return sum(len(model._default_manager.bulk_create(rows)) for model, rows in batches)


def _log(stories: list[Story], outage: Outage) -> int:
    """As far back as the notes: the figures of the week are counted from these, before retention takes the old ones."""
    events = [event for story in stories for event in events_of(story.artifact, story.timeline.tries)]
    events += [event for story in stories for event in events_of_people(story.artifact, story.results)]
    events += events_of_outage(outage.starts_at, outage.ends_at, OUTAGE_FAULT)
    events.sort(key=_when)
    return sum(log_events(events[at : at + EVENTS_A_STATEMENT]) for at in range(0, len(events), EVENTS_A_STATEMENT))


def _when(event: NewEvent) -> datetime:
    assert event.timestamp is not None  # noqa: S101 — every event of the history says when it was
    return event.timestamp
