"""The pipeline in full: the flow, what is at a chosen stage now, and every note that is on its way."""

from collections.abc import Iterator, Sequence
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
from voicepipeline.admin.live import Section, answer_with_changes
from voicepipeline.admin.overview import may_see
from voicepipeline.admin.words import State, run_state
from voicepipeline.models import Artifact, StageName, StageRun
from voicepipeline.note_states import state_of_row, with_standing
from voicepipeline.overview.flow import flow_of
from voicepipeline.overview.health import LONGEST_NAME
from voicepipeline.overview.parts import FlowTimes
from voicepipeline.overview.pulse import Pulse, load_pulse
from voicepipeline.registry import PipelinePanel, registry
from voicepipeline.stages import IN_ORDER, STAGES
from voicepipeline.text import one_line

PIPELINE = "admin:pipeline"
NOTE, NOTES = "admin:voicepipeline_artifact_change", "admin:voicepipeline_artifact_changelist"
RUNS = "admin:voicepipeline_stagerun_changelist"
# Which are live, with their templates, their elements' ids and classes.
SECTIONS = (
    ("flow", "voicepipeline/overview/flow.html", "overview-flow", "vp-panel ov-flow ov-flow-large"),
    ("at-stage", "voicepipeline/pipeline_stage.html", "at-stage", "vp-panel"),
    ("on-their-way", "voicepipeline/pipeline_way.html", "on-their-way", "vp-panel"),
)
MOST_SHOWN = 20
WHOLE = "whole"


@dataclass(frozen=True)
class AtStage:
    """A note that waits for a stage, is on hold before it, or is in it; `since` when it is so."""

    coach: str
    club: str
    url: str
    attempt: int
    state: State
    since: datetime
    received_at: datetime
    worker: str


@dataclass(frozen=True)
class OnItsWay:
    """A note with the stages that it has behind it."""

    coach: str
    club: str
    url: str
    stage: str
    state: State
    done: int
    of: int
    received_at: datetime


@dataclass(frozen=True)
class Listed:
    """As many of some rows as are shown, how many there are in words, and where all of them are."""

    rows: Sequence[AtStage | OnItsWay]
    of: str
    url: str

    @property
    def are_more(self) -> bool:
        return self.of != f"{len(self.rows):,}" and len(self.rows) == MOST_SHOWN


def _at_stage(stage: str, pulse: Pulse) -> Listed:
    """Those that are worked on first, then those that have waited longest."""
    load = next(load for load in pulse.loads if load.stage == stage)
    number = load.due + load.later + load.on_hold + load.running
    related = StageRun.objects.select_related("artifact__organization", "artifact__sender")
    runs = related.filter(pk__in=_first_of(stage)).order_by("-status", "queued_at", "id")[:MOST_SHOWN]
    address = f"{reverse(RUNS)}?stage__exact={stage}&status__in=queued,running"
    return Listed([_row(run) for run in runs], f"{number:,}", address)


def _first_of(stage: str) -> Any:
    """The first of each kind, found by the index of that kind alone: a hundred thousand may wait."""
    runs = StageRun.objects.filter(stage=stage).order_by("queued_at", "id")
    running, held = runs.running(), runs.parked()
    waiting = runs.filter(status=StageRun.Status.QUEUED, parked_since__isnull=True)
    first = [rows.values("pk")[:MOST_SHOWN] for rows in (running, waiting, held)]
    return first[0].union(*first[1:], all=True)


def _row(run: StageRun) -> AtStage:
    note = run.artifact
    is_running = run.status == StageRun.Status.RUNNING
    return AtStage(
        coach=_coach(note),
        club=_club(note),
        url=reverse(NOTE, args=[note.artifact_id]),
        attempt=run.attempt,
        state=run_state(run),
        since=(run.started_at if is_running else run.parked_since) or run.queued_at,
        received_at=note.received_at,
        worker=run.worker if is_running else "",
    )


def _on_their_way(pulse: Pulse) -> Listed:
    """Those that were received first."""
    active = Artifact.objects.active().select_related("organization", "sender").order_by("received_at", "id")
    rows = [_progress(note, pulse.now) for note in with_standing(active)[:MOST_SHOWN]]
    return Listed(rows, f"{pulse.active:,}", f"{reverse(NOTES)}?status=active")


