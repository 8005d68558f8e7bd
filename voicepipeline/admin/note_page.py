"""What the page of one voice note shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from voicepipeline.admin.event_words import event_facts, is_trouble
from voicepipeline.admin.note_actions import NoteAction
from voicepipeline.admin.note_content import content_of
from voicepipeline.admin.note_costs import total_of, usage_of
from voicepipeline.admin.words import NOTHING, TO_BE_REVIEWED, State, length, moment, run_state, state_of
from voicepipeline.durations import in_words
from voicepipeline.explanations import Situation, explain
from voicepipeline.masking import NOTICE, Eyes, eyes_of
from voicepipeline.models import Artifact, ContentReading, NoteDecision, PipelineEvent, StageRun
from voicepipeline.queries import get_event_timeline
from voicepipeline.registry import registry
from voicepipeline.situations import load_situation
from voicepipeline.waterfall import Bar, Cut, Try, draw

MOST_TRIES = 100
MOST_EVENTS = 200
MOST_DECISIONS = 50
# What stands with these is no reason that somebody typed, but the club or the coach that was chosen.
CHOSEN = (NoteDecision.Kind.CLUB_ASSIGNED, NoteDecision.Kind.SENDER_ATTACHED)


@dataclass(frozen=True)
class TryRow:
    """One stage run as the waterfall draws it."""

    run: StageRun
    state: State
    bar: Bar
    waited: str
    worked: str
    usage: list[str]
    url: str


@dataclass(frozen=True)
class Round:
    """The tries of one round on a line of their own: a round days later would squeeze the first one to nothing."""

    number: int
    rows: list[TryRow]
    cuts: list[tuple[Cut, str]]
    start: str
    end: str
    took: str
    cost: str


@dataclass(frozen=True)
class EventRow:
    event: PipelineEvent
    facts: str
    trouble: bool


@dataclass(frozen=True)
class DecisionRow:
    """Pages take its reason from here alone."""

    decision: NoteDecision
    reason: str


def page_context(request: HttpRequest, artifact: Artifact, actions: Iterable[NoteAction]) -> dict[str, Any]:
    situation = load_situation(artifact)
    newest = StageRun.objects.filter(artifact=artifact).order_by("-queued_at", "-id")
    runs = sorted(newest[: MOST_TRIES + 1], key=lambda run: (run.queued_at, run.pk))
    events = get_event_timeline(artifact)
    eyes = eyes_of(request.user)
    content = content_of(artifact, situation.run, eyes)
    held_by = situation.run.parked_reason if situation.run else ""
    return {
        "artifact": artifact,
        "state": state_of(artifact, held_by=held_by, stalled_for=situation.stalled_for, open_names=content.open_names),
        "to_be_reviewed": TO_BE_REVIEWED if content.flagged else None,
        "content": content,
        "private_notice": "" if eyes.read else NOTICE,
        "audio_url": audio_url(artifact) if eyes.read else "",
        "explanation": explain(_as_seen_by(eyes, situation)),
        "panels": list(_panels(request, artifact, situation)),
        "actions": _possible(request, situation, actions),
        "facts": [*_facts(artifact, _changes(request, artifact, actions), eyes), *_readers(request, artifact)],
        "rounds": list(_rounds(runs[-MOST_TRIES:], situation.now)),
        "older_tries": len(runs) > MOST_TRIES,
        "decisions": [_decision(each, eyes) for each in _decisions(artifact)],
        "events": [EventRow(event, event_facts(event), is_trouble(event)) for event in events[-MOST_EVENTS:]],
        "older_events": len(events) > MOST_EVENTS,
        "events_url": _list_of(request, "pipelineevent", artifact),
        "runs_url": _list_of(request, "stagerun", artifact),
    }


def _panels(request: HttpRequest, artifact: Artifact, situation: Situation) -> Iterable[tuple[str, dict[str, Any]]]:
    """What the other apps have to say about this note."""
    for panel in registry.note_panels.values():
        context = panel.context(request, artifact, situation)
        if context is not None:
            yield panel.template, context


def _as_seen_by(eyes: Eyes, situation: Situation) -> Situation:
    """People type names into the reasons that they give."""
    closing = situation.closing
    if closing is None:
        return situation
    return replace(situation, closing=replace(closing, reason=eyes.text(closing.reason)))


def _decisions(artifact: Artifact) -> Iterable[NoteDecision]:
    return NoteDecision.objects.filter(artifact=artifact).select_related("by")[:MOST_DECISIONS]


def _decision(decision: NoteDecision, eyes: Eyes) -> DecisionRow:
    chosen = decision.kind in CHOSEN
    return DecisionRow(decision, decision.reason if chosen else eyes.text(decision.reason))


def audio_url(artifact: Artifact) -> str:
    """Where the recording is to be heard; empty for a note without one."""
    if artifact.voice_note is None or not artifact.voice_note.audio:
        return ""
    return reverse("admin:voicepipeline_artifact_audio", args=[artifact.artifact_id])


def _list_of(request: HttpRequest, model: str, artifact: Artifact) -> str:
    return f"{reverse(f'admin:voicepipeline_{model}_changelist')}?q={artifact.artifact_id}"


def _possible(request: HttpRequest, situation: Situation, actions: Iterable[NoteAction]) -> list[NoteAction]:
    """What makes sense now, of what this person may do."""
    user: Any = request.user
    buttons = [action for action in actions if not action.in_place and action.may(user)]
    return [action for action in buttons if not action.refusal(situation)]


def _changes(request: HttpRequest, artifact: Artifact, actions: Iterable[NoteAction]) -> dict[str, str]:
    """Links that change what a fact says, by the key of their action."""
    return {
        action.key: format_html(
            ' <a id="do-{0}" class="vp-link" href="{1}">Change<span class="vp-sr">: {2}</span></a>',
            action.key,
            reverse("admin:voicepipeline_artifact_action", args=[artifact.artifact_id, action.key]),
            action.title,
        )
        for action in actions
        if action.in_place and action.may(request.user)
    }


def _facts(artifact: Artifact, changes: dict[str, str], eyes: Eyes) -> list[tuple[str, str]]:
    note = artifact.voice_note
    seconds = note.duration_seconds if note else None
    return [
        ("Received", moment(artifact.received_at)),
        ("Source", artifact.get_source_channel_display()),
        ("Coach", _changeable(artifact.sender, changes.get("change-coach", ""))),
        ("Club", _changeable(artifact.organization, changes.get("change-club", ""))),
        *([("Sent from", eyes.phone(note.sender_address))] if note and note.sender_address else []),
        ("Message id", (note.channel_message_id if note else "") or NOTHING),
        ("Recording", _recording(artifact) + (f", {seconds:.0f} s" if seconds else "")),
        ("Round", str(artifact.generation)),
    ]


def _changeable(value: object, change: str) -> str:
    return format_html("{}{}", value, change) if value else NOTHING


def _readers(request: HttpRequest, artifact: Artifact) -> Iterable[tuple[str, str]]:
    """How many people and programs have read or heard it, for those who may know."""
    user: Any = request.user
    if user.has_perm("voicepipeline.view_contentreading"):
        of_note = ContentReading.objects.filter(artifact=artifact)
        number = of_note.aggregate(people=Count("user", distinct=True), keys=Count("api_key", distinct=True))
        people, keys = number["people"], number["keys"]
        told = [f"{people} {'person' if people == 1 else 'people'}"] if people else []
        told += [f"{keys} API {'key' if keys == 1 else 'keys'}"] if keys else []
        words = " and ".join(told) or "Nobody yet"
        url = _list_of(request, "contentreading", artifact)
        yield "Read by", format_html('<a id="readers" class="vp-link" href="{}">{}</a>', url, words)


def _recording(artifact: Artifact) -> str:
    note = artifact.voice_note
    if note is None:
        return "None"
    if note.audio:
        return note.mime_type or "Audio"
    return "Typed text" if note.text else "Empty"


def _rounds(runs: Sequence[StageRun], now: datetime) -> Iterable[Round]:
    for number in sorted({run.generation for run in runs}):
        mine = [run for run in runs if run.generation == number]
        line = draw([Try(run.queued_at, _started(run), run.finished_at) for run in mine], now)
        if line is not None:
            yield Round(
                number=number,
                rows=[_row(run, bar, now) for run, bar in zip(mine, line.bars, strict=True)],
                cuts=[(cut, in_words(cut.length)) for cut in line.cuts],
                start=moment(line.start),
                end=moment(line.end),
                took=in_words(line.end - line.start),
                cost=total_of(mine),
            )


def _row(run: StageRun, bar: Bar, now: datetime) -> TryRow:
    end = run.finished_at or now
    started = _started(run)
    return TryRow(
        run=run,
        state=run_state(run),
        bar=bar,
        waited=length(run.queued_at, started or end),
        worked=length(started, end) if started else "",
        usage=usage_of(run),
        url=reverse("admin:voicepipeline_stagerun_change", args=[run.pk]),
    )


def _started(run: StageRun) -> datetime | None:
    """When work on it began; a run that was given back waits again, whatever it did before."""
    return None if run.status == StageRun.Status.QUEUED else run.started_at
