"""How bulk retries go on: a step of the watchdog requests so many retries as there is room for, and no more.

The rows are the whole truth. An item is marked in the very transaction that requests its retry, so whoever dies in
between has done neither; and of all retries in bulk no more are under way than their share of the workers, so that
fresh voice notes keep their place.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from retry.bulk.holding import Holds, load_holds
from retry.bulk.judging import ended_since, in_words, judge
from retry.bulk.moves import move
from retry.bulk.requesting import MovedOn, request
from retry.bulk.rights import why_its_starter_may_not
from retry.estimates import at_once
from retry.limits import limits
from retry.models import BulkRetry, BulkRetryItem
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import StageRun

logger = logging.getLogger(__name__)

State, ItemState = BulkRetry.State, BulkRetryItem.State
# One watchdog at a time, or each would fill the room that there is for all.
LOCK = 0x5EA5_E002
ITEMS_AT_ONCE = 20


def advance_all() -> None:
    """Take every bulk retry one step on; cheap when there is none."""
    _advance(BulkRetry.objects.filter(state__in=BulkRetry.UNFINISHED))


def advance(bulk_pk: int) -> None:
    """Take this one a step on; nothing happens when a watchdog is at it, or when it does not move."""
    _advance(BulkRetry.objects.filter(pk=bulk_pk, state__in=BulkRetry.UNFINISHED))


def _advance(unfinished: QuerySet[BulkRetry]) -> None:
    if not unfinished.exists():
        return
    with _alone() as alone:
        if not alone:
            return
        hands = [_Hand(bulk, *counted) for bulk, counted in _counted(unfinished) if _moves_on(bulk, *counted[:2])]
        if hands:
            holds = load_holds(database_now())
            free = at_once() - _places_taken(holds)
            if free > 0:
                _deal(hands, free, holds)


# One on hold needs no worker, and must not keep others from what is not held.
ON_HOLD = Q(Exists(StageRun.objects.parked().filter(artifact=OuterRef("artifact"))), state=ItemState.REQUESTED)


def _places_taken(holds: Holds) -> int:
    """How many of those under way take up a worker, or soon will: with nothing held, those on hold are let go next."""
    under_way = BulkRetryItem.objects.filter(state=ItemState.REQUESTED)
    return (under_way.exclude(ON_HOLD) if holds.any else under_way).count()


@dataclass
class _Hand:
    """One bulk retry that goes on, and what it has of the places that there are for all."""

    bulk: BulkRetry
    waiting: int
    under_way: int
    last_attempt: int
    room: int = 0  # how many more it may begin at this step
    items: list[BulkRetryItem] = field(default_factory=list)

    def next(self, holds: Holds) -> BulkRetryItem | None:
        if not self.room:
            return None
        if not self.items:
            self.items = holds.next_items(self.bulk, min(self.room, ITEMS_AT_ONCE))
        return self.items.pop(0) if self.items else None


def _counted(unfinished: QuerySet[BulkRetry]) -> list[tuple[BulkRetry, tuple[int, int, int]]]:
    """Each that may move: how many of its notes wait and are under way, and its newest attempt; the oldest first."""
    left = BulkRetryItem.objects.filter(bulk=OuterRef("pk"), state__in=(ItemState.WAITING, ItemState.REQUESTED))
    # Those that stand still are left alone until nothing is left of them: they may do so for weeks.
    may_move = unfinished.filter(Q(state__in=BulkRetry.MOVING) | ~Exists(left))
    bulks = list(may_move.select_related("requested_by").order_by("pk"))
    counts = (
        BulkRetryItem.objects.filter(bulk__in=bulks)
        .order_by()
        .values_list("bulk")
        .annotate(
            waiting=Count("pk", filter=Q(state=ItemState.WAITING)),
            under_way=Count("pk", filter=Q(state=ItemState.REQUESTED)),
            last_attempt=Max("attempt_id"),
        )
    )
    found = {pk: (waiting, under_way, last or 0) for pk, waiting, under_way, last in counts}
    return [(bulk, found.get(bulk.pk, (0, 0, 0))) for bulk in bulks]


def _moves_on(bulk: BulkRetry, waiting: int, under_way: int) -> bool:
    """Whether more of it may be begun; it is finished, halted or let go beyond the first few when that is due."""
    if not waiting:
        if not under_way:
            move(bulk, State.FINISHED, now=database_now())
        return False
    if bulk.state not in BulkRetry.MOVING:
        return False
    endings, how = ended_since(bulk), limits()
    found = judge(endings, how)
    if found is not None:
        _halt(bulk, in_words(bulk, found))
        return False
    if bulk.state == State.TRYING and len(endings) >= how.tried_first:
        return move(bulk, State.RUNNING, now=database_now(), moving_since=bulk.moving_since)
    return True


def _halt(bulk: BulkRetry, why: str) -> None:
    if move(bulk, State.HALTED, now=database_now(), why=why, seen_at=None):
        logger.warning("a bulk retry has stopped by itself", extra={"bulk_retry": str(bulk.bulk_id)})


def _deal(hands: list[_Hand], free: int, holds: Holds) -> None:
    """Hand out the free places: to whom has fewest under way, and among equals to whom was served longest ago."""
    for hand in hands:
        hand.room = min(free, _still_to_try(hand.bulk)) if hand.bulk.state == State.TRYING else free
    until = time.monotonic() + limits().longest_step.total_seconds()
    checked: set[int] = set()
    while free > 0 and hands and time.monotonic() < until:
        hand = min(hands, key=lambda hand: (hand.under_way, hand.last_attempt))
        item = hand.next(holds)
        if item is None or (hand.bulk.pk not in checked and not _may_go_on(hand.bulk)):
            hands.remove(hand)
            continue
        checked.add(hand.bulk.pk)
        if item.kind in holds.why:  # since it was looked up, another of this step tests the service
            continue
        if _begin(hand, item, hands):
            holds.note_begun(item.kind)
            free -= 1


def _still_to_try(bulk: BulkRetry) -> int:
    """How many more belong to the first few; those that were refused or replaced, or are on hold, do not count."""
    begun = BulkRetryItem.objects.filter(bulk=bulk, attempt__requested_at__gte=bulk.moving_since).exclude(ON_HOLD)
    counting = begun.filter(state__in=(ItemState.REQUESTED, ItemState.SUCCEEDED, ItemState.FAILED)).count()
    return max(0, limits().tried_first - counting)


def _may_go_on(bulk: BulkRetry) -> bool:
    """Asked before each batch: whoever started it may have lost the right since."""
    lost = why_its_starter_may_not(bulk)
    if lost:
        _halt(bulk, lost)
    return not lost


def _begin(hand: _Hand, item: BulkRetryItem, hands: list[_Hand]) -> bool:
    """Whether a retry was begun; one voice note that is refused or breaks does not keep the others."""
    try:
        attempt = request(hand.bulk, item)
    except (OperationalError, InterfaceError):
        raise
    except MovedOn:
        hands.remove(hand)
        return False
    except PermissionDenied:
        hands.remove(hand)
        _may_go_on(hand.bulk)
        return False
    if attempt is None:
        return False
    hand.under_way, hand.last_attempt, hand.room = hand.under_way + 1, attempt.pk, hand.room - 1
    return True


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other watchdog is at this now; a watchdog that dies gives its lock back with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        alone: bool = cursor.fetchone()[0]
        # Ringing closes a connection that is past its age, and the lock would go with this one.
        close_at, connection.close_at = connection.close_at, None
        try:
            yield alone
        finally:
            connection.close_at = close_at
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
