"""What staff do to one voice note: each on a page of its own that says what will happen before it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget

from voicepipeline.access import may_read_content, verify_platform_staff, verify_reader
from voicepipeline.admin.note_filters import HOME, list_of_home
from voicepipeline.explanations import Situation
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import Artifact
from voicepipeline.operations import notes
from voicepipeline.operations.outcome import Outcome
from voicepipeline.situations import load_situation

MAX_REASON = notes.MAX_REASON


class NoteForm(forms.Form):
    """What somebody fills in about one note; all of it is handed over to the operation, by its name."""

    scripts: ClassVar[tuple[str, ...]] = ()

    def __init__(self, artifact: Artifact, eyes: Eyes, data: Any = None) -> None:
        super().__init__(data)
        self.artifact, self.eyes = artifact, eyes

    def facts(self) -> list[tuple[str, str]]:
        """What one should know of the note to fill it in, as names and values."""
        return []

    def arguments(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class NothingToFillIn(NoteForm):
    """For what needs no more than a press."""


class ReasonForm(NoteForm):
    reason = forms.CharField(
        label="Why it will not be fixed",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept with the voice note, for whoever looks at it next.",
        error_messages={"required": "Say why: whoever looks at it next will want to know."},
    )


@dataclass(frozen=True)
class NoteAction:
    """One thing to do: its words, who may, when it makes sense, and the operation that does it."""

    key: str
    title: str
    button: str
    icon: str
    permission: str
    consequences: tuple[str, ...]
    refusal: Callable[[Situation], str]  # why it makes no sense now; empty when it does
    operation: Callable[..., Outcome]  # called with the note's id, who it is, and what the form hands over
    form: type[NoteForm] = NothingToFillIn
    reads: bool = False  # only for those who may read and hear what notes say
    in_place: bool = False  # offered beside what it changes, not among the buttons

    def may(self, user: Any) -> bool:
        return user.has_perm(self.permission) and (not self.reads or may_read_content(user))


def answer(model_admin: Any, request: HttpRequest, artifact: Artifact, action: NoteAction) -> HttpResponse:
    """Show the consequences, or act and go back to the note with what came of it."""
    verify_platform_staff(request.user, action.permission)
    if action.reads:
        verify_reader(request.user)
    back_url = list_of_home(request.GET.get(HOME, ""))
    form = action.form(artifact, eyes_of(request.user), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        outcome = action.operation(artifact.artifact_id, by=request.user, **form.arguments())
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect(back_url or _page_of(artifact))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": artifact,
        "title": action.title,
        "action": action,
        "artifact": artifact,
        "form": form,
        "facts": form.facts(),
        "refusal": action.refusal(load_situation(artifact)),
        "back_url": back_url or _page_of(artifact),
        "back_to": "Back to the list" if back_url else "Back to the voice note",
    }
    return TemplateResponse(request, "voicepipeline/note_action.html", context)


def _page_of(artifact: Artifact) -> str:
    return reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])


def _not_stalled(situation: Situation) -> str:
    return "" if situation.stalled_for else "It is not standing still, so there is nothing to release."


def _not_to_be_closed(situation: Situation) -> str:
    if situation.closing:
        return f"It is closed already, by {situation.closing.by}."
    waits = situation.run is not None and not situation.run.running
    if situation.status == "failed" or (waits and situation.stalled_for):
        return ""
    return "Only a voice note that failed, or waits without any progress, can be closed."


def _not_closed(situation: Situation) -> str:
    return "" if situation.closing else "It is not closed."


ACTIONS = (
    NoteAction(
        key="release",
        title="Release and requeue",
        button="Release and requeue",
        icon="restart_alt",
        permission="voicepipeline.release_artifact",
        consequences=(
            "The voice note goes back to the queue and is due at once.",
            "If a worker still has it, whatever that worker writes comes too late and is discarded.",
            "Nothing is deleted, and no try is charged.",
        ),
        refusal=_not_stalled,
        operation=notes.release_and_requeue,
    ),
    NoteAction(
        key="close",
        title="Close, won't fix",
        button="Close this voice note",
        icon="do_not_disturb_on",
        permission="voicepipeline.close_artifact",
        consequences=(
            "It no longer counts as a problem and leaves the list of failed voice notes.",
            "If it still waits for a worker, it is taken out of the queue.",
            "Nothing is deleted. Your name and reason stay with it, and it can be reopened.",
        ),
        refusal=_not_to_be_closed,
        operation=notes.close_artifact,
        form=ReasonForm,
    ),
    NoteAction(
        key="reopen",
        title="Reopen",
        button="Reopen this voice note",
        icon="undo",
        permission="voicepipeline.close_artifact",
        consequences=(
            "It counts as failed again and is back in the list of failed voice notes.",
            "The reason for which it was closed is taken off it.",
            "Nothing runs by that alone.",
        ),
        refusal=_not_closed,
        operation=notes.reopen_artifact,
    ),
)
