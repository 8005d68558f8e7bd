"""What a bulk retry would do, as it was counted when it was asked for, and the one press that starts it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from retry.admin.bulk_items import (
    CONFIRMED,
    SHOWN,
    Confirmed,
    confirmed_in,
    first_refused,
    first_with_confirmed,
)
from retry.admin.bulk_words import (
    NOTES,
    capital,
    consequences_of,
    deed_in_words,
    kinds_in_words,
    may_act_on,
    notes_page_of,
    page_of,
    starter_of,
    state_of,
)
from retry.admin.words import LATELY, fate_of_confirmed
from retry.bulk.previews import MAX_REASON, expires_at, is_expired, start_bulk
from retry.bulk.rights import permission_of
from retry.estimates import at_once
from retry.kinds import label_of
from retry.limits import limits
from retry.models import BulkRetry, BulkRetryItem, RetryKind
from retry.words import amount, cost_in_words, deleted_in_words, time_in_words
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin.words import moment
from voicepipeline.durations import in_words

States = BulkRetryItem.State
SAY_WHY = "Say why: the reason is kept with each of these voice notes."
AGREE = "Without this they cannot be retried: turn it on, or leave these voice notes out."


class StartForm(forms.Form):
    """What somebody has to say to start it; what there is nothing to say about is not asked."""

    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with each of these voice notes, with your name.",
        error_messages={"required": SAY_WHY},
    )
    tries_first = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanSwitchWidget)
    agreed = forms.BooleanField(widget=UnfoldBooleanSwitchWidget, error_messages={"required": AGREE})

    def __init__(self, bulk: BulkRetry, confirmed: Confirmed, data: Any = None) -> None:
        super().__init__(data)
        first = limits().tried_first
        if bulk.expected > first:
            self.fields["tries_first"].label = f"Try {first} first"
            self.fields["tries_first"].help_text = (
                "The others follow by themselves once these have ended. "
                "It stops by itself when the same problem comes back."
            )
        else:
            del self.fields["tries_first"]
        if confirmed.entries:
            self.fields["agreed"].label = f"{_agreement(bulk)} {_entries(confirmed.entries)}"
        else:
            del self.fields["agreed"]


def start(request: HttpRequest, bulk: BulkRetry) -> HttpResponse | StartForm:
    """Start it, or give back the form that says what is missing."""
    verify_platform_staff(request.user, permission_of(bulk.kind))
    if bulk.requested_by_id != request.user.pk:
        raise PermissionDenied("Only who made this preview can start it.")
    form = StartForm(bulk, confirmed_in(bulk), request.POST)
    # One that was started meanwhile, or is too old, is told by the operation, whatever the form says.
    is_open = bulk.state == BulkRetry.State.PREVIEW and not is_expired(bulk, timezone.now())
    if is_open and not form.is_valid():
        return form
    user: Any = request.user
    given = form.cleaned_data if form.is_valid() else {}
    outcome = start_bulk(
        bulk.bulk_id,
        by=user,
        reason=given.get("reason", ""),
        tries_first=given.get("tries_first", False),
        agreed=given.get("agreed", False),
    )
    messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
    return redirect(page_of(bulk))


def context_of(request: HttpRequest, bulk: BulkRetry, form: StartForm | None = None) -> dict[str, Any]:
    """The frozen figures in words, the notes behind them, and the form for who may start it."""
    now, told = timezone.now(), bulk.details
    confirmed = confirmed_in(bulk)
    is_own = bulk.requested_by_id == request.user.pk
    may = may_act_on(bulk, request.user)
    expired = is_expired(bulk, now)
    can_start = may and is_own and bulk.expected > 0 and not expired
    return {
        "bulk": bulk,
        "what": label_of(bulk.kind),
        "state": state_of(bulk, now),
        "lead": deed_in_words(bulk.kind, bulk.expected) if bulk.expected else "There is nothing to retry",
        "who": starter_of(bulk),
        "made": moment(bulk.created_at),
        "expires": moment(expires_at(bulk)),
        "valid_for": in_words(limits().preview_valid_for),
        "is_expired": expired,
        "is_own": is_own,
        "may": may,
        "figures": _figures(bulk),
        "kinds": kinds_in_words(told.get("kinds", {})),
        "consequences": consequences_of(bulk.kind),
        "deleted": deleted_in_words(told.get("deleted", {})),
        "on_hold": [(why, amount(number, NOTES)) for why, number in told.get("on_hold", [])],
        "refusals": _refusals(bulk),
        "confirmed": _confirmed(bulk, confirmed),
        "all_url": notes_page_of(bulk),
        "form": (form or StartForm(bulk, confirmed)) if can_start else None,
    }


def _figures(bulk: BulkRetry) -> list[tuple[str, str, str, str]]:
    """Each with where its notes are listed, and with what has to be known of it."""
    seconds = bulk.details.get("takes_s")
    refused = sum(number for _, number in bulk.details.get("refusals", []))
    takes = None if seconds is None else timedelta(seconds=seconds)
    cost = cost_in_words(bulk.expected_cost_usd, bulk.without_expected_cost)
    workers = f"on {amount(at_once(), 'workers')}"
    return [
        ("Can be retried", f"{bulk.expected:,}", notes_page_of(bulk, state=States.WAITING), ""),
        ("Refused", f"{refused:,}", notes_page_of(bulk, state=States.REFUSED) if refused else "", ""),
        ("Stages", f"{bulk.expected_runs:,}", "", ""),
        ("AI calls", f"{bulk.expected_calls:,}", "", ""),
        ("Cost", capital(cost), "", "" if bulk.expected_cost_usd is None else LATELY),
        ("Takes", capital(time_in_words(takes)), "", "" if takes is None else f"{workers}, {LATELY}"),
    ]


def _refusals(bulk: BulkRetry) -> list[dict[str, Any]]:
    told = bulk.details.get("refusals", [])
    few = first_refused(bulk) if told else {}
    return [
        {
            "why": why,
            "count": amount(number, NOTES),
            "rows": few.get(why, []),
            "all_url": notes_page_of(bulk, state=States.REFUSED, why=place) if number > SHOWN else "",
        }
        for place, (why, number) in enumerate(told)
    ]


def _confirmed(bulk: BulkRetry, found: Confirmed) -> dict[str, Any] | None:
    if not found.entries:
        return None
    return {
        "count": amount(found.notes, NOTES),
        "entries": _entries(found.entries),
        "fate": fate_of_confirmed(starts_over=bulk.kind == RetryKind.FULL),
        "rows": first_with_confirmed(bulk),
        "all_url": notes_page_of(bulk, state=CONFIRMED) if found.notes > SHOWN else "",
    }


def _agreement(bulk: BulkRetry) -> str:
    return "I agree that this deletes" if bulk.kind == RetryKind.FULL else "I agree that this concerns"


def _entries(number: int) -> str:
    return "1 confirmed entry" if number == 1 else f"{number:,} confirmed entries"
