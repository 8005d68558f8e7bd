"""What retries and problems say on the overview; two queries, whatever there is."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse

from retry.deeds import deed_questions, deeds_of
from retry.kinds import RETRY_ARTIFACT
from retry.models import BulkRetry, RetryAttempt
from retry.problem_words import words_of
from retry.queries import still_failed
from retry.worst_problems import whose, worst_problems
from voicepipeline.overview.asking import ask, count_of
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.parts import Concern, Contribution, Level
from voicepipeline.overview.pulse import MOST_COUNTED

PROBLEMS = "admin:retry_failuregroup_changelist"
PROBLEMS_SHOWN = 5
LATELY = timedelta(hours=24)
# As many clubs are no coincidence.
SEVERAL = 2


def load(request: HttpRequest, now: datetime) -> Contribution:
    lately = RetryAttempt.objects.filter(requested_at__gte=now - LATELY)
    halted = BulkRetry.objects.filter(state=BulkRetry.State.HALTED)
    answers = ask(
        failed=count_of(still_failed(lately), MOST_COUNTED), halted=count_of(halted, MOST_COUNTED), **deed_questions()
    )
    problems = _problems(now, may_retry=request.user.has_perm(RETRY_ARTIFACT))
    retries = _retries(failed=answers["failed"], halted=answers["halted"])
    return Contribution(concerns=[*problems, *retries], deeds=list(deeds_of(answers)))


def _problems(now: datetime, *, may_retry: bool) -> Iterator[Concern]:
    found = worst_problems(PROBLEMS_SHOWN + 1, now=now)
    for group in found[:PROBLEMS_SHOWN]:
        back = " It came back after it was marked as fixed." if group.came_back_at else ""
        yield Concern(
            key=f"problem-{group.fingerprint}",
            icon="bug_report",
            level=Level.TROUBLE if group.clubs >= SEVERAL or group.came_back_at else Level.NOTICE,
            sentence=f"{words_of(group.error_code).title}: {whose(group)}",
            detail=f"{group.get_stage_display()}.{back}",
            url=reverse("admin:retry_failuregroup_change", args=[group.fingerprint]),
            deed="Look and retry" if may_retry else "Look",
            clubs=group.clubs,
            notes=group.notes,
        )
    if len(found) > PROBLEMS_SHOWN:
        words = "There are more problems"
        yield Concern("problems-more", "bug_report", Level.QUIET, words, url=reverse(PROBLEMS), deed="See all")


def _retries(*, failed: int, halted: int) -> Iterator[Concern]:
    """Bulk retries that wait for a person, and those that ended as they began."""
    if halted:
        stopped = "retry has stopped by itself" if halted == 1 else "retries have stopped by themselves"
        yield Concern(
            key="bulk-halted",
            icon="front_hand",
            level=Level.NOTICE,
            sentence=f"{bounded(halted)} bulk {stopped}",
            url=f"{reverse('admin:retry_bulkretry_changelist')}?state=halted",
            deed="See why",
        )
    if failed:
        yield Concern(
            key="retries-failed",
            icon="replay",
            level=Level.NOTICE,
            sentence=f"{bounded(failed)} {'retry' if failed == 1 else 'retries'} failed again",
            detail="Requested in the last 24 hours; their voice notes are still failed.",
            url=f"{reverse('admin:retry_retryattempt_changelist')}?still=failed&requested=24h",
            deed="See which",
            notes=failed,
        )
