"""Taking a run away from a worker that no longer answers for it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from voicepipeline.engine.changes import Change, announce_end, fact, fail_artifact, insert_run, move_artifact
from voicepipeline.engine.endings import same_budgets, say_stage_failed
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import Artifact, EventType, StageRun
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages import STAGES

WORKER_DIED = "worker_died"
MOST_AT_ONCE = 500

# A restarted database gives every worker one lease to come back before anybody is declared dead.
SILENT = """
    SELECT id, artifact_id, lease_token, lease_until FROM voicepipeline_stagerun
    WHERE status = 'running'
      AND greatest(lease_until, pg_postmaster_start_time() + make_interval(secs => %s)) < clock_timestamp()
    ORDER BY id LIMIT %s
"""


@dataclass(frozen=True)
class Suspect:
    """A running run whose lease is over, exactly as it was seen."""

    run_id: int
    artifact_pk: int
    token: int
    lease_until: datetime


def find_suspects() -> list[Suspect]:
    """Runs whose lease is over; to be reclaimed only when they look the same one heartbeat later."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT, [limits().lease.total_seconds(), MOST_AT_ONCE])
        return [Suspect(*row) for row in cursor.fetchall()]


@engine_transaction
def reclaim(suspect: Suspect) -> bool:
    """Close the dead worker's run and queue its successor, or fail the note when it has killed enough workers."""
    artifact = (
        Artifact.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        .filter(pk=suspect.artifact_pk)
        .first()
    )
    if artifact is None:  # somebody is changing it at this moment: it is not forgotten
        return False
    change = Change(artifact, database_now())
    run = StageRun.objects.get(pk=suspect.run_id)
    again = run.crash_no + 1 < limits().crash_budget
    message = "The worker died in the middle of the work." + ("" if again else " It was tried often enough.")
    mark = fingerprint(run.stage, WORKER_DIED, message)
    closed = (
        StageRun.objects.mine(suspect.run_id, suspect.token)
        .filter(lease_until=suspect.lease_until)
        .update(
            status=StageRun.Status.FAILED,
            terminal=not again,
            lease_until=None,
            finished_at=change.now,
            error_code=WORKER_DIED,
            error_message=message,
            fingerprint=mark,
        )
    )
    if not closed:
        return False
    run.refresh_from_db()
    change.say(EventType.STAGE_RUN_RECLAIMED, of=fact(run), stage=run.stage, metadata={"attempt": run.attempt})
    say_stage_failed(change, run, will_retry=again)
    if again:
        insert_run(change, STAGES[run.stage], same_budgets(run, crash_no=run.crash_no + 1))
        move_artifact(change, of=fact(run))
    else:
        fail_artifact(change, run.stage, of=fact(run), code=WORKER_DIED, message=message, fingerprint=mark)
    announce_end(change, run, terminal=not again)
    change.flush()
    return True
