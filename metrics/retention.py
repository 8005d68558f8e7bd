"""Letting go of what has been counted for good: first events, later the hours, at last the days."""

from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from metrics.aggregation import aggregate_hourly_metrics
from metrics.catching_up import hours_to_seal
from metrics.limits import DAY, HOUR, limits
from metrics.models import Period, PeriodType
from metrics.troubles import overcome
from metrics.windows import Grain
from voicepipeline.models import PipelineEvent

# As in migration 0004: who writes an event that is older takes the lock of its hour.
OLD_FOR_WRITERS = 3 * HOUR
# So long a late event is refused and the days are known, once their figures have gone.
MARGIN = DAY
# What is older is of no hour that a program could name; it stays, and is in nobody's way.
BEGINNING = datetime.min.replace(tzinfo=UTC)
# Of the index `event_time`.
PAGES_A_RANGE = 32
# What keeps an hour from being counted for longer than this is no coincidence.
PATIENCE = DAY


def always() -> bool:
    return True


@dataclass(frozen=True)
class KeptHour:
    """An hour whose events have to stay for now."""

    hour: datetime
    reason: str
    is_trouble: bool = True  # False: the next run will most likely do it


@dataclass
class EventCleanup:
    """What became of the hours that were old enough."""

    hours_sealed: int = 0
    events_deleted: int = 0
    kept: list[KeptHour] = field(default_factory=list)


@dataclass
class SnapshotCleanup:
    """How many rows went; of figures with all beneath them."""

    hourly: int = 0
    daily: int = 0
    periods: int = 0
    refused_events: int = 0
    job_runs: int = 0

    @property
    def rows(self) -> int:
        return sum(asdict(self).values())


@dataclass(frozen=True)
class CleanupPlan:
    """What would go now, if every hour can be counted for good."""

    hours_to_seal: int
    events: int
    snapshots: SnapshotCleanup


# --- Events ----------------------------------------------------------------------------------------------------


def cleanup_old_events(now: datetime, *, may_go_on: Callable[[], bool] = always) -> EventCleanup:
    """Count every hour that ended long enough ago once more and for good, then delete its events.

    An hour that cannot be counted keeps its events, and the others go on.
    """
    done = EventCleanup()
    before = _events_before(now)
    _renew_time_index()
    for hour in _in_order({*hours_to_seal(now, before=before), *_hours_with_events(before)}):
        if not may_go_on():
            break
        try:
            kept = _seal(hour, done) or _delete_events(hour, done)
        except Exception as error:
            kept = KeptHour(hour, overcome(error))
        if kept:
            done.kept.append(replace(kept, is_trouble=kept.is_trouble or hour < before - PATIENCE))
    return done


def _in_order(hours: set[datetime]) -> list[datetime]:
    """The oldest first; those with gaps last, for to count them takes long and is mostly in vain."""
    with_gaps = set(
        Period.objects.filter(period_type=PeriodType.HOUR).exclude(gaps=[]).values_list("period_start", flat=True)
    )
    return sorted(hours, key=lambda hour: (hour in with_gaps, hour))


def _events_before(now: datetime) -> datetime:
    """Hours that ended by now minus the time for which events are kept began before this."""
    return Grain.HOUR.floor(now - limits().events_kept)


def _hours_with_events(before: datetime) -> list[datetime]:
    with connection.cursor() as cursor:
        hour = "date_trunc('hour', timestamp, 'UTC')"
        cursor.execute(
            f"SELECT DISTINCT {hour} FROM voicepipeline_pipelineevent WHERE timestamp >= %s AND timestamp < %s",  # noqa: S608
            [BEGINNING, before],
        )
        return [hour for (hour,) in cursor.fetchall()]


