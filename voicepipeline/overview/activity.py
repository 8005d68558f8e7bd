"""The last things that happened, in words: "Niamh Byrne's note for St Brigid's: 7 statements in 3.2 s"."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.urls import reverse

from voicepipeline.durations import to_two_digits
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import EventType, PipelineEvent, SourceChannel
from voicepipeline.overview.parts import Level

SHOWN = 20
# Some of those that are read say nothing new, such as a stage's last failure before that of its note.
READ = 3 * SHOWN
NOTE = "admin:voicepipeline_artifact_change"
AI_SERVICE = "admin:voicepipeline_aiservicehealth_changelist"


@dataclass(frozen=True)
class Happening:
    """One event in words, and what leads to its note."""

    pk: int
    at: datetime
    icon: str
    level: Level
    whose: str
    words: str
    url: str


@dataclass(frozen=True)
class Telling:
    icon: str
    level: Level
    words: Callable[[PipelineEvent], str]  # empty for what needs no line of its own


def recent_activity() -> list[Happening]:
    """The newest first, from one query."""
    newest = PipelineEvent.objects.filter(event_type__in=list(TOLD)).order_by("-id")
    events = newest.select_related("artifact", "organization", "coach", "actor")[:READ]
    return list(islice(_told(events), SHOWN))


def _told(events: Iterable[PipelineEvent]) -> Iterator[Happening]:
    for event in events:
        telling = TOLD[EventType(event.event_type)]
        words = telling.words(event)
        if words:
            yield Happening(
                event.pk, event.timestamp, telling.icon, telling.level, _whose(event), words, _address(event)
            )


def _whose(event: PipelineEvent) -> str:
    if event.artifact is None:
        return "AI service"
    whose = f"{event.coach}'s note" if event.coach else "A note of an unknown sender"
    return f"{whose} for {event.organization.name}" if event.organization else whose


def _address(event: PipelineEvent) -> str:
    return reverse(NOTE, args=[event.artifact.artifact_id]) if event.artifact else reverse(AI_SERVICE)


# --- What each kind says --------------------------------------------------------------------------------------------
def _count(event: PipelineEvent, key: str, one: str, many: str) -> str:
    number = event.metadata.get(key, 0)
    return f"{number:,} {one if number == 1 else many}"


def _took(event: PipelineEvent) -> str:
    return f" in {to_two_digits(event.duration_ms)}" if event.duration_ms is not None else ""


def _received(event: PipelineEvent) -> str:
    channel = event.metadata.get("source_channel", "")
    by = f" by {SourceChannel(channel).label}" if channel in SourceChannel.values else ""
    return f"received{by}"


def _matched(event: PipelineEvent) -> str:
    unclear = event.metadata.get("disambiguation_count", 0)
    words = f"{_count(event, 'entity_count', 'name', 'names')} matched"
    return f"{words}, {unclear:,} unclear" if unclear else words


def _read(event: PipelineEvent) -> str:
    return f"{_count(event, 'claim_count', 'statement', 'statements')}{_took(event)}"


def _suggested(event: PipelineEvent) -> str:
    return f"{_count(event, 'draft_count', 'entry', 'entries')} suggested"


def _ready(event: PipelineEvent) -> str:
    if event.metadata.get("repeat"):
        return "ready again"
    return "ready, nothing was said" if event.metadata.get("outcome") else f"ready{_took(event)}"


def _stage_failed(event: PipelineEvent) -> str:
    """The last of its tries is told by the note that fails with it."""
    if not event.metadata.get("will_retry"):
        return ""
    return f"{event.get_pipeline_stage_display()} failed, and will be tried again by itself"


def _failed(event: PipelineEvent) -> str:
    stage = event.get_pipeline_stage_display()
    return f"failed at {stage}: {event.error_message}" if stage else f"failed: {event.error_message}"


def _parked(event: PipelineEvent) -> str:
    return f"on hold: {HOLD_REASONS.get(event.metadata.get('reason', ''), 'the AI service is in trouble')}"


def _opened(event: PipelineEvent) -> str:
    return f"paused: {HOLD_REASONS.get(event.metadata.get('reason', ''), 'it is in trouble')}"


def _by(event: PipelineEvent, words: str) -> str:
    return f"{words} by {event.actor.get_full_name() or event.actor.get_username()}" if event.actor else words


def _decided(words: str) -> Callable[[PipelineEvent], str]:
    return lambda event: _by(event, words) if event.actor else f"{words} automatically"


def _plain(words: str) -> Callable[[PipelineEvent], str]:
    return lambda event: words


TOLD = {
    EventType.ARTIFACT_RECEIVED: Telling("mic", Level.QUIET, _received),
    EventType.TRANSCRIPTION_COMPLETED: Telling("notes", Level.QUIET, lambda event: f"transcribed{_took(event)}"),
    EventType.CLAIMS_EXTRACTED: Telling("format_quote", Level.QUIET, _read),
    EventType.ENTITY_RESOLUTION_COMPLETED: Telling("group", Level.QUIET, _matched),
    EventType.DRAFTS_GENERATED: Telling("fact_check", Level.QUIET, _suggested),
    EventType.ARTIFACT_COMPLETED: Telling("check_circle", Level.GOOD, _ready),
    EventType.ARTIFACT_FAILED: Telling("error", Level.TROUBLE, _failed),
    EventType.TRANSCRIPTION_FAILED: Telling("sync_problem", Level.NOTICE, _stage_failed),
    EventType.CLAIMS_EXTRACTION_FAILED: Telling("sync_problem", Level.NOTICE, _stage_failed),
    EventType.ENTITY_RESOLUTION_FAILED: Telling("sync_problem", Level.NOTICE, _stage_failed),
    EventType.DRAFT_GENERATION_FAILED: Telling("sync_problem", Level.NOTICE, _stage_failed),
    EventType.STAGE_PARKED: Telling("pause_circle", Level.NOTICE, _parked),
    EventType.STAGE_RUN_RECLAIMED: Telling("healing", Level.NOTICE, _plain("picked up again after a crash")),
    EventType.CIRCUIT_BREAKER_OPENED: Telling("cloud_off", Level.TROUBLE, _opened),
    EventType.CIRCUIT_BREAKER_CLOSED: Telling("cloud_done", Level.GOOD, lambda event: _by(event, "back to normal")),
    EventType.RATE_LIMIT_HIT: Telling("speed", Level.NOTICE, _plain("the AI service asked us to slow down")),
    EventType.RETRY_INITIATED: Telling("replay", Level.QUIET, lambda event: _by(event, "retry requested")),
    EventType.RETRY_SUCCEEDED: Telling("task_alt", Level.GOOD, _plain("retry succeeded")),
    EventType.RETRY_FAILED: Telling("error", Level.NOTICE, _plain("retry failed again")),
    EventType.ENTITY_RESOLVED_BY_PERSON: Telling("how_to_reg", Level.QUIET, lambda event: _by(event, "name chosen")),
    EventType.NAME_CHOICE_UNDONE: Telling("undo", Level.QUIET, lambda event: _by(event, "chosen name taken back")),
    EventType.DRAFT_CONFIRMED: Telling("check", Level.QUIET, _decided("entry confirmed")),
    EventType.DRAFT_REJECTED: Telling("close", Level.QUIET, _decided("entry rejected")),
    EventType.DRAFT_UNDONE: Telling("undo", Level.QUIET, lambda event: _by(event, "decision taken back")),
    EventType.DRAFT_APPLIED: Telling("done_all", Level.QUIET, _plain("entry applied")),
}
