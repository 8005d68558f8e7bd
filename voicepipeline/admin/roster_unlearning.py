"""Removing learned names: one, or all that were taught in a span of time; each page says first what happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.admin.words import moment
from voicepipeline.models import Organization, PlayerAlias, User
from voicepipeline.operations.rosters import (
    GONE,
    MAX_REASON,
    NO_REASON,
    PERMISSION,
    Taught,
    remove_learned_name,
    remove_learned_names,
)

NAMES = "admin:voicepipeline_playeralias_changelist"
NOT_SHOWN = "Nothing was removed: look at what this removes first."
SAMPLE = 20
MINUTES = "%Y-%m-%dT%H:%M"
TARGETS = ("organization", "coach", "player", "team", "coach_meant", "created_by")


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.get_full_name() or obj.username)


class SpanForm(forms.Form):
    """When, of which club and by whom."""

    club = forms.ModelChoiceField(
        Organization.objects.order_by("name"),
        required=False,
        empty_label="All clubs",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "There is no such club. Choose one from the list."},
    )
    taught_by = PersonChoice(
        User.objects.filter(is_platform_staff=True).order_by("first_name", "last_name", "username"),
        required=False,
        empty_label="Everybody",
        label="Taught by",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "There is no such person. Choose one from the list."},
    )
    since = forms.DateTimeField(
        label="From (UTC)",
        input_formats=[MINUTES],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        error_messages={"required": "Say from when.", "invalid": "Give a day and a time, such as 2026-11-20T09:00."},
    )
    until = forms.DateTimeField(
        label="To (UTC)",
        input_formats=[MINUTES],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        error_messages={"required": "Say until when.", "invalid": "Give a day and a time, such as 2026-11-20T17:00."},
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until <= since:
            self.add_error("until", "This is not after the beginning. Give a later moment.")
        return given

    def taught(self, newest: int | None = None) -> Taught:
        data = self.cleaned_data
        club, by = data["club"], data["taught_by"]
        return Taught(
            since=_utc(data["since"]),
            until=_utc(data["until"]),
            organization_id=club.pk if club else None,
            taught_by_id=by.pk if by else None,
            newest=newest,
        )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why",
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the roster's history.",
        error_messages={"required": NO_REASON},
    )
    # The newest name that was shown: none that was learned after it is removed.
    newest = forms.IntegerField(widget=forms.HiddenInput)


class OptionalReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why (optional)",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the roster's history.",
    )


def _utc(moment_given: datetime) -> datetime:
    return moment_given.astimezone(UTC)


def remove_one(model_admin: Any, request: HttpRequest, alias_pk: int) -> HttpResponse:
    """What happens when this name is removed, or its removal."""
    _verify(request)
    form = OptionalReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        club = PlayerAlias.objects.filter(pk=alias_pk).values_list("organization_id", flat=True).first()
        return _back(request, remove_learned_name(alias_pk, by=user, reason=form.cleaned_data["reason"]), club)
    alias = PlayerAlias.objects.select_related(*TARGETS).filter(pk=alias_pk).first()
    if alias is None:
        messages.warning(request, GONE)
        return redirect(NAMES)
    page = _page(model_admin, request, "Remove a learned name")
    page |= {
        "alias": alias,
        "rows": [_row(alias)],
        "form": form,
        "again_url": _again_url(request, alias.organization_id),
    }
    return TemplateResponse(request, "voicepipeline/learned_remove.html", page)


def remove_many(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The span, what lies in it, or the removal; the span is in the address, so that it can be looked at and left."""
    _verify(request)
    now = timezone.now()
    day = {"since": (now - timedelta(days=1)).strftime(MINUTES), "until": now.strftime(MINUTES)}
    span = SpanForm(request.GET) if "since" in request.GET else SpanForm(initial=day)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    page = {**_page(model_admin, request, "Remove learned names"), "span": span}
    if not span.is_valid():
        return TemplateResponse(request, "voicepipeline/learned_remove_many.html", page)
    if "newest" in form.errors:
        messages.warning(request, NOT_SHOWN)
        return redirect(request.get_full_path())
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        taught = span.taught(form.cleaned_data["newest"])
        outcome = remove_learned_names(taught, by=user, reason=form.cleaned_data["reason"])
        return _back(request, outcome, taught.organization_id)
    names = span.taught().names()
    newest = names.aggregate(newest=Max("pk"))["newest"]
    if request.method != "POST":
        form = ReasonForm(initial={"newest": newest})
    sample = names.select_related(*TARGETS).order_by("-pk")[:SAMPLE]
    count = names.count()
    page |= {
        "chosen": True,
        "count": count,
        "count_words": "1 learned name" if count == 1 else f"{count:,} learned names",
        "rows": [_row(alias) for alias in sample],
        "form": form,
    }
    return TemplateResponse(request, "voicepipeline/learned_remove_many.html", page)


def _verify(request: HttpRequest) -> None:
    verify_platform_staff(request.user, PERMISSION)
    verify_reader(request.user)


def _page(model_admin: Any, request: HttpRequest, title: str) -> dict[str, Any]:
    return {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "back_url": reverse(NAMES),
    }


def _row(alias: PlayerAlias) -> dict[str, Any]:
    by = alias.created_by
    return {
        "said": alias.text,
        "means": str(alias.player or alias.team or alias.coach_meant),
        "kind": alias.get_kind_display(),
        "club": str(alias.organization),
        "coach": str(alias.coach) if alias.coach else "Every coach",
        "used": f"{alias.use_count:,}",
        "taught": moment(alias.created_at),
        "by": (by.get_full_name() or by.username) if by else "",
    }


def _again_url(request: HttpRequest, club_pk: int | None) -> str:
    if club_pk is None or not request.user.has_perm("voicepipeline.match_again"):
        return ""
    return reverse("admin:voicepipeline_organization_match_again", args=[club_pk])


def _back(request: HttpRequest, outcome: Any, club_pk: int | None) -> HttpResponse:
    """To the list; where names were removed, on to having open questions matched again without them."""
    messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
    url = _again_url(request, club_pk) if outcome.done else ""
    return redirect(url or reverse(NAMES))
