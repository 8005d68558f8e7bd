"""Who may use the HTTP API, and what has been answered to whom."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.people import Organization

MOST_PER_MINUTE = 6_000


class ApiScope(models.TextChoices):
    SEND_NOTES = "notes:send", "Send voice notes"
    READ_NOTES = "notes:read", "See its voice notes and how they fare"
    READ_CONTENT = "content:read", "Read what suggested entries say"


class ApiKey(models.Model):
    """One club's key to the API. The key itself is shown once, when it is made; only its hash is kept."""

    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="api_keys")
    name = models.CharField(max_length=80, help_text="What uses it, such as: the club's app.")
    prefix = models.CharField("begins with", max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=ApiScope), default=list)
    requests_per_minute = models.PositiveIntegerField(
        default=120, validators=[MinValueValidator(1), MaxValueValidator(MOST_PER_MINUTE)]
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="made by", related_name="+")
    created_at = models.DateTimeField("made", default=timezone.now)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField("revoked", null=True, blank=True)

    class Meta:
        verbose_name = "API key"
        ordering = ("organization", "name", "id")
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="api_key_revoked_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(requests_per_minute__gte=1, requests_per_minute__lte=MOST_PER_MINUTE),
                name="api_key_rate_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKeyUse(models.Model):
    """When a key was last used, and how many requests it has left at that moment; rewritten by each request."""

    key = models.OneToOneField(ApiKey, models.PROTECT, primary_key=True, related_name="use")
    tokens = models.FloatField()
    last_used_at = models.DateTimeField("last used")

    class Meta:
        verbose_name = "use of an API key"

    def __str__(self) -> str:
        return f"Use of {self.key_id}"


class ApiRequest(models.Model):
    """A sending that carried an Idempotency-Key: the same key with the same content is the same voice note."""

    organization = models.ForeignKey(Organization, models.PROTECT, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=200)
    # Of everything that was sent.
    fingerprint = models.CharField(max_length=64)
    # Chosen before the note is there, so that a sending that broke off is taken up again and not repeated.
    artifact_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "API request"
        constraints = [
            models.UniqueConstraint(fields=["organization", "idempotency_key"], name="api_request_once"),
        ]

    def __str__(self) -> str:
        return f"API request {self.pk}"
