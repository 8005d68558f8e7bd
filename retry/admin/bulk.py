"""Bulk retries: the list of them, the preview of one, and its page once it is started."""

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from retry.admin import bulk_deeds, bulk_notice, bulk_preview
from retry.admin.bulk_items import listed
from retry.admin.bulk_notice import with_counts
from retry.admin.bulk_page import body_of
from retry.admin.bulk_words import page_of, starter_of, state_of
from retry.kinds import FAILED_STAGE, IN_ORDER, label_of
from retry.models import BulkRetry
from voicepipeline.admin import shell
from voicepipeline.admin.lists import BoundedList, HistoryAdmin
from voicepipeline.admin.live import live_answer, live_part
from voicepipeline.admin.words import NOTHING, moment
from voicepipeline.text import row_number

BODY = "retry/bulk_body.html"
WAYS = ("GET", "HEAD", "POST")


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states: dict[str, tuple[str, tuple[str, ...]]] = {
        "open": ("Not finished", BulkRetry.UNFINISHED),
        "halted": ("Stopped by itself", (BulkRetry.State.HALTED,)),
        "ended": ("Finished or stopped", (BulkRetry.State.FINISHED, BulkRetry.State.STOPPED)),
        "preview": ("My previews", (BulkRetry.State.PREVIEW,)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.states.get(self.value() or "")
        return queryset.filter(state__in=chosen[1]) if chosen else queryset


class KindFilter(admin.SimpleListFilter):
    title = "what"
    parameter_name = "kind"
    kinds = (FAILED_STAGE, *(kind.key.value for kind in IN_ORDER))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, label_of(kind)) for kind in self.kinds]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() in self.kinds else queryset


class WhoseFilter(admin.SimpleListFilter):
    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Mine")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(requested_by=request.user.pk) if self.value() == "me" else queryset


class BulkRetryList(BoundedList):
    """Addresses of bulk retries carry the id that cannot be counted up."""

    def url_for_result(self, result: Any) -> str:
        return page_of(result)


@admin.register(BulkRetry)
class BulkRetryAdmin(HistoryAdmin):
    list_display = ("what", "who", "how_many", "state_in_words", "progress", "when")
    list_filter = (StateFilter, KindFilter, WhoseFilter)
    list_select_related = ("requested_by",)
    empty_hint = "Each appears here as soon as somebody has asked for many voice notes to be retried at once."

    # --- The list --------------------------------------------------------------------------------------------------
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return BulkRetryList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Previews are for who made them; others open one by its address."""
        bulks: QuerySet[Any] = super().get_queryset(request)
        listed_here = ~Q(state=BulkRetry.State.PREVIEW) | Q(requested_by=request.user.pk)
        return with_counts(bulks.filter(listed_here))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "Bulk retries", **(extra_context or {})})
        return response

    @display(description="What")
    def what(self, bulk: BulkRetry) -> str:
        return label_of(bulk.kind)

    @display(description="Who")
    def who(self, bulk: BulkRetry) -> str:
        return starter_of(bulk)

    @display(description="Voice notes")
    def how_many(self, bulk: BulkRetry) -> str:
        return f"{bulk.expected:,}"

    @display(description="State")
    def state_in_words(self, bulk: BulkRetry) -> str:
        return state_of(bulk, timezone.now()).label

    @display(description="Progress")
    def progress(self, bulk: Any) -> str:
        if bulk.state == BulkRetry.State.PREVIEW:
            return NOTHING
        rest = f", {bulk.failed_again:,} failed again" if bulk.failed_again else ""
        return f"{bulk.succeeded:,} succeeded{rest}"

    @display(description="When (UTC)")
    def when(self, bulk: BulkRetry) -> str:
        return moment(bulk.started_at or bulk.created_at)

    # --- One of them -----------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:bulk_id>/live/", wrap(self.live_view), name="retry_bulkretry_live"),
            path("<uuid:bulk_id>/notes/", wrap(self.notes_view), name="retry_bulkretry_notes"),
            path("<uuid:bulk_id>/stop/", wrap(self.stop_view), name="retry_bulkretry_stop"),
            path("<uuid:bulk_id>/do/<slug:deed>/", wrap(self.deed_view), name="retry_bulkretry_deed"),
        ]
        return [*own, *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """By its public id, or by its row as the admin's own links have it."""
        bulks = BulkRetry.objects.select_related("requested_by")
        try:
            return bulks.filter(bulk_id=uuid.UUID(object_id)).first()
        except ValueError:
            return bulks.filter(pk=row_number(object_id) or 0).first()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A preview until it is started; only its POST starts it, outside any transaction."""
        if request.method not in WAYS:
            raise PermissionDenied
        bulk = self._verified(request, object_id)
        form = None
        if request.method == "POST":
            answer = bulk_preview.start(request, bulk)
            if isinstance(answer, HttpResponse):
                return answer
            form = answer
        if bulk.state == BulkRetry.State.PREVIEW:
            context = {"title": "Preview of a bulk retry", **bulk_preview.context_of(request, bulk, form)}
            return self._page(request, bulk, "retry/bulk_preview.html", {**context, **(extra_context or {})})
        live = live_part(request, BODY, body_of(request, bulk), url=_live_url(bulk))
        context = {"title": "Bulk retry", "live": live, **(extra_context or {})}
        return self._page(request, bulk, "retry/bulk_page.html", context)

    def live_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        bulk = self._verified(request, str(bulk_id))
        if bulk.state == BulkRetry.State.PREVIEW:
            raise Http404
        return live_answer(request, BODY, body_of(request, bulk), url=_live_url(bulk))

    def notes_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        bulk = self._verified(request, str(bulk_id))
        context = {"title": "Voice notes of a bulk retry", **listed(request, bulk)}
        return self._page(request, bulk, "retry/bulk_notes.html", context)

    def stop_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        bulk = self._verified(request, str(bulk_id))
        return bulk_deeds.stop(request, self._surroundings(request), bulk)

    def deed_view(self, request: HttpRequest, bulk_id: uuid.UUID, deed: str) -> HttpResponse:
        return bulk_deeds.do(request, self._verified(request, str(bulk_id)), deed)

    def _page(self, request: HttpRequest, bulk: BulkRetry, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, template, {**self._surroundings(request), "original": bulk, **context})

    def _surroundings(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def _verified(self, request: HttpRequest, object_id: str) -> BulkRetry:
        if not self.has_view_permission(request):
            raise PermissionDenied
        bulk: BulkRetry | None = self.get_object(request, object_id)
        if bulk is None:
            raise Http404
        return bulk


def _live_url(bulk: BulkRetry) -> str:
    return reverse("admin:retry_bulkretry_live", args=[bulk.bulk_id])


bulk_notice.register()
shell.add(
    shell.Entry(
        shell.Group.VOICE_NOTES,
        "Bulk retries",
        "replay_circle_filled",
        "admin:retry_bulkretry_changelist",
        "retry.view_bulkretry",
        "Many voice notes retried at once: how far each is, and what came of it.",
    )
)
