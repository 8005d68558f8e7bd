"""The pipeline at one moment: what waits, what runs, who works."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django_q.models import OrmQ

from voicepipeline.durations import in_words
from voicepipeline.engine.health import current_health
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import (
    AIServiceHealth,
    Artifact,
    ClusterBeat,
    DroppedEvent,
    StageName,
    StageRun,
    WatchdogBeat,
)

CLUSTERS_KEPT = timedelta(hours=24)
MOST_CLUSTERS = 20
MOST_RUNNING = 200


@dataclass(frozen=True)
class Cluster:
    """A group of workers on one machine, as it last reported in."""

    beat: ClusterBeat
    silent_for: timedelta
    state: str  # working, silent or ended


@dataclass(frozen=True)
class StageLoad:
    """What one stage has before it and in it; `oldest_due` is since when the oldest due note waits."""

    stage: str
    label: str
    now: datetime
    due: int = 0
    later: int = 0
    on_hold: int = 0
    running: int = 0
    oldest_due: datetime | None = None

    @property
    def oldest_for(self) -> timedelta | None:
        """How long the oldest due note has waited."""
        return None if self.oldest_due is None else self.now - self.oldest_due


@dataclass(frozen=True)
class Queue:
    """What the engine has to do and who does it; cheap at any size, for only unfinished runs are read."""

    now: datetime
    depth: int
    stages: list[StageLoad]
    clusters: list[Cluster]
    last_wedged: ClusterBeat | None

    @property
    def oldest_for(self) -> timedelta | None:
        return max((load.oldest_for for load in self.stages if load.oldest_for is not None), default=None)

    def total(self, name: str) -> int:
        return sum(getattr(load, name) for load in self.stages)


def load_queue() -> Queue:
    now = database_now()
    wedged = ClusterBeat.objects.exclude(ended_at=None).order_by("-ended_at").first()
    return Queue(now, int(OrmQ.objects.count()), load_stages(now), _load_clusters(now), wedged)


def watchdog_silent_for(now: datetime) -> timedelta | None:
    """Since any watchdog has reported in; None when none ever has."""
    seen = WatchdogBeat.objects.order_by("-last_seen_at").values_list("last_seen_at", flat=True).first()
    return None if seen is None else max(timedelta(), now - seen)


def running_runs() -> QuerySet[StageRun]:
    """What workers have in hand, the longest first."""
    runs: QuerySet[StageRun] = StageRun.objects.running().select_related("artifact").order_by("started_at", "id")
    return runs[:MOST_RUNNING]


def status_report() -> dict[str, Any]:
    """Everything that `pipeline_status` tells, as plain values; counts whole tables."""
    queue = load_queue()
    notes = dict(Artifact.objects.order_by().values_list("status").annotate(n=Count("pk")))
    runs = dict(StageRun.objects.order_by().values_list("status").annotate(n=Count("pk")))
    return {
        "notes": {status: notes.get(status, 0) for status in Artifact.Status.values},
        "closed": Artifact.objects.filter(closed_at__isnull=False).count(),
        "runs": {status: runs.get(status, 0) for status in StageRun.Status.values},
        "due": queue.total("due"),
        "on_hold": queue.total("on_hold"),
        "oldest_waiting_seconds": None if queue.oldest_for is None else round(queue.oldest_for.total_seconds(), 1),
        "queue_depth": queue.depth,
        "clusters": [
            {
                "name": str(cluster.beat),
                "state": cluster.state,
                "workers": cluster.beat.workers,
                "silent_seconds": round(cluster.silent_for.total_seconds(), 1),
            }
            for cluster in queue.clusters
        ],
        "ai_services": {service.value: _service(health) for service, health in current_health().items()},
        "dropped_events": DroppedEvent.objects.count(),
    }


def _service(health: AIServiceHealth) -> dict[str, Any]:
    return {
        "state": health.state,
        "reason": health.reason,
        "needs_person": health.needs_person,
        "trouble_since": health.trouble_since and health.trouble_since.isoformat(),
    }


def clusters_in_words() -> str:
    """The clusters' last sign of life, for those who ask whether this installation works."""
    beats = ClusterBeat.objects.filter(ended_at=None).order_by("-last_seen_at").values_list("last_seen_at", flat=True)
    seen = beats.first()
    if seen is None:
        return "none seen yet"
    silent_for = database_now() - seen
    words = in_words(silent_for)
    return f"seen {words} ago" if silent_for < limits().cluster_lost_after else f"none seen for {words}"


def load_stages(now: datetime) -> list[StageLoad]:
    """Every stage in order; one query, which reads unfinished runs only."""
    queued, parked = Q(status=StageRun.Status.QUEUED), Q(parked_since__isnull=False)
    due = queued & ~parked & Q(not_before__lte=now)
    counted = (
        StageRun.objects.active()
        .order_by()
        .values("stage")
        .annotate(
            due=Count("pk", filter=due),
            later=Count("pk", filter=queued & ~parked & Q(not_before__gt=now)),
            on_hold=Count("pk", filter=parked),
            running=Count("pk", filter=Q(status=StageRun.Status.RUNNING)),
            oldest_due=Min("not_before", filter=due),
        )
    )
    rows: dict[str, dict[str, Any]] = {row["stage"]: row for row in counted}
    return [
        StageLoad(**{**rows.get(stage, {}), "stage": stage.value, "label": str(stage.label), "now": now})
        for stage in StageName
    ]


def _load_clusters(now: datetime) -> list[Cluster]:
    """Those of the last day, the most recently heard from first."""
    beats = ClusterBeat.objects.filter(last_seen_at__gte=now - CLUSTERS_KEPT).order_by("-last_seen_at")
    return [_cluster(beat, now) for beat in beats[:MOST_CLUSTERS]]


def _cluster(beat: ClusterBeat, now: datetime) -> Cluster:
    silent_for = max(timedelta(), now - beat.last_seen_at)
    if beat.ended_at is not None:
        return Cluster(beat, silent_for, "ended")
    return Cluster(beat, silent_for, "working" if silent_for < limits().cluster_lost_after else "silent")
