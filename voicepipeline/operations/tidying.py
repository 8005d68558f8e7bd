"""Deleting what nobody needs any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django_q.models import Task

from voicepipeline.intake.requests import forget_old_requests
from voicepipeline.models import ClusterBeat, DroppedEvent
from voicepipeline.operations.roster_import import forget_old_imports

CLUSTERS_KEPT = timedelta(days=7)
QUEUE_FAILURES_KEPT = timedelta(days=30)
DROPPED_EVENTS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Tidied:
    """How many rows went."""

    sessions: int
    clusters: int
    queue_failures: int
    dropped_events: int
    roster_imports: int
    api_requests: int


@transaction.atomic
def tidy_up(*, now: datetime) -> Tidied:
    """Delete sessions that are over, clusters long gone, lists that nobody applied, and old entries of failures."""
    return Tidied(
        sessions=Session.objects.filter(expire_date__lt=now).delete()[0],
        clusters=ClusterBeat.objects.filter(last_seen_at__lt=now - CLUSTERS_KEPT).delete()[0],
        # The queue keeps no successes: what it has are failures, which stage runs tell in full.
        queue_failures=Task.objects.filter(stopped__lt=now - QUEUE_FAILURES_KEPT).delete()[0],
        dropped_events=DroppedEvent.objects.filter(dropped_at__lt=now - DROPPED_EVENTS_KEPT).delete()[0],
        roster_imports=forget_old_imports(now=now),
        api_requests=forget_old_requests(now=now),
    )
