from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm
from unfold.sites import UnfoldAdminSite

from voicepipeline.access import is_platform_staff, verify_platform_staff
from voicepipeline.admin import shell
from voicepipeline.models import User


class SignInForm(UnfoldAuthenticationForm):
    """Asks for platform staff where Django's own admin form asks for `is_staff`."""

    error_messages = {
        **UnfoldAuthenticationForm.error_messages,
        "invalid_login": "This user name and password do not belong together. Capital letters count in both.",
        "not_platform_staff": (
            "This account is not platform staff, so it cannot open the back office. "
            "If you work here, ask an administrator to let you in."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"

    def confirm_login_allowed(self, user: User) -> None:
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
        if not is_platform_staff(user):
            raise ValidationError(self.error_messages["not_platform_staff"], code="not_platform_staff")


class BackOfficeSite(UnfoldAdminSite):
    """The admin, for active platform staff and nobody else."""

    login_form = SignInForm
    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        return is_platform_staff(request.user)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Send strangers to the login page, and stop everybody else who is not platform staff with a 403."""
        if view == self.logout:
            # Whoever is signed in must be able to sign out, platform staff or not.
            return never_cache(csrf_protect(view))
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                verify_platform_staff(request.user)
            response: HttpResponse = guarded(request, *args, **kwargs)
            return response

        return update_wrapper(inner, guarded)

    def extra_urls(self) -> list[URLPattern]:
        """Pages that belong to no model; each asks for its own permission."""
        return [path(page.route, self.admin_view(page.view), name=page.name) for page in shell.own_pages()]

    def get_urls(self) -> list[URLPattern]:
        """Everything but unfold's search: its palette is not on our pages, and its answers outlive permissions."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "search"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and request.user.is_authenticated:
            verify_platform_staff(request.user)
        response: HttpResponse = super().login(request, {"title": "Sign in", **(extra_context or {})})
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method != "POST":
            return redirect("admin:index")
        response: HttpResponse = super().logout(request, {"title": "Signed out", **(extra_context or {})})
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # Imported late: what the overview shows is registered with this very site.
        from voicepipeline.admin import overview

        context = {**overview.page_context(request), **(extra_context or {})}
        response: HttpResponse = super().index(request, context)
        return response

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Apps are how the code is cut, not how the work is: the overview and the sidebar lead everywhere."""
        return redirect("admin:index")
