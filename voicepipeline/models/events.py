"""The append-only log of what happened, kept for 48 hours."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voicepipeline.models.notes import Artifact, StageName, VoiceNote
from voicepipeline.models.people import Coach, Organization


class EventType(models.TextChoices):
    ARTIFACT_RECEIVED = "artifact_received", "Voice note received"
    ARTIFACT_STATUS_CHANGED = "artifact_status_changed", "Status changed"
    ARTIFACT_COMPLETED = "artifact_completed", "Voice note ready"
    ARTIFACT_FAILED = "artifact_failed", "Voice note failed"
    TRANSCRIPTION_STARTED = "transcription_started", "Transcription started"
    TRANSCRIPTION_COMPLETED = "transcription_completed", "Transcription done"
    TRANSCRIPTION_FAILED = "transcription_failed", "Transcription failed"
    CLAIMS_EXTRACTION_STARTED = "claims_extraction_started", "Reading statements started"
    CLAIMS_EXTRACTED = "claims_extracted", "Statements read"
    CLAIMS_EXTRACTION_FAILED = "claims_extraction_failed", "Reading statements failed"
    ENTITY_RESOLUTION_STARTED = "entity_resolution_started", "Matching names started"
    ENTITY_RESOLUTION_COMPLETED = "entity_resolution_completed", "Names matched"
    ENTITY_RESOLUTION_FAILED = "entity_resolution_failed", "Matching names failed"
    ENTITY_NEEDS_DISAMBIGUATION = "entity_needs_disambiguation", "Name unclear"
    DRAFT_GENERATION_STARTED = "draft_generation_started", "Suggesting entries started"
    DRAFTS_GENERATED = "drafts_generated", "Entries suggested"
    DRAFT_GENERATION_FAILED = "draft_generation_failed", "Suggesting entries failed"
    DRAFT_CONFIRMED = "draft_confirmed", "Entry confirmed"
    DRAFT_REJECTED = "draft_rejected", "Entry rejected"
    CIRCUIT_BREAKER_OPENED = "circuit_breaker_opened", "AI service paused"
    CIRCUIT_BREAKER_CLOSED = "circuit_breaker_closed", "AI service back to normal"
    RETRY_INITIATED = "retry_initiated", "Retry requested"
    RETRY_SUCCEEDED = "retry_succeeded", "Retry succeeded"
    RETRY_FAILED = "retry_failed", "Retry failed"
    BUDGET_THRESHOLD_REACHED = "budget_threshold_reached", "Budget nearly used"
    BUDGET_EXCEEDED = "budget_exceeded", "Budget used up"
    RATE_LIMIT_HIT = "rate_limit_hit", "AI service asked us to slow down"
    # The system's own.
    STAGE_RESULT_DISCARDED = "stage_result_discarded", "Replaced by a newer try"
    STAGE_RUN_RECLAIMED = "stage_run_reclaimed", "Picked up again"
    STAGE_PARKED = "stage_parked", "Put on hold"
    STAGE_RELEASED = "stage_released", "Released"
    ENTITY_RESOLVED_BY_PERSON = "entity_resolved_by_person", "Name chosen by a person"
    DRAFT_APPLIED = "draft_applied", "Entry applied"
    DRAFT_EXPIRED = "draft_expired", "Entry expired"
    NAME_CHOICE_UNDONE = "name_choice_undone", "Chosen name taken back"
    DRAFT_UNDONE = "draft_undone", "Decision about an entry taken back"


class PipelineEvent(models.Model):
    """One thing that happened; `voicepipeline.events` alone writes these.

    Its foreign keys are made by the migration, checked at once: Django's are checked at commit, where a wrong one
    would cost the stage its result instead of the log its entry.
    """

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event_type = models.CharField("what", max_length=40, choices=EventType)
    artifact = models.ForeignKey(
        Artifact,
        models.PROTECT,
        verbose_name="voice note",
        null=True,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )
    voice_note = models.ForeignKey(
        VoiceNote, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        verbose_name="club",
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    coach = models.ForeignKey(Coach, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    pipeline_stage = models.CharField("stage", max_length=20, choices=StageName, blank=True)
    stage_started_at = models.DateTimeField(null=True)
    stage_completed_at = models.DateTimeField(null=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    previous_status = models.CharField(max_length=16, blank=True)
    new_status = models.CharField(max_length=16, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    metadata = models.JSONField(default=dict)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name="who",
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    timestamp = models.DateTimeField("when", default=timezone.now)
    time_window = models.CharField("hour (UTC)", max_length=13, help_text="YYYY-MM-DD-HH, UTC")

    class Meta:
        verbose_name = "event"
        ordering = ("-id",)
        indexes = [
            models.Index("artifact", "id", name="event_artifact"),
            models.Index("organization", F("id").desc(), name="event_club_newest"),
            models.Index("event_type", F("id").desc(), name="event_type_newest"),
            models.Index(F("id").desc(), condition=~Q(error_code=""), name="event_errors_newest"),
            models.Index(F("id").desc(), condition=Q(actor__isnull=False), name="event_by_people_newest"),
            BrinIndex(fields=["timestamp"], autosummarize=True, pages_per_range=32, name="event_time"),
        ]

    def __str__(self) -> str:
        return self.get_event_type_display()


class DroppedEvent(models.Model):
    """An event that the database refused for its data: that there was one, and of what type."""

    event_type = models.CharField(max_length=40)
    reason = models.CharField(max_length=80)
    dropped_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "lost log entry"
        verbose_name_plural = "lost log entries"

    def __str__(self) -> str:
        return f"{self.event_type}: {self.reason}"
