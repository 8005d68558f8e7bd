"""What the log says of a note's way, in the engine's words and with the engine's event ids."""

from datetime import datetime

from voicepipeline.demo.results import Results
from voicepipeline.demo.timeline import WORKER_DIED, Try
from voicepipeline.engine.changes import Change, fact
from voicepipeline.events import NewEvent, stable_event_id
from voicepipeline.models import AIService, Artifact, EntryDecision, EventType, InsightDraft, StageName, StageRun
from voicepipeline.operations.entry_steps import EVENTS, event_metadata, event_name
from voicepipeline.stages import STAGES


def events_of(artifact: Artifact, tries: list[Try]) -> list[NewEvent]:
    """Everything from its receipt to its end, in order. The rows have to be saved: their keys make the ids."""
    story = _Story(artifact)
    for each in tries:
        story.take_up(each)
        story.end(each)
    return story.change.events


def events_of_outage(starts_at: datetime, ends_at: datetime, reason: str) -> list[NewEvent]:
    """The AI service was paused, and some minutes later back to normal."""
    service = AIService.TRANSCRIPTION
    return [
        NewEvent(
            event_type=event_type,
            event_id=stable_event_id("trouble", service, starts_at, event_type),
            timestamp=at,
            stage=StageName.TRANSCRIPTION,
            stage_started_at=starts_at,
            stage_completed_at=at if at == ends_at else None,
            metadata={"endpoint": service.value, "reason": reason},
        )
        for event_type, at in (
            (EventType.CIRCUIT_BREAKER_OPENED, starts_at),
            (EventType.CIRCUIT_BREAKER_CLOSED, ends_at),
        )
    ]


def events_of_people(artifact: Artifact, results: Results) -> list[NewEvent]:
    """What staff, and the clock, decided about its names and entries."""
    change = Change(artifact, artifact.received_at)
    for choice in results.choices:
        change.say(
            EventType.ENTITY_RESOLVED_BY_PERSON,
            of=f"choice/{choice.pk}",
            timestamp=choice.chosen_at,
            stage=StageName.ENTITY_RESOLUTION,
            actor_id=choice.chosen_by_id,
            metadata={"kind": choice.kind},
        )
    drafts = {draft.key: draft for draft in results.drafts}
    for row in results.decisions:
        if row.kind in EVENTS:
            change.say(
                EVENTS[EntryDecision.Kind(row.kind)],
                of=event_name(row),
                timestamp=row.decided_at,
                stage=StageName.DRAFT_GENERATION,
                actor_id=row.by_id,
                metadata=event_metadata(drafts[row.draft_key], row),
            )
    for draft in results.drafts:
        if draft.status == InsightDraft.Status.EXPIRED and draft.decided_at is not None:
            change.say(
                EventType.DRAFT_EXPIRED,
                of=f"draft/{draft.pk}/{draft.decided_at.isoformat()}",
                timestamp=draft.decided_at,
                stage=StageName.DRAFT_GENERATION,
                metadata={"topic": draft.topic},
            )
    return change.events


class _Story:
    def __init__(self, artifact: Artifact) -> None:
        self.change = Change(artifact, artifact.received_at)
        self._status: str = Artifact.Status.RECEIVED
        self.change.say(
            EventType.ARTIFACT_RECEIVED,
            of=f"received/{artifact.artifact_id}",
            timestamp=artifact.received_at,
            new_status=Artifact.Status.RECEIVED,
            metadata={"source_channel": artifact.source_channel, "generation": artifact.generation},
        )

    def take_up(self, each: Try) -> None:
        run, hold = each.run, each.hold
        assert run.started_at is not None  # noqa: S101 — every run of the history was taken up
        if hold is not None:
            self._start(run, 1, hold.started_at)
            reason = {"reason": hold.reason}
            self._say(EventType.STAGE_PARKED, f"run/{run.pk}/1", hold.parked_at, run, metadata=reason)
            self._say(EventType.STAGE_RELEASED, f"held/{fact(run)}", run.started_at, run, metadata=reason)
        self._start(run, run.lease_token, run.started_at)

    def _start(self, run: StageRun, token: int, at: datetime) -> None:
        stage = STAGES[run.stage]
        self._move(stage.status_while_running, f"run/{run.pk}/{token}", at, stage.name)
        metadata = {"attempt": run.attempt, "generation": run.generation}
        self._say(stage.started, f"run/{run.pk}/{token}", at, run, stage_started_at=at, metadata=metadata)

    def end(self, each: Try) -> None:
        run, of = each.run, fact(each.run)
        assert run.finished_at is not None  # noqa: S101 — every run of the history has ended
        if run.status == StageRun.Status.SUCCEEDED:
            self._tell_result(each, of, run.finished_at)
            return
        if run.error_code == WORKER_DIED:
            attempt = {"attempt": run.attempt}
            self._say(EventType.STAGE_RUN_RECLAIMED, of, run.finished_at, run, metadata=attempt)
        self._tell_end(
            STAGES[run.stage].failed,
            each,
            error_code=run.error_code,
            error_message=run.error_message,
            metadata={"will_retry": not run.terminal},
        )
        if run.terminal:
            self._tell_failure(run, of, run.finished_at)

    def _tell_result(self, each: Try, of: str, at: datetime) -> None:
        run, stage = each.run, STAGES[each.run.stage]
        self._tell_end(stage.completed, each, metadata=each.metadata)
        for remark in each.remarks:
            self._say(remark.event_type, f"{of}/{remark.of}", at, run, metadata=remark.metadata)
        following = stage.next
        self._move(stage.status_when_done, of, at, following.name if following else "")
        if following is None:
            self._tell_completion(of, at)

    def _tell_completion(self, of: str, at: datetime) -> None:
        artifact = self.change.artifact
        self.change.say(
            EventType.ARTIFACT_COMPLETED,
            of=of,
            timestamp=at,
            stage_started_at=artifact.received_at,
            stage_completed_at=at,
            new_status=Artifact.Status.COMPLETED,
            metadata={
                "repeat": False,
                "generation": artifact.generation,
                "source_channel": artifact.source_channel,
                "outcome": artifact.outcome or None,
            },
        )

    def _tell_failure(self, run: StageRun, of: str, at: datetime) -> None:
        self._move(Artifact.Status.FAILED, of, at, run.stage)
        self._say(
            EventType.ARTIFACT_FAILED,
            of,
            at,
            run,
            error_code=run.error_code,
            error_message=run.error_message,
            new_status=Artifact.Status.FAILED,
            metadata={"generation": run.generation, "source_channel": self.change.artifact.source_channel},
        )

    def _tell_end(self, event_type: str, each: Try, *, metadata: dict[str, object], **fields: object) -> None:
        run = each.run
        used = {
            "ai_model": run.ai_model or None,
            "ai_cost": run.cost_usd,
            "prompt_version": run.prompt_version or None,
            "attempt": run.attempt,
        }
        self._say(
            event_type,
            fact(run),
            run.finished_at,
            run,
            stage_started_at=run.started_at,
            stage_completed_at=run.finished_at,
            metadata={**metadata, **used},
            **fields,
        )

    def _move(self, status: str, of: str, at: datetime, stage: str) -> None:
        before, self._status = self._status, status
        if before != status:
            self.change.say(
                EventType.ARTIFACT_STATUS_CHANGED,
                of=f"{of}/{before}/{status}",
                timestamp=at,
                stage=stage,
                previous_status=before,
                new_status=status,
            )

    def _say(self, event_type: str, of: str, at: datetime | None, run: StageRun, **fields: object) -> None:
        self.change.say(event_type, of=of, timestamp=at, stage=run.stage, **fields)
