"""Stage runs: one row per try, as the engine keeps them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from voicepipeline.admin.events import of_notes_like
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.run_filters import (
    CostFilter,
    EndedInFilter,
    HoldFilter,
    LastFilter,
    ProblemFilter,
    RunClubFilter,
    WaitsFilter,
)
from voicepipeline.admin.words import NOTHING, length, moment, run_state
from voicepipeline.models import StageRun


@admin.register(StageRun)
class StageRunAdmin(HistoryAdmin):
    list_display = ("name", "note", "state", "round_no", "queued", "waited", "worked", "worker", "problem")
    list_filter = (
        EndedInFilter,
        ProblemFilter,
        "status",
        "stage",
        WaitsFilter,
        HoldFilter,
        LastFilter,
        CostFilter,
        RunClubFilter,
    )
    list_select_related = ("artifact",)
    ordering = ("-id",)
    search_fields = ("artifact",)
    search_help_text = "Voice note id"
    empty_hint = "Each try at a stage of a voice note appears here."
    fieldsets = (
        (None, {"fields": ("note", "stage", "generation", "attempt", "status", "effective", "terminal")}),
        (
            "Times (UTC)",
            {"fields": ("queued_at", "not_before", "started_at", "finished_at", "parked_reason", "parked_since")},
        ),
        ("Worker", {"fields": ("worker", "lease_token", "lease_until", "hard_deadline", "transient_no", "crash_no")}),
        ("Problem", {"fields": ("error_code", "error_message", "fingerprint")}),
        (
            "AI service",
            {
                "fields": (
                    "ai_model",
                    "prompt_version",
                    "request_id",
                    "input_tokens",
                    "output_tokens",
                    "audio_seconds",
                    "cost_usd",
                )
            },
        ),
        ("Asked for by", {"fields": ("requested_by", "origin")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        runs: QuerySet[Any] = super().get_queryset(request)
        return runs.select_related("artifact", "requested_by")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return of_notes_like(queryset, search_term) if search_term.strip() else queryset, False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("note", "origin")

    @display(description="Stage and try")
    def name(self, run: StageRun) -> str:
        return str(run)

    @display(description="Voice note")
    def note(self, run: StageRun) -> str:
        url = reverse("admin:voicepipeline_artifact_change", args=[run.artifact.artifact_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, str(run.artifact.artifact_id)[:8])

    @display(description="State")
    def state(self, run: StageRun) -> str:
        return run_state(run).label

    @display(description="Round")
    def round_no(self, run: StageRun) -> int:
        return run.generation

    @display(description="Waiting since (UTC)")
    def queued(self, run: StageRun) -> str:
        return moment(run.queued_at)

    @display(description="Waited")
    def waited(self, run: StageRun) -> str:
        waiting = run.status == StageRun.Status.QUEUED
        return length(run.queued_at, timezone.now() if waiting else run.started_at or run.finished_at)

    @display(description="Worked")
    def worked(self, run: StageRun) -> str:
        return (
            NOTHING
            if run.status == StageRun.Status.QUEUED
            else length(run.started_at, run.finished_at or timezone.now())
        )

    @display(description="Problem")
    def problem(self, run: StageRun) -> str:
        return run.error_message or run.error_code or NOTHING
