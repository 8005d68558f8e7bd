"""Retries of many voice notes at once: what was chosen, how far it is, and what came of each."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from retry.models.attempts import RetryAttempt, RetryKind
from voicepipeline.models import Artifact


class BulkRetry(models.Model):
    """One request for many voice notes; a preview until somebody starts it."""

    class State(models.TextChoices):
        PREVIEW = "preview", "Preview"  # nothing has happened; deleted when nobody starts it
        TRYING = "trying", "Trying the first few"  # the rest waits for how they end
        RUNNING = "running", "Under way"
        PAUSED = "paused", "Paused"  # by a person
        HALTED = "halted", "Stopped by itself"  # it does not help, or its starter may no more; a person may resume it
        STOPPED = "stopped", "Stopped"  # by a person, for good
        FINISHED = "finished", "Finished"  # every note has its end

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        State.PREVIEW: frozenset({State.TRYING, State.RUNNING}),
        State.TRYING: frozenset({State.RUNNING, State.PAUSED, State.HALTED, State.STOPPED, State.FINISHED}),
        State.RUNNING: frozenset({State.PAUSED, State.HALTED, State.STOPPED, State.FINISHED}),
        State.PAUSED: frozenset({State.TRYING, State.RUNNING, State.STOPPED, State.FINISHED}),
        State.HALTED: frozenset({State.TRYING, State.RUNNING, State.STOPPED, State.FINISHED}),
        State.STOPPED: frozenset(),
        State.FINISHED: frozenset(),
    }
    MOVING: ClassVar[tuple[str, ...]] = (State.TRYING, State.RUNNING)
    UNFINISHED: ClassVar[tuple[str, ...]] = (State.TRYING, State.RUNNING, State.PAUSED, State.HALTED)

    bulk_id = models.UUIDField("id", default=uuid.uuid4, unique=True, editable=False)
    # A RetryKind, or `failed_stage`: of each note the stage at which it failed.
    kind = models.CharField("what", max_length=20)
    # How the notes were chosen, in words for people.
    chosen_by = models.CharField("chosen", max_length=300, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
    reason = models.CharField("why", max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.PREVIEW)
    # Why it is in this state, in words: who paused it, or which problem came back.
    state_reason = models.CharField(max_length=500, blank=True)
    # Those of the items that may be retried, as the preview counted them.
    expected = models.PositiveIntegerField("voice notes", default=0)
    expected_runs = models.PositiveIntegerField("stages", default=0)
    expected_calls = models.PositiveIntegerField("AI calls", default=0)
    # Of those notes whose cost can be told; NULL when it can of none.
    expected_cost_usd = models.DecimalField("expected cost in USD", max_digits=18, decimal_places=6, null=True)
    without_expected_cost = models.PositiveIntegerField(default=0)
    # The rest of the preview as its page shows it: refusals, deletions, kinds, what is on hold.
    details = models.JSONField(default=dict, blank=True)
    # Few are tried before the rest.
    tries_first = models.BooleanField("try a few first", default=True)
    created_at = models.DateTimeField("previewed", default=timezone.now)
    started_at = models.DateTimeField("started", null=True, blank=True)
    # Failures from before are not held against it: when it was started or resumed.
    moving_since = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField("finished", null=True, blank=True)
    # When its starter put away the notice that it has ended or halted.
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "bulk retry"
        verbose_name_plural = "bulk retries"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state="preview", started_at__isnull=True)
                | ~Q(state="preview") & Q(started_at__isnull=False),
                name="bulk_retry_started_once_no_preview",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["stopped", "finished"], finished_at__isnull=False)
                | Q(state__in=["preview", "trying", "running", "paused", "halted"], finished_at__isnull=True),
                name="bulk_retry_ended_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(state="preview") | ~Q(reason=""), name="bulk_retry_has_its_reason_once_started"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=["trying", "running", "paused", "halted"]),
                name="bulk_retry_unfinished",
            ),
            models.Index(
                fields=["requested_by"],
                condition=Q(state__in=["halted", "stopped", "finished"], seen_at__isnull=True),
                name="bulk_retry_to_be_told",
            ),
            models.Index(fields=["created_at"], condition=Q(state="preview"), name="bulk_retry_previews"),
            models.Index(fields=["requested_by", "-id"], name="bulk_retry_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"Bulk retry {self.pk}"


class BulkRetryItem(models.Model):
    """One voice note of a bulk retry, frozen as the preview saw it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Not begun"
        REQUESTED = "requested", "Under way"  # its retry has begun and not ended
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed again"
        SUPERSEDED = "superseded", "Replaced by a newer try"
        REFUSED = "refused", "Refused"  # by the preview, or when its turn came

    bulk = models.ForeignKey(BulkRetry, models.CASCADE, related_name="items", db_index=False)
    artifact = models.ForeignKey(Artifact, models.PROTECT, verbose_name="voice note", related_name="+")
    position = models.PositiveIntegerField()
    kind = models.CharField("what", max_length=20, choices=RetryKind, blank=True)
    # The round that the preview saw: one that was started over meanwhile is another note.
    generation = models.PositiveIntegerField()
    # How many confirmed or applied entries depend on it: whoever starts this agrees to that.
    agreed_to = models.PositiveIntegerField(default=0)
    # The fingerprint of the failure that it had.
    problem_before = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # Why it was refused, in words; the first without anything of this note, so that pages can group by it.
    refusal_group = models.CharField(max_length=500, blank=True)
    message = models.CharField(max_length=500, blank=True)
    attempt = models.OneToOneField(RetryAttempt, models.PROTECT, null=True, blank=True, related_name="bulk_item")
    # The fingerprint of the failure in which its retry ended.
    problem = models.CharField(max_length=64, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "voice note of a bulk retry"
        ordering = ("bulk", "position")
        constraints = [
            models.UniqueConstraint(fields=["bulk", "artifact"], name="bulk_item_once_a_note"),
            models.UniqueConstraint(fields=["bulk", "position"], name="bulk_item_has_its_place"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "requested"], settled_at__isnull=True)
                | Q(state__in=["succeeded", "failed", "superseded", "refused"], settled_at__isnull=False),
                name="bulk_item_settled_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["requested", "succeeded", "failed", "superseded"]) | Q(attempt__isnull=False),
                name="bulk_item_requested_has_its_attempt",
            ),
        ]
        indexes = [
            models.Index(fields=["bulk", "state", "position"], name="bulk_item_by_state"),
            models.Index(fields=["bulk"], condition=Q(state="requested"), name="bulk_item_under_way"),
            models.Index(fields=["bulk", "-settled_at"], name="bulk_item_settled_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.bulk}, {self.position}"
