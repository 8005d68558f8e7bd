"""What a coach sent, and the artifact that carries it through the stages."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voicepipeline.models.people import Coach, Organization
from voicepipeline.querysets import ArtifactQuerySet


class SourceChannel(models.TextChoices):
    APP_RECORDED = "app_recorded", "App, recorded"
    APP_TYPED = "app_typed", "App, typed"
    WHATSAPP_AUDIO = "whatsapp_audio", "WhatsApp, audio"
    WHATSAPP_TEXT = "whatsapp_text", "WhatsApp, text"
    VOICEMAIL = "voicemail", "Voicemail"
    API = "api", "API"
    ADMIN_UPLOAD = "admin_upload", "Upload"


class StageName(models.TextChoices):
    """The four automatic stages, in the order in which a note passes them."""

    TRANSCRIPTION = "transcription", "Transcription"
    CLAIMS_EXTRACTION = "claims_extraction", "Statements"
    ENTITY_RESOLUTION = "entity_resolution", "Matching names"
    DRAFT_GENERATION = "draft_generation", "Suggested entries"


def random_audio_name(note: "VoiceNote", original: str) -> str:
    """A name that tells nothing and cannot be guessed; only the extension is kept, if it is a plain one."""
    extension = original.rpartition(".")[2].lower()
    suffix = f".{extension}" if extension.isascii() and extension.isalnum() and len(extension) <= 5 else ""
    name = uuid.uuid4().hex
    return f"audio/{name[:2]}/{name}{suffix}"


class VoiceNote(models.Model):
    """The audio itself, or the typed text, as it came in."""

    source_channel = models.CharField("source", max_length=20, choices=SourceChannel)
    channel_message_id = models.CharField(
        "message id", max_length=200, blank=True, help_text="The channel's own id of this message."
    )
    sender_address = models.CharField(
        "sent from", max_length=40, blank=True, help_text="The phone number that the channel gave for its sender."
    )
    audio = models.FileField(upload_to=random_audio_name, blank=True, max_length=120)
    text = models.TextField("typed text", blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the original bytes.")
    # The same bytes from the same sender: two people may send one file, nobody sends one recording twice on purpose.
    duplicate_key = models.CharField(max_length=64, blank=True, editable=False)
    mime_type = models.CharField(max_length=80, blank=True)
    size_bytes = models.PositiveBigIntegerField(default=0)
    duration_seconds = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "recording"
        constraints = [
            models.UniqueConstraint(
                fields=["source_channel", "channel_message_id"],
                condition=~Q(channel_message_id=""),
                name="message_once_a_channel",
            ),
            models.UniqueConstraint(
                fields=["duplicate_key"], condition=~Q(duplicate_key=""), name="recording_once_a_sender"
            ),
            models.CheckConstraint(
                condition=Q(source_channel__in=SourceChannel.values), name="voice_note_channel_known"
            ),
        ]
        indexes = [
            models.Index(fields=["channel_message_id"], condition=~Q(channel_message_id=""), name="note_message_id"),
        ]

    def __str__(self) -> str:
        return f"Recording {self.pk}"

    @property
    def has_input(self) -> bool:
        """Whether there is anything that the first stage could work on."""
        return bool(self.audio or self.text)


class Artifact(models.Model):
    """A voice note on its way through the stages; its UUID is the id that people and the API use."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"  # safe in our hands, nothing has started
        TRANSCRIBING = "transcribing", "Transcribing"  # a worker has it in the first stage, or will again
        TRANSCRIBED = "transcribed", "Transcribed"  # there is a transcript, the next stage has not started
        PROCESSING = "processing", "Processing"  # in one of the later stages
        COMPLETED = "completed", "Ready"  # the last automatic stage has committed
        FAILED = "failed", "Failed"  # stopped; a person has to decide

    # What the engine and retries may do. A note leaves its two ends only by a person's request.
    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        Status.RECEIVED: frozenset({Status.TRANSCRIBING, Status.FAILED}),
        Status.TRANSCRIBING: frozenset({Status.TRANSCRIBED, Status.FAILED, Status.RECEIVED}),
        Status.TRANSCRIBED: frozenset({Status.PROCESSING, Status.FAILED, Status.RECEIVED, Status.TRANSCRIBING}),
        Status.PROCESSING: frozenset(
            {Status.COMPLETED, Status.FAILED, Status.RECEIVED, Status.TRANSCRIBING, Status.TRANSCRIBED}
        ),
        Status.COMPLETED: frozenset({Status.RECEIVED, Status.TRANSCRIBING, Status.TRANSCRIBED, Status.PROCESSING}),
        Status.FAILED: frozenset({Status.RECEIVED, Status.TRANSCRIBING, Status.TRANSCRIBED, Status.PROCESSING}),
    }
    ENDS: ClassVar[frozenset[str]] = frozenset({Status.COMPLETED, Status.FAILED})

    class Outcome(models.TextChoices):
        NO_SPEECH = "no_speech", "No speech"  # nobody says anything in it: nothing went wrong, nothing was made

    artifact_id = models.UUIDField("id", default=uuid.uuid4, unique=True, editable=False)
    voice_note = models.OneToOneField(VoiceNote, models.PROTECT, null=True, blank=True, related_name="artifact")
    source_channel = models.CharField("source", max_length=20, choices=SourceChannel)
    sender = models.ForeignKey(
        Coach, models.PROTECT, verbose_name="coach", null=True, blank=True, related_name="artifacts"
    )
    org_context_candidates = models.JSONField("possible clubs", default=list, blank=True)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, blank=True, db_index=False
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.RECEIVED)
    current_stage = models.CharField("stage", max_length=20, choices=StageName, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    generation = models.PositiveIntegerField("round", default=1)
    input_version = models.PositiveIntegerField(default=0)
    failed_stage = models.CharField(max_length=20, choices=StageName, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    fingerprint = models.CharField("problem", max_length=64, blank=True)
    received_at = models.DateTimeField("received", default=timezone.now)
    first_completed_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    closed_reason = models.CharField(max_length=500, blank=True)

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        verbose_name = "voice note"
        ordering = ("-received_at", "-id")
        constraints = [
            models.CheckConstraint(condition=Q(source_channel__in=SourceChannel.values), name="artifact_channel_known"),
            models.CheckConstraint(
                condition=Q(current_stage="") | Q(current_stage__in=StageName.values), name="artifact_stage_known"
            ),
            models.CheckConstraint(
                condition=Q(status="completed", completed_at__isnull=False, first_completed_at__isnull=False)
                | Q(status__in=["received", "transcribing", "transcribed", "processing", "failed"])
                & Q(completed_at__isnull=True),
                name="artifact_completed_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status="failed") & ~Q(error_code="") & ~Q(failed_stage="")
                | ~Q(status="failed") & Q(error_code="", failed_stage="", error_message="", fingerprint=""),
                name="artifact_failed_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closed_reason="")
                | Q(status="failed", closed_at__isnull=False, closed_by__isnull=False) & ~Q(closed_reason=""),
                name="artifact_closed_only_when_failed",
            ),
            models.CheckConstraint(condition=Q(generation__gte=1), name="artifact_generation_from_one"),
            models.CheckConstraint(condition=Q(outcome__in=["", "no_speech"]), name="artifact_outcome_known"),
        ]
        indexes = [
            models.Index(F("received_at").desc(), F("id").desc(), name="artifact_newest"),
            models.Index("status", F("received_at").desc(), F("id").desc(), name="artifact_status_newest"),
            models.Index(
                "organization", "status", F("received_at").desc(), F("id").desc(), name="artifact_club_status_newest"
            ),
            models.Index("organization", F("received_at").desc(), F("id").desc(), name="artifact_club_newest"),
            models.Index("source_channel", F("received_at").desc(), F("id").desc(), name="artifact_source_newest"),
            models.Index(
                "current_stage",
                F("received_at").desc(),
                F("id").desc(),
                condition=~Q(current_stage=""),
                name="artifact_stage_newest",
            ),
            models.Index(
                F("received_at").desc(),
                F("id").desc(),
                condition=Q(closed_at__isnull=False),
                name="artifact_closed_newest",
            ),
            models.Index(
                fields=["updated_at"],
                condition=Q(status__in=["received", "transcribing", "transcribed", "processing"]),
                name="artifact_active_by_change",
            ),
            models.Index(
                F("received_at").desc(),
                F("id").desc(),
                condition=Q(status="failed", closed_at__isnull=True),
                name="artifact_open_failures",
            ),
            models.Index(
                fields=["fingerprint", "organization"],
                condition=Q(status="failed", closed_at__isnull=True),
                name="artifact_open_failures_alike",
            ),
            models.Index(
                F("received_at").desc(),
                F("id").desc(),
                condition=Q(organization__isnull=True),
                name="artifact_without_a_club",
            ),
            models.Index(
                F("received_at").desc(),
                F("id").desc(),
                condition=Q(sender__isnull=True),
                name="artifact_without_a_coach",
            ),
            models.Index(
                fields=["fingerprint", "-received_at"], condition=Q(status="failed"), name="artifact_same_problem"
            ),
            models.Index(
                fields=["first_completed_at"],
                condition=Q(first_completed_at__isnull=False),
                name="artifact_first_ready",
            ),
        ]
        permissions = [
            ("release_artifact", "Can release and requeue a voice note that does not move on"),
            ("close_artifact", "Can close a voice note that will not be fixed, and open it again"),
            ("place_artifact", "Can assign a club or a coach to a voice note, and mark it as listened to"),
            ("read_content", "Can read and hear what voice notes say"),
        ]

    def __str__(self) -> str:
        return f"Voice note {str(self.artifact_id)[:8]}"

    @property
    def is_active(self) -> bool:
        """Still on its way, with no end reached."""
        return self.status not in self.ENDS

    def most_likely_organization_id(self) -> int | None:
        """The club of the most confident candidate, or None."""
        candidates: list[dict[str, Any]] = [c for c in self.org_context_candidates if c.get("organization_id")]
        if not candidates:
            return None
        return int(max(candidates, key=lambda c: c.get("confidence") or 0)["organization_id"])
