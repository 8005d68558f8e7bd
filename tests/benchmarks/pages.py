"""Pages over a million notes: how many queries each makes, and how long the server takes."""

import statistics
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from metrics.links import NO_CLUB, counter_link, ended_runs_link, notes_link
from metrics.models import CounterType
from tests.benchmarks.catching_up import catching_up_rows
from tests.benchmarks.loader import NOTES, load
from tests.benchmarks.review_pages import KeyedClient, api_addresses, review_addresses
from tests.benchmarks.reviewing import PENDING_ENTRIES, QUESTIONS, READINGS, load_review
from tests.benchmarks.surroundings import Table
from tests.factories import make_user
from voicepipeline.models import Artifact, Organization, VoiceNote

ROUNDS = 20
TARGET_MS = 100
# A page is asked once as somebody opens it first, so what is read is recorded among these, too.
MOST_QUERIES = 10
# Pages that tell more, by the beginning of their names.
MORE_QUERIES = {
    "one voice note": 22,
    "one question": 22,
    "one answer": 22,
    "queue": 12,
    "names to check": 16,
    "answered lately": 16,
    "entries": 20,
    "many entries": 15,
}
PLAIN_STATIC_FILES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def measure(table: Table) -> None:
    table.heading(f"{NOTES:,} notes, {NOTES * 4:,} runs, {NOTES * 5:,} events")
    table.row("made by the loader in", f"{load():.0f} s")
    person, club = make_user("Administrator"), Organization.objects.order_by("id").first()
    assert club is not None
    table.row("what people have to look at in", f"{load_review(person.pk, club.pk):.0f} s")
    client = Client()
    client.force_login(person)
    with override_settings(STORAGES=PLAIN_STATIC_FILES, ALLOWED_HOSTS=["*"]):
        table.heading(f"Pages: queries, and p50 / p95 of {ROUNDS} requests (target p95 < {TARGET_MS} ms)")
        too_many = show(table, client, addresses().items())
        table.heading("Lists to which figures lead")
        too_many += show(table, client, addresses_of_figures())
        table.heading(f"Review: {QUESTIONS:,} open questions, {PENDING_ENTRIES:,} entries, {READINGS:,} readings")
        too_many += show(table, client, review_addresses())
        too_many += show(table, KeyedClient(club), api_addresses(club))
    catching_up_rows(table)
    assert not too_many, f"These pages make more queries than they may: {'; '.join(too_many)}"


def show(table: Table, client: Client, addresses: Iterable[tuple[str, str]]) -> list[str]:
    """Every page is shown; those that make more queries than they may are returned."""
    too_many = []
    for name, address in addresses:
        queries, times = ask(client, address)
        p95 = statistics.quantiles(times, n=20)[18]
        table.row(name, f"{statistics.median(times):.0f} / {p95:.0f} ms", f"{queries} queries")
        if queries > (most := most_queries(name)):
            too_many.append(f"{name} makes {queries}, at most {most}")
    return too_many


def most_queries(name: str) -> int:
    return next((most for beginning, most in MORE_QUERIES.items() if name.startswith(beginning)), MOST_QUERIES)


def addresses() -> dict[str, str]:
    """What staff open: the lists plain, filtered and deep, and one note."""
    artifact = Artifact.objects.filter(status="failed").order_by("-id").first()
    note = VoiceNote.objects.order_by("-id").first()
    club = Organization.objects.order_by("id").last()
    assert artifact is not None
    assert note is not None
    assert club is not None
    notes, events, runs = (
        reverse(f"admin:voicepipeline_{model}_changelist") for model in ("artifact", "pipelineevent", "stagerun")
    )
    return {
        "voice notes": notes,
        "voice notes, failed": f"{notes}?status=failed",
        "voice notes on their way": f"{notes}?status=active",
        "voice notes without progress": f"{notes}?status=stalled",
        "voice notes on hold": f"{notes}?status=on_hold",
        "voice notes closed": f"{notes}?status=closed",
        "voice notes in a stage": f"{notes}?stage=claims_extraction",
        "voice notes by source": f"{notes}?source_channel__exact=voicemail",
        "voice notes of a club": f"{notes}?club={club.pk}",
        "failed voice notes of a club": f"{notes}?status=failed&club={club.pk}",
        "voice notes, page 90": f"{notes}?p=90",
        "voice notes, found by id": f"{notes}?q={artifact.artifact_id}",
        "voice notes, found by message id": f"{notes}?q={note.channel_message_id}",
        "one voice note": reverse("admin:voicepipeline_artifact_change", args=[artifact.pk]),
        "events": events,
        "events, errors only, last hour": f"{events}?errors=only&since=1h",
        "events of a club": f"{events}?club={club.pk}",
        "events of a voice note": f"{events}?q={artifact.artifact_id}",
        "events of a type": f"{events}?event_type__exact=claims_extracted",
        "events, page 90": f"{events}?p=90",
        "stage runs": runs,
        "stage runs of a voice note": f"{runs}?q={artifact.artifact_id}",
        "queue": reverse("admin:voicepipeline_clusterbeat_changelist"),
        "stage runs, failed": f"{runs}?status__exact=failed",
    }


def addresses_of_figures() -> Iterator[tuple[str, str]]:
    """The rows of a day, and of a week in which a club's figure lies further back than events do."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    day, week, month = now - timedelta(days=1), now - timedelta(days=7), now - timedelta(days=30)
    club = Organization.objects.order_by("id").last()
    assert club is not None
    yield "voice notes received in a week", notes_link(week, now).url
    yield "voice notes received in a month, of a club", notes_link(month, now, club=club.pk).url
    yield "voice notes ready in a week", notes_link(week, now, ready=True).url
    yield "voice notes ready in a month, of a club", notes_link(month, now, ready=True, club=club.pk).url
    yield "voice notes ready in a month, without a club", notes_link(month, now, ready=True, club=NO_CLUB).url
    yield "voice notes ready in a week, by source", notes_link(week, now, ready=True, channel="voicemail").url
    yield "last tries of a week", ended_runs_link(week, now).url
    yield (
        "last tries of a month at a stage, of a club",
        ended_runs_link(month, now, stage="claims_extraction", club=club.pk).url,
    )
    for counter in (CounterType.ARTIFACTS_COMPLETED, CounterType.FAILURES, CounterType.AI_COST):
        yield f"events of a day: {counter.label.lower()}", counter_link(counter, day, now).url
        yield f"events of a day and a club: {counter.label.lower()}", counter_link(counter, day, now, club=club.pk).url


def ask(client: Client, address: str) -> tuple[int, list[float]]:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    queries = len(captured)  # now: the next request empties the list it counts
    assert response.status_code == 200, f"{address} answered {response.status_code}"
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - started) * 1000)
    return queries, times
