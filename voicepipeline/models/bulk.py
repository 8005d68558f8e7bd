"""What staff have done to many rows at once, in the background, note by note."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.people import Organization


class BulkWork(models.Model):
    """One request for many notes: what was chosen, how far it is, and what came of it."""

    class Kind(models.TextChoices):
        CONFIRM_ENTRIES = "confirm_entries", "Confirm entries"
        REJECT_ENTRIES = "reject_entries", "Reject entries"
        HOLD_ENTRIES = "hold_entries", "Put entries on hold"
        MATCH_AGAIN = "match_again", "Match names again"
        MERGE_PLAYERS = "merge_players", "Move a merged player's history"

    bulk_id = models.UUIDField("id", default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField("what", max_length=20, choices=Kind)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, blank=True, related_name="+"
    )
    # What was chosen, as plain values that its kind understands; rows that came later are not among them.
    selection = models.JSONField(default=dict)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    expected = models.PositiveIntegerField("rows previewed", default=0)
    # Notes up to this one have been seen to; each is one transaction with this mark.
    cursor = models.PositiveBigIntegerField(default=0)
    notes = models.PositiveIntegerField("voice notes", default=0)
    done = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # Why rows were skipped or failed, in words, with how many.
    remarks = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField("requested", default=timezone.now)
    # When somebody last worked on it, and when it was last rung for.
    moved_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField("finished", null=True, blank=True)

    class Meta:
        verbose_name = "bulk action"
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["moved_at"], condition=Q(finished_at__isnull=True), name="bulk_work_unfinished"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
