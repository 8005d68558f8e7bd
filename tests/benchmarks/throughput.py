"""Whole notes through all four stages, by a real cluster and watchdog, while every call to the provider takes a second.

The ideal is a worker that does nothing but wait for the provider: workers divided by a note's provider seconds.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO

import psutil
from django.core.files.base import File
from django.db import connection
from django.db.models import Max, Min, QuerySet, Sum

from tests.benchmarks.cluster import WORKERS, cluster, memory_rows, wait_until
from tests.benchmarks.surroundings import CHECKOUT, Table
from tests.factories import make_club, make_coach, make_player, make_team
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.models import Artifact, Coach, SourceChannel, StageName, StageRun, VoiceNote
from voicepipeline.simulator.audio import make_wav

NOTES = 640
PROVIDER_LATENCY_SECONDS = 1
CALLS_A_NOTE = 2
SCRIPT = (
    "Good session tonight. Niamh Kelly was excellent and her first touch has improved. "
    "Cian Murphy missed two tackles early on. The backs were far too deep all evening."
)


def measure(table: Table) -> None:
    ideal = WORKERS / (CALLS_A_NOTE * PROVIDER_LATENCY_SECONDS)
    table.heading(f"{NOTES} recordings, {WORKERS} workers, the provider takes {PROVIDER_LATENCY_SECONDS} s a call")
    counted = Worked(waiting_notes(), table)
    table.row("ideal, notes a second", f"{ideal:.1f}", "1.00")
    table.row("completed, notes a second", f"{counted.rate:.1f}", f"{counted.rate / ideal:.2f}")
    table.row("time of the AI service a note", f"{counted.provider_ms / NOTES:.0f} ms")
    table.row("notes that failed", str(counted.failed))
    with events_uncounted():
        plain = Worked(waiting_notes())
    table.row("the same without live figures, notes a second", f"{plain.rate:.1f}", "1.00")
    table.row("with live figures, notes a second", f"{counted.rate:.1f}", f"{counted.rate / plain.rate:.2f}")


class Worked:
    """These notes' way through a cluster that is started for them, and how long it took."""

    def __init__(self, notes: QuerySet[Artifact], table: Table | None = None) -> None:
        with simulated_provider() as base_url, watchdog(), working_on_real_stages(base_url) as parent:
            wait_for(lambda: notes.filter(status=Artifact.Status.COMPLETED).count() >= NOTES // 2)
            if table:
                memory_rows(table, parent)
            wait_for(lambda: not notes.exclude(status__in=Artifact.ENDS).exists())
        runs = StageRun.objects.filter(artifact__in=notes)
        span = runs.aggregate(first=Min("started_at"), last=Max("finished_at"))
        completed = notes.filter(status=Artifact.Status.COMPLETED).count()
        self.rate: float = completed / (span["last"] - span["first"]).total_seconds()
        self.provider_ms: int = runs.aggregate(total=Sum("provider_ms"))["total"]
        self.failed: int = notes.filter(status=Artifact.Status.FAILED).count()


@contextlib.contextmanager
def events_uncounted() -> Iterator[None]:
    """With the log's triggers off, as if there were no figures at all."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voicepipeline_pipelineevent DISABLE TRIGGER USER")
        yield
        cursor.execute("ALTER TABLE voicepipeline_pipelineevent ENABLE TRIGGER USER")


def wait_for(condition) -> None:
    """Looking costs the machine that is measured."""
    wait_until(condition, within_seconds=300, look_every=1)


def waiting_notes() -> QuerySet[Artifact]:
    """Recordings of one coach, received and queued before anybody works."""
    coach = roster()
    artifacts = [waiting_note(coach, number) for number in range(NOTES)]
    return Artifact.objects.filter(pk__in=[artifact.pk for artifact in artifacts])


def waiting_note(coach: Coach, number: int) -> Artifact:
    audio = make_wav(f"{SCRIPT} That was evening number {number}.", 4)
    note = VoiceNote(source_channel=SourceChannel.APP_RECORDED, size_bytes=len(audio), mime_type="audio/wav")
    note.audio.save("evening.wav", File(BytesIO(audio)), save=False)
    note.save()
    artifact = Artifact.objects.create(
        voice_note=note, source_channel=note.source_channel, sender=coach, organization=coach.organization
    )
    schedule_stage(artifact.pk, StageName.TRANSCRIPTION)
    return artifact


def roster() -> Coach:
    club = make_club()
    team = make_team(organization=club)
    for first_name, last_name in (("Niamh", "Kelly"), ("Cian", "Murphy"), ("Aoife", "Walsh"), ("Conor", "Byrne")):
        make_player(organization=club, team=team, first_name=first_name, last_name=last_name)
    coach = make_coach(organization=club)
    coach.teams.add(team)
    return coach


def working_on_real_stages(base_url: str) -> contextlib.AbstractContextManager[psutil.Process]:
    return cluster(STAGE_CODE="{}", OPENAI_BASE_URL=base_url, OPENAI_API_KEY="")


@contextlib.contextmanager
def simulated_provider() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    latency = str(PROVIDER_LATENCY_SECONDS)
    with running("simulate_provider", "--port", str(port), "--latency", latency):
        yield f"http://127.0.0.1:{port}/v1"


def watchdog() -> contextlib.AbstractContextManager[None]:
    return running("pipeline_watchdog")


@contextlib.contextmanager
def running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=CHECKOUT,
        env={**os.environ, "WORKERS": str(WORKERS)},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)
