"""Ringing: a queued task that says "look at this run". It may be lost, doubled or late, and nothing depends on it."""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from voicepipeline.engine.limits import limits
from voicepipeline.models import Artifact, StageRun
from voicepipeline.stages import IN_ORDER, STAGES

logger = logging.getLogger(__name__)

# With more doorbells than this per worker a new run waits its turn, and the watchdog rings for the oldest.
DIRECT_PER_WORKER = 2


_own_bells: ContextVar[list["Doorbell"] | None] = ContextVar("own_bells", default=None)


class Doorbell(NamedTuple):
    run_id: int
    stage: str
    artifact_pk: int
    voice_note_id: int | None


def queue_depth(at_most: int) -> int:
    """How many doorbells wait for a cluster, counted up to this many.

    Those that a cluster has taken are not among them. Their number is django-q's affair, and when the cluster dies
    they lie in the table until it hands them out again after minutes: counted, they would silence the pipeline.
    """
    return int(OrmQ.objects.filter(lock__lte=timezone.now())[:at_most].count())


@contextlib.contextmanager
def answering_own() -> Iterator[list[Doorbell]]:
    """What is rung in here is not sent round by the queue: the caller has promised to answer it, or to send it on."""
    own: list[Doorbell] = []
    token = _own_bells.set(own)
    try:
        yield own
    finally:
        _own_bells.reset(token)


def may_ring_directly() -> bool:
    if _own_bells.get() is not None:
        return True
    most: int = settings.WORKERS * DIRECT_PER_WORKER
    return queue_depth(most) < most


def ring_on_commit(bell: Doorbell) -> None:
    """Ring once the run is there to be found; a broker that is down costs only time, the watchdog rings again."""
    transaction.on_commit(partial(ring, bell), robust=True)


def ring(bell: Doorbell) -> None:
    own = _own_bells.get()
    if own is None:
        send(bell)
    else:
        own.append(bell)


def send(bell: Doorbell) -> None:
    """Put the bell on the queue, for whichever worker is free."""
    stage = STAGES[bell.stage]
    subject = bell.voice_note_id if stage.takes_voice_note else bell.artifact_pk
    async_task(stage.task, subject, bell.run_id)


# The predicates stand in the outer WHERE too: after a lock wait only those are checked again.
RING_DUE = """
    status = 'queued' AND parked_since IS NULL AND not_before <= %(now)s AND (
        rung_at IS NULL
        OR rung_at + make_interval(secs => least(%(first)s * power(2, ring_count - 1), %(longest)s)) <= %(now)s
    )
"""
TAKE_DUE = f"""
UPDATE voicepipeline_stagerun SET rung_at = %(now)s, ring_count = ring_count + 1
WHERE id = ANY(ARRAY(
    SELECT id FROM voicepipeline_stagerun WHERE stage = %(stage)s AND {RING_DUE}
    ORDER BY queued_at, id LIMIT %(room)s FOR NO KEY UPDATE SKIP LOCKED
)) AND {RING_DUE}
RETURNING id, artifact_id, queued_at
"""  # noqa: S608 — constants of this module


def ring_due(now: datetime) -> int:
    """Ring for runs that are due and unrung or unanswered, oldest first, each stage its share of the room."""
    most = settings.WORKERS * limits().doorbells_per_worker
    room = most - queue_depth(most)
    fair_share = -(-room // len(IN_ORDER))
    rung = 0
    # Later stages first: what is nearly done leaves before new work is taken in. What is left is for whoever waits.
    for share in (fair_share, room):
        for stage in reversed(IN_ORDER):
            if rung < room:
                rung += _ring_oldest(stage.name, min(share, room - rung), now)
    return rung


def _ring_oldest(stage: str, room: int, now: datetime) -> int:
    how = limits()
    with connection.cursor() as cursor:
        cursor.execute(
            TAKE_DUE,
            {
                "now": now,
                "stage": stage,
                "room": room,
                "first": how.ring_again_first.total_seconds(),
                "longest": how.ring_again_longest.total_seconds(),
            },
        )
        taken = sorted(cursor.fetchall(), key=lambda row: (row[2], row[0]))
    bells = _bells(stage, [(run_id, artifact_pk) for run_id, artifact_pk, _ in taken])
    for bell in bells:
        ring(bell)
    return len(taken)


def _bells(stage: str, taken: list[tuple[int, int]]) -> Iterable[Doorbell]:
    notes: dict[int, int | None] = {}
    if taken and STAGES[stage].takes_voice_note:
        pks = [artifact_pk for _, artifact_pk in taken]
        notes = dict(Artifact.objects.filter(pk__in=pks).values_list("pk", "voice_note_id"))
    return [Doorbell(run_id, stage, artifact_pk, notes.get(artifact_pk)) for run_id, artifact_pk in taken]


def forget_ring(run_id: int) -> None:
    """This doorbell goes unanswered: let the watchdog ring again at once."""
    StageRun.objects.filter(pk=run_id, status=StageRun.Status.QUEUED).update(rung_at=None, ring_count=0)
