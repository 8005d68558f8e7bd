"""Retries of one voice note, kept for ever: their numbers stay true after events are gone."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from voicepipeline.models import Artifact, StageName


class RetryKind(models.TextChoices):
    """From where a voice note is worked on again."""

    TRANSCRIPTION = "transcription", "Transcribe again"
    CLAIMS_EXTRACTION = "claims_extraction", "Read the statements again"
    ENTITY_RESOLUTION = "entity_resolution", "Match the names again"
    DRAFT_GENERATION = "draft_generation", "Make the suggested entries again"
    FULL = "full", "Start over"


class RetryAttempt(models.Model):
    """One retry of one voice note: who asked for it, why, what it deleted and how it ended. Never deleted."""

    class Outcome(models.TextChoices):
        UNDER_WAY = "under_way", "Under way"  # what it caused has not ended
        SUCCEEDED = "succeeded", "Succeeded"  # the note is ready
        FAILED = "failed", "Failed again"  # the note has failed
        SUPERSEDED = "superseded", "Replaced by a newer try"  # somebody started over meanwhile
        NOT_STARTED = "not_started", "Could not be started"  # nothing was changed

    artifact = models.ForeignKey(
        Artifact, models.PROTECT, verbose_name="voice note", related_name="retries", db_index=False
    )
    number = models.PositiveIntegerField("attempt")
    kind = models.CharField("what", max_length=20, choices=RetryKind)
    # The round in which it ran: after a start over the new one.
    generation = models.PositiveIntegerField("round")
    # That of the runs that it caused.
    origin = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    requested_at = models.DateTimeField("when")
    # The same form sent twice is one retry.
    idempotency_key = models.CharField(max_length=64, blank=True, editable=False)
    # How many rows of what it deleted, by their names on pages.
    deleted = models.JSONField(default=dict, blank=True)
    # How many confirmed or applied entries depended on it, as whoever asked for it was shown and agreed.
    agreed_to = models.PositiveIntegerField("confirmed entries", default=0)
    # What was wrong with the note before; empty for one that had not failed.
    problem_before = models.CharField(max_length=64, blank=True)

    outcome = models.CharField(max_length=12, choices=Outcome, default=Outcome.UNDER_WAY)
    finished_at = models.DateTimeField("finished", null=True, blank=True)
    failed_stage = models.CharField(max_length=20, choices=StageName, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    # The fingerprint of the failure in which it ended.
    problem = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "retry"
        verbose_name_plural = "retries"
        ordering = ("-id",)
        permissions = [
            ("retry_artifact", "Can retry a stage of a voice note, one by one and in bulk"),
            ("start_over", "Can start a voice note over, which deletes what was made of it"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["artifact", "number"], name="retry_number_once_a_note"),
            models.UniqueConstraint(
                fields=["idempotency_key"], condition=~Q(idempotency_key=""), name="retry_once_a_form"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="retry_counts_from_one"),
            models.CheckConstraint(condition=Q(kind__in=RetryKind.values), name="retry_kind_known"),
            models.CheckConstraint(
                condition=Q(outcome="under_way", finished_at__isnull=True)
                | Q(outcome__in=["succeeded", "failed", "superseded", "not_started"], finished_at__isnull=False),
                name="retry_ended_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(error_code="", failed_stage="", error_message="", problem="")
                | Q(outcome__in=["failed", "not_started"]),
                name="retry_error_only_when_failed",
            ),
        ]
        indexes = [
            models.Index(fields=["artifact"], condition=Q(outcome="under_way"), name="retry_under_way"),
            models.Index(fields=["requested_by", "requested_at"], name="retry_of_a_person"),
            models.Index(fields=["requested_at"], condition=Q(outcome="failed"), name="retry_failed_by_time"),
            models.Index(fields=["outcome", "-id"], name="retry_outcome_newest"),
            models.Index(fields=["kind", "-id"], name="retry_kind_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, attempt {self.number}"
