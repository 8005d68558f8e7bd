"""Suggested entries: what the machine suggests, and what people make of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.derived import Claim, Statement, statement_constraints
from voicepipeline.models.notes import Artifact
from voicepipeline.models.people import Coach, Organization, Player, Team


class InsightDraft(Statement):
    """An entry suggested for a player, a team or the coach, until a person or a rule decides about it."""

    class Status(models.TextChoices):
        PENDING = "pending", "To be confirmed"
        CONFIRMED = "confirmed", "Confirmed"
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"  # nobody decided in time

    # Back to pending is a person's undo.
    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        Status.PENDING: frozenset({Status.CONFIRMED, Status.REJECTED, Status.EXPIRED}),
        Status.CONFIRMED: frozenset({Status.APPLIED, Status.PENDING}),
        Status.APPLIED: frozenset({Status.PENDING}),
        Status.REJECTED: frozenset({Status.PENDING}),
        Status.EXPIRED: frozenset({Status.PENDING}),
    }

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="drafts", db_index=False)
    # Entries that people have decided about outlive a statement that is read anew.
    claim = models.ForeignKey(Claim, models.SET_NULL, null=True, blank=True, related_name="drafts")
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, blank=True, related_name="+", db_index=False
    )
    sender = models.ForeignKey(Coach, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    # The same entry made again has the same key: the statement's and whom it is for.
    key = models.CharField(max_length=64, editable=False)
    claim_key = models.CharField(max_length=64, blank=True, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="drafts")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="drafts")
    ai_confidence = models.FloatField(null=True, blank=True)
    resolution_confidence = models.FloatField(null=True, blank=True)
    overall_confidence = models.FloatField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    # Confirmed by the rule, not by a person; and why a person has to, when it was not.
    automatic = models.BooleanField("confirmed automatically", default=False)
    person_needed_because = models.CharField(max_length=40, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    # What it said before somebody edited it, by field; empty when nobody has.
    suggested = models.JSONField(default=dict, blank=True)
    # Somebody wants it to wait: it is neither confirmed in bulk nor does it expire.
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    held_reason = models.CharField(max_length=500, blank=True)
    display_order = models.PositiveSmallIntegerField(default=0)
    prompt_version = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "suggested entry"
        verbose_name_plural = "suggested entries"
        permissions = [("decide_draft", "Can confirm, reject and take back suggested entries")]
        ordering = ("artifact", "display_order", "id")
        constraints = [
            *statement_constraints("draft"),
            models.UniqueConstraint(fields=["artifact", "key"], name="draft_once_a_note"),
            models.CheckConstraint(
                condition=Q(player__isnull=True) | Q(team__isnull=True), name="draft_for_a_player_or_a_team"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", decided_at__isnull=True, decided_by__isnull=True, automatic=False)
                | Q(status__in=["confirmed", "applied"], decided_at__isnull=False)
                & (Q(automatic=True, decided_by__isnull=True) | Q(automatic=False, decided_by__isnull=False))
                | Q(status="rejected", decided_at__isnull=False, decided_by__isnull=False, automatic=False)
                | Q(status="expired", decided_at__isnull=False, decided_by__isnull=True, automatic=False),
                name="draft_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(held_at__isnull=True, held_by__isnull=True, held_reason="")
                | Q(status="pending", held_at__isnull=False, held_by__isnull=False),
                name="draft_held_by_somebody_while_pending",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "id"], condition=Q(status="pending"), name="draft_open_of_a_club"),
            models.Index(fields=["id"], condition=Q(status="pending"), name="draft_open"),
            models.Index(fields=["sender", "id"], condition=Q(status="pending"), name="draft_open_of_a_coach"),
            models.Index(
                fields=["expires_at"], condition=Q(status="pending", held_at__isnull=True), name="draft_to_expire"
            ),
            models.Index(fields=["id"], condition=Q(status="pending", held_at__isnull=False), name="draft_on_hold"),
            models.Index(fields=["prompt_version", "id"], condition=Q(status="pending"), name="draft_open_of_a_prompt"),
            models.Index(fields=["status", "automatic", "-decided_at"], name="draft_decided_newest"),
            models.Index(fields=["organization", "status", "automatic", "-decided_at"], name="draft_decided_of_a_club"),
        ]
