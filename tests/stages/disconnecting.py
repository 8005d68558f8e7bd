"""A first stage that loses its database connection while it reads its input, the first time."""

from django.db import connection

from tests.stages.scripted import Given, scripted
from voicepipeline.models import Artifact

_, work, store, remove = scripted("transcription")


def load(artifact: Artifact) -> Given:
    run = artifact.runs.get(status="running")
    if run.lease_token == 1:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return Given("transcription", "ok", run.pk, run.lease_token)
