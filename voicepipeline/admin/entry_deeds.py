"""What staff do about suggested entries: each on a page of its own that shows the entry first, or at one press."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from voicepipeline.admin.entry_forms import EditForm, NothingToFillIn, OptionalReasonForm, ReasonForm
from voicepipeline.admin.entry_note import entries_of, is_waiting
from voicepipeline.admin.entry_rows import (
    CONFIRM,
    EDIT,
    HOLD,
    NOTE_PAGE,
    REJECT,
    RELEASE,
    UNDO,
    Verb,
    row_of,
    verbs_for,
)
from voicepipeline.masking import eyes_of
from voicepipeline.models import Artifact, EntryDecision, InsightDraft
from voicepipeline.operations import entry_decisions
from voicepipeline.operations.entry_decisions import GONE, who_decided
from voicepipeline.operations.entry_edits import seen_of, seen_of_all
from voicepipeline.operations.entry_steps import verify_decider
from voicepipeline.operations.outcome import Outcome

Kind = EntryDecision.Kind


@dataclass(frozen=True)
class Deed:
    """How a verb is asked about: its page's words and form."""

    title: str
    button: str
    consequences: tuple[str, ...]
    form: type[forms.Form]


WAITS_A_WEEK = "It waits for a week, and expires if nobody decides about it by then."
DEEDS: Mapping[str, Deed] = {
    CONFIRM.key: Deed(
        "Confirm an entry", "Confirm", ("It counts as true, with your name.", "It can be taken back."), NothingToFillIn
    ),
    EDIT.key: Deed(
        "Edit and confirm an entry",
        "Edit and confirm",
        ("It is confirmed as you leave it here, with your name.", "What the AI had written is kept beside it."),
        EditForm,
    ),
    REJECT.key: Deed(
        "Reject an entry",
        "Reject",
        ("It is not suggested again, also when its voice note is worked on again.", "It can be taken back."),
        ReasonForm,
    ),
    HOLD.key: Deed(
        "Put an entry on hold",
        "Put on hold",
        ("It waits for as long as it takes, and does not expire.", "It is never confirmed together with others."),
        OptionalReasonForm,
    ),
    RELEASE.key: Deed("Take an entry off hold", "Take off hold", (WAITS_A_WEEK,), NothingToFillIn),
    UNDO.key: Deed(
        "Take back what was decided",
        "Take it back",
        (
            "It says what the voice note suggests, in the AI's words, and is to be confirmed again.",
            "It is not confirmed automatically any more.",
            "What somebody has done with it elsewhere is not undone.",
            WAITS_A_WEEK,
        ),
        ReasonForm,
    ),
}
FOR_ALL: Mapping[str, Deed] = {
    CONFIRM.key: Deed(
        "Confirm all entries of a voice note",
        "Confirm all",
        ("Each that waits is confirmed with your name.", "Those on hold are left.", "Each can be taken back."),
        NothingToFillIn,
    ),
    REJECT.key: Deed(
        "Reject all entries of a voice note",
        "Reject all",
        (
            "Each that waits is rejected with your name and reason.",
            "Those on hold are left.",
            "Each can be taken back.",
        ),
        ReasonForm,
    ),
}
KINDS = {CONFIRM.key: Kind.CONFIRMED, REJECT.key: Kind.REJECTED}


def verify(request: HttpRequest) -> None:
    user: Any = request.user
    verify_decider(user)


def title_of(verb: Verb) -> str:
    return DEEDS[verb.key].title


