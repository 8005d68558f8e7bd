"""The steps that transactions of the engine are made of; each expects the artifact's lock to be held."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Max

from voicepipeline.engine import doorbell
from voicepipeline.events import NewEvent, log_events, stable_event_id
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.signals import stage_run_finished
from voicepipeline.stages import Stage


@dataclass
class Change:
    """One artifact under its lock, the moment, and what will be said about it when the change is flushed."""

    artifact: Artifact
    now: datetime
    events: list[NewEvent] = field(default_factory=list)

    def say(self, event_type: str, *, of: object, **fields: Any) -> None:
        """Note an event; `of` names the fact, so that the same fact is written once."""
        event_id = stable_event_id(of, event_type)
        self.events.append(NewEvent(event_type=event_type, artifact=self.artifact, event_id=event_id, **fields))

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A savepoint: when it is rolled back, what was said inside it is unsaid, and the artifact is as it was."""
        said = len(self.events)
        try:
            with transaction.atomic():
                yield
        except (OperationalError, InterfaceError):
            raise  # the whole transaction is over, or begins again
        except Exception:
            del self.events[said:]
            self.artifact.refresh_from_db()
            raise

    def flush(self, *, strict: bool = False) -> None:
        """Write the events, last before the commit; with `strict` a transaction whose events are refused is undone."""
        log_events(self.events, strict=strict)


@dataclass(frozen=True)
class Budgets:
    """What a run may still lose to faults, and whose request it serves; handed on to its successors."""

    origin: uuid.UUID = field(default_factory=uuid.uuid4)
    requested_by_id: int | None = None
    transient_no: int = 0
    crash_no: int = 0
    provider_failed_at: datetime | None = None


def fact(run: StageRun) -> str:
    """What names a claim of a run in its events."""
    return f"run/{run.pk}/{run.lease_token}"


def move_artifact(change: Change, *, of: object, **values: Any) -> None:
    """Write these fields of the artifact, and say so when its status is among them and differs.

    Without any field it says that something has happened to the note; with fields that it has already, nothing has.
    """
    artifact = change.artifact
    before = artifact.status
    if values and all(getattr(artifact, name) == value for name, value in values.items()):
        return
    for name, value in values.items():
        setattr(artifact, name, value)
    artifact.updated_at = change.now
    Artifact.objects.filter(pk=artifact.pk).update(**values, updated_at=change.now)
    if artifact.status != before:
        change.say(
            EventType.ARTIFACT_STATUS_CHANGED,
            of=f"{of}/{before}/{artifact.status}",
            stage=artifact.current_stage,
            previous_status=before,
            new_status=artifact.status,
        )


def insert_run(
    change: Change,
    stage: Stage,
    budgets: Budgets,
    *,
    not_before: datetime | None = None,
    queued_at: datetime | None = None,
) -> StageRun:
    """Add a run to the queue and ring for it when it is due and the queue is short."""
    artifact = change.artifact
    ring_now = not_before is None and doorbell.may_ring_directly()
    earlier = StageRun.objects.filter(artifact=artifact, stage=stage.name, generation=artifact.generation)
    run = StageRun.objects.create(
        artifact=artifact,
        stage=stage.name,
        generation=artifact.generation,
        attempt=(earlier.aggregate(last=Max("attempt"))["last"] or 0) + 1,
        origin=budgets.origin,
        requested_by_id=budgets.requested_by_id,
        transient_no=budgets.transient_no,
        crash_no=budgets.crash_no,
        provider_failed_at=budgets.provider_failed_at,
        queued_at=queued_at or change.now,
        not_before=not_before or change.now,
        rung_at=change.now if ring_now else None,
        ring_count=int(ring_now),
    )
    if ring_now:
        doorbell.ring_on_commit(doorbell.Doorbell(run.pk, stage.name, artifact.pk, artifact.voice_note_id))
    return run


def fail_artifact(change: Change, stage: str, *, of: str, code: str, message: str, fingerprint: str) -> None:
    """End the note's way: it has failed at this stage, and a person has to decide."""
    move_artifact(
        change,
        of=of,
        status=Artifact.Status.FAILED,
        current_stage=stage,
        failed_stage=stage,
        error_code=code,
        error_message=message,
        fingerprint=fingerprint,
    )
    change.say(
        EventType.ARTIFACT_FAILED,
        of=of,
        stage=stage,
        error_code=code,
        error_message=message,
        new_status=Artifact.Status.FAILED,
        metadata={"generation": change.artifact.generation, "source_channel": change.artifact.source_channel},
    )


def announce_end(change: Change, run: StageRun, *, terminal: bool) -> None:
    """Tell the other apps that a run has ended; what they have to say is flushed with our own."""
    stage_run_finished.send(sender=None, run=run, terminal=terminal, change=change)


CLEAN = {"failed_stage": "", "error_code": "", "error_message": "", "fingerprint": ""}
"""The fields of an artifact that is not failed."""
