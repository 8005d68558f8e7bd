"""The pipeline in full: the flow, what is at a chosen stage now, and every note that is on its way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from voicepipeline.admin import shell
from voicepipeline.admin.live import live_answer, live_part
from voicepipeline.admin.overview import Overview, may_see
from voicepipeline.admin.words import State, run_state
from voicepipeline.models import Artifact, StageName, StageRun
from voicepipeline.overview.flow import flow_of
from voicepipeline.registry import PipelinePanel, registry
from voicepipeline.stages import IN_ORDER, STAGES

NOTE, NOTES = "admin:voicepipeline_artifact_change", "admin:voicepipeline_artifact_changelist"
BODY = "voicepipeline/pipeline_body.html"
MOST_SHOWN = 50


@dataclass(frozen=True)
class AtStage:
    """A note that waits for a stage, is on hold before it, or is in it."""

    coach: str
    club: str
    url: str
    attempt: int
    state: State
    since: datetime
    worker: str


@dataclass(frozen=True)
class OnItsWay:
    """A note with the stages that it has behind it."""

    coach: str
    club: str
    url: str
    stage: str
    done: int
    of: int
    received_at: datetime


def _at_stage(stage: str) -> list[AtStage]:
    """Those that are worked on first, then those that have waited longest."""
    runs = StageRun.objects.active().filter(stage=stage).select_related("artifact__organization", "artifact__sender")
    return [_row(run) for run in runs.order_by("-status", "queued_at", "id")[:MOST_SHOWN]]


def _row(run: StageRun) -> AtStage:
    note = run.artifact
    return AtStage(
        coach=_coach(note),
        club=_club(note),
        url=reverse(NOTE, args=[note.artifact_id]),
        attempt=run.attempt,
        state=run_state(run),
        since=run.started_at if run.status == StageRun.Status.RUNNING and run.started_at else run.queued_at,
        worker=run.worker if run.status == StageRun.Status.RUNNING else "",
    )


def _on_their_way() -> list[OnItsWay]:
    notes = Artifact.objects.active().select_related("organization", "sender").order_by("received_at", "id")
    return [_progress(note) for note in notes[:MOST_SHOWN]]


def _progress(note: Artifact) -> OnItsWay:
    stage = STAGES.get(note.current_stage)
    return OnItsWay(
        coach=_coach(note),
        club=_club(note),
        url=reverse(NOTE, args=[note.artifact_id]),
        stage=str(stage.name.label) if stage else "Received",
        done=stage.position if stage else 0,
        of=len(IN_ORDER),
        received_at=note.received_at,
    )


def _coach(note: Artifact) -> str:
    return str(note.sender) if note.sender else "Unknown sender"


def _club(note: Artifact) -> str:
    return note.organization.name if note.organization else "No club"


# --- The page -------------------------------------------------------------------------------------------------------
def page_view(request: HttpRequest) -> HttpResponse:
    _verify(request)
    context = {
        **admin.site.each_context(request),
        "title": "Pipeline",
        "live": live_part(request, BODY, _body(request), url=_live_url(request)),
        "panels": list(_panels(request)),
    }
    return TemplateResponse(request, "voicepipeline/pipeline.html", context)


def live_view(request: HttpRequest) -> HttpResponse:
    _verify(request)
    return live_answer(request, BODY, _body(request), url=_live_url(request))


def panel_view(request: HttpRequest, panel: str) -> HttpResponse:
    """A panel that comes after the page."""
    _verify(request)
    found = registry.pipeline_panels.get(panel)
    if found is None:
        raise Http404
    return HttpResponse(_drawn(request, found))


def _body(request: HttpRequest) -> dict[str, Any]:
    overview = Overview(request)
    stage = _stage(request)
    return {
        "flow": flow_of(overview.pulse, overview.flow_times),
        "stage": STAGES[stage].name.label if stage else "",
        "at_stage": _at_stage(stage) if stage else [],
        "on_their_way": _on_their_way(),
        "most": MOST_SHOWN,
        "notes_url": f"{reverse(NOTES)}?status=active",
    }


def _panels(request: HttpRequest) -> Iterator[dict[str, str]]:
    for panel in sorted(registry.pipeline_panels.values(), key=lambda panel: panel.place):
        url = f"{reverse('admin:pipeline_panel', args=[panel.name])}?{request.GET.urlencode()}"
        yield {"name": panel.name, "url": url, "html": "" if panel.later else _drawn(request, panel)}


def _drawn(request: HttpRequest, panel: PipelinePanel) -> str:
    context = panel.context(request, timezone.now())
    return "" if context is None else render_to_string(panel.template, context, request)


def _stage(request: HttpRequest) -> str:
    """The chosen stage; nonsense is none."""
    given = request.GET.get("stage", "")
    return given if given in StageName.values else ""


def _live_url(request: HttpRequest) -> str:
    return f"{reverse('admin:pipeline_live')}?{request.GET.urlencode()}"


def _verify(request: HttpRequest) -> None:
    if not may_see(request):
        raise PermissionDenied


shell.add_pages(
    shell.Page("pipeline/", page_view, "pipeline"),
    shell.Page("pipeline/live/", live_view, "pipeline_live"),
    shell.Page("pipeline/panels/<slug:panel>/", panel_view, "pipeline_panel"),
)
