"""Voice notes that fail with problems, as the engine says it."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from retry.models import FailureGroup
from tests.engine.helpers import write_unguarded
from tests.factories import make_event
from tests.retry.factories import STATEMENTS, make_failed
from voicepipeline.models import Artifact, EventType, StageRun

HOUR = timedelta(hours=1)


def fail(stage=STATEMENTS, *, at=None, **fields):
    """A voice note that has just failed."""
    note = make_failed(stage, **fields)
    make_event(note, EventType.ARTIFACT_FAILED, timestamp=at)
    return note


def fail_again(note, *, at=None):
    make_event(note, EventType.ARTIFACT_FAILED, timestamp=at)
    return group_of(note)


def group_of(note):
    return FailureGroup.objects.get(fingerprint=note.fingerprint)


def make_notes_of(group, number, **fields):
    """As many more notes that fail with this problem now, without their runs: for lists that are long."""
    like = group.example
    return Artifact.objects.bulk_create(
        Artifact(
            source_channel=like.source_channel,
            organization=fields.get("organization", like.organization),
            sender=fields.get("sender"),
            status=Artifact.Status.FAILED,
            failed_stage=like.failed_stage,
            error_code=like.error_code,
            error_message=like.error_message,
            fingerprint=like.fingerprint,
        )
        for _ in range(number)
    )


def make_problems(number, **fields):
    """So many problems of one voice note each."""
    return [fail(message=f"Problem {letters(each)}.", **fields) for each in range(number)]


def letters(number):
    """A word that no other number has, without a digit: a message that differs in numbers alone is the same problem."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def ended_at(note, moment):
    """As if the try that ended this note had done so then."""
    with transaction.atomic():
        write_unguarded(StageRun, note.runs.get(terminal=True).pk, finished_at=moment)


def in_an_hour():
    return timezone.now() + HOUR
