"""Live figures: what was counted in each minute."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet, Sum, Window
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from metrics.admin.filters import WhoseFilter, club_words
from metrics.dashboard.words import money
from metrics.models import Counter, CounterType
from voicepipeline.admin.lists import HistoryAdmin, SpanFilter
from voicepipeline.admin.words import moment

# By its number: an ordering by club would be one by name.
MINUTE = ("window_start", "counter_type", "organization_id")


class MinuteFilter(SpanFilter):
    title = "minutes"
    column = "window_start"


@admin.register(Counter)
class CounterAdmin(HistoryAdmin):
    """One line a minute and figure, whichever connections counted it."""

    list_display = ("minute", "what", "club", "number")
    list_filter = (MinuteFilter, "counter_type", WhoseFilter)
    list_select_related = ("organization",)
    list_display_links = None
    ordering = ("-window_start", "counter_type", "organization_id")
    empty_hint = "Each minute in which something happens appears here, and stays for two hours."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        counters: QuerySet[Any] = super().get_queryset(request)
        total = Window(Sum("value"), partition_by=[F(column) for column in MINUTE])
        added_up: QuerySet[Any] = counters.annotate(total=total).distinct(*MINUTE)
        return added_up

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "Live figures", **(extra_context or {})})
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A connection's part of a figure says nothing that the list does not."""
        raise PermissionDenied

    history_view = change_view

    @display(description="Minute (UTC)")
    def minute(self, counter: Counter) -> str:
        return moment(counter.window_start)

    @display(description="What")
    def what(self, counter: Counter) -> str:
        return counter.get_counter_type_display()

    @display(description="Club")
    def club(self, counter: Counter) -> str:
        return club_words(counter)

    @display(description="Number")
    def number(self, counter: Any) -> str:
        return money(counter.total) if counter.counter_type == CounterType.AI_COST else f"{counter.total:,.0f}"
