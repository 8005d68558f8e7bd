"""Whether a bulk retry helps: what came of its last voice notes, and whether one problem takes most of them again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from retry.limits import Limits, limits
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt
from voicepipeline.stages import STAGES

State = BulkRetryItem.State


@dataclass(frozen=True)
class Ending:
    """How the retry of one voice note ended: with which problem, empty when it succeeded, and the one it had before."""

    problem: str
    problem_before: str


@dataclass(frozen=True)
class CameBack:
    """One problem in which too many of the last ones ended."""

    problem: str
    failed: int
    ended: int
    is_the_old_one: bool


def ended_since(bulk: BulkRetry) -> list[Ending]:
    """The last that were begun and ended since it was started or resumed, newest first; replaced ones tell nothing."""
    ended = BulkRetryItem.objects.filter(
        bulk=bulk,
        settled_at__gte=bulk.moving_since,  # follows from the next; the index knows it
        attempt__requested_at__gte=bulk.moving_since,
        state__in=(State.SUCCEEDED, State.FAILED),
    )
    rows = ended.order_by("-settled_at").values_list("state", "problem", "problem_before")
    return [
        Ending(problem if state == State.FAILED else "", before)
        for state, problem, before in rows[: limits().looked_back_at]
    ]


def judge(endings: Sequence[Ending], how: Limits) -> CameBack | None:
    """The problem because of which it should stop, if there is one."""
    if len(endings) < how.tried_first:
        return None
    problems = Counter(ending.problem for ending in endings if ending.problem)
    for problem, failed in problems.most_common(1):
        if 100 * failed > how.stops_above_percent * len(endings):
            old = any(ending.problem_before == problem for ending in endings if ending.problem == problem)
            return CameBack(problem, failed, len(endings), old)
    return None


def in_words(bulk: BulkRetry, found: CameBack) -> str:
    """What is told when it stops by itself: how many, and the problem as the last of them had it."""
    last = RetryAttempt.objects.filter(bulk_item__bulk=bulk, problem=found.problem).order_by("finished_at").last()
    what = "The same problem came back on" if found.is_the_old_one else "Another problem came up on"
    named = f": {STAGES[last.failed_stage].name.label}: {last.error_message or last.error_code}" if last else "."
    return f"{what} {found.failed} of the last {found.ended}{named}"
