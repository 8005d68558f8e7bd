"""Deciding about the entries of many notes: which, what it comes to, and then one press."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from voicepipeline.admin.entry_filters import FilterForm
from voicepipeline.admin.entry_rows import row_of
from voicepipeline.masking import eyes_of
from voicepipeline.models import BulkWork
from voicepipeline.operations.entry_bulk import CAREFUL, KINDS, ON_HOLD, decide_in_bulk
from voicepipeline.operations.entry_decisions import MAX_REASON
from voicepipeline.operations.entry_selection import Preview, preview, sample

SAMPLE = 10
GOOD_FOR = 3_600  # seconds; after that it is looked at again
SALT = "voicepipeline.entries.preview"
VERBS = {
    BulkWork.Kind.CONFIRM_ENTRIES: "Confirm",
    BulkWork.Kind.REJECT_ENTRIES: "Reject",
    BulkWork.Kind.HOLD_ENTRIES: "Put on hold",
}
LEADS = {
    BulkWork.Kind.CONFIRM_ENTRIES: "Confirm {}",
    BulkWork.Kind.REJECT_ENTRIES: "Reject {}",
    BulkWork.Kind.HOLD_ENTRIES: "Put {} on hold",
}
Record = Callable[[HttpRequest, set[int]], None]


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label="What to do",
        choices=[(kind.value, VERBS[kind]) for kind in KINDS],
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "This cannot be done to many entries. Choose from the list."},
    )


class BulkReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Kept with each of these entries, with your name.",
        error_messages={"required": "Say why: the reason is kept with each of these entries."},
    )

    def __init__(self, data: QueryDict | None, *, kind: str) -> None:
        super().__init__(data)
        self.fields["reason"].required = kind == BulkWork.Kind.REJECT_ENTRIES


def answer(request: HttpRequest, surroundings: dict[str, Any], record: Record) -> HttpResponse:
    """The choice, what it comes to, or the deed; a choice is in the address, so that it can be looked at and left."""
    filters = FilterForm(request.GET)
    kind = KindForm(request.GET if "kind" in request.GET else None)
    context = {"filters": filters, "kind": kind, "list_url": reverse("admin:voicepipeline_insightdraft_changelist")}
    if kind.is_valid() and filters.is_valid():
        chosen = kind.cleaned_data["kind"]
        reason = BulkReasonForm(request.POST if request.method == "POST" else None, kind=chosen)
        if request.method == "POST":
            shown = _shown(request, chosen)
            if shown is None:
                messages.warning(request, "This preview is too old. Look again at what it comes to, then do it.")
                return redirect(request.get_full_path())
            if reason.is_valid():
                return _start(request, chosen, shown, reason.cleaned_data["reason"])
        context |= _preview(request, chosen, filters, reason, record)
    return TemplateResponse(request, "voicepipeline/entries_bulk.html", {**surroundings, **context})


def _preview(
    request: HttpRequest, kind: str, filters: FilterForm, reason: BulkReasonForm, record: Record
) -> dict[str, Any]:
    found = preview(kind, filters.chosen, now=timezone.now())
    entries = sample(kind, found.selection, SAMPLE)
    record(request, {entry.artifact_id for entry in entries})
    eyes = eyes_of(request.user)
    left = [(CAREFUL, found.careful), (ON_HOLD, found.held)]
    return {
        "found": found,
        "expected": f"{found.expected:,}",
        "total": f"{found.total:,}",
        "left_out": [(why, f"{number:,}") for why, number in left if number],
        "lead": LEADS[BulkWork.Kind(kind)].format(_entries(found.expected)),
        "rows": [row_of(entry, eyes, may_decide=False) for entry in entries],
        "verb": VERBS[BulkWork.Kind(kind)],
        "token": signing.dumps({"kind": kind, **asdict(found)}, salt=SALT, compress=True),
        "reason": reason,
    }


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _shown(request: HttpRequest, kind: str) -> Preview | None:
    """What the page had shown: no more is done than that."""
    try:
        shown = signing.loads(request.POST.get("token", ""), salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return None
    return Preview(**shown) if shown.pop("kind") == kind else None


def _start(request: HttpRequest, kind: str, shown: Preview, reason: str) -> HttpResponse:
    user: Any = request.user
    work = decide_in_bulk(BulkWork.Kind(kind), by=user, reason=reason, shown=shown)
    messages.success(request, "Asked for. It is done in the background, voice note by voice note: see below how far.")
    return redirect(reverse("admin:voicepipeline_bulkwork_change", args=[work.pk]))
