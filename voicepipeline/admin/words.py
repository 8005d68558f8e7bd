"""How things are called and coloured on the pages."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.html import format_html

from voicepipeline.durations import in_words
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import Artifact, StageRun

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
    if artifact.closed_at:
        return State("closed", "Closed, won't fix")
    if artifact.status == Artifact.Status.COMPLETED and artifact.outcome:
        return State("no_speech", artifact.get_outcome_display())
    if artifact.status == Artifact.Status.COMPLETED and open_names:
        names = "name" if open_names == 1 else "names"
        return State("to_check", f"Ready, {open_names} {names} to check")
    if artifact.status in Artifact.ENDS:
        return State(artifact.status, artifact.get_status_display())
    if held_by:
        return _hold_state(held_by)
    if stalled_for is not None:
        return State("stalled", f"No progress for {in_words(stalled_for)}")
    key = "waiting" if artifact.status == Artifact.Status.RECEIVED else "running"
    return State(key, artifact.get_status_display())


def run_state(run: StageRun) -> State:
    if run.parked_since:
        return _hold_state(run.parked_reason)
    return State(RUN_STATES[StageRun.Status(run.status)], run.get_status_display())


def _hold_state(reason: str) -> State:
    return State("on_hold", f"On hold: {HOLD_REASONS.get(reason, 'the AI service is in trouble')}")


def moment(when: datetime | None) -> str:
    """A moment to the second, in UTC; the year only when it is another one."""
    if when is None:
        return NOTHING
    year = "" if when.year == timezone.now().year else f" {when.year}"
    return f"{when.day} {when:%b}{year}, {when:%H:%M:%S}"


def length(start: datetime | None, end: datetime | None) -> str:
    return NOTHING if start is None or end is None else in_words(end - start)
