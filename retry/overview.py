"""What retries and problems say on the overview; two queries, whatever there is."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse

from retry.group_queries import worst_problems
from retry.models import BulkRetry, RetryAttempt
from retry.problem_words import whose, words_of
from voicepipeline.overview.asking import ask, count_of
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.parts import Concern, Contribution, Level
from voicepipeline.overview.pulse import MOST_COUNTED

PROBLEMS_SHOWN = 5
LATELY = timedelta(hours=24)
# As many clubs are no coincidence.
SEVERAL = 2


def load(request: HttpRequest, now: datetime) -> Contribution:
    return Contribution(concerns=[*_problems(now), *_retries(now)])


def _problems(now: datetime) -> Iterator[Concern]:
    for group in worst_problems(PROBLEMS_SHOWN, now=now):
        back = " It came back after it was marked as fixed." if group.came_back_at else ""
        yield Concern(
            key=f"problem-{group.fingerprint}",
            icon="bug_report",
            level=Level.TROUBLE if group.clubs >= SEVERAL or group.came_back_at else Level.NOTICE,
            sentence=f"{words_of(group.error_code).title}: {whose(group)}",
            detail=f"{group.get_stage_display()}.{back}",
            url=reverse("admin:retry_failuregroup_change", args=[group.fingerprint]),
            deed="Look and retry",
            clubs=group.clubs,
            notes=group.notes,
        )


def _retries(now: datetime) -> Iterator[Concern]:
    """Those that ended as they began, and bulk retries that wait for a person."""
    failed = RetryAttempt.objects.filter(outcome=RetryAttempt.Outcome.FAILED, requested_at__gte=now - LATELY)
    halted = BulkRetry.objects.filter(state=BulkRetry.State.HALTED)
    counts = ask(failed=count_of(failed, MOST_COUNTED), halted=count_of(halted, MOST_COUNTED))
    if counts["halted"]:
        one = counts["halted"] == 1
        yield Concern(
            key="bulk-halted",
            icon="front_hand",
            level=Level.NOTICE,
            sentence=f"{bounded(counts['halted'])} bulk {'retry has' if one else 'retries have'} stopped by itself",
            url=f"{reverse('admin:retry_bulkretry_changelist')}?state=halted",
            deed="See why",
        )
    if counts["failed"]:
        yield Concern(
            key="retries-failed",
            icon="replay",
            level=Level.NOTICE,
            sentence=f"{bounded(counts['failed'])} {'retry' if counts['failed'] == 1 else 'retries'} failed again",
            detail="Of those that were requested in the last 24 hours.",
            url=f"{reverse('admin:retry_retryattempt_changelist')}?outcome__exact=failed&requested=24h",
            deed="See which",
            notes=counts["failed"],
        )
