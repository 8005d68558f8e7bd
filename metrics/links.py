"""Where the rows that a figure counts are listed.

Events are what is counted, so their list shows exactly those rows for as long as they are kept. For spans that go
back further there is a list of voice notes or of tries for some figures, with a word on how it may differ, and none for
the others.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from metrics.limits import limits
from metrics.models import END_TO_END, CounterType
from voicepipeline.admin.lists import ClubOrNoneFilter
from voicepipeline.models import EventType
from voicepipeline.spans import span_text
from voicepipeline.stages import STAGES

NOTES = "admin:voicepipeline_artifact_changelist"
EVENTS = "admin:voicepipeline_pipelineevent_changelist"
RUNS = "admin:voicepipeline_stagerun_changelist"
NO_CLUB = 0  # as `Period.NO_CLUB`: the rows that name no club; None is all rows

# How the rows of a figure differ from others in the list of events.
BY_FIGURE: dict[str, dict[str, str]] = {
    "artifacts_received": {"event_type__exact": EventType.ARTIFACT_RECEIVED},
    "artifacts_completed": {"only": "first"},
    "artifacts_failed": {"event_type__exact": EventType.ARTIFACT_FAILED},
    "artifacts_no_speech": {"only": "no_speech"},
    "failures": {"only": "failures"},
    "claims": {"event_type__exact": EventType.CLAIMS_EXTRACTED},
    "claims_unsupported": {"event_type__exact": EventType.CLAIMS_EXTRACTED},
    "entities": {"event_type__exact": EventType.ENTITY_RESOLUTION_COMPLETED},
    "entities_auto_resolved": {"event_type__exact": EventType.ENTITY_RESOLUTION_COMPLETED},
    "entities_user_resolved": {"event_type__exact": EventType.ENTITY_RESOLUTION_COMPLETED},
    "entities_unresolved": {"event_type__exact": EventType.ENTITY_RESOLUTION_COMPLETED},
    "disambiguations": {"event_type__exact": EventType.ENTITY_RESOLUTION_COMPLETED},
    "drafts": {"event_type__exact": EventType.DRAFTS_GENERATED},
    "drafts_automatic": {"event_type__exact": EventType.DRAFTS_GENERATED},
    "drafts_confirmed": {"event_type__exact": EventType.DRAFT_CONFIRMED},
    "drafts_confirmed_automatically": {"only": "automatic"},
    "drafts_rejected": {"event_type__exact": EventType.DRAFT_REJECTED},
    "drafts_undone": {"event_type__exact": EventType.DRAFT_UNDONE},
    "retries": {"event_type__exact": EventType.RETRY_INITIATED},
    "retries_succeeded": {"event_type__exact": EventType.RETRY_SUCCEEDED},
    "retries_failed": {"event_type__exact": EventType.RETRY_FAILED},
    "ai_calls": {"only": "ai"},
    "ai_cost": {"only": "ai"},
    "ai_calls_unpriced": {"only": "ai_unpriced"},
}
BY_COUNTER: dict[CounterType, dict[str, str]] = {
    CounterType.ARTIFACTS_RECEIVED: BY_FIGURE["artifacts_received"],
    CounterType.ARTIFACTS_COMPLETED: BY_FIGURE["artifacts_completed"],
    CounterType.ARTIFACTS_FAILED: BY_FIGURE["artifacts_failed"],
    CounterType.TRANSCRIPTIONS_COMPLETED: {"event_type__exact": EventType.TRANSCRIPTION_COMPLETED},
    CounterType.CLAIMS_EXTRACTED: BY_FIGURE["claims"],
    CounterType.ENTITIES_RESOLVED: BY_FIGURE["entities"],
    CounterType.DRAFTS_GENERATED: BY_FIGURE["drafts"],
    CounterType.FAILURES: BY_FIGURE["failures"],
    CounterType.RETRIES: BY_FIGURE["retries"],
    CounterType.AI_COST: BY_FIGURE["ai_cost"],
}
RECEIVED = "The voice notes received in this time, by the club they have now and the time that their sender gave."
READY = "The voice notes that became ready for the first time in this time, by the club they have now."
FAILED = "The tries after which a voice note had failed in this time, by the club it has now."
EVENTS_SAY = "What happened in this time, one line for each that is counted."


@dataclass(frozen=True)
class Link:
    """An address, and what stands there: for a title or a text that only screen readers say."""

    url: str
    says: str


def figure_link(
    name: str, start: datetime, end: datetime, *, now: datetime, club: int | None = None, channel: str = ""
) -> Link | None:
    """The rows that a figure of `Figures` or `SourceFigures` counts, by its name, or None where no list has them."""
    said = BY_FIGURE.get(name)
    if said is None:
        return None
    if not _are_events_there(start, now):
        return _beyond_events(name, start, end, club=club, channel=channel)
    return _events({**said, **({"source": channel} if channel else {})}, start, end, club=club)


def stage_link(
    stage: str, name: str, start: datetime, end: datetime, *, now: datetime, club: int | None = None
) -> Link | None:
    """The rows that a figure of `StageFigures` counts: attempts, completed (and timed) or failed."""
    if stage == END_TO_END:
        return figure_link("artifacts_completed", start, end, now=now, club=club)
    known = STAGES[stage]
    types = {"attempts": known.started, "completed": known.completed, "timed": known.completed, "failed": known.failed}
    if name not in types:
        return None
    if _are_events_there(start, now):
        only = {"only": "final"} if name == "failed" else {}
        return _events({"event_type__exact": types[name], **only}, start, end, club=club)
    return ended_runs_link(start, end, stage=stage, club=club) if name == "failed" else None


def prompt_link(
    version: str, name: str, start: datetime, end: datetime, *, now: datetime, club: int | None = None
) -> Link | None:
    """The rows that a figure of `PromptFigures` counts."""
    own: dict[str, dict[str, str]] = {
        "completed": BY_FIGURE["claims"],
        "failed": {"event_type__exact": EventType.CLAIMS_EXTRACTION_FAILED, "only": "final"},
    }
    said = own.get(name) or BY_FIGURE.get(name)
    if said is None or not _are_events_there(start, now):
        return None
    return _events({**said, "prompt": version}, start, end, club=club)


def counter_link(counter_type: CounterType, start: datetime, end: datetime, *, club: int | None = None) -> Link:
    """The rows that a live figure counts; two hours of events are always there."""
    return _events(BY_COUNTER[counter_type], start, end, club=club)


def notes_link(
    start: datetime, end: datetime, *, ready: bool = False, club: int | None = None, channel: str = ""
) -> Link:
    """The voice notes that were received in this time, or became ready in it."""
    by = "ready_in" if ready else "received_in"
    query = {by: span_text(start, end), **_club(club), **({"source_channel__exact": channel} if channel else {})}
    return Link(f"{reverse(NOTES)}?{urlencode(query)}", READY if ready else RECEIVED)


def ended_runs_link(start: datetime, end: datetime, *, stage: str = "", club: int | None = None) -> Link:
    """The tries after which voice notes had failed, all or those that failed at this stage."""
    at_stage = {"stage__exact": stage, "status__exact": "failed"} if stage else {}
    query = {"ended_in": span_text(start, end), "last": "yes", **at_stage, **_club(club)}
    return Link(f"{reverse(RUNS)}?{urlencode(query)}", FAILED)


def _beyond_events(name: str, start: datetime, end: datetime, *, club: int | None, channel: str) -> Link | None:
    match name:
        case "artifacts_received" | "artifacts_completed":
            return notes_link(start, end, ready=name == "artifacts_completed", club=club, channel=channel)
        case "artifacts_failed" if not channel:
            return ended_runs_link(start, end, club=club)
    return None


def _events(said: dict[str, str], start: datetime, end: datetime, *, club: int | None) -> Link:
    query = {**said, "in": span_text(start, end), **_club(club)}
    return Link(f"{reverse(EVENTS)}?{urlencode(query)}", EVENTS_SAY)


def _are_events_there(start: datetime, now: datetime) -> bool:
    """Whether none of this span can have been deleted; events go by whole hours."""
    oldest = now - limits().events_kept
    return start >= oldest.replace(minute=0, second=0, microsecond=0)


def _club(club: int | None) -> dict[str, str]:
    if club is None:
        return {}
    return {"club": ClubOrNoneFilter.NONE if club == NO_CLUB else str(club)}
