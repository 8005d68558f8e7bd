"""Work on many notes, in the background: note by note, each once, whatever becomes of the worker.

The row is the truth: its cursor names the last note that was seen to, and moves in the very transaction that sees to
the next. Whoever finds that it has moved from where they left it rolls back and lets go, so no lease is needed: of two
workers one wins each note, and the other stops. Doorbells may be lost or doubled; the watchdog rings again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django_q.tasks import async_task

from voicepipeline.engine import stopping
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now, ending_with, engine_transaction
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import BulkWork, Organization, User
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)

ENTRY_POINT = "voicepipeline.tasks.work_in_bulk"
NEEDS_REASON = frozenset({BulkWork.Kind.REJECT_ENTRIES})
MAX_REASON = 500
# Notes looked up at a time.
NOTES_AT_ONCE = 100
MOST_REMARKS = 40
UNEXPECTED = "Something unexpected went wrong, so this voice note was left as it was"
NOT_FOUND = "What was chosen could not be looked up, so the rest was not done: ask for it again"
OTHER = "For other reasons"


@dataclass(frozen=True)
class Handled:
    """What came of one note: how many of its rows were done and how many were left, and in words why."""

    done: int
    skipped: int
    remarks: dict[str, int]


Find = Callable[[BulkWork, int, int], list[int]]
Handle = Callable[[BulkWork, int], Handled]


@dataclass(frozen=True)
class Way:
    """How one kind of work finds its notes after a cursor, in order, and sees to one of them."""

    find: Find
    handle: Handle


_ways: dict[str, Way] = {}


class TakenOver(Exception):
    """Somebody else has moved this work on since it was read."""


def register(kind: BulkWork.Kind, find: Find, handle: Handle) -> None:
    """Say how this kind is done; `handle` is one engine transaction, and the cursor moves with it."""
    _ways[kind] = Way(find, handle)


def start_bulk_work(
    kind: BulkWork.Kind,
    *,
    by: User,
    reason: str,
    selection: dict[str, Any],
    organization: Organization | None = None,
    expected: int,
) -> BulkWork:
    """Keep what was asked for, and have a worker begin once that is committed; who may ask is the caller's question."""
    reason = safe_text(reason.strip(), MAX_REASON)
    if kind in NEEDS_REASON and not reason:
        raise InvalidTransition("Say why: the reason is kept with each entry.")
    now = database_now()
    work = BulkWork.objects.create(
        kind=kind,
        requested_by=by,
        reason=reason,
        selection=selection,
        organization=organization,
        expected=expected,
        created_at=now,
        moved_at=now,
    )
    transaction.on_commit(partial(_ring, work.pk), robust=True)
    return work


def _ring(bulk_pk: int) -> None:
    async_task(ENTRY_POINT, bulk_pk)


def go_on(bulk_pk: int) -> None:
    """See to note after note until all are done or this job's time is up; the next job begins where this one ends."""
    unfinished = BulkWork.objects.filter(finished_at__isnull=True).select_related("requested_by", "organization")
    work = unfinished.filter(pk=bulk_pk).first()
    if work is None:
        return
    way = _ways.get(work.kind)
    if way is None:
        logger.error("nothing is known of this kind of bulk work", extra={"bulk_work": work.pk, "kind": work.kind})
        return
    try:
        _see_to_notes(work, way, until=time.monotonic() + _seconds_at_a_time())
    except TakenOver:
        logger.info("another worker has this bulk work", extra={"bulk_work": work.pk})


def _seconds_at_a_time() -> float:
    """Well below what a job may take, so that none is stopped in the middle of a note."""
    return min(limits().bulk_slice.total_seconds(), settings.JOB_TIMEOUT_SECONDS / 2)


def _see_to_notes(work: BulkWork, way: Way, *, until: float) -> None:
    while notes := _next_notes(work, way):
        for artifact_pk in notes:
            if not stopping.may_begin():
                _leave_to_the_watchdog(work)
                return
            _see_to(work, way, artifact_pk)
            if time.monotonic() >= until:
                _ring(work.pk)
                return
    _keep(work, {"finished_at": database_now()})


def _next_notes(work: BulkWork, way: Way) -> list[int]:
    try:
        return [pk for pk in way.find(work, work.cursor, NOTES_AT_ONCE) if pk > work.cursor]
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # Asked again every minute it would fail every minute; staff see that it has ended, and why.
        logger.exception("bulk work could not find its notes", extra={"bulk_work": work.pk, "kind": work.kind})
        _keep(work, {"remarks": _with(work.remarks, {NOT_FOUND: 1}), "failed": work.failed + 1})
        return []


def _see_to(work: BulkWork, way: Way, artifact_pk: int) -> None:
    """Handle one note and move the cursor to it, both or neither; one that breaks is counted and passed over."""
    kept: list[dict[str, Any]] = []

    def keep(handled: Handled) -> None:
        kept.append(_after(work, artifact_pk, handled))
        _write(work, kept[-1])

    try:
        with ending_with(keep):
            way.handle(work, artifact_pk)
    except (OperationalError, InterfaceError, TakenOver):
        raise
    except Exception:
        logger.exception("bulk work on a note failed", extra={"bulk_work": work.pk, "artifact": artifact_pk})
        _keep(work, _after(work, artifact_pk, Handled(0, 0, {UNEXPECTED: 1}), failed=1))
        return
    if not kept:
        raise TypeError(f"{way.handle!r} is no engine transaction, so its note cannot be seen to exactly once.")
    _take(work, kept[-1])


def _after(work: BulkWork, artifact_pk: int, handled: Handled, *, failed: int = 0) -> dict[str, Any]:
    return {
        "cursor": artifact_pk,
        "notes": work.notes + 1,
        "done": work.done + handled.done,
        "skipped": work.skipped + handled.skipped,
        "failed": work.failed + failed,
        "remarks": _with(work.remarks, handled.remarks),
    }


def _with(remarks: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    together = dict(remarks)
    for words, times in more.items():
        name = words if words in together or len(together) < MOST_REMARKS else OTHER
        together[name] = together.get(name, 0) + times
    return together


def _keep(work: BulkWork, values: dict[str, Any]) -> None:
    engine_transaction(_write)(work, values)
    _take(work, values)


def _write(work: BulkWork, values: dict[str, Any]) -> None:
    """Only from where this worker has left it: the counts it knows are the whole truth then."""
    mine = BulkWork.objects.filter(pk=work.pk, cursor=work.cursor, finished_at__isnull=True)
    if not mine.update(**values, moved_at=database_now()):
        raise TakenOver


def _take(work: BulkWork, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(work, name, value)


def _leave_to_the_watchdog(work: BulkWork) -> None:
    """Rung for now, it would be answered by the workers that are stopping too."""
    BulkWork.objects.filter(pk=work.pk, cursor=work.cursor, finished_at__isnull=True).update(moved_at=None)


def ring_quiet_work() -> int:
    """Ring for what nobody has moved for a while: its worker is gone, or its doorbell was lost."""
    now = database_now()
    quiet = Q(moved_at__isnull=True) | Q(moved_at__lt=now - limits().bulk_quiet_for)
    unfinished = BulkWork.objects.filter(quiet, finished_at__isnull=True)
    rung = 0
    for pk in unfinished.order_by("pk").values_list("pk", flat=True):
        # Of several watchdogs one moves it, and that one rings.
        if unfinished.filter(pk=pk).update(moved_at=now):
            _ring(pk)
            rung += 1
    return rung
