"""Whoever started a bulk retry is told on whatever page they are that it has finished or stopped by itself."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from retry.admin.bulk_words import NOTES, deed_url, page_of
from retry.bulk.deeds import TOLD
from retry.kinds import RETRY_ARTIFACT
from retry.models import BulkRetry, BulkRetryItem
from retry.words import amount
from voicepipeline.registry import Notice, registry


def context_of(request: HttpRequest) -> dict[str, Any] | None:
    """The newest of theirs that they have not put away, in one query; who can start none is not asked about."""
    if not request.user.has_perm(RETRY_ARTIFACT):
        return None
    mine = BulkRetry.objects.filter(requested_by=request.user.pk, state__in=TOLD, seen_at__isnull=True)
    bulk: Any = with_counts(mine).order_by("-id").first()
    if bulk is None:
        return None
    halted = bulk.state == BulkRetry.State.HALTED
    link = "See why" if halted else "See what came of it"
    return {
        "sentence": _finished(bulk) if bulk.state == BulkRetry.State.FINISHED else _stopped(bulk),
        "needs_person": halted,
        "link": "" if request.path == page_of(bulk) else link,
        "url": page_of(bulk),
        "put_away_url": deed_url(bulk, "put_away"),
        # What answered a POST may be no page to come back to.
        "back": request.get_full_path() if request.method == "GET" else page_of(bulk),
    }


def with_counts(bulks: QuerySet[BulkRetry]) -> QuerySet[Any]:
    """Each with how many of its voice notes succeeded and failed again, counted for the rows that are read alone."""
    states = BulkRetryItem.State
    return bulks.annotate(succeeded=_count(states.SUCCEEDED), failed_again=_count(states.FAILED))


def _count(state: str) -> Any:
    items = BulkRetryItem.objects.filter(bulk=OuterRef("pk"), state=state).order_by()
    counted = items.values("bulk").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _finished(bulk: Any) -> str:
    of_all = amount(bulk.expected, NOTES)
    if not bulk.failed_again:
        return f"Your bulk retry has finished: {bulk.succeeded:,} of {of_all} succeeded."
    return (
        f"Your bulk retry has finished: {bulk.succeeded:,} of {of_all} succeeded, {bulk.failed_again:,} failed again."
    )


def _stopped(bulk: Any) -> str:
    """By itself, or by somebody else: both are told in its reason."""
    how = "stopped by itself" if bulk.state == BulkRetry.State.HALTED else "was stopped"
    return f"Your bulk retry of {amount(bulk.expected, NOTES)} {how}. {bulk.state_reason}"


def register() -> None:
    registry.add_notice(Notice("bulk_retry", "retry/bulk_notice.html", context_of))
