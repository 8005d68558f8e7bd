"""Notes in the engine's hands, and the small steps that tests of it are made of."""

import json
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from voicepipeline.engine.claiming import Claim, claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.releasing import release
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.models import Artifact, PipelineEvent, SourceChannel, StageName, StageRun, VoiceNote


def make_artifact(**script: list[str]) -> Artifact:
    """A received note whose stages go as this script says."""
    note = VoiceNote.objects.create(source_channel=SourceChannel.APP_TYPED, text=json.dumps(script))
    return Artifact.objects.create(voice_note=note, source_channel=note.source_channel)


def scheduled(artifact: Artifact, stage: str = StageName.TRANSCRIPTION) -> StageRun:
    scheduling = schedule_stage(artifact.pk, StageName(stage))
    assert scheduling.run is not None, scheduling.refusal
    return scheduling.run


def claimed(artifact: Artifact) -> Claim:
    taken = claim(active_run(artifact).pk, worker="test:1:1")
    assert taken is not None
    return taken


def active_run(artifact: Artifact) -> StageRun:
    return StageRun.objects.get(artifact=artifact, status__in=StageRun.ACTIVE)


def make_due(artifact: Artifact) -> None:
    """As if the pause before the next try had passed, and the watchdog had let go what was on hold."""
    for run in StageRun.objects.filter(artifact=artifact, status="queued"):
        release(run.pk, artifact.pk)
    StageRun.objects.filter(artifact=artifact, status="queued").update(not_before=past())


def past(seconds: float = 1) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def run_to_the_end(artifact: Artifact, most: int = 40) -> Artifact:
    """Answer whatever is due, with no pauses, until the note has reached an end."""
    for _ in range(most):
        run = StageRun.objects.filter(artifact=artifact, status="queued").first()
        if run is None:
            break
        make_due(artifact)
        perform(run.pk)
    artifact.refresh_from_db()
    return artifact


def events_of(artifact: Artifact) -> list[str]:
    return list(PipelineEvent.objects.filter(artifact=artifact).order_by("id").values_list("event_type", flat=True))


def doorbells() -> list[tuple[str, tuple[int, ...]]]:
    """The queued tasks as (function, arguments), oldest first."""
    packages = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("id")]
    return [(package["func"], package["args"]) for package in packages]


def results(artifact: Artifact) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT stage FROM tests_stageresult WHERE artifact_id = %s ORDER BY id", [artifact.pk])
        return [stage for (stage,) in cursor.fetchall()]


def write_unguarded(model: type[Model], pk: int, **values: object) -> None:
    """Put a row into a state that nothing leads to, with the database's guards off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        model.objects.filter(pk=pk).update(**values)
        cursor.execute("SET LOCAL session_replication_role = origin")
