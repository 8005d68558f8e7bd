"""Failures that are the same problem, and what people have decided about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from voicepipeline.models import Artifact, StageName


class FailureGroup(models.Model):
    """One problem by its fingerprint: stage, code and message without its ids and numbers."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Put aside"  # until a moment, then it is open again
        FIXED = "fixed", "Fixed"  # open again, and marked, when it comes back

    fingerprint = models.CharField("problem", max_length=64, unique=True)
    stage = models.CharField(max_length=20, choices=StageName)
    error_code = models.CharField("code", max_length=60)
    # As the last voice note had it.
    error_message = models.CharField("message", max_length=500, blank=True)
    failures = models.PositiveIntegerField("failures since it was first seen", default=1)
    first_seen_at = models.DateTimeField("first seen")
    last_seen_at = models.DateTimeField("last seen")
    example = models.ForeignKey(Artifact, models.PROTECT, verbose_name="example", related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    snoozed_until = models.DateTimeField("put aside until", null=True, blank=True)
    # When it was last seen although somebody had said that it is fixed.
    came_back_at = models.DateTimeField("came back", null=True, blank=True)

    class Meta:
        verbose_name = "problem"
        ordering = ("-last_seen_at", "-id")
        permissions = [("mark_problem", "Can mark a problem as fixed or put it aside")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="snoozed", snoozed_until__isnull=False)
                | Q(status__in=["open", "fixed"], snoozed_until__isnull=True),
                name="problem_snoozed_has_its_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.error_code}"


class FailureMark(models.Model):
    """What was decided about a problem: who, what, why and when. Never changed, never deleted."""

    class Kind(models.TextChoices):
        FIXED = "fixed", "Marked as fixed"
        SNOOZED = "snoozed", "Put aside"
        REOPENED = "reopened", "Opened again"
        CAME_BACK = "came_back", "Came back"  # by itself

    group = models.ForeignKey(FailureGroup, models.PROTECT, verbose_name="problem", related_name="marks")
    kind = models.CharField("what", max_length=10, choices=Kind)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", null=True, blank=True, related_name="+"
    )
    note = models.CharField("why", max_length=500, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    marked_at = models.DateTimeField("when")

    class Meta:
        verbose_name = "decision about a problem"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(by__isnull=True, kind="came_back") | Q(by__isnull=False) & ~Q(kind="came_back"),
                name="problem_marked_by_somebody",
            ),
            models.CheckConstraint(condition=~Q(kind="fixed") | ~Q(note=""), name="problem_fixed_has_its_note"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
