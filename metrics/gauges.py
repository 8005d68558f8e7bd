"""What /metrics tells, gathered in a fixed number of small queries."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from metrics.figures import LiveMetrics
from metrics.last_runs import last_runs
from metrics.limits import HOUR, limits
from metrics.models import CounterType, JobRun, Period, PeriodType, RefusedEvent
from metrics.queries import get_real_time_metrics
from metrics.schedules import SCHEDULES
from metrics.windows import Grain, oldest_day
from voicepipeline.engine.health import current_health
from voicepipeline.models import AIService, AIServiceHealth, Artifact, StageRun
from voicepipeline.pipeline_status import Queue, load_queue
from voicepipeline.querysets import ACTIVE_STATUSES

PREFIX = "voicepipeline"
RUNS = ("due", "later", "on_hold", "running")
STATES = [state.value for state in AIServiceHealth.State]
CLUSTER_STATES = ("working", "silent")
REFUSED_SPAN = timedelta(hours=24)


@dataclass(frozen=True)
class Counted:
    """How history stands: hours of the last two days without figures or with gaps, and what came too late for them."""

    hours_missing: int
    hours_with_gaps: int
    refused: int


class PlatformCollector(Collector):
    """One look at the platform; what it saw, it tells as often as it is asked."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = list(families)

    @classmethod
    def gather(cls) -> "PlatformCollector":
        queue = load_queue()
        return cls(
            [
                *live_figures(get_real_time_metrics()),
                *work(queue),
                *notes(),
                *ai_services(current_health()),
                *jobs(last_runs(succeeded=True), queue.now),
                *history(load_counted(queue.now)),
            ]
        )

    def collect(self) -> Iterator[Metric]:
        yield from self.families


def gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=labels)


# What is counted in the 60 whole minutes that end now: gauges, for they fall again.
LIVE = {
    CounterType.ARTIFACTS_RECEIVED: ("voice_notes_received_last_hour", "Voice notes received"),
    CounterType.ARTIFACTS_COMPLETED: (
        "voice_notes_ready_last_hour",
        "Voice notes that became ready for the first time",
    ),
    CounterType.ARTIFACTS_FAILED: ("voice_notes_failed_last_hour", "Voice notes that failed"),
    CounterType.TRANSCRIPTIONS_COMPLETED: ("transcriptions_completed_last_hour", "Transcriptions that were completed"),
    CounterType.CLAIMS_EXTRACTED: ("claims_extractions_completed_last_hour", "Voice notes whose statements were read"),
    CounterType.ENTITIES_RESOLVED: ("entity_resolutions_completed_last_hour", "Voice notes whose names were matched"),
    CounterType.DRAFTS_GENERATED: ("draft_generations_completed_last_hour", "Voice notes whose entries were suggested"),
    CounterType.FAILURES: ("failures_last_hour", "Final failures of stages, and voice notes that failed"),
    CounterType.RETRIES: ("retries_last_hour", "Retries that were requested"),
    CounterType.AI_COST: ("ai_cost_last_hour_dollars", "What the AI service cost, as far as prices are known"),
}


def live_figures(live: LiveMetrics) -> Iterator[Metric]:
    for counter_type, (name, says) in LIVE.items():
        family = gauge(name, f"{says} in the 60 whole minutes that end now.")
        family.add_metric([], float(live[counter_type]))
        yield family