def _progress(note: Artifact, now: datetime) -> OnItsWay:
    stage = STAGES.get(note.current_stage)
    return OnItsWay(
        coach=_coach(note),
        club=_club(note),
        url=reverse(NOTE, args=[note.artifact_id]),
        stage=str(stage.name.label) if stage else "Received",
        state=State(*state_of_row(note, now)),
        done=stage.position if stage else 0,
        of=len(IN_ORDER),
        received_at=note.received_at,
    )


def _coach(note: Artifact) -> str:
    return one_line(str(note.sender), LONGEST_NAME) if note.sender else "Unknown sender"


def _club(note: Artifact) -> str:
    return one_line(note.organization.name, LONGEST_NAME) if note.organization else "No club"


# --- The page -------------------------------------------------------------------------------------------------------
def page_view(request: HttpRequest) -> HttpResponse:
    _verify(request)
    context = {
        **admin.site.each_context(request),
        "title": "Pipeline",
        "live_url": f"{reverse('admin:pipeline_live')}?{request.GET.urlencode()}",
        "whole_url": _whole_address(request),
        "sections": _sections(request),
        "panels": list(_panels(request)),
        "places": shell.cards(request),
    }
    return TemplateResponse(request, "voicepipeline/pipeline.html", context)


def live_view(request: HttpRequest) -> HttpResponse:
    _verify(request)
    return answer_with_changes(request, _sections(request))


def panel_view(request: HttpRequest, panel: str) -> HttpResponse:
    """A panel that comes after the page."""
    _verify(request)
    found = registry.pipeline_panels.get(panel)
    if found is None:
        raise Http404
    return HttpResponse(_drawn(request, found))


def _sections(request: HttpRequest) -> list[Section]:
    context = _context(request)
    return [
        Section(key, render_to_string(template, context, request), element_id, looks)
        for key, template, element_id, looks in SECTIONS
    ]


def _context(request: HttpRequest) -> dict[str, Any]:
    stage, pulse = _stage(request), load_pulse()
    addresses = {each.value: _address(request, each) for each in StageName}
    return {
        "is_large": True,
        "flow": flow_of(pulse, _flow_times(pulse.now), addresses=addresses, chosen=stage),
        "stages": [(each, each.label, addresses[each], each == stage) for each in StageName],
        "stage": STAGES[stage].name.label if stage else "",
        "at_stage": _at_stage(stage, pulse) if stage else None,
        "on_their_way": _on_their_way(pulse),
    }


def _flow_times(now: datetime) -> FlowTimes | None:
    loads = (part.flow_times for part in registry.overview_parts.values() if part.flow_times)
    return next((load(now) for load in loads), None)


def _address(request: HttpRequest, stage: str) -> str:
    """Where this stage is the chosen one, and all else that was chosen stays."""
    query = request.GET.copy()
    query["stage"] = stage
    return f"{reverse(PIPELINE)}?{query.urlencode()}#at-stage"


def _whole_address(request: HttpRequest) -> str:
    """This page with the panels in it that come later by script."""
    query = request.GET.copy()
    query[WHOLE] = "yes"
    return f"{reverse(PIPELINE)}?{query.urlencode()}"


def _panels(request: HttpRequest) -> Iterator[dict[str, str]]:
    is_whole = WHOLE in request.GET
    for panel in sorted(registry.pipeline_panels.values(), key=lambda panel: panel.place):
        url = f"{reverse('admin:pipeline_panel', args=[panel.name])}?{request.GET.urlencode()}"
        yield {"name": panel.name, "url": url, "html": "" if panel.later and not is_whole else _drawn(request, panel)}


def _drawn(request: HttpRequest, panel: PipelinePanel) -> str:
    context = panel.context(request, timezone.now())
    return "" if context is None else render_to_string(panel.template, context, request)


def _stage(request: HttpRequest) -> str:
    """The chosen stage; nonsense is none."""
    given = request.GET.get("stage", "")
    return given if given in StageName.values else ""


def _verify(request: HttpRequest) -> None:
    if not may_see(request):
        raise PermissionDenied


shell.add_pages(
    shell.Page("pipeline/", page_view, "pipeline"),
    shell.Page("pipeline/live/", live_view, "pipeline_live"),
    shell.Page("pipeline/panels/<slug:panel>/", panel_view, "pipeline_panel"),
)
