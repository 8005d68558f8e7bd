"""Who opened or heard the content of which voice note: for administrators, and changed by nobody."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from voicepipeline.admin.events import of_notes_like
from voicepipeline.admin.lists import HistoryAdmin, SinceFilter
from voicepipeline.admin.words import moment
from voicepipeline.models import ContentReading, User
from voicepipeline.text import row_number

KEY = "key-"


class ReaderFilter(admin.SimpleListFilter):
    """People by name; long lists are cut, and the rows of each person and each API key lead to the rest of theirs."""

    title = "who"
    parameter_name = "who"
    most = 200

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = User.objects.filter(is_platform_staff=True).order_by("first_name", "last_name", "username")
        return [(str(user.pk), user.get_full_name() or user.username) for user in people[: self.most]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        number = row_number(value.removeprefix(KEY))
        if number is None:
            return queryset
        return queryset.filter(**{"api_key_id" if value.startswith(KEY) else "user_id": number})


class ReadFilter(SinceFilter):
    title = "when"
    parameter_name = "read"
    column = "read_at"
    spans = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("Last 24 hours", timedelta(hours=24)),
        "7d": ("Last 7 days", timedelta(days=7)),
        "30d": ("Last 30 days", timedelta(days=30)),
    }


@admin.register(ContentReading)
class ReadingAdmin(HistoryAdmin):
    list_display = ("who", "note", "where", "when")
    list_display_links = None
    list_filter = (ReaderFilter, "place", ReadFilter)
    list_select_related = ("user", "api_key__organization", "artifact")
    fields = ("who", "note", "where", "when")
    readonly_fields = fields
    ordering = ("-id",)
    search_fields = ("artifact",)
    search_help_text = "Voice note id"
    empty_hint = (
        "Whoever opens or hears what a voice note says, or reads it over the API, appears here, "
        "once a quarter of an hour."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return of_notes_like(queryset, search_term) if search_term.strip() else queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "Who read what", **(extra_context or {})})
        return response

    @display(description="Who")
    def who(self, reading: ContentReading) -> str:
        who, name = _reader(reading)
        url = f"{reverse('admin:voicepipeline_contentreading_changelist')}?who={who}"
        return format_html('<a class="text-link" href="{}">{}</a>', url, name)

    @display(description="Voice note")
    def note(self, reading: ContentReading) -> str:
        url = reverse("admin:voicepipeline_artifact_change", args=[reading.artifact.artifact_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, str(reading.artifact.artifact_id)[:8])

    @display(description="Where")
    def where(self, reading: ContentReading) -> str:
        return reading.get_place_display()

    @display(description="When (UTC)")
    def when(self, reading: ContentReading) -> str:
        return moment(reading.read_at)


def _reader(reading: ContentReading) -> tuple[str, str]:
    """What the filter calls them, and their name; an API key has that of its club beside its own."""
    user, key = reading.user, reading.api_key
    if key is not None:
        return f"{KEY}{key.pk}", f"API key “{key.name}” of {key.organization}"
    return str(reading.user_id), (user.get_full_name() or user.username) if user else ""
