"""What happens when a doorbell is answered: claim, work outside any transaction, settle."""

import logging
import os
import socket
import time

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django_q.exceptions import TimeoutException

from voicepipeline.engine import doorbell, stopping
from voicepipeline.engine.claiming import Claim, claim, claim_of
from voicepipeline.engine.heartbeat import Heartbeat
from voicepipeline.engine.limits import limits
from voicepipeline.engine.reclaiming import WORKER_DIED
from voicepipeline.engine.settling import NotDone, Outcome, give_back, settle
from voicepipeline.engine.stopping import WorkerStopping, interruptible
from voicepipeline.models import Artifact, StageRun
from voicepipeline.stages.contract import StageFault, TransientFault

logger = logging.getLogger(__name__)

RECONNECT_PAUSE_SECONDS = 0.5
DATABASE_LOST = "database_lost"
# Of a job's time, for all but the provider's calls: reading, storing, and a busy machine.
SLACK_SHARE = 0.1


def worker_name() -> str:
    """Host, cluster and process: a worker's parent is its cluster's sentinel."""
    return f"{socket.gethostname()}:{os.getppid()}:{os.getpid()}"


def perform_and_go_on(run_id: int) -> None:
    """Answer a doorbell, then do the note's next stages as well while one job has time for them.

    A queue costs more than a quick stage does. What is left to do after that is rung for as ever, and when this worker
    dies in between, the watchdog rings again.
    """
    no_more_after = time.monotonic() + seconds_to_go_on()
    with doorbell.answering_own() as own:
        perform(run_id)
        while own:
            bell = own.pop()
            # A worker that is to stop does not even look at the time: it lets the watchdog ring for another.
            if time.monotonic() < no_more_after or not stopping.may_begin():
                perform(bell.run_id, artifact_pk=bell.artifact_pk)
            else:
                doorbell.send(bell)


def seconds_to_go_on() -> float:
    """How long after its start a job may begin with a further stage, whose calls then still fit.

    Only claims call the provider after the first stage, twice when the first answer cannot be used.
    """
    job: int = settings.JOB_TIMEOUT_SECONDS
    return max(0.0, job - 2 * settings.AI_CHAT_TIMEOUT_SECONDS - job * SLACK_SHARE)


def perform(run_id: int, *, artifact_pk: int | None = None) -> None:
    """Do this run if it is there to be done."""
    if not stopping.may_begin():
        doorbell.forget_ring(run_id)
        return
    try:
        taken = claim(run_id, worker=worker_name(), artifact_pk=artifact_pk)
    except (OperationalError, InterfaceError):
        _give_back_if_claimed(run_id)
        raise
    if taken is None:
        return
    with Heartbeat(taken):
        outcome = _attempt(taken)
        _settle_through_reconnects(taken, outcome)


def _give_back_if_claimed(run_id: int) -> None:
    """The claim may have been committed without our hearing of it: the run would wait for a worker that has none."""
    give_up = time.monotonic() + limits().longest_run.total_seconds()
    while time.monotonic() < give_up:
        connection.close()
        try:
            run = StageRun.objects.running().filter(pk=run_id, worker=worker_name()).first()
            if run is not None:
                give_back(claim_of(run), reason=DATABASE_LOST)
            return
        except (OperationalError, InterfaceError):
            time.sleep(RECONNECT_PAUSE_SECONDS)


def _attempt(taken: Claim) -> Outcome:
    """What came of the stage: a result, a fault, or nothing because the worker could not go on."""
    try:
        code = taken.stage.code
        given = code.load(taken.artifact or Artifact.objects.get(pk=taken.artifact_pk))
        with interruptible():
            return code.work(given)
    except StageFault as fault:
        return fault
    except WorkerStopping:
        return NotDone("worker_stopping")
    except TimeoutException:
        return TransientFault("took_too_long", "The work took longer than it may and was stopped.")
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            logger.warning("database lost while the input was read", extra={"run": taken.run_id})
            return NotDone(DATABASE_LOST)
        # A fault nobody foresaw must end in the run's row, not in a log that staff never see.
        logger.exception("a stage raised an unexpected error", extra={"run": taken.run_id, "stage": taken.stage.name})
        return TransientFault("unexpected_error", "Something unexpected went wrong in this stage.")


def _settle_through_reconnects(taken: Claim, outcome: Outcome) -> None:
    """Keep a result that was paid for while the database is away, up to the run's hard deadline."""
    give_up = time.monotonic() + limits().longest_run.total_seconds()
    first = True
    while True:
        try:
            if first or _still_mine(taken):
                settle(taken, outcome)
            return
        except (OperationalError, InterfaceError) as error:
            logger.warning("result kept while the database is away", extra={"run": taken.run_id})
            connection.close()
            if time.monotonic() > give_up:
                raise error
            first = False
            time.sleep(RECONNECT_PAUSE_SECONDS)


def _still_mine(taken: Claim) -> bool:
    """After a lost connection: whether the write is still to be made, or was committed without our hearing so.

    A run that somebody else has moved on is settled once more, to have the late result discarded and told.
    """
    run = StageRun.objects.get(pk=taken.run_id)
    ours = run.lease_token == taken.token
    reclaimed = run.status == StageRun.Status.FAILED and run.error_code == WORKER_DIED
    return not ours or run.status == StageRun.Status.RUNNING or reclaimed
