"""Finding clusters that live but no longer work, and ending them."""

import contextlib
import logging
import os
import signal
import socket
from datetime import datetime

import psutil
from django.db import transaction
from django.db.models import QuerySet
from django_q.models import OrmQ
from django_q.tasks import async_task

from voicepipeline.engine.limits import limits
from voicepipeline.models import ClusterBeat, StageRun

logger = logging.getLogger(__name__)

SELF_TEST = "voicepipeline.tasks.self_test"
# More than one a cluster: a wedged cluster may swallow some, and a healthy one must get its own.
SELF_TESTS_PER_CLUSTER = 2


def live_clusters(now: datetime) -> QuerySet[ClusterBeat]:
    return ClusterBeat.objects.filter(ended_at=None, last_seen_at__gte=now - limits().cluster_lost_after)


def last_work(beat: ClusterBeat) -> datetime:
    """When this cluster last took up or ended a job; its own start, if it never did."""
    moments = (beat.started_at, beat.last_task_started_at, beat.last_task_finished_at)
    return max(moment for moment in moments if moment is not None)


def ring_self_tests(now: datetime) -> int:
    """Give clusters that have been quiet something trivial to do, so that a wedged one is found before work waits."""
    quiet = [beat for beat in live_clusters(now) if last_work(beat) < now - limits().self_test_after]
    for _ in range(len(quiet) * SELF_TESTS_PER_CLUSTER):
        async_task(SELF_TEST)
    return len(quiet)


def find_wedged(now: datetime) -> list[ClusterBeat]:
    """Clusters that report in, while doorbells wait and they have neither started nor ended anything for long."""
    if not OrmQ.objects.exists():
        return []
    quiet = [beat for beat in live_clusters(now) if last_work(beat) < now - limits().wedged_after]
    return [beat for beat in quiet if not _holds_a_live_lease(beat, now)]


def _holds_a_live_lease(beat: ClusterBeat, now: datetime) -> bool:
    worker = f"{beat.host}:{beat.sentinel_pid}:"
    return StageRun.objects.running().filter(worker__startswith=worker, lease_until__gt=now).exists()


def end_cluster(beat: ClusterBeat, now: datetime) -> bool:
    """Kill the cluster's process group, if it runs on this machine; its supervisor starts a new one."""
    if beat.host != socket.gethostname() or not _is_still_that_process(beat):
        return False
    # Within the transaction: when this watchdog dies before the kill, the cluster is still to be ended by another.
    with transaction.atomic():
        ended = ClusterBeat.objects.filter(pk=beat.pk, ended_at=None).update(
            ended_at=now, ended_reason="Processing had stopped: it took up no work while work was waiting."
        )
        if not ended:
            return False
        logger.error("wedged cluster killed", extra={"cluster": str(beat), "last_work": last_work(beat).isoformat()})
        with contextlib.suppress(ProcessLookupError):  # it may end by itself at this moment
            # Not SIGTERM: a wedged cluster waits for ever for the worker that cannot read its queue.
            os.killpg(os.getpgid(beat.parent_pid), signal.SIGKILL)
    return True


def _is_still_that_process(beat: ClusterBeat) -> bool:
    try:
        started = psutil.Process(beat.parent_pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return abs(started - beat.parent_started_at.timestamp()) < 1
