"""Attempts at a stage, and the clusters that work on them."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from voicepipeline.models.notes import Artifact, StageName
from voicepipeline.querysets import StageRunQuerySet


class StageRun(models.Model):
    """One attempt at one stage, and the truth about work; only the engine writes it."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"  # to be started when due and a worker is free
        RUNNING = "running", "Running"  # a worker holds its lease
        SUCCEEDED = "succeeded", "Succeeded"  # its result is committed
        FAILED = "failed", "Failed"  # with a code; a successor exists unless it is terminal
        SUPERSEDED = "superseded", "Replaced by a newer try"
        CANCELLED = "cancelled", "Cancelled"  # by a person

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        Status.QUEUED: frozenset({Status.RUNNING, Status.SUPERSEDED, Status.CANCELLED}),
        Status.RUNNING: frozenset({Status.QUEUED, Status.SUCCEEDED, Status.FAILED, Status.SUPERSEDED}),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
        Status.SUPERSEDED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
    ACTIVE: ClassVar[tuple[str, ...]] = (Status.QUEUED, Status.RUNNING)

    artifact = models.ForeignKey(
        Artifact, models.PROTECT, verbose_name="voice note", related_name="runs", db_index=False
    )
    stage = models.CharField(max_length=20, choices=StageName)
    generation = models.PositiveIntegerField("round")
    attempt = models.PositiveIntegerField("try")
    status = models.CharField(max_length=12, choices=Status, default=Status.QUEUED)
    effective = models.BooleanField("in use", default=False)
    terminal = models.BooleanField("ended the note", default=False)
    # Copied to successors and to the stages that follow: everything that one request caused.
    origin = models.UUIDField(default=uuid.uuid4, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    # Budgets, never the ordinal of the attempt.
    transient_no = models.PositiveSmallIntegerField("passing faults so far", default=0)
    crash_no = models.PositiveSmallIntegerField("crashes so far", default=0)

    queued_at = models.DateTimeField("waiting since", default=timezone.now)
    not_before = models.DateTimeField("due", default=timezone.now)
    rung_at = models.DateTimeField(null=True, blank=True)
    ring_count = models.PositiveIntegerField(default=0)
    parked_reason = models.CharField("on hold because", max_length=60, blank=True)
    parked_since = models.DateTimeField("on hold since", null=True, blank=True)
    # When the provider last failed this run: a success of others since then makes the next fault the note's own.
    provider_failed_at = models.DateTimeField(null=True, blank=True)

    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    hard_deadline = models.DateTimeField(null=True, blank=True)
    input_version = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    finished_at = models.DateTimeField("finished", null=True, blank=True)

    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    fingerprint = models.CharField("problem", max_length=64, blank=True)

    ai_model = models.CharField("model", max_length=80, blank=True)
    prompt_version = models.CharField(max_length=40, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    audio_seconds = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    provider_ms = models.PositiveIntegerField("time of the AI service in ms", null=True, blank=True)
    cost_usd = models.DecimalField("cost in USD", max_digits=12, decimal_places=6, null=True, blank=True)

    objects = StageRunQuerySet.as_manager()

    class Meta:
        verbose_name = "stage run"
        constraints = [
            models.UniqueConstraint(
                fields=["artifact", "stage", "generation", "attempt"], name="run_attempt_once_a_stage"
            ),
            models.UniqueConstraint(
                fields=["artifact"], condition=Q(status__in=["queued", "running"]), name="run_one_active_a_note"
            ),
            models.UniqueConstraint(
                fields=["artifact", "stage"], condition=Q(effective=True), name="run_one_effective_a_stage"
            ),
            models.CheckConstraint(
                condition=Q(status="running", lease_until__isnull=False, hard_deadline__isnull=False)
                | ~Q(status="running") & Q(lease_until__isnull=True),
                name="run_leased_while_running",
            ),
            models.CheckConstraint(
                condition=Q(effective=False) | Q(status="succeeded"), name="run_effective_only_when_succeeded"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"], finished_at__isnull=True)
                | Q(status__in=["succeeded", "failed", "superseded", "cancelled"], finished_at__isnull=False),
                name="run_ended_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(status="failed") & ~Q(error_code="") | ~Q(status="failed"), name="run_failed_has_its_code"
            ),
            models.CheckConstraint(
                condition=Q(terminal=False) | Q(status__in=["failed", "cancelled"]),
                name="run_terminal_only_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(parked_since__isnull=True, parked_reason="")
                | Q(status="queued", parked_since__isnull=False) & ~Q(parked_reason=""),
                name="run_on_hold_only_while_waiting",
            ),
            models.CheckConstraint(condition=Q(stage__in=StageName.values), name="run_stage_known"),
            models.CheckConstraint(condition=Q(attempt__gte=1, generation__gte=1), name="run_counts_from_one"),
        ]
        indexes = [
            # Heartbeats change lease_until every few seconds: nothing that indexes it, or they stop being HOT.
            models.Index(fields=["id"], condition=Q(status="running"), name="run_running"),
            models.Index(
                fields=["stage", "queued_at", "id"],
                condition=Q(status="queued", parked_since__isnull=True),
                name="run_waiting",
            ),
            models.Index(
                fields=["stage", "queued_at", "id"],
                condition=Q(status="queued", parked_since__isnull=False),
                name="run_on_hold",
            ),
            models.Index("stage", "status", F("id").desc(), name="run_stage_status_newest"),
            models.Index("status", F("id").desc(), name="run_status_newest"),
            models.Index(fields=["finished_at"], condition=Q(terminal=True), name="run_ended_its_note"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}, try {self.attempt}"


class ClusterBeat(models.Model):
    """A cluster of workers saying that it is alive, and when it last took up work."""

    host = models.CharField(max_length=120)
    parent_pid = models.PositiveIntegerField()
    parent_started_at = models.DateTimeField()
    sentinel_pid = models.PositiveIntegerField()
    workers = models.PositiveIntegerField()
    started_at = models.DateTimeField("started", default=timezone.now)
    last_seen_at = models.DateTimeField("last sign of life", default=timezone.now)
    last_task_started_at = models.DateTimeField("last job taken up", null=True, blank=True)
    last_task_finished_at = models.DateTimeField("last job ended", null=True, blank=True)
    ended_at = models.DateTimeField("ended by the watchdog", null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "cluster"
        constraints = [
            models.UniqueConstraint(fields=["host", "parent_pid", "parent_started_at"], name="cluster_beat_once")
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.parent_pid}"


class WatchdogBeat(models.Model):
    """A watchdog saying that it goes its rounds."""

    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    last_seen_at = models.DateTimeField("last sign of life", default=timezone.now)

    class Meta:
        verbose_name = "watchdog"
        constraints = [models.UniqueConstraint(fields=["host", "pid"], name="watchdog_beat_once")]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
