"""The log of what happened, to be looked through and exported."""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from voicepipeline.admin.event_filters import (
    ErrorsFilter,
    EventSpanFilter,
    OnlyFilter,
    PersonFilter,
    PromptFilter,
    SourceFilter,
)
from voicepipeline.admin.event_words import duration_words, event_facts, is_trouble, told
from voicepipeline.admin.lists import ClubOrNoneFilter, HistoryAdmin, SinceFilter, notes_like
from voicepipeline.admin.words import NOTHING, moment
from voicepipeline.models import Artifact, PipelineEvent
from voicepipeline.spreadsheets import csv_lines

MOST_EXPORTED = 10_000
MOST_NOTES = 50
HEADER = (
    "When (UTC)",
    "What",
    "Voice note",
    "Stage",
    "Club",
    "Coach",
    "Who",
    "Milliseconds",
    "Error",
    "Message",
    "Details",
)


def of_notes_like(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Rows of the voice notes whose id begins like this: the notes first, then each one's rows by their index."""
    notes = notes_like(Artifact.objects.order_by(), term).values_list("pk", flat=True)
    return queryset.filter(artifact__in=list(notes[:MOST_NOTES]))


@admin.register(PipelineEvent)
class EventAdmin(HistoryAdmin):
    list_display = ("when", "what", "note", "stage", "club", "took", "details")
    list_filter = (
        EventSpanFilter,
        PersonFilter,
        PromptFilter,
        SourceFilter,
        ErrorsFilter,
        OnlyFilter,
        SinceFilter,
        "pipeline_stage",
        ClubOrNoneFilter,
        "event_type",
    )
    list_select_related = ("artifact", "organization", "actor", "coach")
    ordering = ("-id",)
    fields = (
        "event_type",
        "timestamp",
        "note",
        "pipeline_stage",
        "organization",
        "coach",
        "actor",
        "stage_started_at",
        "stage_completed_at",
        "duration_ms",
        "previous_status",
        "new_status",
        "error_code",
        "error_message",
        "more",
        "event_id",
    )
    readonly_fields = ("note", "more")
    search_fields = ("artifact",)
    search_help_text = "Voice note id"
    empty_hint = "What happens to voice notes appears here, and stays for 48 hours."
    change_list_template = "voicepipeline/event_list.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return of_notes_like(queryset, search_term) if search_term.strip() else queryset, False

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="voicepipeline_pipelineevent_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = request.GET.copy()
        query.pop("p", None)
        export = f"{reverse('admin:voicepipeline_pipelineevent_export')}?{query.urlencode()}"
        context = {"title": "Events", "export_url": export, "most_exported": MOST_EXPORTED, **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The rows of the list with its filters as CSV, newest first and bounded."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            events = self.get_changelist_instance(request).get_queryset(request)[:MOST_EXPORTED]
        except IncorrectLookupParameters:
            return redirect("admin:voicepipeline_pipelineevent_changelist")
        lines = csv_lines(HEADER, _csv_rows(events))
        name = f"events-{timezone.now():%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    @display(description="When (UTC)")
    def when(self, event: PipelineEvent) -> str:
        return moment(event.timestamp)

    @display(description="What")
    def what(self, event: PipelineEvent) -> str:
        words = f"{event.get_event_type_display()}, by {event.actor}" if event.actor else event.get_event_type_display()
        return format_html('<span class="vp-label vp-label-failed">{}</span>', words) if is_trouble(event) else words

    @display(description="Voice note", empty_value=NOTHING)
    def note(self, event: PipelineEvent) -> str | None:
        if event.artifact is None:
            return None
        url = reverse("admin:voicepipeline_artifact_change", args=[event.artifact.artifact_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, str(event.artifact.artifact_id)[:8])

    @display(description="Stage", empty_value=NOTHING)
    def stage(self, event: PipelineEvent) -> str:
        return event.get_pipeline_stage_display() or NOTHING

    @display(description="Club", empty_value=NOTHING)
    def club(self, event: PipelineEvent) -> Any:
        return event.organization

    @display(description="Took")
    def took(self, event: PipelineEvent) -> str:
        return duration_words(event) or NOTHING

    @display(description="Metadata", empty_value=NOTHING)
    def more(self, event: PipelineEvent) -> str | None:
        return json.dumps(told(event), indent=2, ensure_ascii=False) if event.metadata else None

    @display(description="Details")
    def details(self, event: PipelineEvent) -> str:
        return format_html(
            '<div class="vp-problem">{}</div>'
            '<details class="vp-details"><summary>Show</summary><pre>{}</pre></details>',
            event.error_message or event.error_code,
            event_facts(event),
        )


def _csv_rows(events: QuerySet[PipelineEvent]) -> Iterator[tuple[Any, ...]]:
    for event in events.iterator(chunk_size=1_000):
        yield (
            event.timestamp.isoformat(timespec="milliseconds"),
            event.get_event_type_display(),
            event.artifact.artifact_id if event.artifact else "",
            event.get_pipeline_stage_display(),
            event.organization or "",
            event.coach or "",
            event.actor or "",
            event.duration_ms,
            event.error_code,
            event.error_message,
            event_facts(event),
        )