def answer(
    request: HttpRequest, surroundings: dict[str, Any], artifact: Artifact, draft_id: int, verb: Verb
) -> HttpResponse:
    """Show the entry and ask, or act and go back to where the person was, to the next one that waits."""
    draft = entries_of(artifact).filter(pk=draft_id).first()
    back = _back(request, artifact)
    if draft is None:
        messages.warning(request, GONE)
        return redirect(back)
    deed = DEEDS[verb.key]
    form = deed.form(request.POST if request.method == "POST" else None, **_initial(draft, deed))
    seen = request.POST.get("seen", "") if request.method == "POST" else seen_of(draft)
    if request.method == "POST" and form.is_valid():
        outcome = _do(request, draft_id, verb, form.cleaned_data, seen)
        if outcome.done or verb != EDIT:
            messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
            return redirect(f"{back}#entry-{_next(request) or draft_id}")
        # What somebody has written is not thrown away.
        form.add_error(None, outcome.message)
    context = {
        "deed": deed,
        "row": row_of(draft, eyes_of(request.user), may_decide=False),
        "form": form,
        "seen": seen,
        "refusal": "" if form.is_bound else _refusal(draft, verb),
        "back": _given(request, "back"),
        "next": _next(request),
        "back_url": f"{back}#entry-{draft_id}",
    }
    return TemplateResponse(request, "voicepipeline/entry_deed.html", {**surroundings, **context})


def _refusal(draft: InsightDraft, verb: Verb) -> str:
    """Why it makes no sense now; empty when it does."""
    if verb in verbs_for(draft):
        return ""
    if draft.status == InsightDraft.Status.PENDING and verb in (HOLD, RELEASE):
        return "It is on hold already." if verb == HOLD else "It is not on hold."
    return who_decided(draft, now=timezone.now())


def _initial(draft: InsightDraft, deed: Deed) -> dict[str, Any]:
    if deed.form is not EditForm:
        return {}
    return {"initial": {name: getattr(draft, name) for name in EditForm.base_fields}}


def _do(request: HttpRequest, draft_id: int, verb: Verb, given: Mapping[str, Any], seen: str) -> Outcome:
    user: Any = request.user
    reason = str(given.get("reason", ""))
    if verb == CONFIRM:
        return entry_decisions.confirm_entry(draft_id, by=user, seen=seen)
    if verb == EDIT:
        return entry_decisions.confirm_entry(draft_id, by=user, seen=seen, edits=given)
    if verb == RELEASE:
        return entry_decisions.release_entry(draft_id, by=user, seen=seen)
    operations = {
        REJECT: entry_decisions.reject_entry,
        HOLD: entry_decisions.hold_entry,
        UNDO: entry_decisions.undo_entry,
    }
    return operations[verb](draft_id, by=user, reason=reason, seen=seen)


def answer_for_all(request: HttpRequest, surroundings: dict[str, Any], artifact: Artifact, verb: str) -> HttpResponse:
    """The same for all entries of a note that wait."""
    deed = FOR_ALL[verb]
    back = reverse(NOTE_PAGE, args=[artifact.artifact_id])
    waiting = [entry for entry in entries_of(artifact) if is_waiting(entry)]
    form = deed.form(request.POST if request.method == "POST" else None)
    seen = request.POST.get("seen", "") if request.method == "POST" else seen_of_all(waiting)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        reason = str(form.cleaned_data.get("reason", ""))
        outcome = entry_decisions.decide_note(artifact.artifact_id, KINDS[verb], by=user, reason=reason, seen=seen)
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect(back)
    eyes = eyes_of(request.user)
    context = {
        "deed": deed,
        "rows": [row_of(entry, eyes, may_decide=False) for entry in waiting],
        "form": form,
        "seen": seen,
        "refusal": "" if waiting else "None of its entries waits to be confirmed.",
        "back_url": back,
    }
    return TemplateResponse(request, "voicepipeline/entry_deed.html", {**surroundings, **context})


def _given(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "") or request.GET.get(name, "")


def _next(request: HttpRequest) -> str:
    given = _given(request, "next")
    return given if given.isascii() and given.isdigit() else ""


def _back(request: HttpRequest, artifact: Artifact) -> str:
    """The list that the person came from, if it is ours; else the note's own entries."""
    back = _given(request, "back")
    if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return back
    return reverse(NOTE_PAGE, args=[artifact.artifact_id])
