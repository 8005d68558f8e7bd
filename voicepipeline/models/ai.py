"""The AI provider as we know it: how each service fares, every call, what models cost and until when they are there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class AIService(models.TextChoices):
    """The provider's endpoints that stages depend on; each may be down while the other works."""

    TRANSCRIPTION = "transcription", "Transcription"
    CHAT = "chat", "Reading statements"


class AIServiceHealth(models.Model):
    """One row a service, written by the engine; whoever has lost the row's lock race reads it afresh."""

    class State(models.TextChoices):
        CLOSED = "closed", "Normal"
        OPEN = "open", "Paused"  # nothing is sent
        HALF_OPEN = "half_open", "Testing"  # one run is sent, all others wait for what becomes of it

    service = models.CharField(max_length=20, choices=AIService, unique=True)
    state = models.CharField(max_length=12, choices=State, default=State.CLOSED)
    changed_at = models.DateTimeField("since", default=timezone.now)
    # When this trouble began; tests that fail do not change it.
    trouble_since = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    needs_person = models.BooleanField(default=False)
    next_probe_at = models.DateTimeField("next test", null=True, blank=True)
    probe_pause = models.DurationField(null=True, blank=True)
    probe_run = models.ForeignKey(
        "StageRun", models.SET_NULL, null=True, blank=True, related_name="+", help_text="The run that tests it."
    )
    probe_until = models.DateTimeField(null=True, blank=True)
    resumed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "AI service"
        constraints = [
            models.CheckConstraint(condition=Q(service__in=AIService.values), name="ai_service_known"),
            models.CheckConstraint(
                condition=Q(state="closed", reason="", needs_person=False, trouble_since__isnull=True)
                | Q(state__in=["open", "half_open"], trouble_since__isnull=False) & ~Q(reason=""),
                name="ai_service_paused_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="half_open", probe_until__isnull=False)
                | ~Q(state="half_open") & Q(probe_until__isnull=True, probe_run__isnull=True),
                name="ai_service_probe_only_while_testing",
            ),
        ]

    def __str__(self) -> str:
        return self.get_service_display()


class ProviderCall(models.Model):
    """What came of one call, kept for an hour: rows of their own, because a shared counter would make workers queue."""

    service = models.CharField(max_length=20, choices=AIService)
    run = models.ForeignKey("StageRun", models.CASCADE, null=True, related_name="+", db_index=False)
    succeeded = models.BooleanField()
    # The note was charged for it, so it says nothing about the service.
    charged = models.BooleanField(default=False)
    code = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "call"
        indexes = [
            models.Index("service", F("ended_at").desc(), name="call_newest"),
            models.Index("service", F("id").desc(), condition=Q(succeeded=True), name="call_last_success"),
            models.Index(fields=["ended_at"], name="call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_service_display()}, {self.code or 'succeeded'}"


class ModelPrice(models.Model):
    """What a model costs from a day on; a price that nobody has entered is unknown, not zero."""

    model = models.CharField(max_length=80)
    valid_from = models.DateField("from")
    input_usd_per_million_tokens = models.DecimalField(
        "USD per million tokens in", max_digits=12, decimal_places=6, null=True, blank=True
    )
    output_usd_per_million_tokens = models.DecimalField(
        "USD per million tokens out", max_digits=12, decimal_places=6, null=True, blank=True
    )
    audio_usd_per_minute = models.DecimalField(
        "USD per minute of audio", max_digits=12, decimal_places=6, null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "price"
        ordering = ("model", "-valid_from")
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="price_once_a_day"),
            models.CheckConstraint(
                condition=(Q(input_usd_per_million_tokens__isnull=True) | Q(input_usd_per_million_tokens__gte=0))
                & (Q(output_usd_per_million_tokens__isnull=True) | Q(output_usd_per_million_tokens__gte=0))
                & (Q(audio_usd_per_minute__isnull=True) | Q(audio_usd_per_minute__gte=0)),
                name="price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} from {self.valid_from}"


class ProviderModel(models.Model):
    """A model that is configured here, as the provider last told of it."""

    name = models.CharField(max_length=80, unique=True)
    offered = models.BooleanField(default=True)
    shutdown_on = models.DateField("shut down on", null=True, blank=True)
    checked_at = models.DateTimeField("asked", default=timezone.now)

    class Meta:
        verbose_name = "model"

    def __str__(self) -> str:
        return self.name


class Pause(models.Model):
    """Something that a person has stopped: a stage or everything, for one club or for all. Ended, never deleted."""

    class Subject(models.TextChoices):
        EVERYTHING = "everything", "Everything"
        TRANSCRIPTION = "transcription", "Transcription"
        CLAIMS_EXTRACTION = "claims_extraction", "Statements"
        ENTITY_RESOLUTION = "entity_resolution", "Matching names"
        DRAFT_GENERATION = "draft_generation", "Suggested entries"
        AUTOMATIC_CONFIRMATION = "automatic_confirmation", "Automatic confirmation"

    subject = models.CharField("what", max_length=24, choices=Subject)
    organization = models.ForeignKey(
        "Organization", models.PROTECT, verbose_name="club", null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    paused_at = models.DateTimeField("since", default=timezone.now)
    resumed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resumed_at = models.DateTimeField("until", null=True, blank=True)

    class Meta:
        ordering = ("-paused_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "organization"],
                condition=Q(resumed_at__isnull=True),
                nulls_distinct=False,
                name="paused_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    subject__in=[
                        "everything",
                        "transcription",
                        "claims_extraction",
                        "entity_resolution",
                        "draft_generation",
                        "automatic_confirmation",
                    ]
                ),
                name="pause_subject_known",
            ),
            models.CheckConstraint(
                condition=Q(resumed_at__isnull=True, resumed_by__isnull=True)
                | Q(resumed_at__isnull=False, resumed_by__isnull=False),
                name="pause_ended_by_somebody",
            ),
        ]
        permissions = [("operate_ai_service", "Can pause stages, test the AI service and resume it")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}, {self.organization or 'all clubs'}"
