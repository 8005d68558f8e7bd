"""The scheduled jobs: each sees to every period that needs it, and leaves a `JobRun` that says what it did."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from metrics import catching_up, retention, schedules
from metrics.aggregation import Aggregated, aggregate_daily_metrics, aggregate_hourly_metrics
from metrics.models import JobRun, PeriodType
from metrics.troubles import overcome
from voicepipeline.text import safe_text

# A run each minute: what is left is the next one's.
MOST_HOURS_TO_REFRESH = 300
SECONDS_TO_REFRESH = 40
MOST_TROUBLES_TOLD = 5


class PeriodsFailed(Exception):
    """Some hours or days could not be seen to; the message says which, in words of ours."""


@dataclass
class Progress:
    """A job at work: what it has done, what went wrong, and whether there is time for more."""

    seconds: float
    periods: int = 0
    rows: int = 0
    troubles: list[str] = field(default_factory=list)
    cause: BaseException | None = None  # the first
    began: float = field(default_factory=time.monotonic)

    def may_go_on(self) -> bool:
        return time.monotonic() - self.began < self.seconds

    def count(self, kind: PeriodType, starts: Iterable[datetime]) -> None:
        """Count these, each in a transaction of its own; one that breaks stops none of the others."""
        for start in starts:
            if not self.may_go_on():
                return
            try:
                self._add(kind, COUNTING[kind](start))
            except Exception as error:
                self.cause = self.cause or error
                self.troubles.append(f"{_named(kind, start)} could not be counted ({overcome(error)}).")

    def _add(self, kind: PeriodType, counted: Aggregated) -> None:
        if counted.busy or counted.refused:
            return
        self.periods += 1
        self.rows += counted.rows
        if counted.gaps and kind == PeriodType.HOUR:  # a day has those of its hours
            whose = "one club" if len(counted.gaps) == 1 else f"{len(counted.gaps)} clubs"
            when = _named(kind, counted.period_start)
            self.troubles.append(f"{when} lacks {whose}, whose events could not be counted.")

    @property
    def error(self) -> str:
        more = len(self.troubles) - MOST_TROUBLES_TOLD
        told = " ".join(self.troubles[:MOST_TROUBLES_TOLD])
        return f"{told} And {more} more." if more > 0 else told


COUNTING: dict[PeriodType, Callable[[datetime], Aggregated]] = {
    PeriodType.HOUR: aggregate_hourly_metrics,
    PeriodType.DAY: aggregate_daily_metrics,
}


def refresh_running_hour(*, now: datetime) -> JobRun:
    """Count the running hour, the one that ended just now, and hours and days that nobody has counted."""
    with _recorded(schedules.REFRESH, most_seconds=SECONDS_TO_REFRESH) as (run, progress):
        progress.count(PeriodType.HOUR, catching_up.missing_hours(now)[:MOST_HOURS_TO_REFRESH])
        progress.count(PeriodType.DAY, catching_up.days_to_count(now))
    return run


def aggregate_hourly(*, now: datetime) -> JobRun:
    """Count the last hours again, every hour that was not counted since it was over, and the days they change."""
    with _recorded(schedules.HOURLY) as (run, progress):
        progress.count(PeriodType.HOUR, catching_up.hours_to_count(now))
        progress.count(PeriodType.DAY, catching_up.days_to_count(now))
    return run


def aggregate_daily(*, now: datetime) -> JobRun:
    """Add up every day whose hours say more than it does, today as far as it has come."""
    with _recorded(schedules.DAILY) as (run, progress):
        progress.count(PeriodType.HOUR, catching_up.missing_hours(now))
        progress.count(PeriodType.DAY, catching_up.days_to_count(now))
    return run


def cleanup_snapshots(*, now: datetime) -> JobRun:
    """Delete figures that are old enough, and what the jobs left behind."""
    with _recorded(schedules.CLEAN_SNAPSHOTS) as (run, progress):
        progress.rows = retention.cleanup_old_snapshots(now, may_go_on=progress.may_go_on).rows
    return run


def cleanup_events(*, now: datetime) -> JobRun:
    """Count old hours for good, delete their events, and complete the days that consist of such hours."""
    with _recorded(schedules.CLEAN_EVENTS) as (run, progress):
        done = retention.cleanup_old_events(now, may_go_on=progress.may_go_on)
        progress.periods, progress.rows = done.hours_sealed, done.events_deleted
        progress.troubles = [
            f"{_named(PeriodType.HOUR, kept.hour)} keeps its events: {kept.reason}."
            for kept in done.kept
            if kept.is_trouble
        ]
        progress.count(PeriodType.DAY, catching_up.days_to_count(now))
    return run


@contextmanager
def _recorded(name: str, *, most_seconds: float | None = None) -> Iterator[tuple[JobRun, Progress]]:
    """Leave a row that says how this run of the job went; what went wrong is raised once it is written down.

    A job of the queue that takes too long is stopped, so it begins nothing new in the second half of its time.
    """
    run = JobRun.objects.create(name=name, started_at=timezone.now())
    progress = Progress(min(settings.JOB_TIMEOUT_SECONDS / 2, most_seconds or settings.JOB_TIMEOUT_SECONDS))
    try:
        yield run, progress
    except BaseException as error:
        progress.troubles.insert(0, f"It broke off ({overcome(error)}).")
        _finish(run, progress)
        raise
    _finish(run, progress)
    if progress.troubles:
        raise PeriodsFailed(progress.error) from progress.cause


def _finish(run: JobRun, progress: Progress) -> None:
    run.finished_at = timezone.now()
    run.succeeded = not progress.troubles
    run.periods, run.rows = progress.periods, progress.rows
    run.error = safe_text(progress.error, 500)
    run.save()


def _named(kind: PeriodType, start: datetime) -> str:
    return f"The hour {start:%Y-%m-%d %H:%M}" if kind == PeriodType.HOUR else f"The day {start:%Y-%m-%d}"
