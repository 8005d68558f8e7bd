"""How things are called and coloured on the pages."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html

from voicepipeline.durations import in_words
from voicepipeline.models import Artifact, StageRun
from voicepipeline.note_states import hold_state, note_state

NOTHING = "-"


class State(NamedTuple):
    """A state in words, with the key of its colour."""

    key: str
    words: str

    @property
    def label(self) -> str:
        """As a coloured label; a template for each of a list's rows would cost more than their query."""
        return format_html('<span class="vp-label vp-label-{}">{}</span>', self.key, self.words)


RUN_STATES = {
    StageRun.Status.QUEUED: "waiting",
    StageRun.Status.RUNNING: "running",
    StageRun.Status.SUCCEEDED: "completed",
    StageRun.Status.FAILED: "failed",
    StageRun.Status.SUPERSEDED: "closed",
    StageRun.Status.CANCELLED: "closed",
}


TO_BE_REVIEWED = State("review", "To be reviewed")


def state_of(artifact: Artifact, *, held_by: str | None, stalled_for: timedelta | None, open_names: int = 0) -> State:
    """Where a note stands, as one label; `held_by` is the reason why its run is on hold, if it is."""
    return State(*note_state(artifact, held_by=held_by, stalled_for=stalled_for, open_names=open_names))


def run_state(run: StageRun) -> State:
    if run.parked_since:
        return State(*hold_state(run.parked_reason))
    return State(RUN_STATES[StageRun.Status(run.status)], run.get_status_display())


def moment(when: datetime | None) -> str:
    """A moment to the second, in UTC; the year only when it is another one."""
    if when is None:
        return NOTHING
    year = "" if when.year == timezone.now().year else f" {when.year}"
    return f"{when.day} {when:%b}{year}, {when:%H:%M:%S}"


def length(start: datetime | None, end: datetime | None) -> str:
    return NOTHING if start is None or end is None else in_words(end - start)