def _renew_time_index() -> None:
    """Let the index on the events' times forget those that are gone.

    It keeps the earliest and the latest time of each part of the table, and only ever widens them: where new events
    take the place of old ones, every part soon seems to have events of every hour, and all of them are read for each.
    What the last run deleted has by now been cleared away; what this one deletes is still known to whoever reads.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT brin_desummarize_range('event_time', block) FROM generate_series(0,"
            " pg_relation_size('voicepipeline_pipelineevent') / current_setting('block_size')::bigint - 1, %s) block",
            [PAGES_A_RANGE],
        )
        cursor.execute("SELECT brin_summarize_new_values('event_time')")


def _seal(hour: datetime, done: EventCleanup) -> KeptHour | None:
    """Make the hour final; None: it is, and no event of it can come any more."""
    if _sealed(hour):
        return None
    if may_still_get_events(hour):
        return KeptHour(hour, "a transaction is open that began before it was old", is_trouble=False)
    counted = aggregate_hourly_metrics(hour, seal=True)
    if counted.busy:
        return KeptHour(hour, "it is being counted or written to", is_trouble=False)
    if _sealed(hour) is None:
        whose = "one club" if len(counted.gaps) == 1 else f"{len(counted.gaps)} clubs"
        return KeptHour(hour, f"the events of {whose} could not be counted")
    done.hours_sealed += 1
    return None


def _sealed_hours(before: datetime) -> set[datetime]:
    sealed = Period.objects.filter(period_type=PeriodType.HOUR, period_start__lt=before, sealed_at__isnull=False)
    return set(sealed.values_list("period_start", flat=True))


def _sealed(hour: datetime) -> Period | None:
    return Period.objects.filter(period_type=PeriodType.HOUR, period_start=hour, sealed_at__isnull=False).first()


def may_still_get_events(hour: datetime) -> bool:
    """Whether somebody writes, or may begin to, who would find an event of this hour too young to ask for its lock.

    Asked outside of transactions: within one, the answer would be the same for all hours. When a transaction of
    another role began, only some may read; that there is one, all may, for each holds its own lock. Who works for
    the database itself, such as autovacuum, has no role.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT clock_timestamp() < %(old_at)s OR EXISTS (
                SELECT FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
                    AND (xact_start < %(old_at)s OR xact_start IS NULL AND pid IN (
                        SELECT pid FROM pg_locks WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock'
                    ))
            )
            """,
            {"old_at": hour + HOUR + OLD_FOR_WRITERS},
        )
        return bool(cursor.fetchone()[0])


def _delete_events(hour: datetime, done: EventCleanup) -> KeptHour | None:
    """Delete the events of an hour that is final, some at a time; they are looked for once, for that reads many."""
    of_the_hour = PipelineEvent.objects.filter(timestamp__gte=hour, timestamp__lt=hour + HOUR)
    ids = array("q", of_the_hour.order_by().values_list("pk", flat=True).iterator(chunk_size=10_000))
    sealed = _sealed(hour)
    if sealed is None or len(ids) > sealed.events:
        return KeptHour(hour, "it has more events than were counted")
    for start in range(0, len(ids), limits().deleted_at_once):
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM voicepipeline_pipelineevent WHERE id = ANY(%s) AND timestamp >= %s AND timestamp < %s",
                [ids[start : start + limits().deleted_at_once].tolist(), hour, hour + HOUR],
            )
            done.events_deleted += cursor.rowcount
    return None


# --- Figures ---------------------------------------------------------------------------------------------------


def cleanup_old_snapshots(now: datetime, *, may_go_on: Callable[[], bool] = always) -> SnapshotCleanup:
    """Delete hours whose day is complete, days, and what was told of both, each when it is old enough."""
    return SnapshotCleanup(
        hourly=_delete(SNAPSHOTS_GO.format(which=OLD_HOURS), now, may_go_on),
        daily=_delete(SNAPSHOTS_GO.format(which=OLD_DAYS), now, may_go_on),
        periods=_delete(_rows_go("metrics_period", OLD_PERIODS), now, may_go_on),
        refused_events=_delete(_rows_go("metrics_refusedevent", OLD_REFUSED), now, may_go_on),
        job_runs=_delete(_rows_go("metrics_jobrun", OLD_JOB_RUNS), now, may_go_on),
    )


def plan_cleanup(now: datetime) -> CleanupPlan:
    """What both cleanups would do now; nothing is touched."""
    before = _events_before(now)
    return CleanupPlan(
        hours_to_seal=len({*hours_to_seal(now, before=before), *_hours_with_events(before)} - _sealed_hours(before)),
        events=PipelineEvent.objects.filter(timestamp__gte=BEGINNING, timestamp__lt=before).count(),
        snapshots=SnapshotCleanup(
            hourly=_count("metrics_metricssnapshot snapshot", OLD_HOURS, now),
            daily=_count("metrics_metricssnapshot snapshot", OLD_DAYS, now),
            periods=_count("metrics_period", OLD_PERIODS, now),
            refused_events=_count("metrics_refusedevent", OLD_REFUSED, now),
            job_runs=_count("metrics_jobrun", OLD_JOB_RUNS, now),
        ),
    )


# A day that has been deleted needs its hours no more, complete or not.
OLD_HOURS = """period_type = 'hour' AND period_start <= %(last_hour)s AND (
    date_trunc('day', period_start, 'UTC') <= %(last_day)s OR EXISTS (
        SELECT FROM metrics_period day
        WHERE day.period_type = 'day' AND day.sealed_at IS NOT NULL
            AND day.period_start = date_trunc('day', snapshot.period_start, 'UTC')
    )
)"""
OLD_DAYS = "period_type = 'day' AND period_start <= %(last_day)s"
OLD_PERIODS = """(
    period_type = 'hour' AND period_start <= %(last_known_hour)s
    OR period_type = 'day' AND period_start <= %(last_known_day)s
)"""
OLD_REFUSED = "refused_at < %(refused)s"
OLD_JOB_RUNS = "started_at < %(job_runs)s"

# Foreign keys are checked at commit, so the order in which these rows go does not matter.
SNAPSHOTS_GO = """
WITH gone AS MATERIALIZED (
    SELECT id FROM metrics_metricssnapshot snapshot WHERE {which} ORDER BY period_start LIMIT %(at_once)s
),
stages AS (DELETE FROM metrics_stagesnapshot WHERE snapshot_id IN (SELECT id FROM gone)),
sources AS (DELETE FROM metrics_sourcesnapshot WHERE snapshot_id IN (SELECT id FROM gone)),
prompts AS (DELETE FROM metrics_promptsnapshot WHERE snapshot_id IN (SELECT id FROM gone))
DELETE FROM metrics_metricssnapshot WHERE id IN (SELECT id FROM gone)
"""


def _rows_go(table: str, which: str) -> str:
    return f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {which} LIMIT %(at_once)s)"  # noqa: S608


def _given(now: datetime) -> dict[str, Any]:
    """The last beginnings of what has ended long enough ago."""
    how = limits()
    known = now - how.days_kept - MARGIN
    return {
        "last_hour": now - how.hours_kept - HOUR,
        "last_day": now - how.days_kept - DAY,
        "last_known_hour": known - HOUR,
        "last_known_day": known - DAY,
        "refused": known,
        "job_runs": now - how.job_runs_kept,
        "at_once": how.deleted_at_once,
    }


def _delete(statement: str, now: datetime, may_go_on: Callable[[], bool]) -> int:
    """Delete some at a time, each time in a transaction of its own, until none is left."""
    given, deleted = _given(now), 0
    while may_go_on():
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(statement, given)
            deleted += cursor.rowcount
            if cursor.rowcount < given["at_once"]:
                break
    return deleted


def _count(table: str, which: str, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {which}", _given(now))  # noqa: S608
        return int(cursor.fetchone()[0])
