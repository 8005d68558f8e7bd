"""History: each hour and day as it was counted, with the rates that follow from it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import display

from metrics.admin.filters import EachFilter, PeriodTypeFilter, club_words, period_words
from metrics.admin.snapshot_words import snapshot_context
from metrics.dashboard.words import duration, money, rate
from metrics.figures import safe_divide
from metrics.models import END_TO_END, MetricsSnapshot, StageSnapshot
from voicepipeline.admin.lists import HistoryAdmin, SpanFilter
from voicepipeline.admin.words import State
from voicepipeline.text import row_number


class PeriodFilter(SpanFilter):
    title = "time"
    column = "period_start"


@admin.register(MetricsSnapshot)
class SnapshotAdmin(HistoryAdmin):
    list_display = ("when", "length", "club", "received", "ready", "failed", "failures", "typical", "slowest", "cost")
    list_filter = (PeriodFilter, PeriodTypeFilter, EachFilter)
    list_select_related = ("organization",)
    ordering = ("-period_start", "-id")
    empty_hint = "Each hour appears here once it has been counted, and each day (UTC) after it is over."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        whole_way = StageSnapshot.objects.filter(snapshot=OuterRef("pk"), stage=END_TO_END)
        snapshots: QuerySet[Any] = super().get_queryset(request)
        timed: QuerySet[Any] = snapshots.annotate(
            p50=Subquery(whole_way.values("p50_ms")[:1]), p95=Subquery(whole_way.values("p95_ms")[:1])
        )
        return timed

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "History", **(extra_context or {})})
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        snapshots = MetricsSnapshot.objects.select_related("organization")
        snapshot = snapshots.filter(pk=row_number(object_id) or 0).first()
        if snapshot is None:
            raise Http404
        words = f"{club_words(snapshot)}, {period_words(snapshot.period_type, snapshot.period_start)} (UTC)"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": snapshot,
            "title": words,
            **snapshot_context(snapshot),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "metrics/snapshot.html", context)

    @display(description="From (UTC)")
    def when(self, snapshot: MetricsSnapshot) -> str:
        return period_words(snapshot.period_type, snapshot.period_start)

    @display(description="Length")
    def length(self, snapshot: MetricsSnapshot) -> str:
        return snapshot.get_period_type_display()

    @display(description="Club")
    def club(self, snapshot: MetricsSnapshot) -> str:
        return club_words(snapshot)

    @display(description="Received")
    def received(self, snapshot: MetricsSnapshot) -> str:
        return f"{snapshot.artifacts_received:,}"

    @display(description="Ready")
    def ready(self, snapshot: MetricsSnapshot) -> str:
        return f"{snapshot.artifacts_completed:,}"

    @display(description="Failed")
    def failed(self, snapshot: MetricsSnapshot) -> str:
        return f"{snapshot.artifacts_failed:,}"

    @display(description="Failure rate")
    def failures(self, snapshot: MetricsSnapshot) -> str:
        ended = snapshot.artifacts_completed + snapshot.artifacts_failed
        words = rate(safe_divide(snapshot.artifacts_failed, ended))
        return State("failed", "Incomplete").label if snapshot.has_gaps else words

    @display(description="Typical time")
    def typical(self, snapshot: Any) -> str:
        return duration(snapshot.p50)

    @display(description="Slowest 1 in 20")
    def slowest(self, snapshot: Any) -> str:
        return duration(snapshot.p95)

    @display(description="AI cost")
    def cost(self, snapshot: Any) -> str:
        return money(snapshot.ai_cost)
