"""Pages outside the admin: health for machines, errors for people."""

from typing import Any

from axes.helpers import get_cool_off
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from structlog.contextvars import get_contextvars

from voicepipeline.access import ContentIsPrivate
from voicepipeline.pipeline_status import clusters_in_words


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up; asks nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether this process can serve people: the database answers and has every migration."""
    checks = {"database": "ok", "migrations": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            checks["migrations"] = "not all applied"
    except (OperationalError, InterfaceError):
        checks = {"database": "not reachable", "migrations": "unknown"}
    ready = all(value == "ok" for value in checks.values())
    if ready:
        # Told, but not judged: without workers staff can still look, and a proxy must not take their pages away.
        checks["clusters"] = clusters_in_words()
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _page(request: HttpRequest, template: str, *, status: int, **context: Any) -> HttpResponse:
    """A page in the admin's clothes: with the sidebar for platform staff, plain for everybody else."""
    surroundings = admin.site.each_context(request)
    layout = "admin/base_site.html" if surroundings["has_permission"] else "unfold/layouts/unauthenticated.html"
    return render(request, template, {**surroundings, "layout": layout, **context}, status=status)


def forbidden(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    if isinstance(exception, ContentIsPrivate):
        return _page(request, "403.html", status=403, title="This is private", why=str(exception))
    title = "Your role does not include this" if admin.site.has_permission(request) else "For platform staff only"
    return _page(request, "403.html", status=403, title=title)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "404.html", status=404, title="Page not found")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(request, "403_csrf.html", status=403, title="This page was out of date")


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, str] | None = None
) -> HttpResponse:
    """What the sign-in page becomes after too many wrong passwords."""
    cool_off = get_cool_off(request)
    minutes = round(cool_off.total_seconds() / 60) if cool_off else None
    return _page(request, "locked_out.html", status=429, title="Too many attempts", minutes=minutes)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without request and context processors: whatever broke may be what they need."""
    return HttpResponse(
        render_to_string("500.html", {"request_id": get_contextvars().get("request_id")}),
        status=500,
    )
