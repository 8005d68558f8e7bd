"""Counted periods: which hours and days are in the history, and what came too late for it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from metrics.admin.filters import PeriodTypeFilter, period_words
from metrics.limits import HOUR
from metrics.models import Period, PeriodType, RefusedEvent
from voicepipeline.admin.lists import BoundedList, HistoryAdmin, SpanFilter
from voicepipeline.admin.words import NOTHING, State, moment
from voicepipeline.models import EventType, Organization
from voicepipeline.spans import span_text

NO_CLUB = "What belongs to no club"


class FinalFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("gaps", "Something is missing"), ("open", "Counted again when needed"), ("final", "Final")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "gaps":
                return queryset.exclude(gaps=[])
            case "open":
                return queryset.filter(sealed_at=None)
            case "final":
                return queryset.filter(sealed_at__isnull=False)
        return queryset


class PeriodList(BoundedList):
    """Fetches for all its rows at once whom they miss and what came too late for them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        names = missing_names(rows)
        hours = [row.period_start for row in rows if row.period_type == PeriodType.HOUR]
        late = RefusedEvent.objects.filter(period_start__in=hours).order_by().values_list("period_start")
        counts = dict(late.annotate(n=Count("pk"))) if hours else {}
        for row in rows:
            row.missing = [names.get(club, f"Club {club}") for club in row.gaps]
            row.late = counts.get(row.period_start, 0) if row.period_type == PeriodType.HOUR else None
        self.result_list = rows


def missing_names(periods: list[Period]) -> dict[int, str]:
    """The clubs of all gaps, by their number; the clubs are asked for only where there are gaps."""
    clubs = {club for period in periods for club in period.gaps} - {Period.NO_CLUB}
    found = dict(Organization.objects.filter(pk__in=clubs).values_list("pk", "name")) if clubs else {}
    return {Period.NO_CLUB: NO_CLUB, **found}


def late_url(period: Period) -> str:
    """The events that came too late for this hour."""
    span = span_text(period.period_start, period.period_start + HOUR)
    return f"{reverse('admin:metrics_refusedevent_changelist')}?in={span}"


@admin.register(Period)
class PeriodAdmin(HistoryAdmin):
    list_display = ("when", "length", "state", "counted", "from_events", "from_hours", "gaps_in_words", "too_late")
    list_filter = (PeriodTypeFilter, FinalFilter)
    list_display_links = None
    list_before_template = "metrics/periods.html"
    ordering = ("-period_start", "period_type")
    empty_hint = "Each hour and each day (UTC) appears here once it has been counted."
    fields = ("when", "length", "state", "counted", "from_events", "from_hours", "gaps_in_words", "too_late")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedList]:
        return PeriodList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "Counted periods", **(extra_context or {})})
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        period: Any = super().get_object(request, object_id, from_field)
        if period is not None:
            names = missing_names([period])
            period.missing = [names.get(club, f"Club {club}") for club in period.gaps]
            late = RefusedEvent.objects.filter(period_start=period.period_start).count()
            period.late = late if period.period_type == PeriodType.HOUR else None
        return period

    @display(description="From (UTC)")
    def when(self, period: Period) -> str:
        return period_words(period.period_type, period.period_start)

    @display(description="Length")
    def length(self, period: Period) -> str:
        return period.get_period_type_display()

    @display(description="State")
    def state(self, period: Period) -> str:
        if period.gaps:
            return State("failed", "Something is missing").label
        if period.sealed_at:
            return format_html("{} since {}", State("completed", "Final").label, moment(period.sealed_at))
        return State("waiting", "Counted again when needed").label

    @display(description="Last counted (UTC)")
    def counted(self, period: Period) -> str:
        return moment(period.aggregated_at)

    @display(description="Events")
    def from_events(self, period: Period) -> str:
        return f"{period.events:,}"

    @display(description="Hours")
    def from_hours(self, period: Period) -> str:
        return NOTHING if period.hours is None else f"{period.hours}\u00a0of\u00a024"

    @display(description="Missing")
    def gaps_in_words(self, period: Any) -> str:
        return ", ".join(period.missing) or NOTHING

    @display(description="Came too late")
    def too_late(self, period: Any) -> str:
        if not period.late:
            return NOTHING if period.late is None else "0"
        return format_html('<a class="text-link" href="{}">{}</a>', late_url(period), f"{period.late:,}")


class HourFilter(SpanFilter):
    title = "hour"
    column = "period_start"


@admin.register(RefusedEvent)
class RefusedEventAdmin(HistoryAdmin):
    list_display = ("what", "hour", "came")
    list_filter = (HourFilter,)
    list_display_links = None
    ordering = ("-id",)
    empty_hint = "What is logged for an hour that is final is not kept, but told here."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": "Events that came too late", **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    @display(description="What")
    def what(self, event: RefusedEvent) -> str:
        return dict(EventType.choices).get(event.event_type, event.event_type)

    @display(description="For the hour (UTC)")
    def hour(self, event: RefusedEvent) -> str:
        return period_words(PeriodType.HOUR, event.period_start)

    @display(description="Came (UTC)")
    def came(self, event: RefusedEvent) -> str:
        return moment(event.refused_at)
