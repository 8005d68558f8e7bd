"""The overview over a million notes while others write: how many queries it makes, and how long the server takes."""

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from retry.models import FailureGroup
from tests.benchmarks.history_loader import CLUBS, load_history
from tests.benchmarks.loader import NOTES, load
from tests.benchmarks.pages import PLAIN_STATIC_FILES, ask
from tests.benchmarks.reviewing import load_review
from tests.benchmarks.surroundings import Table
from tests.factories import make_user
from voicepipeline.events import log_event
from voicepipeline.models import Artifact, EventType, Organization, User

MOST_QUERIES = 15
WRITERS = 2
WRITER_PAUSE_SECONDS = 0.02
PAGE_TARGET_MS, POLL_TARGET_MS = 150, 50


def measure(table: Table) -> None:
    person = load_installation(table)
    client = Client()
    client.force_login(person)
    page, poll, pipeline = map(reverse, ("admin:index", "admin:overview_live", "admin:pipeline"))
    shared = settings.OVERVIEW_SHARED_SECONDS
    rows = [
        (f"the page (target {PAGE_TARGET_MS} ms)", page, 0),
        (f"a poll (target {POLL_TARGET_MS} ms)", poll, 0),
        ("polls that share what one of them has found", poll, shared),
        ("the page Pipeline", pipeline, 0),
    ]
    with override_settings(STORAGES=PLAIN_STATIC_FILES, ALLOWED_HOSTS=["*"]), writing():
        for name, address, seconds in rows:
            with override_settings(OVERVIEW_SHARED_SECONDS=seconds):
                queries, times = ask(client, address)
            p95 = statistics.quantiles(times, n=20)[18]
            table.row(f"{name}, p50 / p95", f"{statistics.median(times):.0f} / {p95:.0f} ms", f"{queries} queries")
            assert queries <= MOST_QUERIES or address == pipeline, f"{name} makes {queries} queries"


def load_installation(table: Table) -> User:
    """What is there of it already is not loaded again; one of its administrators."""
    table.heading(f"Overview: {NOTES:,} notes, {NOTES * 5:,} events, history of {CLUBS} clubs, {WRITERS} writers")
    if Artifact.objects.count() < NOTES:
        table.row("made by the loader in", f"{load():.0f} s")
    load_problems()
    if not Organization.objects.filter(slug__startswith="club-of-history").exists():
        table.row("its history in", f"{load_history(timezone.now()):.0f} s")
    person, club = make_user("Administrator"), Organization.objects.order_by("id").first()
    assert club is not None
    if not User.objects.filter(username="reader1").exists():
        table.row("what people have to look at in", f"{load_review(person.pk, club.pk):.0f} s")
    return person


def load_problems() -> None:
    """The problems that the loader's failed notes have."""
    failed = Artifact.objects.failed().filter(fingerprint__startswith="fingerprint").order_by()
    alike = failed.values("fingerprint", "failed_stage", "error_code", "error_message")
    figures = {"failures": Count("pk"), "first_seen_at": Min("received_at"), "last_seen_at": Max("received_at")}
    FailureGroup.objects.bulk_create(
        (
            FailureGroup(stage=row.pop("failed_stage"), example_id=row.pop("example"), **row)
            for row in alike.annotate(**figures, example=Max("pk"))
        ),
        ignore_conflicts=True,
    )


@contextmanager
def writing() -> Iterator[None]:
    """Others log what happens, as workers do, until it has been measured."""
    over = threading.Event()
    notes = list(Artifact.objects.select_related("organization").order_by("-id")[:100])

    def write(place: int) -> None:
        number = place
        while not over.wait(WRITER_PAUSE_SECONDS):
            log_event(EventType.CLAIMS_EXTRACTED, notes[number % len(notes)], metadata={"claim_count": 3})
            number += WRITERS
        connection.close()

    writers = [threading.Thread(target=write, args=(place,)) for place in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield
    finally:
        over.set()
        for writer in writers:
            writer.join()
