"""The page of one retry of one voice note: what it will do is shown first, and only its POST does it."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from retry.admin.note_panel import KindRow, kind_rows
from retry.admin.words import CONSEQUENCES, LATELY, fate_of_confirmed
from retry.facts import CONFIRMED
from retry.kinds import Kind
from retry.operations import MAX_KEY, MAX_REASON, retry
from retry.queries import Preview, preview_retry
from retry.words import amount, cost_in_words, time_in_words
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin import note_readings
from voicepipeline.admin.entry_rows import EntryRow, row_of, with_related
from voicepipeline.engine.transactions import database_now
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import Artifact, InsightDraft

MOST_ENTRIES = 20
INCOMPLETE = "Something was missing of this page, so nothing was done. Look at it again, then press once more."


class RetryForm(forms.Form):
    """Why, and what somebody agrees to; hidden beside it, what the page has shown."""

    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with the voice note, for whoever looks at it next.",
    )
    agreed = forms.BooleanField(required=False, widget=UnfoldBooleanWidget)
    # The same form sent twice is one retry. Keys of bulk retries have a slash: no form can be taken for one of these.
    idempotency_key = forms.CharField(
        max_length=MAX_KEY, widget=forms.HiddenInput, validators=[RegexValidator(r"^[\w-]+\Z")]
    )
    expected_generation = forms.IntegerField(widget=forms.HiddenInput)
    agreed_to = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    # When the last of the entries that are shown was confirmed; empty when none is.
    as_of = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, kind: Kind, shown: Preview, data: QueryDict | None = None, *, reason: str = "") -> None:
        (note,) = shown.notes
        confirmed = note.verdict.confirmed
        last_at = note.verdict.confirmed_at
        consent = {"agreed_to": str(confirmed), "as_of": last_at.isoformat() if last_at else ""}
        hidden = {"idempotency_key": uuid.uuid4().hex, "expected_generation": note.generation, **consent}
        super().__init__(_as_shown(data, consent), initial={**hidden, "reason": reason})
        needed: Any = self.fields["reason"]
        if note.verdict.needs_reason:
            needed.required, needed.help_text = True, f"{note.verdict.needs_reason} {needed.help_text}"
            needed.error_messages["required"] = "Say it here: without that it is not begun."
        if note.verdict.same_problem:
            needed.label = "What has changed?"
        if confirmed:
            agreed = self.fields["agreed"]
            agreed.required, agreed.label = True, consent_to(kind, confirmed)
            agreed.error_messages["required"] = "Tick this if that is meant; otherwise go back."
        else:
            del self.fields["agreed"]

    @property
    def is_complete(self) -> bool:
        """Whether what the page itself had put into the form came back."""
        return not any(field.errors for field in self.hidden_fields())


def _as_shown(data: QueryDict | None, consent: dict[str, str]) -> QueryDict | None:
    """What was sent; who agreed while other entries were concerned has not agreed to these."""
    if data is None or not data.get("agreed_to") or all(data.get(name, "") == value for name, value in consent.items()):
        return data
    anew = data.copy()
    for name, value in consent.items():
        anew[name] = value
    anew.pop("agreed", None)
    return anew


def consent_to(kind: Kind, confirmed: int) -> str:
    entries = "1 confirmed entry" if confirmed == 1 else f"{confirmed:,} confirmed entries"
    if kind.starts_over:
        return f"I agree that {entries} {'goes' if confirmed == 1 else 'go'}, too."
    return f"I agree that this concerns {entries}."


def answer(model_admin: Any, request: HttpRequest, artifact: Artifact, kind: Kind) -> HttpResponse:
    """Show what this retry would do, or begin it and go back to the note; refused, the page says why."""
    user: Any = request.user
    verify_platform_staff(user, kind.permission)
    shown = _preview(request, artifact, kind)
    if request.method != "POST":
        return _page(model_admin, request, artifact, kind, shown, RetryForm(kind, shown))
    form = RetryForm(kind, shown, request.POST)
    if not form.is_valid() and form.is_complete:
        return _page(model_admin, request, artifact, kind, shown, form)
    trouble = _begin(request, artifact, kind, form.cleaned_data) if form.is_valid() else INCOMPLETE
    if not trouble:
        return redirect(_page_of(artifact))
    # As it stands now, with a new key: this one was used up, or never known.
    shown = _preview(request, artifact, kind)
    form = RetryForm(kind, shown, reason=request.POST.get("reason", "")[:MAX_REASON])
    return _page(model_admin, request, artifact, kind, shown, form, trouble)


def _preview(request: HttpRequest, artifact: Artifact, kind: Kind) -> Preview:
    user: Any = request.user
    return preview_retry([artifact.pk], kind.key, by=user, bulk=False)


def _begin(request: HttpRequest, artifact: Artifact, kind: Kind, given: Mapping[str, Any]) -> str:
    """Why it was refused; empty when it was begun, which the next page tells."""
    user: Any = request.user
    result = retry(
        kind.key,
        artifact.artifact_id,
        by=user,
        reason=given["reason"],
        idempotency_key=given["idempotency_key"],
        expected_generation=given["expected_generation"],
        agreed_to=given["agreed_to"] if given.get("agreed") else 0,
        as_of=given["as_of"],
    )
    if not result.success:
        return result.message
    messages.success(request, result.message)
    return ""


def _page(
    model_admin: Any,
    request: HttpRequest,
    artifact: Artifact,
    kind: Kind,
    shown: Preview,
    form: RetryForm,
    trouble: str = "",
) -> HttpResponse:
    (note,) = shown.notes
    refusal = note.verdict.refusal.message if note.verdict.refusal else ""
    concerned = [] if refusal else _concerned(request, artifact, note.verdict.confirmed)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": artifact,
        "title": kind.label,
        "artifact": artifact,
        "kind": kind,
        "refusal": refusal,
        "trouble": "" if trouble == refusal else trouble,
        "alternatives": _alternatives(request, artifact) if refusal else [],
        "consequences": CONSEQUENCES[kind.key],
        "deleted": [amount(number, words) for words, number in note.deleted.items()],
        "facts": _facts(shown),
        "lately": "" if shown.cost_usd is None and shown.takes is None else LATELY,
        "on_hold": note.verdict.on_hold,
        "concerned": concerned,
        "concerned_more": note.verdict.confirmed - len(concerned),
        "fate": fate_of_confirmed(starts_over=kind.starts_over),
        "form": form,
        "back_url": _page_of(artifact),
    }
    return TemplateResponse(request, "retry/note_retry.html", context)


def _facts(shown: Preview) -> list[tuple[str, str]]:
    return [
        ("Stages", f"{shown.runs:,}"),
        ("AI calls", f"{shown.calls:,}" if shown.calls else "None"),
        ("Cost", cost_in_words(shown.cost_usd, shown.without_cost).capitalize()),
        ("Takes", time_in_words(shown.takes).capitalize()),
    ]


def _concerned(request: HttpRequest, artifact: Artifact, confirmed: int) -> list[EntryRow]:
    """The entries that were confirmed; to show what they say is a reading, as everywhere."""
    if not confirmed:
        return []
    note_readings.opened(request, artifact)
    eyes: Eyes = eyes_of(request.user)
    entries = with_related(InsightDraft.objects.filter(artifact=artifact, status__in=CONFIRMED)).order_by("pk")
    return [row_of(entry, eyes, may_decide=False) for entry in entries[:MOST_ENTRIES]]


def _alternatives(request: HttpRequest, artifact: Artifact) -> list[KindRow]:
    """What this person can do to this note instead."""
    return [row for row in kind_rows(request, artifact, database_now()) if row.url]


def _page_of(artifact: Artifact) -> str:
    return reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])
