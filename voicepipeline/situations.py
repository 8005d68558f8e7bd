"""Gathers what `voicepipeline.explanations` puts into words."""

import uuid
from datetime import datetime, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Subquery

from voicepipeline import explanations
from voicepipeline.engine.health import applying_pause, current_health
from voicepipeline.engine.limits import limits
from voicepipeline.engine.scheduling import input_missing
from voicepipeline.engine.transactions import database_now
from voicepipeline.explanations import Closing, Explanation, Fault, Hold, Made, Rules, Run, Situation
from voicepipeline.models import AIServiceHealth, Artifact, ClusterBeat, InsightDraft, StageRun, Transcript
from voicepipeline.policies.stalling import is_stalled, last_progress
from voicepipeline.queries import open_names, transcripts_to_review
from voicepipeline.stages import STAGES

MOST_AHEAD = 1_000


def find_artifact(text: str) -> Artifact | None:
    """The voice note with this id, or None when there is none or the text is no id."""
    try:
        artifact_id = uuid.UUID(text.strip())
    except ValueError:
        return None
    return Artifact.objects.select_related("voice_note", "closed_by").filter(artifact_id=artifact_id).first()


def explain_artifact(artifact: Artifact) -> Explanation:
    return explanations.explain(load_situation(artifact))


def load_situation(artifact: Artifact) -> Situation:
    """What is known of this note now: a few short queries while it is on its way, one when it has failed."""
    now = database_now()
    run = _active_run(artifact) if artifact.is_active else None
    waiting = run is not None and run.status == StageRun.Status.QUEUED
    return Situation(
        now=now,
        status=artifact.status,
        stage=artifact.get_current_stage_display() if artifact.current_stage else "",
        since=artifact.completed_at or artifact.updated_at,
        rules=_rules(),
        run=_run(run),
        hold=_hold(artifact, run) if run is not None and run.parked_since is not None else None,
        fault=None if artifact.status == Artifact.Status.COMPLETED else _last_fault(artifact, run),
        closing=_closing(artifact),
        made=_made(artifact) if artifact.status == Artifact.Status.COMPLETED else Made(),
        ahead=_ahead(run, now) if waiting and run is not None else "none",
        cluster_seen_at=last_sign_of_life() if artifact.is_active else None,
        stalled_for=stalled_for(artifact, run, now),
        input_missing="" if run or not artifact.is_active else input_missing(artifact),
        has_club=artifact.organization_id is not None,
        has_coach=artifact.sender_id is not None,
        to_review=transcripts_to_review().filter(artifact=artifact).exists(),
    )


def last_sign_of_life() -> datetime | None:
    """When any cluster that was not ended by the watchdog last reported in."""
    seen: datetime | None = ClusterBeat.objects.filter(ended_at=None).aggregate(seen=Max("last_seen_at"))["seen"]
    return seen


def stalled_for(artifact: Artifact, run: StageRun | None, now: datetime) -> timedelta | None:
    """For how long a note that is on its way has stood still, if that is too long; what is on hold is meant to wait."""
    if not artifact.is_active or (run is not None and run.parked_since is not None):
        return None
    moved = artifact.updated_at
    if run is not None:
        running = run.status == StageRun.Status.RUNNING
        moved = last_progress(moved, run.started_at if running else run.not_before)
    return now - moved if is_stalled(moved, now, limits().stalled_after(artifact.current_stage)) else None


def _active_run(artifact: Artifact) -> StageRun | None:
    return StageRun.objects.filter(artifact=artifact).active().first()


def _run(run: StageRun | None) -> Run | None:
    if run is None:
        return None
    return Run(
        stage=run.get_stage_display(),
        running=run.status == StageRun.Status.RUNNING,
        attempt=run.attempt,
        queued_at=run.queued_at,
        not_before=run.not_before,
        started_at=run.started_at,
        lease_until=run.lease_until,
        parked_reason=run.parked_reason,
        parked_since=run.parked_since,
    )


def _hold(artifact: Artifact, run: StageRun) -> Hold:
    if applying_pause(run.stage, artifact.organization_id) is not None:
        return Hold(paused=True)
    service = STAGES[run.stage].service
    health = current_health()[service] if service else AIServiceHealth()
    return Hold(
        needs_person=health.needs_person,
        testing=health.state == AIServiceHealth.State.HALF_OPEN,
        next_test_at=health.next_probe_at,
    )


def _last_fault(artifact: Artifact, run: StageRun | None) -> Fault | None:
    """How the try before this one ended, or the one that ended the note."""
    ended = StageRun.objects.filter(artifact=artifact, generation=artifact.generation)
    if artifact.status == Artifact.Status.FAILED:
        last = ended.filter(stage=artifact.failed_stage, terminal=True).order_by("-attempt").first()
    elif run is not None and run.attempt > 1:
        last = ended.filter(stage=run.stage, attempt=run.attempt - 1, status=StageRun.Status.FAILED).first()
    else:
        last = None
    if last is None or last.finished_at is None:
        return None
    return Fault(
        # The artifact's own words: those of a cancelled run stand only there.
        code=artifact.error_code or last.error_code,
        message=artifact.error_message or last.error_message,
        stage=last.get_stage_display(),
        at=last.finished_at,
        transient_no=last.transient_no,
        crash_no=last.crash_no,
    )


def _closing(artifact: Artifact) -> Closing | None:
    if artifact.closed_at is None or artifact.closed_by is None:
        return None
    by = artifact.closed_by.get_full_name() or artifact.closed_by.get_username()
    return Closing(by, artifact.closed_reason, artifact.closed_at)


def _made(artifact: Artifact) -> Made:
    of_note = {"artifact": OuterRef("pk")}
    entries = InsightDraft.objects.filter(**of_note, status=InsightDraft.Status.PENDING)
    found = (
        Artifact.objects.filter(pk=artifact.pk)
        .annotate(
            doubtful=Exists(transcripts_to_review(Transcript.Verdict.FLAGGED).filter(**of_note)),
            listened=Exists(Transcript.objects.filter(**of_note, reviewed_at__isnull=False)),
            names=open_names(),
            entries=Subquery(entries.order_by().values("artifact").annotate(n=Count("pk")).values("n")),
        )
        .values_list("doubtful", "listened", "names", "entries")
        .get()
    )
    doubtful, listened, names, waiting = found
    return Made(
        nothing_said=artifact.outcome == Artifact.Outcome.NO_SPEECH,
        doubtful=doubtful,
        listened=listened,
        open_names=names or 0,
        open_entries=waiting or 0,
    )


def _ahead(run: StageRun, now: datetime) -> str:
    """How many notes wait for this stage longer than this one, counted as far as it matters."""
    earlier = StageRun.objects.due(now).filter(stage=run.stage, queued_at__lt=run.queued_at)
    count = earlier.order_by()[: MOST_AHEAD + 1].count()
    if count > MOST_AHEAD:
        return f"more than {MOST_AHEAD:,}"
    return f"{count:,}" if count else "none"


def _rules() -> Rules:
    how = limits()
    return Rules(how.transient_budget, how.crash_budget, how.lease, how.heartbeat, how.forgotten_after)
