"""Voice notes with what staff can retry: each on its own page, and many at once from the list."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import BLANK_CHOICE_DASH, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import CHECKBOX_CLASSES

from retry.admin import note_retry
from retry.admin.problem_filter import CoachFilter, ProblemFilter
from retry.bulk.previews import make_preview
from retry.kinds import FAILED_STAGE, KINDS, RETRY_ARTIFACT, label_of
from retry.limits import limits
from voicepipeline.admin.notes import ArtifactAdmin
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import Artifact
from voicepipeline.text import row_number, safe_text

MOST_CHOSEN_BY = 300
# In the order in which the list offers them: what fits each note, whatever failed, comes first.
OFFERED = (FAILED_STAGE, *KINDS)
BOX = " ".join([*CHECKBOX_CLASSES, "rt-pick"])
NONE_TICKED = "Tick the voice notes that you mean, then choose what to do with them."
NOT_YOURS = "Your role does not include this. Ask an administrator."


class NotesWithRetries(ArtifactAdmin):
    """The list and the pages of voice notes, with their retries."""

    note_template = "retry/note.html"
    change_list_template = "retry/note_list.html"
    list_filter: Any = (ProblemFilter, CoachFilter, *ArtifactAdmin.list_filter)

    # --- One note --------------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.retry_view)
        return [path("<uuid:artifact_id>/retry/<slug:retry_kind>/", view, name="retry_note"), *super().get_urls()]

    def retry_view(self, request: HttpRequest, artifact_id: uuid.UUID, retry_kind: str) -> HttpResponse:
        """GET shows what it would do, POST does it; outside any transaction, for the operation makes its own."""
        if retry_kind not in KINDS:
            raise Http404
        return note_retry.answer(self, request, self._get_or_404(request, str(artifact_id)), KINDS[retry_kind])

    # --- Many of the list ------------------------------------------------------------------------------------------
    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """What this person may ask for; whoever may ask for nothing has no boxes to tick."""
        user: Any = request.user
        return {
            name: (partial(preview_of, name), name, label_of(name))
            for name in OFFERED
            if user.has_perm(KINDS[name].permission if name in KINDS else RETRY_ARTIFACT)
        }

    def get_action_choices(
        self, request: HttpRequest, default_choices: list[tuple[str, str]] = BLANK_CHOICE_DASH
    ) -> list[tuple[str, str]]:
        """Nothing happens by choosing, so no empty choice comes first."""
        return [(name, label) for _, name, label in self.get_actions(request).values()]

    @display(description="Select")
    def action_checkbox(self, obj: Artifact) -> str:
        """Of a class of its own: the admin's script keeps to the boxes that stood there first, and rows are renewed.

        All of the cell is ticked, for fingers; beside a whole table of them the words are for who does not see it.
        """
        return format_html(
            '<label class="rt-pick-cell"><input type="checkbox" id="pick-{1}" name="{0}" value="{1}" class="{2}">'
            '<span class="rt-pick-words">Select<span class="vp-sr"> voice note {3}</span></span></label>',
            ACTION_CHECKBOX_NAME,
            obj.pk,
            BOX,
            str(obj.artifact_id)[:8],
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST":
            self._verify_asked(request)
            if not request.POST.getlist(ACTION_CHECKBOX_NAME):
                messages.warning(request, NONE_TICKED)
                return redirect(request.get_full_path())
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["matching"] = f"{response.context_data['cl'].result_count:,}"
        return response

    def _verify_asked(self, request: HttpRequest) -> None:
        """Django leaves out an action that somebody may not take, and would show the list as if nothing had been."""
        if request.POST.get("action") not in self.get_actions(request):
            raise PermissionDenied(NOT_YOURS)
        if None in map(row_number, request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest


def preview_of(
    asked_for: str, model_admin: NotesWithRetries, request: HttpRequest, notes: QuerySet[Any]
) -> HttpResponse | None:
    """Freeze these notes, in the list's order, in a preview; nothing else is written."""
    user: Any = request.user
    most = limits().most_in_bulk
    pks = list(notes.values_list("pk", flat=True)[: most + 1])
    if len(pks) > most:
        messages.warning(request, f"More than {most:,} voice notes match. {NARROW_DOWN}")
        return None
    chosen_by = safe_text(_chosen_by(model_admin, request, len(pks)), MOST_CHOSEN_BY)
    try:
        bulk = make_preview(pks, asked_for, by=user, chosen_by=chosen_by)
    except InvalidTransition as refusal:
        messages.warning(request, str(refusal))
        return None
    return redirect(reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id]))


NARROW_DOWN = "Narrow them down, by club or by when they were received, and retry them in parts."


def _chosen_by(model_admin: NotesWithRetries, request: HttpRequest, number: int) -> str:
    """How these notes were chosen, for whoever looks at the bulk retry later."""
    if request.POST.get("select_across") != "1":
        return f"{number:,} ticked in the list of voice notes"
    notes = "The one voice note" if number == 1 else f"All {number:,} voice notes"
    narrowed = ", ".join(_narrowed_by(model_admin.get_changelist_instance(request)))
    return f"{notes} that matched: {narrowed}" if narrowed else f"{notes} of the list"


def _narrowed_by(shown: ChangeList) -> Iterator[str]:
    """The search and the filters of the list as its pages call them."""
    if shown.query:
        yield f"search “{shown.query}”"
    for each in shown.filter_specs:
        # The first choice is always the one that narrows nothing.
        chosen = [str(choice["display"]) for choice in list(each.choices(shown))[1:] if choice["selected"]]
        if chosen:
            yield f"{each.title} “{', '.join(chosen)}”"


# As Django's documentation does it for User: this one takes the place of the one it builds on.
admin.site.unregister(Artifact)
admin.site.register(Artifact, NotesWithRetries)