def work(queue: Queue) -> Iterator[Metric]:
    """What waits for workers, what they have in hand, and whether they are there."""
    runs = gauge("stage_runs", "Tries at a stage that have not ended, by what they wait for.", "stage", "state")
    oldest = gauge("oldest_due_seconds", "How long the oldest try that is due has waited for a worker.", "stage")
    for load in queue.stages:
        for state in RUNS:
            runs.add_metric([load.stage, state], getattr(load, state))
        oldest.add_metric([load.stage], load.oldest_for.total_seconds() if load.oldest_for else 0)
    unrung = gauge("stage_runs_due_not_rung", "Tries that are due and for which no worker has been rung yet.")
    unrung.add_metric([], StageRun.objects.due(queue.now).filter(rung_at=None).count())
    doorbells = gauge("doorbells", "Tasks in the queue of the workers.")
    doorbells.add_metric([], queue.depth)
    clusters = gauge("worker_clusters", "Groups of workers that were heard from in the last 24 hours.", "state")
    for state in CLUSTER_STATES:
        clusters.add_metric([state], sum(cluster.state == state for cluster in queue.clusters))
    yield from (runs, oldest, unrung, doorbells, clusters, _beat(queue))


def _beat(queue: Queue) -> Metric:
    """Without a sample when none was heard from: no age is known then, and `absent()` tells."""
    beat = gauge("worker_beat_age_seconds", "How long ago any group of workers was last heard from.")
    silent = [cluster.silent_for.total_seconds() for cluster in queue.clusters if cluster.state != "ended"]
    if silent:
        beat.add_metric([], min(silent))
    return beat


def notes() -> Iterator[Metric]:
    """Only the states that an index keeps small: those of notes that are ready would be counted one by one."""
    family = gauge("voice_notes", "Voice notes that are on their way, or failed and not closed.", "status")
    counted = dict(Artifact.objects.active().order_by().values_list("status").annotate(n=Count("pk")))
    for status in ACTIVE_STATUSES:
        family.add_metric([status], counted.get(status, 0))
    family.add_metric([Artifact.Status.FAILED], Artifact.objects.failed().count())
    yield family


def ai_services(services: Mapping[AIService, AIServiceHealth]) -> Iterator[Metric]:
    state = gauge("ai_service_state", "1 for the state that the service is in, 0 for the others.", "service", "state")
    person = gauge("ai_service_needs_person", "1 while the AI service waits for a person to resume it.", "service")
    for service, health in services.items():
        for each in STATES:
            state.add_metric([service, each], int(health.state == each))
        person.add_metric([service], int(health.needs_person))
    yield from (state, person)


def jobs(last: dict[str, JobRun], now: datetime) -> Iterator[Metric]:
    """Without a sample for a job that has never succeeded."""
    family = gauge("metrics_job_age_seconds", "How long ago this job last succeeded.", "job")
    for schedule in SCHEDULES:
        run = last.get(schedule.name)
        if run is not None and run.finished_at is not None:
            family.add_metric([schedule.name], max(0.0, (now - run.finished_at).total_seconds()))
    yield family


def load_counted(now: datetime) -> Counted:
    """The hours that are over and whose events may still be there, from the first that history has."""
    this_hour = Grain.HOUR.floor(now)
    hours = Period.objects.filter(period_type=PeriodType.HOUR, period_start__gte=oldest_day(now, limits()))
    begins = Grain.HOUR.floor(this_hour - limits().events_kept)
    of_late = Q(period_start__gte=begins, period_start__lt=this_hour)
    found = hours.aggregate(
        first=Min("period_start"), counted=Count("pk", filter=of_late), gaps=Count("pk", filter=of_late & ~Q(gaps=[]))
    )
    expected = 0 if found["first"] is None else (this_hour - max(begins, found["first"])) // HOUR
    refused = RefusedEvent.objects.filter(refused_at__gte=now - REFUSED_SPAN).count()
    return Counted(max(0, expected - found["counted"]), found["gaps"], refused)


def history(counted: Counted) -> Iterator[Metric]:
    for name, says, number in (
        ("metrics_hours_missing", "Hours that are over and that history lacks.", counted.hours_missing),
        ("metrics_hours_with_gaps", "Hours from which some club's events are missing.", counted.hours_with_gaps),
        (
            "metrics_events_refused_last_day",
            "Events of 24 hours that came too late to count.",
            counted.refused,
        ),
    ):
        family = gauge(name, says)
        family.add_metric([], number)
        yield family
