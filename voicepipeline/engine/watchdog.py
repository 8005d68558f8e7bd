"""The watchdog: lets go what was on hold, rings for due runs, reclaims dead ones, mends what was forgotten.

Several may run; every step is guarded by the rows it changes.
"""

import logging
import time
from dataclasses import dataclass, field, fields
from datetime import datetime

from django.db import InterfaceError, OperationalError

from voicepipeline.engine import doorbell, wedged
from voicepipeline.engine.beats import say_watchdog_lives
from voicepipeline.engine.changes import Change, announce_end, fail_artifact
from voicepipeline.engine.health import forget_old_calls
from voicepipeline.engine.limits import limits
from voicepipeline.engine.reclaiming import Suspect, find_suspects, reclaim
from voicepipeline.engine.releasing import release_due
from voicepipeline.engine.scheduling import next_due, schedule_locked
from voicepipeline.engine.settling import complete
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.registry import registry
from voicepipeline.stages import LAST, Stage

logger = logging.getLogger(__name__)

MOST_FORGOTTEN_AT_ONCE = 200
NOTHING_TO_WORK_ON = "nothing_to_work_on"


@dataclass
class Report:
    """What one round did."""

    released: int = 0
    rung: int = 0
    reclaimed: int = 0
    mended: int = 0
    clusters_ended: int = 0
    ticks: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


class Watchdog:
    """Remembers between rounds what it saw: nobody is declared dead at first sight."""

    def __init__(self) -> None:
        self.seen: dict[Suspect, float] = {}
        self.last_tick: dict[str, float] = {}
        self.last_beat = float("-inf")
        self.last_look = float("-inf")
        self.last_self_test = float("-inf")

    def round(self) -> Report:
        now = database_now()
        if self._is_time("last_beat", limits().beat_every.total_seconds()):
            say_watchdog_lives(now)
        released = release_due(now)
        # The time is asked again: what was let go is due later than this round began.
        report = Report(released=released, rung=doorbell.ring_due(database_now()), reclaimed=self._reclaim_dead())
        if self._is_time("last_look", limits().beat_every.total_seconds()):
            report.mended = mend_forgotten(now)
            forget_old_calls(now)
            report.clusters_ended = sum(wedged.end_cluster(beat, now) for beat in wedged.find_wedged(now))
        if self._is_time("last_self_test", limits().self_test_after.total_seconds() / 3):
            wedged.ring_self_tests(now)
        report.ticks = self._run_ticks()
        return report

    def _reclaim_dead(self) -> int:
        """Reclaim what looked just as dead one heartbeat ago; remember the rest."""
        suspects = find_suspects()
        moment = time.monotonic()
        self.seen = {suspect: self.seen.get(suspect, moment) for suspect in suspects}
        pause = limits().heartbeat.total_seconds()
        return sum(reclaim(suspect) for suspect, since in self.seen.items() if moment - since >= pause)

    def _run_ticks(self) -> list[str]:
        moment = time.monotonic()
        due = [
            tick
            for tick in registry.ticks.values()
            if moment - self.last_tick.get(tick.name, float("-inf")) >= tick.every.total_seconds()
        ]
        for tick in due:
            self.last_tick[tick.name] = moment
            try:
                tick.run()
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                # One app's trouble must not keep the pipeline from being rung and reclaimed.
                logger.exception("a tick failed", extra={"tick": tick.name})
        return [tick.name for tick in due]

    def _is_time(self, name: str, pause: float) -> bool:
        moment = time.monotonic()
        if moment - getattr(self, name) < pause:
            return False
        setattr(self, name, moment)
        return True


def mend_forgotten(now: datetime) -> int:
    """Schedule what is due for notes that are on their way although nothing is scheduled for them."""
    forgotten = Artifact.objects.forgotten(now - limits().forgotten_after).values_list("pk", flat=True)
    return sum(mend(pk) for pk in forgotten[:MOST_FORGOTTEN_AT_ONCE])


@engine_transaction
def mend(artifact_pk: int) -> bool:
    """Put a forgotten note back on its way, and say so."""
    artifact = lock_artifact(artifact_pk)
    change = Change(artifact, database_now())
    if not artifact.is_active or StageRun.objects.filter(artifact=artifact).active().exists():
        return False
    stage = next_due(artifact)
    if stage is None:
        run = StageRun.objects.get(artifact=artifact, stage=LAST.name, effective=True)
        complete(change, run)
        announce_end(change, run, terminal=True)
        change.flush()
        return True
    scheduling = schedule_locked(change, stage)
    if scheduling.run is None:
        _fail_for_want_of_input(change, stage, scheduling.refusal)
        return False
    change.say(
        EventType.STAGE_RELEASED,
        of=f"mend/{scheduling.run.pk}",
        stage=scheduling.run.stage,
        metadata={"reason": "nothing_was_scheduled"},
    )
    change.flush()
    logger.warning("a forgotten voice note was put back", extra={"artifact": str(artifact.artifact_id)})
    return True


def _fail_for_want_of_input(change: Change, stage: Stage, why: str) -> None:
    """What can never be queued must not wait for ever: say so where staff look."""
    artifact = change.artifact
    fail_artifact(
        change,
        stage.name,
        of=f"mend/{artifact.pk}/{artifact.generation}",
        code=NOTHING_TO_WORK_ON,
        message=why,
        fingerprint=fingerprint(stage.name, NOTHING_TO_WORK_ON, why),
    )
    change.flush()
