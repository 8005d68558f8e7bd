"""The last things that happened, in words: "Niamh Byrne's note for St Brigid's: 7 statements in 3.2 s"."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.urls import reverse

from voicepipeline.durations import to_two_digits
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import EventType, PipelineEvent, SourceChannel
from voicepipeline.operations.ai_service import name_of
from voicepipeline.overview.parts import Level
from voicepipeline.text import one_line

T = TypeVar("T")

SHOWN = 20
# Some of those that are read say nothing new, such as a stage's last failure before that of its note.
READ = 3 * SHOWN
# In one sentence; the note's own page has all of it.
LONGEST_NAME, LONGEST_ERROR = 60, 160
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
    whose = f"{_name(event.coach)}'s note" if event.coach else "A note of an unknown sender"
    return f"{whose} for {_name(event.organization)}" if event.organization else whose


def _name(whose: object) -> str:
    return one_line(str(whose), LONGEST_NAME)


def _address(event: PipelineEvent) -> str:
    return reverse(NOTE, args=[event.artifact.artifact_id]) if event.artifact else reverse(AI_SERVICE)


# --- What each kind says --------------------------------------------------------------------------------------------
def _said(event: PipelineEvent, key: str, kind: type[T]) -> T | None:
    """What the event carries there, if it is of this kind: the log may be older than what reads it."""
    found = event.metadata.get(key) if isinstance(event.metadata, dict) else None
    return found if type(found) is kind else None


def _count(event: PipelineEvent, key: str, one: str, many: str) -> str:
    number = _said(event, key, int)
    if number is None:
        return many
    return f"{number:,} {one if number == 1 else many}"


def _took(event: PipelineEvent) -> str:
    return f" in {to_two_digits(event.duration_ms)}" if event.duration_ms is not None else ""


def _received(event: PipelineEvent) -> str:
    channel = _said(event, "source_channel", str)
    by = f" by {SourceChannel(channel).label}" if channel in SourceChannel.values else ""
    return f"received{by}"


def _matched(event: PipelineEvent) -> str:
    unclear = _said(event, "disambiguation_count", int)
    words = f"{_count(event, 'entity_count', 'name', 'names')} matched"
    return f"{words}, {unclear:,} unclear" if unclear else words


def _read(event: PipelineEvent) -> str:
    return f"{_count(event, 'claim_count', 'statement', 'statements')}{_took(event)}"


def _suggested(event: PipelineEvent) -> str:
    return f"{_count(event, 'draft_count', 'entry', 'entries')} suggested"


def _ready(event: PipelineEvent) -> str:
    if _said(event, "repeat", bool):
        return "ready again"
    return "ready, nothing was said" if _said(event, "outcome", str) else f"ready{_took(event)}"


def _stage_failed(event: PipelineEvent) -> str:
    """The last of its tries is told by the note that fails with it."""
    if not _said(event, "will_retry", bool):
        return ""
    return f"{event.get_pipeline_stage_display()} failed, and will be tried again by itself"


def _failed(event: PipelineEvent) -> str:
    stage, why = event.get_pipeline_stage_display(), one_line(event.error_message, LONGEST_ERROR)
    where = f"failed at {stage}" if stage else "failed"
    return f"{where}: {why}" if why else where


def _held(words: str, otherwise: str) -> Callable[[PipelineEvent], str]:
    return lambda event: f"{words}: {HOLD_REASONS.get(_said(event, 'reason', str) or '', otherwise)}"


def _slowed(event: PipelineEvent) -> str:
    return "the AI service asked us to slow down" if event.artifact else "asked us to slow down"


def _by(event: PipelineEvent, words: str) -> str:
    return f"{words} by {_name(name_of(event.actor))}" if event.actor else words


def _decided(words: str) -> Callable[[PipelineEvent], str]:
    def decided(event: PipelineEvent) -> str:
        return f"{words} automatically" if not event.actor and _said(event, "automatic", bool) else _by(event, words)

    return decided


def _done(words: str) -> Callable[[PipelineEvent], str]:
    return lambda event: _by(event, words)


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
    EventType.STAGE_PARKED: Telling("pause_circle", Level.NOTICE, _held("on hold", "the AI service is in trouble")),
    EventType.STAGE_RUN_RECLAIMED: Telling("healing", Level.NOTICE, _plain("picked up again after a crash")),
    EventType.CIRCUIT_BREAKER_OPENED: Telling("cloud_off", Level.TROUBLE, _held("paused", "it is in trouble")),
    EventType.CIRCUIT_BREAKER_CLOSED: Telling("cloud_done", Level.GOOD, _done("back to normal")),
    EventType.RATE_LIMIT_HIT: Telling("speed", Level.NOTICE, _slowed),
    EventType.RETRY_INITIATED: Telling("replay", Level.QUIET, _done("retry requested")),
    EventType.RETRY_SUCCEEDED: Telling("task_alt", Level.GOOD, _plain("retry succeeded")),
    EventType.RETRY_FAILED: Telling("error", Level.NOTICE, _plain("retry failed again")),
    EventType.ENTITY_RESOLVED_BY_PERSON: Telling("how_to_reg", Level.QUIET, _done("name chosen")),
    EventType.NAME_CHOICE_UNDONE: Telling("undo", Level.QUIET, _done("chosen name taken back")),
    EventType.DRAFT_CONFIRMED: Telling("check", Level.QUIET, _decided("entry confirmed")),
    EventType.DRAFT_REJECTED: Telling("close", Level.QUIET, _decided("entry rejected")),
    EventType.DRAFT_UNDONE: Telling("undo", Level.QUIET, _done("decision taken back")),
    EventType.DRAFT_APPLIED: Telling("done_all", Level.QUIET, _plain("entry applied")),
}
# Told by another event of the same moment, still without a result, not logged by anything yet, or so many at once that
# nothing else were seen.
LEFT_OUT = frozenset(
    {
        EventType.ARTIFACT_STATUS_CHANGED,
        EventType.TRANSCRIPTION_STARTED,
        EventType.CLAIMS_EXTRACTION_STARTED,
        EventType.ENTITY_RESOLUTION_STARTED,
        EventType.ENTITY_NEEDS_DISAMBIGUATION,
        EventType.DRAFT_GENERATION_STARTED,
        EventType.BUDGET_THRESHOLD_REACHED,
        EventType.BUDGET_EXCEEDED,
        EventType.STAGE_RESULT_DISCARDED,
        EventType.STAGE_RELEASED,
        EventType.DRAFT_EXPIRED,
    }
)
