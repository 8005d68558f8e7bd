"""Questions about notes and runs, one method each; nothing here writes."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

ACTIVE_STATUSES = ("received", "transcribing", "transcribed", "processing")
ACTIVE_RUN_STATUSES = ("queued", "running")


class ArtifactQuerySet(models.QuerySet[Any]):
    def active(self) -> "ArtifactQuerySet":
        """On their way, with no end reached."""
        return self.filter(status__in=ACTIVE_STATUSES)

    def failed(self) -> "ArtifactQuerySet":
        """Failed, and not closed by a person."""
        return self.filter(status="failed", closed_at__isnull=True)

    def forgotten(self, unchanged_since: datetime) -> "ArtifactQuerySet":
        """On their way although nothing is scheduled for them, and not only for this moment."""
        quiet = self.active().filter(updated_at__lt=unchanged_since)
        return quiet.exclude(runs__status__in=ACTIVE_RUN_STATUSES)


class StageRunQuerySet(models.QuerySet[Any]):
    def active(self) -> "StageRunQuerySet":
        return self.filter(status__in=ACTIVE_RUN_STATUSES)

    def due(self, now: datetime) -> "StageRunQuerySet":
        """Waiting for a worker, and allowed to start."""
        return self.filter(status="queued", parked_since__isnull=True, not_before__lte=now)

    def parked(self) -> "StageRunQuerySet":
        """On hold until the watchdog lets them go."""
        return self.filter(status="queued", parked_since__isnull=False)

    def running(self) -> "StageRunQuerySet":
        return self.filter(status="running")

    def mine(self, run_id: int, token: int) -> "StageRunQuerySet":
        """The run, if whoever claimed it under this token still holds it."""
        return self.filter(Q(pk=run_id, lease_token=token, status="running"))
