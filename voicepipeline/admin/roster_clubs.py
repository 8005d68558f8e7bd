"""A club's page beyond its form: the way to its roster, how unclear its names are, and having them matched again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.views.main import ChangeList
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from voicepipeline.access import may_read_content, verify_platform_staff
from voicepipeline.admin.roster_unclear import ClubList, Unclear, names_url, unclear_of
from voicepipeline.models import Organization
from voicepipeline.operations.rematching import MAX_REASON, PERMISSION, match_club_again, open_questions_of
from voicepipeline.operations.roster_import import PERMISSION as IMPORT
from voicepipeline.text import row_number

BULK = "admin:voicepipeline_bulkwork_changelist"
# Lists that take a club.
ROSTER = (
    ("Players", "admin:voicepipeline_player_changelist"),
    ("Teams", "admin:voicepipeline_team_changelist"),
    ("Coaches", "admin:voicepipeline_coach_changelist"),
    ("Learned names", "admin:voicepipeline_playeralias_changelist"),
)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why (optional)",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the bulk action.",
    )


class ClubPages:
    """For the clubs' admin."""

    change_form_outer_before_template = "voicepipeline/club_panels.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ClubList

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]
        again = path("<int:club_pk>/match-again/", wrap(self.again_view), name="voicepipeline_organization_match_again")
        return [again, *super().get_urls()]  # type: ignore[misc]

    def again_view(self, request: HttpRequest, club_pk: int) -> HttpResponse:
        """Not in a transaction: the operation makes its own."""
        return _again(self, request, club_pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**_beside_the_form(request, object_id), **(extra_context or {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)  # type: ignore[misc]
        return response

    @display(description="Names unclear, 30 days")
    def names_unclear(self, club: Any) -> str:
        unclear: Unclear = club.unclear
        if not unclear.matched:
            return unclear.words
        # The share alone would not tell 1 of 2 from 500 of 1,000.
        told = f"{unclear.asked:,} of {unclear.matched:,}"
        return format_html('{} <span class="vp-quiet">{}</span>', unclear.words, told)


def _beside_the_form(request: HttpRequest, object_id: str) -> dict[str, Any]:
    pk = row_number(object_id)
    if pk is None:
        return {}
    again = "admin:voicepipeline_organization_match_again"
    return {
        "unclear": unclear_of([pk], now=timezone.now()).get(pk, Unclear()),
        "names_url": names_url(pk),
        "again_url": reverse(again, args=[pk]) if request.user.has_perm(PERMISSION) else "",
        "roster_links": [(name, f"{reverse(page)}?club={pk}") for name, page in ROSTER],
        **(_import_and_export(pk) if _may_import(request.user) else {}),
    }


def _may_import(user: Any) -> bool:
    return user.has_perm(IMPORT) and may_read_content(user)


def _import_and_export(pk: int) -> dict[str, str]:
    return {
        "import_url": f"{reverse('admin:voicepipeline_rosterimport_add')}?club={pk}",
        "export_url": reverse("admin:voicepipeline_roster_export", args=[pk]),
    }


def _again(model_admin: Any, request: HttpRequest, club_pk: int) -> HttpResponse:
    """What would be looked at again, or the deed."""
    verify_platform_staff(request.user, PERMISSION)
    club = Organization.objects.filter(pk=club_pk).first()
    if club is None:
        raise Http404
    back = reverse("admin:voicepipeline_organization_change", args=[club.pk])
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        outcome = match_club_again(club.pk, by=user, reason=form.cleaned_data["reason"])
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect((outcome.done and _bulk_url()) or back)
    found = open_questions_of(club)
    page = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": club,
        "title": "Match names again",
        "club": club,
        "found": found,
        "counts": f"{_counted(found.questions, 'open question')} in {_counted(found.notes, 'voice note')}",
        "form": form,
        "names_url": names_url(club.pk),
        "back_url": back,
    }
    return TemplateResponse(request, "voicepipeline/match_again.html", page)


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _bulk_url() -> str:
    try:
        return reverse(BULK)
    except NoReverseMatch:
        return ""
