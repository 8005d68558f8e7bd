"""How far a bulk retry is: in the same few queries however many voice notes it has."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min

from retry.bulk.holding import load_holds
from retry.facts import UNKNOWN_TROUBLE
from retry.models import BulkRetry, BulkRetryItem
from voicepipeline.engine.transactions import database_now
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import StageRun

State = BulkRetryItem.State
MOST_PROBLEMS = 20
# The present speed is that of the last so many that ended; of fewer than the least nothing can be told.
SPEED_OF_LAST, SPEED_OF_LEAST = 50, 3

# What the retries of these items have cost; of unknown cost is a try for which a model did work, as everywhere.
COST = """
SELECT sum(run.cost_usd), count(*) FILTER (
    WHERE run.cost_usd IS NULL AND run.ai_model <> ''
      AND (run.status = 'succeeded' OR num_nonnulls(run.input_tokens, run.output_tokens, run.audio_seconds) > 0)
)
FROM retry_bulkretryitem item
JOIN retry_retryattempt attempt ON attempt.id = item.attempt_id
JOIN voicepipeline_stagerun run ON run.artifact_id = attempt.artifact_id AND run.origin = attempt.origin
WHERE item.bulk_id = %s
"""


class Problem(NamedTuple):
    """A problem in which retries have ended, as the last of them had it."""

    fingerprint: str
    stage: str
    code: str
    message: str
    notes: int


@dataclass(frozen=True)
class Progress:
    """How many of its voice notes are how far; `on_hold` says of those requested how many wait for what."""

    waiting: int
    requested: int
    on_hold: list[tuple[str, int]]
    succeeded: int
    failed: int
    superseded: int
    refused: int
    cost_usd: Decimal | None
    without_cost: int  # calls
    problems: list[Problem]
    takes: timedelta | None
    waits_for: str  # why nothing more is begun just now; empty when it does not wait


def progress_of(bulk: BulkRetry) -> Progress:
    now = database_now()
    by_state = _by_state(bulk)
    left = by_state.get(State.WAITING, 0) + by_state.get(State.REQUESTED, 0)
    moves = bulk.state in BulkRetry.MOVING and left > 0
    cost, without = _cost(bulk)
    return Progress(
        waiting=by_state.get(State.WAITING, 0),
        requested=by_state.get(State.REQUESTED, 0),
        on_hold=_on_hold(bulk),
        succeeded=by_state.get(State.SUCCEEDED, 0),
        failed=by_state.get(State.FAILED, 0),
        superseded=by_state.get(State.SUPERSEDED, 0),
        refused=by_state.get(State.REFUSED, 0),
        cost_usd=cost,
        without_cost=without,
        problems=_problems(bulk),
        takes=_takes(bulk, left, now) if moves else None,
        waits_for=load_holds(now).waits_for(bulk) if moves else "",
    )


def _by_state(bulk: BulkRetry) -> dict[str, int]:
    items = BulkRetryItem.objects.filter(bulk=bulk).order_by()
    return dict(items.values_list("state").annotate(Count("pk")))


def _on_hold(bulk: BulkRetry) -> list[tuple[str, int]]:
    """Why those of its voice notes wait that are under way and on hold, most first."""
    begun = BulkRetryItem.objects.filter(bulk=bulk, state=State.REQUESTED).values("artifact")
    held = StageRun.objects.parked().filter(artifact__in=begun).order_by()
    reasons = held.values_list("parked_reason").annotate(n=Count("pk")).order_by("-n", "parked_reason")
    return [(HOLD_REASONS.get(reason, UNKNOWN_TROUBLE), number) for reason, number in reasons]


def _cost(bulk: BulkRetry) -> tuple[Decimal | None, int]:
    with connection.cursor() as cursor:
        cursor.execute(COST, [bulk.pk])
        cost, without = cursor.fetchone()
        return cost, without


def _problems(bulk: BulkRetry) -> list[Problem]:
    failed = BulkRetryItem.objects.filter(bulk=bulk, state=State.FAILED).order_by()
    problems = failed.values_list("problem", "attempt__failed_stage", "attempt__error_code").annotate(
        message=Max("attempt__error_message"), n=Count("pk")
    )
    return [Problem(*row) for row in problems.order_by("-n", "problem")[:MOST_PROBLEMS]]


def _takes(bulk: BulkRetry, left: int, now: datetime) -> timedelta | None:
    """How long what is left will take at the speed of the last ones; None while too few have ended."""
    if bulk.moving_since is None:
        return None
    ended = BulkRetryItem.objects.filter(bulk=bulk, settled_at__gte=bulk.moving_since, attempt__isnull=False)
    last = ended.order_by("-settled_at").values("pk")[:SPEED_OF_LAST]
    row = BulkRetryItem.objects.filter(pk__in=last).aggregate(n=Count("pk"), since=Min("settled_at"))
    if row["n"] < SPEED_OF_LEAST:
        return None
    since = bulk.moving_since if row["n"] < SPEED_OF_LAST else row["since"]
    return (now - since) / int(row["n"]) * left
