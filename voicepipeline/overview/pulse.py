"""How the pipeline stands at one moment: three queries, whatever there is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now

from voicepipeline.ai_notices import Standstill, load_standstills
from voicepipeline.engine.limits import limits
from voicepipeline.models import (
    Artifact,
    ClusterBeat,
    EntityResolution,
    InsightDraft,
    StageName,
    StageRun,
    WatchdogBeat,
)
from voicepipeline.overview.asking import NOW, Question, ask, count_of, first_of, least_of, sum_of
from voicepipeline.pipeline_status import StageLoad, load_stages
from voicepipeline.queries import failed_since, stalled_notes

# It is counted every few seconds for everybody who looks: beyond this many "1,000+" tells as much.
MOST_COUNTED = 1_000
OLDEST_READ = 200
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# The same name of a note is one question, however often it was said.
A_NAME = ("artifact_id", "kind", "name_key")


@dataclass(frozen=True)
class Pulse:
    """What stages have before them and what is on its way is counted in full, all else to one beyond `MOST_COUNTED`."""

    now: datetime
    loads: tuple[StageLoad, ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)  # tries, by stage, in the last 60 minutes
    notes_failed: int = 0  # in the last 60 minutes, and are so still
    active: int = 0
    stalled: int = 0
    names_open: int = 0
    entries_open: int = 0
    last_received_at: datetime | None = None
    oldest_active_at: datetime | None = None  # since when the note that is longest on its way is so
    clusters_working: int = 0
    clusters_silent: int = 0  # of the last day, but for those in whose place another began
    silent_since: datetime | None = None  # the first of them
    workers: int = 0  # of the clusters that work
    cluster_seen_at: datetime | None = None
    watchdog_seen_at: datetime | None = None
    standstills: tuple[Standstill, ...] = ()
    more: Mapping[str, int] = field(default_factory=dict)  # what the page wanted counted besides

    @property
    def hour(self) -> tuple[datetime, datetime]:
        """The 60 whole minutes that end with this one, as live figures have them."""
        end = self.now.replace(second=0, microsecond=0) + MINUTE
        return end - HOUR, end

    def total(self, name: str) -> int:
        return sum(getattr(load, name) for load in self.loads)

    @property
    def oldest_due(self) -> datetime | None:
        return min((load.oldest_due for load in self.loads if load.oldest_due), default=None)


def load_pulse(more: Mapping[str, QuerySet[Any]] | None = None) -> Pulse:
    wanted = more or {}
    besides = {f"more_{key}": count_of(rows, MOST_COUNTED) for key, rows in wanted.items()}
    answers = ask(**_questions(), **besides)
    counted = {key: answers.pop(f"more_{key}") for key in wanted}
    failed = {stage: answers.pop(f"failed_{stage}") for stage in StageName.values}
    loads = tuple(load_stages(answers["now"]))
    return Pulse(loads=loads, failed=failed, standstills=tuple(load_standstills()), more=counted, **answers)


class StartOfMinute(Func):
    """The beginning of the minute that it is by the database's clock."""

    template = "date_trunc('minute', %(expressions)s)"
    output_field = DateTimeField()


def _failed_lately(stage: str) -> QuerySet[StageRun]:
    """The tries of this stage after which a note had failed."""
    ended = StageRun.objects.filter(terminal=True, finished_at__gte=StartOfMinute(Now()) + (MINUTE - HOUR))
    failed: QuerySet[StageRun] = ended.filter(stage=stage, status=StageRun.Status.FAILED)
    return failed


def _since_when(runs: QuerySet[StageRun]) -> QuerySet[StageRun]:
    """Since when each note is on its way: one that was retried, since then. The oldest will do.

    They are the oldest by when they were received. Were more of them retried at once, one that has waited for longer
    would be missed; but bulk retries keep half as many under way as there are workers, and all that are on their way
    may be a hundred thousand.
    """
    caused_alike = StageRun.objects.filter(artifact=OuterRef("artifact"), origin=OuterRef("origin"))
    first = caused_alike.order_by("queued_at").values("queued_at")[:1]
    return runs.annotate(since=Subquery(first)).order_by("artifact_id")[:OLDEST_READ]


def _to_be_confirmed() -> QuerySet[InsightDraft]:
    """Not what somebody has put on hold."""
    entries: QuerySet[InsightDraft] = InsightDraft.objects.filter(
        status=InsightDraft.Status.PENDING, held_at__isnull=True
    )
    return entries


def _silent(living: QuerySet[ClusterBeat], seen: Q) -> QuerySet[ClusterBeat]:
    """Clusters that are gone.

    One that is stopped says nothing of it: where another began since then, it was started anew.
    """
    until = OuterRef("last_seen_at") - limits().cluster_lost_after
    instead = living.filter(seen, started_at__gt=until)
    return living.filter(~Exists(instead), last_seen_at__gte=Now() - 24 * HOUR).exclude(seen)


def _questions() -> dict[str, Question]:
    """By the database's clock: workers report in by it, and that of the machine that asks may be another."""
    living = ClusterBeat.objects.filter(ended_at=None)
    seen = Q(last_seen_at__gte=Now() - limits().cluster_lost_after)
    silent = _silent(living, seen)
    unclear = EntityResolution.objects.filter(status=EntityResolution.Status.NEEDS_DISAMBIGUATION)
    return {
        "now": NOW,
        "active": count_of(Artifact.objects.active()),
        "stalled": count_of(stalled_notes(Artifact.objects.all()), MOST_COUNTED),
        "names_open": count_of(unclear, MOST_COUNTED, alike=A_NAME),
        "entries_open": count_of(_to_be_confirmed(), MOST_COUNTED),
        "notes_failed": count_of(failed_since(Artifact.objects.all(), Now() - HOUR), MOST_COUNTED),
        "last_received_at": first_of(Artifact.objects.order_by("-received_at", "-id"), "received_at"),
        "oldest_active_at": least_of(_since_when(StageRun.objects.active()), "since"),
        "clusters_working": count_of(living.filter(seen), MOST_COUNTED),
        "clusters_silent": count_of(silent, MOST_COUNTED),
        "silent_since": least_of(silent, "last_seen_at"),
        "workers": sum_of(living.filter(seen), "workers"),
        "cluster_seen_at": first_of(living.order_by("-last_seen_at"), "last_seen_at"),
        "watchdog_seen_at": first_of(WatchdogBeat.objects.order_by("-last_seen_at"), "last_seen_at"),
        **{f"failed_{stage}": count_of(_failed_lately(stage), MOST_COUNTED) for stage in StageName.values},
    }
