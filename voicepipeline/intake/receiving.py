"""The one way in: whatever a coach has sent becomes a voice note here, or is refused in plain words."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO

from django.db import IntegrityError, InterfaceError, OperationalError

from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.changes import Change
from voicepipeline.engine.scheduling import schedule_locked
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.intake import storing
from voicepipeline.intake.recordings import Recording, RecordingRefused, examine, measure_duration
from voicepipeline.models import Artifact, Coach, EventType, Organization, SourceChannel, User, VoiceNote
from voicepipeline.stages import FIRST
from voicepipeline.text import safe_text

ADD_PERMISSION = "voicepipeline.add_artifact"
MAX_TEXT = 20_000
MAX_MESSAGE_ID = 200
# How sure the club is when somebody named it, and when it is only the one that the sender belongs to.
NAMED, SENDERS_OWN = 1.0, 0.9
REPEATS = frozenset({"message_once_a_channel", "recording_once_a_sender", "voicepipeline_artifact_artifact_id_key"})


class Result(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True)
class Received:
    """What became of something that was sent; for a duplicate the id is that of the note that was there before."""

    result: Result
    artifact_id: uuid.UUID | None
    code: str
    message: str

    @property
    def may_work_later(self) -> bool:
        """Whether the very same thing, sent again, may be accepted."""
        return self.code in ("broken_off", "not_stored")


@dataclass(frozen=True)
class Sending:
    """Who sends what, checked; what does not depend on the content."""

    channel: str
    message_id: str
    sender: Coach | None
    organization: Organization | None
    by: User | None
    received_at: datetime | None
    sender_address: str = ""
    # The note's id, when it was chosen before: then this may be the second time.
    chosen_id: uuid.UUID | None = None
    fresh_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def artifact_id(self) -> uuid.UUID:
        return self.chosen_id or self.fresh_id

    @property
    def club(self) -> Organization | None:
        return self.organization or (self.sender.organization if self.sender else None)

    @property
    def candidates(self) -> list[dict[str, Any]]:
        if self.club is None:
            return []
        confidence = NAMED if self.organization else SENDERS_OWN
        return [{"organization_id": self.club.pk, "confidence": confidence}]

    def duplicate_key(self, sha256: str) -> str:
        """The sender and the bytes; empty for an unknown sender, who may be anybody: better twice than lost."""
        if self.sender is None:
            return ""
        return hashlib.sha256(f"coach/{self.sender.pk}/{sha256}".encode()).hexdigest()


def receive_voice_note(
    *,
    source_channel: str,
    audio: BinaryIO | None,
    filename: str = "",
    text: str = "",
    sender: Coach | None,
    organization: Organization | None,
    channel_message_id: str = "",
    by: User | None = None,
    received_at: datetime | None = None,
    sender_address: str = "",
    artifact_id: uuid.UUID | None = None,
) -> Received:
    """Take in a recording or a typed note; once it is accepted, file and row are safe. Call it outside `atomic`.

    `artifact_id` makes it repeatable: sent again under the same id, it is the same note.
    """
    if by is not None:
        verify_platform_staff(by, ADD_PERMISSION)
    if source_channel not in SourceChannel.values:
        raise ValueError(f"There is no channel {source_channel!r}.")
    if audio is not None and text:
        raise ValueError("A voice note is a recording or typed text, not both.")
    sending = Sending(
        source_channel, channel_message_id, sender, organization, by, received_at, sender_address, artifact_id
    )
    try:
        _check_sending(sending)
        if audio is None:
            return _taken(sending, VoiceNote(text=_checked_text(text)))
        # Nothing is read of a message that is known.
        return _found(sending, "") or _receive_audio(sending, audio, filename)
    except RecordingRefused as refusal:
        return Received(Result.REFUSED, None, refusal.code, refusal.message)
    except storing.StorageRefused as refusal:
        return Received(Result.REFUSED, None, "not_stored", str(refusal))


def _check_sending(sending: Sending) -> None:
    message_id, sender, club = sending.message_id, sending.sender, sending.organization
    if len(message_id) > MAX_MESSAGE_ID or not message_id.isprintable():
        raise RecordingRefused(
            "unusable_message_id", f"A message id is at most {MAX_MESSAGE_ID} printable characters. Send another one."
        )
    if sender is not None and club is not None and sender.organization_id != club.pk:
        raise RecordingRefused(
            "coach_of_another_club", f"{sender} is not a coach of {club}. Choose the coach's own club."
        )


def _checked_text(text: str) -> str:
    text = safe_text(text, len(text)).strip()
    if not text:
        raise RecordingRefused("empty", "There is no recording and no text. Send a recording, or type the note.")
    if len(text) > MAX_TEXT:
        raise RecordingRefused(
            "too_long",
            f"The text has {len(text):,} characters; a typed note has at most {MAX_TEXT:,}. Send it in several parts.",
        )
    return text


def _receive_audio(sending: Sending, audio: BinaryIO, filename: str) -> Received:
    with storing.taken_in(audio) as incoming:
        recording, seconds = _examined(incoming, filename)
        note = VoiceNote(
            sha256=incoming.sha256,
            duplicate_key=sending.duplicate_key(incoming.sha256),
            mime_type=recording.mime_type,
            size_bytes=incoming.size,
            duration_seconds=seconds,
        )
        found = _found(sending, note.duplicate_key)
        if found is not None:
            return found
        note.audio.name = storing.keep(incoming, recording.extension)
    return _taken(sending, note)


def _examined(incoming: storing.Incoming, filename: str) -> tuple[Recording, Decimal | None]:
    """What it is and how long it plays; the second look refuses what is too short or too long."""
    recording = examine(incoming.head, size=incoming.size, name=filename, duration_seconds=None)
    seconds = measure_duration(incoming.path, recording.extension)
    return examine(incoming.head, size=incoming.size, name=filename, duration_seconds=seconds), seconds


def _taken(sending: Sending, note: VoiceNote) -> Received:
    """Write the rows; a file that no row will name is removed."""
    commit = _Commit()
    try:
        _write(sending, note, commit)
    except IntegrityError as error:
        _discard(note)
        found = _found(sending, note.duplicate_key) if _is_repeat(error) else None
        if found is None:
            raise
        return found
    except (OperationalError, InterfaceError):
        # A connection that breaks at the commit leaves open whether it was made: the sweep will know.
        if not commit.begun:
            _discard(note)
        elif Artifact.objects.filter(artifact_id=sending.artifact_id).exists():
            return _accepted(sending)
        raise
    except BaseException:
        if not commit.begun:
            _discard(note)
        raise
    return _accepted(sending)


@dataclass
class _Commit:
    begun: bool = False


@engine_transaction
def _write(sending: Sending, note: VoiceNote, commit: _Commit) -> None:
    commit.begun = False
    now = database_now()
    note.pk = None
    note.source_channel, note.channel_message_id, note.created_at = sending.channel, sending.message_id, now
    note.sender_address = sending.sender_address
    note.save(force_insert=True)
    artifact = Artifact.objects.create(
        artifact_id=sending.artifact_id,
        voice_note=note,
        source_channel=sending.channel,
        sender=sending.sender,
        organization=sending.club,
        org_context_candidates=sending.candidates,
        received_at=min(sending.received_at or now, now),
        updated_at=now,
    )
    change = Change(artifact, now)
    change.say(
        EventType.ARTIFACT_RECEIVED,
        of=f"received/{artifact.artifact_id}",
        new_status=artifact.status,
        actor_id=sending.by.pk if sending.by else None,
        metadata={"source_channel": sending.channel, "generation": artifact.generation},
    )
    scheduling = schedule_locked(change, FIRST)
    if scheduling.run is None:
        raise AssertionError(scheduling.refusal)
    change.flush()
    commit.begun = True


def _is_repeat(error: IntegrityError) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    return diagnosis is not None and diagnosis.constraint_name in REPEATS


def _found(sending: Sending, duplicate_key: str) -> Received | None:
    """The answer for something that has come before, if it has."""
    before: uuid.UUID | None = None
    if sending.chosen_id:
        before = _artifact_id(artifact_id=sending.chosen_id)
    if before is None and sending.message_id:
        before = _artifact_id(
            voice_note__source_channel=sending.channel, voice_note__channel_message_id=sending.message_id
        )
    if before is None and duplicate_key:
        before = _artifact_id(voice_note__duplicate_key=duplicate_key)
    if before is None:
        return None
    return Received(
        Result.DUPLICATE, before, "duplicate", f"Received before, as voice note {str(before)[:8]}. Nothing to do."
    )


def _artifact_id(**which: str | uuid.UUID) -> uuid.UUID | None:
    return Artifact.objects.filter(**which).values_list("artifact_id", flat=True).first()


def _accepted(sending: Sending) -> Received:
    return Received(Result.ACCEPTED, sending.artifact_id, "", "Received.")


def _discard(note: VoiceNote) -> None:
    if note.audio:
        storing.discard(storing.media(str(note.audio.name)))
