"""A club's list of players: handed in, looked at, applied; and taken away as a file."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.roster_preview import APPLIED, figures, groups, questions
from voicepipeline.models import Organization, RosterImport
from voicepipeline.operations.roster_import import (
    KEPT,
    apply_import,
    imports_kept,
    keep_list,
    preview,
    roster_lines,
    verify_importer,
)
from voicepipeline.policies.roster_file import EXPORTED, MOST_BYTES, MOST_ROWS, too_large

PAGE = "admin:voicepipeline_rosterimport_change"
ADD = "admin:voicepipeline_rosterimport_add"
EXPORT = "admin:voicepipeline_roster_export"
MATCH_AGAIN = "admin:voicepipeline_organization_match_again"
MAY_MATCH_AGAIN = "voicepipeline.match_again"
MOST_WAITING = 5
ANSWER = re.compile(r"answer-(\d{1,9})", re.ASCII)
NOT_STORED = "The file could not be stored here. Try again in a moment."


class ImportForm(forms.Form):
    club = forms.ModelChoiceField(
        Organization.objects.filter(is_active=True),
        empty_label="Choose a club",
        widget=UnfoldAdminSelectWidget,
        error_messages={
            "required": "Choose the club whose players these are.",
            "invalid_choice": "This club is not there any more. Choose another one.",
        },
    )
    file = forms.FileField(
        error_messages={
            "required": "Choose the file with the list of players.",
            "empty": "The file is empty. Choose the list of players again.",
            "invalid": "The file did not arrive. Choose it again.",
        },
    )
    deactivate_missing = forms.BooleanField(
        label="Deactivate players who are not on the list",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Only where this is the whole list of the club, not of one team.",
    )


class ExportForm(forms.Form):
    club = forms.ModelChoiceField(
        Organization.objects.filter(is_active=True),
        label="Whose roster",
        empty_label="Choose a club",
        widget=UnfoldAdminSelectWidget,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def hand_in(request: HttpRequest) -> HttpResponse:
    """The form; a file that can be read leads on to its preview."""
    user: Any = request.user
    verify_importer(user)
    form = ImportForm(request.POST or None, request.FILES or None, initial={"club": request.GET.get("club")})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        data, refusal = _read(given["file"])
        if not refusal:
            kept = keep_list(
                data,
                organization=given["club"],
                filename=given["file"].name or "",
                deactivate_missing=given["deactivate_missing"],
                by=user,
            )
            for notice in kept.notices:
                messages.warning(request, notice)
            if kept.import_id:
                return redirect(PAGE, kept.import_id)
            refusal = kept.refusal
        form.add_error("file", refusal)
    return TemplateResponse(request, "voicepipeline/roster_import.html", _surroundings(request, form))


def _read(file: Any) -> tuple[bytes, str]:
    """The bytes of what was sent, or why there are none."""
    if file.size > MOST_BYTES:
        return b"", too_large()
    try:
        return file.read(), ""
    except OSError:
        return b"", NOT_STORED


def _surroundings(request: HttpRequest, form: ImportForm) -> dict[str, Any]:
    waiting = imports_kept(now=timezone.now()).filter(applied_at__isnull=True, uploaded_by=request.user.pk)
    return {
        **admin.site.each_context(request),
        "title": "Import a roster",
        "form": form,
        "no_club": not Organization.objects.filter(is_active=True).exists(),
        "columns": EXPORTED,
        "most_rows": f"{MOST_ROWS:,}",
        "export_form": ExportForm(initial={"club": form["club"].value()}, auto_id="export_%s"),
        "waiting": list(waiting.select_related("organization").defer("rows")[:MOST_WAITING]),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def look_at(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """What the list would do now; a POST applies exactly that."""
    user: Any = request.user
    verify_importer(user)
    answers = _answers(request.POST)
    if request.method == "POST":
        outcome = apply_import(import_id, by=user, digest=request.POST.get("digest", ""), answers=answers)
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        if outcome.done:
            return redirect(PAGE, import_id)
    kept = imports_kept(now=timezone.now()).select_related("organization", "uploaded_by", "applied_by")
    found = kept.filter(import_id=import_id).first()
    if found is None:
        if request.method == "POST":
            return redirect(ADD)
        raise Http404("There is no such import: lists are kept for a day.")
    context = {
        **admin.site.each_context(request),
        "title": f"Import into {found.organization}",
        "import": found,
        "export_url": reverse(EXPORT, args=[found.organization_id]),
        "players_url": f"{reverse('admin:voicepipeline_player_changelist')}?club={found.organization_id}",
        "again_url": reverse(MATCH_AGAIN, args=[found.organization_id]) if user.has_perm(MAY_MATCH_AGAIN) else "",
        **(_applied(found) if found.applied_at else _previewed(found, answers)),
    }
    return TemplateResponse(request, "voicepipeline/roster_import_preview.html", context)


def _applied(given: RosterImport) -> dict[str, Any]:
    return {"applied": True, "figures": figures(given.counts.get("applied", {}), APPLIED)}


def _previewed(given: RosterImport, answers: Mapping[int, str]) -> dict[str, Any]:
    plan = preview(given)
    return {
        "plan": plan,
        "digest": plan.digest(),
        "figures": figures(plan.counts()),
        "groups": groups(plan),
        "questions": questions(plan, answers),
        "kept_until": given.uploaded_at + KEPT,
        # A list of one team, taken for that of the whole club.
        "most_are_missing": f"{len(plan.missing):,}" if len(plan.missing) > len(plan.updates) else "",
        "may_apply": plan.changes_something or bool(plan.questions),
    }


def _answers(sent: Mapping[str, Any]) -> dict[int, str]:
    found = ((ANSWER.fullmatch(name), value) for name, value in sent.items())
    return {int(match[1]): str(value) for match, value in found if match}


@require_safe
def export_chosen(request: HttpRequest) -> HttpResponse:
    """To the roster of the club that was chosen, or back to choose one."""
    user: Any = request.user
    verify_importer(user)
    form = ExportForm(request.GET)
    if not form.is_valid():
        messages.warning(request, "Choose the club whose roster you want to take away.")
        return redirect(ADD)
    return redirect(EXPORT, form.cleaned_data["club"].pk)


@require_safe
def export(request: HttpRequest, organization_id: int) -> HttpResponseBase:
    """The club's players as a file that can be handed in again."""
    user: Any = request.user
    verify_importer(user)
    club = get_object_or_404(Organization, pk=organization_id)
    name = f"players-{club.slug}-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(roster_lines(club), content_type="text/csv; charset=utf-8", headers=headers)


@admin.register(RosterImport)
class RosterImportAdmin(HistoryAdmin):
    """Imports have pages of their own; what came of them stands among the roster changes."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("add/", wrap(hand_in), name="voicepipeline_rosterimport_add"),
            path("export/", wrap(export_chosen), name="voicepipeline_roster_export_chosen"),
            path("export/<int:organization_id>/", wrap(export), name="voicepipeline_roster_export"),
            path("<uuid:import_id>/change/", wrap(look_at), name="voicepipeline_rosterimport_change"),
        ]
