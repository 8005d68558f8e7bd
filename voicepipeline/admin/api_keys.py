"""Keys of the HTTP API: which club's programs may use it, what they may do, and when they last did."""

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from voicepipeline.admin.lists import ClubFilter, ListAdmin
from voicepipeline.admin.words import State, moment
from voicepipeline.models import ApiKey, ApiScope, Organization, User
from voicepipeline.models.api import MOST_PER_MINUTE
from voicepipeline.operations import api_keys
from voicepipeline.operations.api_keys import MAX_NAME, NewKey
from voicepipeline.text import row_number

URL = "admin:voicepipeline_apikey"
TEMPLATE = "voicepipeline/api_key.html"
RATE = 120
ALREADY = "This key was made already, and cannot be shown again. If it was not copied, revoke it and make another one."


class KeyForm(forms.Form):
    name = forms.CharField(
        max_length=MAX_NAME, widget=UnfoldAdminTextInputWidget, help_text="What uses it, such as: the club's app."
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=ApiScope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one thing that the key may do."},
    )
    rate = forms.IntegerField(
        label="Requests a minute",
        min_value=1,
        max_value=MOST_PER_MINUTE,
        initial=RATE,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=f"1 to {MOST_PER_MINUTE:,}. As many may come at once after a quiet minute.",
    )

    def __init__(self, *args: Any, by: User, before: Any = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.before = by, before

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors:
            terms = {name: given[name] for name in ("name", "scopes", "rate")}
            refusal = api_keys.refusal_of(self.by, before=self.before, **terms)
            if refusal:
                raise forms.ValidationError(refusal)
        return given


class NewKeyForm(KeyForm):
    club = forms.ModelChoiceField(
        Organization.objects.filter(is_active=True).order_by("name"),
        empty_label="Choose a club",
        widget=UnfoldAdminSelectWidget,
        help_text="Voice notes that are sent with the key belong to it, and it sees no other club's.",
        error_messages={
            "required": "Choose the club whose programs use the key.",
            "invalid_choice": "This club is not there any more. Choose another one.",
        },
    )
    field_order = ("club", "name", "scopes", "rate")


class StandingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_use", "In force"), ("revoked", "Revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("in_use", "revoked"):
            return queryset
        return queryset.filter(revoked_at__isnull=self.value() == "in_use")


@admin.register(ApiKey)
class ApiKeyAdmin(ListAdmin):
    """Keys are made, changed and revoked by operations of their own; nothing is ever deleted."""

    list_display = ("key_name", "club", "begins_with", "may", "last_use", "rate", "state")
    list_filter = (ClubFilter, StandingFilter)
    list_select_related = ("organization", "use")
    ordering = ("organization__name", "name", "id")
    search_fields = ("prefix__istartswith", "name__istartswith")
    search_help_text = "Beginning of a key, or of its name"
    empty_hint = "Make one for each program that sends voice notes over HTTP."

    # --- The list --------------------------------------------------------------------------------------------------
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "API keys", **(extra_context or {})})
        return response

    @display(description="Name")
    def key_name(self, key: ApiKey) -> str:
        return key.name

    @display(description="Club")
    def club(self, key: ApiKey) -> str:
        return str(key.organization)

    @display(description="Begins with")
    def begins_with(self, key: ApiKey) -> str:
        return format_html('<code class="vp-id">{}</code>', key.prefix)

    @display(description="May")
    def may(self, key: ApiKey) -> str:
        return format_html_join("", "<div>{}</div>", ((label,) for label in _may(key)))

    @display(description="Last use (UTC)")
    def last_use(self, key: ApiKey) -> str:
        use = getattr(key, "use", None)
        return moment(use.last_used_at) if use else "Never"

    @display(description="A minute")
    def rate(self, key: ApiKey) -> str:
        return f"{key.requests_per_minute:,}"

    @display(description="State")
    def state(self, key: ApiKey) -> str:
        return _state(key).label

    # --- A key's own pages -----------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<int:pk>/revoke/", revoke, name="voicepipeline_apikey_revoke"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; once the key is made, the one page on which it is ever seen, kept by no browser."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        sent = request.POST if request.method == "POST" else None
        form = NewKeyForm(sent, by=_user(request))
        context = {"title": "Make an API key", "form": form, "button": "Make the key", "back_url": _address()}
        once = secrets.token_urlsafe() if sent is None else sent.get("once", "")
        context["once"] = once
        if sent is not None and form.is_valid():
            terms = {name: form.cleaned_data[name] for name in ("name", "scopes", "rate")}
            made = _make_once(once, _user(request), organization_id=form.cleaned_data["club"].pk, **terms)
            if made is None:
                messages.warning(request, ALREADY)
                return redirect(_address())
            if made.outcome.done:
                return self._page(request, {**context, "key": made.key, "secret": made.secret, "form": None})
            form.add_error(None, made.outcome.message)
        return self._page(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What a key may do, and how it is called; a revoked one only tells."""
        key = self._key_or_404(request, object_id)
        initial = {"name": key.name, "scopes": key.scopes, "rate": key.requests_per_minute}
        sent = request.POST if request.method == "POST" else None
        form = KeyForm(sent, by=_user(request), before=key.scopes, initial=initial)
        if sent is not None and form.is_valid():
            outcome = api_keys.change_api_key(key.pk, by=_user(request), **form.cleaned_data)
            messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
            return redirect(_address("change", key.pk) if not outcome.done else _address())
        context = {
            "title": f"API key “{key.name}”",
            "key": key,
            "facts": _facts(key),
            "may": "; ".join(_may(key)),
            "state": _state(key),
            "form": None if key.revoked_at or not self.has_change_permission(request) else form,
            "button": "Save",
            "back_url": _address(),
            "revoke_url": _address("revoke", key.pk),
            "history_url": _address("history", key.pk),
        }
        return self._page(request, context)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET shows what it would do, POST does it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        key = self._key_or_404(request, str(pk))
        if request.method == "POST":
            outcome = api_keys.revoke_api_key(key.pk, by=_user(request))
            messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
            return redirect(_address())
        context = {"title": "Revoke an API key", "key": key, "back_url": _address("change", key.pk)}
        return self._page(request, context, "voicepipeline/api_key_revoke.html")

    def _page(self, request: HttpRequest, context: dict[str, Any], template: str = TEMPLATE) -> HttpResponse:
        response = TemplateResponse(request, template, {**self.admin_site.each_context(request), **context})
        response["Cache-Control"] = "no-store"
        return response

    def _key_or_404(self, request: HttpRequest, object_id: str) -> ApiKey:
        if not self.has_view_permission(request):
            raise PermissionDenied
        keys = ApiKey.objects.select_related("organization", "use", "created_by", "revoked_by")
        key = keys.filter(pk=row_number(object_id) or 0).first()
        if key is None:
            raise Http404
        return key


def _user(request: HttpRequest) -> User:
    user: Any = request.user
    return user  # type: ignore[no-any-return]


def _make_once(once: str, user: User, **terms: Any) -> NewKey | None:
    """None when this form made its key before: a browser that loads the shown key again sends the form again."""
    kept_as, made = f"new_api_key:{user.pk}:{api_keys.digest_of(once)}", None
    if once and not cache.add(kept_as, True, settings.SESSION_COOKIE_AGE):
        return None
    try:
        made = api_keys.make_api_key(by=user, **terms)
        return made
    finally:
        if made is None or not made.outcome.done:
            cache.delete(kept_as)


def _address(page: str = "changelist", *args: int) -> str:
    return reverse(f"{URL}_{page}", args=args)


def _may(key: ApiKey) -> list[str]:
    return [str(label) for scope, label in ApiScope.choices if scope in key.scopes]


def _state(key: ApiKey) -> State:
    if key.revoked_at is not None:
        return State("closed", "Revoked")
    if not key.organization.is_active:
        return State("on_hold", "Refused: its club is switched off")
    return State("completed", "In force")


def _facts(key: ApiKey) -> list[tuple[str, str]]:
    use = getattr(key, "use", None)
    facts = [
        ("Club", str(key.organization)),
        ("Begins with", key.prefix),
        ("Last use (UTC)", moment(use.last_used_at) if use else "Never"),
        ("Made (UTC)", moment(key.created_at)),
        ("Made by", str(key.created_by)),
    ]
    if key.revoked_at is not None:
        facts += [("Revoked (UTC)", moment(key.revoked_at)), ("Revoked by", str(key.revoked_by))]
    return facts
