"""What waits, what runs, and who works."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from voicepipeline.admin.bare_pages import PageAdmin
from voicepipeline.admin.words import NOTHING, State, moment
from voicepipeline.durations import in_words
from voicepipeline.engine.limits import limits
from voicepipeline.models import ClusterBeat, StageRun
from voicepipeline.pipeline_status import (
    MOST_RUNNING,
    Cluster,
    Queue,
    StageLoad,
    load_queue,
    running_runs,
    watchdog_silent_for,
)

CLUSTER_STATES = {
    "working": State("completed", "Working"),
    "silent": State("closed", "Silent"),
    "ended": State("failed", "Ended by the watchdog"),
}


@admin.register(ClusterBeat)
class QueueAdmin(PageAdmin):
    title = "Queue"
    body_template = "voicepipeline/queue_body.html"
    url_name = "voicepipeline_clusterbeat"

    def body(self, request: HttpRequest) -> dict[str, Any]:
        queue = load_queue()
        running = list(running_runs())
        silent_for = watchdog_silent_for(queue.now)
        return {
            "figures": [*_figures(queue), ("Watchdog", _ago(silent_for), "last sign of life")],
            "stages": [_stage(load) for load in queue.stages],
            "running": [_running(run, queue) for run in running],
            "most_running": MOST_RUNNING if len(running) == MOST_RUNNING else None,
            "clusters": [_cluster(cluster) for cluster in queue.clusters],
            "nobody_works": not any(cluster.state == "working" for cluster in queue.clusters),
            "nobody_watches": silent_for is None or silent_for > limits().cluster_lost_after,
            "last_wedged": _wedged(queue.last_wedged),
        }


def _figures(queue: Queue) -> list[tuple[str, str, str]]:
    """Name, figure, and what it counts."""
    oldest = NOTHING if queue.oldest_for is None else in_words(queue.oldest_for)
    return [
        ("Due", f"{queue.total('due'):,}", "wait for a worker now"),
        ("Oldest due for", oldest, "has waited longest"),
        ("Running", f"{queue.total('running'):,}", "in a worker's hands"),
        ("Due later", f"{queue.total('later'):,}", "pause before their next try"),
        ("On hold", f"{queue.total('on_hold'):,}", "wait for the AI service"),
        ("In the queue", f"{queue.depth:,}", "jobs handed out, not done"),
    ]


def _ago(silent_for: timedelta | None) -> str:
    return "never" if silent_for is None else f"{in_words(silent_for)} ago"


def _stage(load: StageLoad) -> dict[str, Any]:
    runs = reverse("admin:voicepipeline_stagerun_changelist")
    return {
        "load": load,
        "oldest": NOTHING if load.oldest_for is None else in_words(load.oldest_for),
        "waiting_url": f"{runs}?status__exact=queued&stage__exact={load.stage}",
        "running_url": f"{runs}?status__exact=running&stage__exact={load.stage}",
    }


def _running(run: StageRun, queue: Queue) -> dict[str, Any]:
    started = run.started_at or run.queued_at
    overdue = run.lease_until is not None and run.lease_until < queue.now
    return {
        "name": str(run),
        "note": str(run.artifact.artifact_id)[:8],
        "url": reverse("admin:voicepipeline_artifact_change", args=[run.artifact.artifact_id]),
        "worker": run.worker,
        "age": in_words(queue.now - started),
        "overdue": overdue,
    }


def _cluster(cluster: Cluster) -> dict[str, Any]:
    beat = cluster.beat
    last_work = max(filter(None, (beat.last_task_started_at, beat.last_task_finished_at)), default=None)
    return {
        "name": str(beat),
        "state": CLUSTER_STATES[cluster.state],
        "workers": beat.workers,
        "seen": _ago(cluster.silent_for),
        "started": moment(beat.started_at),
        "last_work": moment(last_work),
    }


def _wedged(beat: ClusterBeat | None) -> str:
    return "" if beat is None else f"{moment(beat.ended_at)} UTC, {beat}. {beat.ended_reason}"
