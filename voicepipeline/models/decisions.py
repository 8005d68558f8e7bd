"""What people decided: about notes, names and suggested entries. Kept for ever."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.notes import Artifact
from voicepipeline.models.people import Coach, MentionKind, Player, PlayerAlias, Team, one_target


class NoteDecision(models.Model):
    """One thing that a person did to one note: who, what, why and when. Never changed, never deleted."""

    class Kind(models.TextChoices):
        RELEASED = "released", "Released and requeued"
        CLOSED = "closed", "Closed, won't fix"
        REOPENED = "reopened", "Reopened"
        CLUB_ASSIGNED = "club_assigned", "Club assigned"
        SENDER_ATTACHED = "sender_attached", "Coach attached"
        REVIEWED = "reviewed", "Listened to"

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


class NameChoice(models.Model):
    """A person's answer about a name in a note: whom it means, or that it means nobody on the roster.

    An answer that was taken back stays, and counts no more.
    """

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="name_choices", db_index=False)
    kind = models.CharField(max_length=20, choices=MentionKind)
    raw_text = models.CharField("as spoken", max_length=200, blank=True)
    name_key = models.CharField(max_length=200, editable=False)
    # The claim's key, when the answer holds for this statement only; else it holds for the whole note.
    claim_key = models.CharField(max_length=64, blank=True, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    coach_meant = models.ForeignKey(Coach, models.PROTECT, null=True, blank=True, related_name="+")
    # The learned name that stands on this answer, perhaps beside others.
    alias = models.ForeignKey(PlayerAlias, models.SET_NULL, null=True, blank=True, related_name="choices")
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artifact", "kind", "name_key", "claim_key"],
                condition=Q(undone_at__isnull=True),
                name="choice_once_a_name_and_note",
            ),
            models.CheckConstraint(condition=one_target(or_none=True), name="choice_means_one_or_nobody"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True, undone_by__isnull=True)
                | Q(undone_at__isnull=False, undone_by__isnull=False),
                name="choice_undone_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["artifact"], name="choice_of_a_note"),
            models.Index(fields=["-chosen_at"], name="choice_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name_key}: {self.player or self.team or self.coach_meant or 'nobody'}"


class EntryDecision(models.Model):
    """One thing that a person did to one suggested entry. Never changed, never deleted; it outlives its entry."""

    class Kind(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed"
        EDITED = "edited", "Edited and confirmed"
        REJECTED = "rejected", "Rejected"
        HELD = "held", "Put on hold"
        RELEASED = "released", "Taken off hold"
        UNDONE = "undone", "Taken back"

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="entry_decisions")
    # The entry's: the same statement read again, for the same player, is known by it.
    draft_key = models.CharField(max_length=64, editable=False)
    kind = models.CharField("what", max_length=12, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    # What it said once it was edited, by field.
    edited = models.JSONField(default=dict, blank=True)
    # The status that it took back, and whether the rule had given it.
    undone_status = models.CharField(max_length=12, blank=True)
    undone_automatic = models.BooleanField(default=False)
    bulk = models.ForeignKey(
        "voicepipeline.BulkWork", models.PROTECT, null=True, blank=True, related_name="entry_decisions"
    )
    decided_at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        verbose_name = "decision about an entry"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["rejected", "undone"]) | ~Q(reason=""), name="entry_decision_has_its_reason"
            ),
            models.CheckConstraint(
                condition=Q(kind="undone") & ~Q(undone_status="")
                | ~Q(kind="undone") & Q(undone_status="", undone_automatic=False),
                name="entry_decision_says_what_it_took_back",
            ),
        ]
        indexes = [models.Index(fields=["artifact", "draft_key"], name="entry_decision_of_an_entry")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} by {self.by}"
