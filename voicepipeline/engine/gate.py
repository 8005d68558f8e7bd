"""The gate before a claim: a run whose stage is paused, or whose AI service is, goes on hold instead of to work."""

from dataclasses import dataclass

from django.db import connection

from voicepipeline.engine.changes import Change
from voicepipeline.engine.limits import limits
from voicepipeline.engine.standing import locked_health, write_health
from voicepipeline.models import AIServiceHealth, EventType, StageRun
from voicepipeline.policies.breaker import Standing, Verdict, verdict
from voicepipeline.stages import Stage

PAUSED_BY_STAFF = "paused_by_staff"

# Pauses and health in one question, because every claim asks it.
LOOK = """
SELECT EXISTS (
        SELECT FROM voicepipeline_pause
        WHERE resumed_at IS NULL AND subject IN ('everything', %(stage)s)
          AND (organization_id IS NULL OR organization_id = %(club)s)
    ),
    coalesce(health.state, 'closed'), coalesce(health.reason, ''), coalesce(health.needs_person, false),
    health.next_probe_at, health.probe_until, coalesce(probe.status = 'running', false)
FROM (SELECT 1) AS one
LEFT JOIN voicepipeline_aiservicehealth health ON health.service = %(service)s
LEFT JOIN voicepipeline_stagerun probe ON probe.id = health.probe_run_id
"""


@dataclass(frozen=True)
class Look:
    """What stands between a run and its work."""

    paused: bool
    standing: Standing


def pass_gate(change: Change, run: StageRun, stage: Stage) -> bool:
    """Whether this run, whose row is locked, may be taken up now; if not, it is on hold from now on."""
    look = _look(change, stage)
    if look.paused:
        return _hold(change, run, PAUSED_BY_STAFF)
    found = verdict(look.standing, change.now)
    if found == Verdict.PROBE:
        found, look = _become_probe(change, run, stage)
    if found == Verdict.HOLD:
        return _hold(change, run, look.standing.reason)
    return True


def _look(change: Change, stage: Stage) -> Look:
    asked = {"stage": stage.name, "club": change.artifact.organization_id, "service": stage.service}
    with connection.cursor() as cursor:
        cursor.execute(LOOK, asked)
        paused, *standing = cursor.fetchone()
        return Look(paused, Standing(*standing))


def _become_probe(change: Change, run: StageRun, stage: Stage) -> tuple[Verdict, Look]:
    """Of all who come at this moment one tests the service; the others find that it is being tested."""
    assert stage.service is not None  # noqa: S101 — only a service can be tested
    health = locked_health(stage.service, make=True)
    look = _look(change, stage)  # afresh: what was seen before the lock may be over
    found = verdict(look.standing, change.now)
    if found == Verdict.PROBE:
        until = change.now + limits().longest_run
        write_health(health, change.now, AIServiceHealth.State.HALF_OPEN, probe_run_id=run.pk, probe_until=until)
    return found, look


def _hold(change: Change, run: StageRun, reason: str) -> bool:
    held = StageRun.objects.filter(pk=run.pk, status=StageRun.Status.QUEUED, parked_since=None).update(
        parked_reason=reason, parked_since=change.now, rung_at=None, ring_count=0
    )
    if held:
        # Not a claim's fact: nothing was begun, so nothing has ended.
        of = f"gate/{run.pk}/{change.now.isoformat()}"
        change.say(EventType.STAGE_PARKED, of=of, stage=run.stage, metadata={"reason": reason})
        change.flush()
    return False
