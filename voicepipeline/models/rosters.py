"""How rosters came to be as they are: lists that were imported, and every change that touched many rows."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.people import Organization


class RosterImport(models.Model):
    """A list of players that somebody handed in and may still apply; its rows are forgotten once it is."""

    import_id = models.UUIDField("id", default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, verbose_name="club", related_name="+")
    filename = models.CharField("file", max_length=120, blank=True)
    rows = models.JSONField(default=list, blank=True)
    # Of what its preview showed: a roster that has changed since is looked at again.
    plan_digest = models.CharField(max_length=64, blank=True)
    deactivate_missing = models.BooleanField("deactivate who is not on the list", default=False)
    counts = models.JSONField(default=dict, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    uploaded_at = models.DateTimeField("when", default=timezone.now)
    applied_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    applied_at = models.DateTimeField("applied", null=True, blank=True)

    class Meta:
        verbose_name = "roster import"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True, applied_by__isnull=True)
                | Q(applied_at__isnull=False, applied_by__isnull=False, rows=[]),
                name="import_applied_by_somebody_keeps_no_names",
            ),
        ]

    def __str__(self) -> str:
        return f"Import of {self.filename or 'a list'}"


class RosterChange(models.Model):
    """One change of a roster that a person made to more than one row. Never changed, never deleted."""

    class Kind(models.TextChoices):
        IMPORTED = "imported", "List imported"
        MERGED = "merged", "Players merged"
        NAMES_REMOVED = "names_removed", "Learned names removed"

    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, blank=True, related_name="+"
    )
    kind = models.CharField("what", max_length=16, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    # Counts and ids; names are looked up.
    details = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        verbose_name = "roster change"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.by}"
