"""Letting go what was on hold: one run to test a paused service, then the others oldest first and paced.

A step of the watchdog. Nothing on hold is rung for, so that this is the only way out of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet

from voicepipeline.engine.changes import Change
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import AIServiceHealth, Artifact, EventType, Pause, StageRun
from voicepipeline.policies.breaker import Standing, Verdict, room, verdict
from voicepipeline.stages import IN_ORDER, Stage, stages_of

# One watchdog at a time, or each would fill the room that there is for all.
LOCK = 0x5EA5_E001
RECENTLY = timedelta(days=1)

# One look into the index a stage, however many are on hold.
STAGES_WITH_HOLDS = """
SELECT stage FROM unnest(%s::text[]) AS stage CROSS JOIN LATERAL (
    SELECT FROM voicepipeline_stagerun run
    WHERE run.stage = stage.stage AND run.status = 'queued' AND run.parked_since IS NOT NULL
    ORDER BY run.queued_at LIMIT 1
) AS held
"""


def release_due(now: datetime) -> int:
    """Let go what may go on now; cheap when nothing is on hold."""
    with connection.cursor() as cursor:
        cursor.execute(STAGES_WITH_HOLDS, [[stage.name for stage in IN_ORDER]])
        held = {name for (name,) in cursor.fetchall()}
    if not held:
        return 0
    with _alone() as alone:
        if not alone:
            return 0
        # What another watchdog let go a moment ago is due only from then on: an older now would not count it.
        now = max(now, database_now())
        round_ = _Round(now, _standings(), _pauses(now))
        # Later stages first: what is nearly done leaves before new work is taken in.
        return sum(round_.release(stage) for stage in reversed(IN_ORDER) if stage.name in held)


@dataclass(frozen=True)
class _Row:
    """A service's standing, and since when."""

    standing: Standing
    since: datetime


@dataclass
class _Round:
    """What holds at this moment, and how many have been let go in it."""

    now: datetime
    services: dict[str, _Row]
    pauses: list[tuple[str, int | None, datetime | None]]
    released: int = 0

    def release(self, stage: Stage) -> int:
        clubs = self._paused_clubs(stage)
        if None in clubs:
            return 0
        held: QuerySet[StageRun] = StageRun.objects.parked().filter(stage=stage.name)
        if clubs:
            held = held.exclude(artifact__organization_id__in=[club for club in clubs if club])
        row = self.services.get(stage.service or "")
        found = verdict(row.standing, self.now) if row else Verdict.PASS
        match found:
            case Verdict.PASS:
                due = held.filter(not_before__lte=self.now).order_by("queued_at", "id")[: self._room(stage, row)]
            case Verdict.PROBE if not self._somebody_will_test(stage):
                # The service is tested by its own clock, whatever the provider asked of single notes.
                due = _due_if_any(held, self.now).order_by(*FIT_TO_TEST)[:1]
            case _:
                return 0
        done = sum(release(*ids) for ids in list(due.values_list("pk", "artifact_id")))
        self.released += done
        return done

    def _paused_clubs(self, stage: Stage) -> set[int | None]:
        """The clubs for which people have paused this stage; None among them stands for all clubs."""
        return {club for subject, club, until in self._pauses_of(stage) if until is None}

    def _pauses_of(self, stage: Stage) -> Iterator[tuple[str, int | None, datetime | None]]:
        return (pause for pause in self.pauses if pause[0] in (Pause.Subject.EVERYTHING, stage.name))

    def _room(self, stage: Stage, row: _Row | None) -> int:
        ended = [until for _, _, until in self._pauses_of(stage) if until is not None]
        well_since = max([*ended, *([row.since] if row else [])], default=self.now)
        closed_for = self.now - row.since if row else None
        return room(settings.WORKERS, _older_in_hand(well_since, self.now), closed_for=closed_for)

    def _somebody_will_test(self, stage: Stage) -> bool:
        assert stage.service is not None  # noqa: S101 — only a service can be tested
        names = [other.name for other in stages_of(stage.service)]
        return StageRun.objects.due(self.now).filter(stage__in=names).exists()


# The one that has waited longest since it last met the provider, so that it is not always the same note that tests.
FIT_TO_TEST = (F("provider_failed_at").asc(nulls_first=True), "queued_at", "id")


def _due_if_any(held: QuerySet[StageRun], now: datetime) -> QuerySet[StageRun]:
    due = held.filter(not_before__lte=now)
    return due if due.exists() else held


def _older_in_hand(moment: datetime, now: datetime) -> int:
    """How many notes from before this moment are at work or wait for a worker, in whatever stage.

    Fresh notes are not among them: they neither wait for those that were on hold nor hold them up.
    """
    older = Q(artifact__received_at__lt=moment)
    most: int = settings.WORKERS
    # Two questions, because each has an index of its own.
    at_work = StageRun.objects.running().filter(older).order_by()[:most].count()
    return int(at_work + StageRun.objects.due(now).filter(older).order_by()[:most].count())


def _standings() -> dict[str, _Row]:
    rows = list(AIServiceHealth.objects.all())
    # By their ids: a join would read all runs, for nobody tells the planner how few services there are.
    probes = StageRun.objects.running().filter(pk__in=[row.probe_run_id for row in rows if row.probe_run_id])
    probing = set(probes.values_list("pk", flat=True))
    return {
        row.service: _Row(
            Standing(
                state=row.state,
                reason=row.reason,
                needs_person=row.needs_person,
                next_probe_at=row.next_probe_at,
                probe_until=row.probe_until,
                probing=row.probe_run_id in probing,
            ),
            row.changed_at,
        )
        for row in rows
    }


def _pauses(now: datetime) -> list[tuple[str, int | None, datetime | None]]:
    """People's pauses of now, and those that ended not long ago."""
    of_interest = Pause.objects.filter(Q(resumed_at=None) | Q(resumed_at__gt=now - RECENTLY))
    return list(of_interest.order_by().values_list("subject", "organization_id", "resumed_at"))


@engine_transaction
def release(run_id: int, artifact_pk: int) -> bool:
    """Put a run that is on hold back among those that wait for a worker; False when it is not on hold, or in use."""
    notes = Artifact.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
    artifact = notes.filter(pk=artifact_pk).first()
    if artifact is None:  # somebody is changing it at this moment: it is there in the next round
        return False
    change = Change(artifact, database_now())
    run = StageRun.objects.select_for_update(no_key=True, of=("self",)).get(pk=run_id)
    released = (
        StageRun.objects.parked()
        .filter(pk=run_id)
        .update(parked_reason="", parked_since=None, not_before=change.now, rung_at=None, ring_count=0)
    )
    if not released:
        return False
    # Named after the hold, not after a claim: this ends nothing that a worker began.
    of = f"held/{run.pk}/{run.parked_since and run.parked_since.isoformat()}"
    change.say(EventType.STAGE_RELEASED, of=of, stage=run.stage, metadata={"reason": run.parked_reason})
    change.flush()
    return True


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other watchdog is at this now; a watchdog that dies gives its lock back with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        alone: bool = cursor.fetchone()[0]
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
