"""What the other apps add to this one, filled in their `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

    from voicepipeline.explanations import Situation
    from voicepipeline.models import Artifact
    from voicepipeline.overview.parts import Contribution, FlowTimes


@dataclass(frozen=True)
class Schedule:
    """A job that django-q starts by the clock; cron lines are UTC."""

    name: str
    func: str
    cron: str
    purpose: str


@dataclass(frozen=True)
class Tick:
    """Something the watchdog does every so often; it must be idempotent, for several watchdogs may run."""

    name: str
    every: timedelta
    run: Callable[[], None]


@dataclass(frozen=True)
class NotePanel:
    """A part of every voice note's page, refreshed with it; its context is given to the template, None is no panel."""

    name: str
    template: str
    context: "Callable[[HttpRequest, Artifact, Situation], dict[str, Any] | None]"


@dataclass(frozen=True)
class Notice:
    """Something that this person should know on whatever page; its context is given to the template, None is none."""

    name: str
    template: str
    context: "Callable[[HttpRequest], dict[str, Any] | None]"


@dataclass(frozen=True)
class OverviewPart:
    """What another app adds to the overview, of this moment.

    Asked again every few seconds by everybody who has the overview open: it must be a fixed number of queries, and
    cheap at any size.
    """

    name: str
    load: "Callable[[HttpRequest, datetime], Contribution]"
    # The flow's times alone, for pages that show nothing else of it.
    flow_times: "Callable[[datetime], FlowTimes] | None" = None


@dataclass(frozen=True)
class PipelinePanel:
    """A part of the page Pipeline, in the order of `place`; its context is given to the template, None is no panel.

    A panel that is `later` is asked for by itself once the page stands.
    """

    name: str
    template: str
    context: "Callable[[HttpRequest, datetime], dict[str, Any] | None]"
    place: int
    later: bool = False


@dataclass
class Registry:
    schedules: dict[str, Schedule] = field(default_factory=dict)
    ticks: dict[str, Tick] = field(default_factory=dict)
    note_panels: dict[str, NotePanel] = field(default_factory=dict)
    notices: dict[str, Notice] = field(default_factory=dict)
    demo_scenes: dict[str, str] = field(default_factory=dict)
    overview_parts: dict[str, OverviewPart] = field(default_factory=dict)
    pipeline_panels: dict[str, PipelinePanel] = field(default_factory=dict)

    def add_schedule(self, schedule: Schedule) -> None:
        self.schedules[schedule.name] = schedule

    def add_tick(self, tick: Tick) -> None:
        self.ticks[tick.name] = tick

    def add_note_panel(self, panel: NotePanel) -> None:
        self.note_panels[panel.name] = panel

    def add_notice(self, notice: Notice) -> None:
        self.notices[notice.name] = notice

    def add_overview_part(self, part: OverviewPart) -> None:
        self.overview_parts[part.name] = part

    def add_pipeline_panel(self, panel: PipelinePanel) -> None:
        self.pipeline_panels[panel.name] = panel

    def add_demo_scene(self, name: str, func: str) -> None:
        """What staff of the demo are seen to have done, begun when its history and its workers are there.

        By its dotted path, for nobody else needs its modules; it must be idempotent: every start of a demo begins it.
        """
        self.demo_scenes[name] = func


registry = Registry()
