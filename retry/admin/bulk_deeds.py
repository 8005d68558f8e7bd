"""What somebody does to a bulk retry, by POST alone: pause, resume, stop, put its notice away, preview it anew."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from retry.admin.bulk_words import NOTES, page_of, starter_of
from retry.bulk import deeds
from retry.bulk.previews import make_preview
from retry.bulk.progress import progress_of
from retry.bulk.rights import permission_of
from retry.kinds import RETRY_ARTIFACT
from retry.models import BulkRetry, BulkRetryItem
from retry.words import amount
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin.words import moment
from voicepipeline.errors import InvalidTransition
from voicepipeline.operations.outcome import Outcome

BACK = "next"
Deed = Callable[..., Outcome]


def _resume_all(bulk_id: Any, *, by: Any) -> Outcome:
    return deeds.resume(bulk_id, by=by, tries_first=False)


def _resume(bulk_id: Any, *, by: Any) -> Outcome:
    return deeds.resume(bulk_id, by=by, tries_first=True)


DEEDS: dict[str, Deed] = {"pause": deeds.pause, "resume": _resume, "resume_all": _resume_all}
PUT_AWAY, AGAIN, FAILED = "put_away", "again", "failed"


def do(request: HttpRequest, bulk: BulkRetry, deed: str) -> HttpResponse:
    """One deed, and back to the page of it, or to where the notice was put away."""
    if deed not in (*DEEDS, PUT_AWAY, AGAIN, FAILED):
        raise Http404
    _verify(request.user, bulk, deed)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if deed in (AGAIN, FAILED):
        return _preview_anew(request, bulk, deed)
    user: Any = request.user
    outcome = (deeds.put_away if deed == PUT_AWAY else DEEDS[deed])(bulk.bulk_id, by=user)
    if deed != PUT_AWAY or not outcome.done:
        _tell(request, outcome)
    return redirect(_way_back(request) or page_of(bulk))


def stop(request: HttpRequest, surroundings: dict[str, Any], bulk: BulkRetry) -> HttpResponse:
    """Say what stopping means, or stop it."""
    verify_platform_staff(request.user, permission_of(bulk.kind))
    if request.method == "POST":
        user: Any = request.user
        _tell(request, deeds.stop(bulk.bulk_id, by=user))
        return redirect(page_of(bulk))
    found = progress_of(bulk)
    context = {
        "original": bulk,
        "title": "Stop a bulk retry",
        "is_over": bulk.state not in BulkRetry.UNFINISHED,
        "who": starter_of(bulk),
        "waiting": amount(found.waiting, NOTES),
        "under_way": amount(found.requested, NOTES) if found.requested else "",
        "moves": bulk.state in BulkRetry.MOVING,
        "back_url": page_of(bulk),
    }
    return TemplateResponse(request, "retry/bulk_stop.html", {**surroundings, **context})


def _verify(user: Any, bulk: BulkRetry, deed: str) -> None:
    """Refuse those without the right whatever the method; the operations ask once more."""
    if deed == PUT_AWAY and bulk.requested_by_id != user.pk:
        raise PermissionDenied(deeds.NOT_THE_STARTER)
    if deed != PUT_AWAY:
        # A pause harms nothing: it is for everybody who retries.
        verify_platform_staff(user, RETRY_ARTIFACT if deed == "pause" else permission_of(bulk.kind))


def _preview_anew(request: HttpRequest, bulk: BulkRetry, deed: str) -> HttpResponse:
    """Of the same voice notes, of those that were never begun, or of those that failed again, as they are now."""
    items = bulk.items.order_by("position")
    chosen_by = bulk.chosen_by
    if deed == FAILED:
        items = items.filter(state=BulkRetryItem.State.FAILED)
        chosen_by = f"Those that failed again in the bulk retry of {moment(bulk.started_at)} UTC"
    elif bulk.state != BulkRetry.State.PREVIEW:
        items = items.filter(state=BulkRetryItem.State.WAITING)
        chosen_by = f"Those that were not begun in the bulk retry of {moment(bulk.started_at)} UTC"
    user: Any = request.user
    chosen = list(items.values_list("artifact_id", flat=True))
    try:
        preview = make_preview(chosen, bulk.kind, by=user, chosen_by=chosen_by)
    except InvalidTransition as refusal:
        messages.warning(request, str(refusal))
        return redirect(page_of(bulk))
    return redirect(page_of(preview))


def _tell(request: HttpRequest, outcome: Outcome) -> None:
    messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)


def _way_back(request: HttpRequest) -> str:
    """Where the notice was put away, if that is one of our pages."""
    url = request.POST.get(BACK, "")
    hosts = {request.get_host()}
    ours = url.startswith("/") and url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure())
    return url if ours else ""
