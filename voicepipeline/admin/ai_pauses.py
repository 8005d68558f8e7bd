"""Pausing work: what is chosen, what that would do, and the rows of the pauses."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from voicepipeline.admin.words import length, moment
from voicepipeline.ai_status import Ahead, load_ahead
from voicepipeline.models import Organization, Pause
from voicepipeline.operations import ai_service
from voicepipeline.operations.ai_service import MAX_REASON, name_of

SWITCH = Pause.Subject.AUTOMATIC_CONFIRMATION


class ChoiceForm(forms.Form):
    """What to pause, and for whom."""

    subject = forms.ChoiceField(label="What", choices=Pause.Subject.choices, widget=UnfoldAdminSelectWidget)
    club = forms.ModelChoiceField(
        label="For",
        queryset=Organization.objects.order_by("name"),
        required=False,
        empty_label="All clubs",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "There is no such club. Choose one from the list."},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Everybody who finds it paused sees this, with your name.",
        error_messages={"required": "Say why: whoever finds it paused will want to know."},
    )


def answer(model_admin: Any, request: HttpRequest, *, back_url: str) -> HttpResponse:
    """The choice, its consequences, or the deed; a choice is in the address, so that it can be looked at and left."""
    choice = ChoiceForm(request.GET if "subject" in request.GET else None)
    reason = ReasonForm(request.POST if request.method == "POST" else None)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Pause work",
        "back_url": back_url,
        "choice": choice,
    }
    if not choice.is_valid():
        return TemplateResponse(request, "voicepipeline/ai_service_pause.html", context)
    subject, club = choice.cleaned_data["subject"], choice.cleaned_data["club"]
    if request.method == "POST" and reason.is_valid():
        return _pause(request, subject, club, reason.cleaned_data["reason"], back_url)
    existing = ai_service.active_pause(subject, club.pk if club else None)
    whom = f"for {club}" if club else "for all clubs"
    context |= {
        "chosen": True,
        "lead": f"Switch off automatic confirmation {whom}" if subject == SWITCH else _lead(subject, whom),
        "button": "Switch off" if subject == SWITCH else "Pause",
        "refusal": ai_service.already(existing, now=timezone.now()) if existing else "",
        "consequences": consequences(subject, load_ahead(subject, club.pk if club else None)),
        "reason": reason,
    }
    return TemplateResponse(request, "voicepipeline/ai_service_pause.html", context)


def consequences(subject: str, ahead: Ahead) -> list[str]:
    """What would happen, with how many voice notes it would meet now."""
    if subject == SWITCH:
        return [
            "Every suggested entry waits for a person, however sure the AI is.",
            "Entries that are confirmed already stay confirmed.",
            "Voice notes go through all stages as before.",
            "Once it is switched on again, it holds for entries that are suggested from then on.",
        ]
    said = [
        f"{_notes(ahead.waiting, 'waits', 'wait')} for it now and {'goes' if ahead.waiting == 1 else 'go'} on hold."
    ]
    if ahead.running:
        said.append(f"{_notes(ahead.running, 'is', 'are')} being worked on and may finish this stage.")
    if ahead.on_the_way:
        said.append(f"{_notes(ahead.on_the_way, 'is', 'are')} on the way there and will wait on arrival.")
    return [
        *said,
        "New voice notes are still accepted, and wait.",
        "Nothing is lost and no try is charged: all go on, oldest first, once somebody resumes it.",
    ]


def row(pause: Pause) -> dict[str, Any]:
    """One pause, active or past, for its table."""
    return {
        "pk": pause.pk,
        "what": pause.get_subject_display(),
        "club": str(pause.organization) if pause.organization else "All clubs",
        "by": name_of(pause.paused_by),
        "since": moment(pause.paused_at),
        "reason": pause.reason,
        "resume": "Switch on" if pause.subject == SWITCH else "Resume",
        "until": moment(pause.resumed_at),
        "resumed_by": name_of(pause.resumed_by) if pause.resumed_by else "",
        "lasted": length(pause.paused_at, pause.resumed_at),
    }


def _pause(request: HttpRequest, subject: str, club: Organization | None, reason: str, back_url: str) -> HttpResponse:
    user: Any = request.user
    organization_id = club.pk if club else None
    outcome = ai_service.pause(subject, organization_id=organization_id, reason=reason, by=user, now=timezone.now())
    messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
    return redirect(back_url)


def _lead(subject: str, whom: str) -> str:
    if subject == Pause.Subject.EVERYTHING:
        return f"Pause all work on voice notes {whom}"
    return f"Pause the stage “{Pause.Subject(subject).label}” {whom}"


def _notes(count: int, one: str, many: str) -> str:
    if not count:
        return f"No voice note {one}"
    return f"1 voice note {one}" if count == 1 else f"{count:,} voice notes {many}"
