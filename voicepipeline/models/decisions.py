"""What people decided about a note, kept for ever."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.notes import Artifact


class NoteDecision(models.Model):
    """One thing that a person did to one note: who, what, why and when. Never changed, never deleted."""

    class Kind(models.TextChoices):
        RELEASED = "released", "Released and requeued"
        CLOSED = "closed", "Closed, won't fix"
        REOPENED = "reopened", "Reopened"

    artifact = models.ForeignKey(Artifact, models.PROTECT, verbose_name="voice note", related_name="decisions")
    kind = models.CharField("what", max_length=20, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    decided_at = models.DateTimeField("when", default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "decision"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=~Q(kind="closed") | ~Q(reason=""), name="decision_to_close_has_its_reason")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.by}"
