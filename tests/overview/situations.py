"""A pipeline with something of everything, for whoever has to tell it right."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from metrics.aggregation import aggregate_hourly_metrics
from retry.models import BulkRetry, RetryKind
from tests.engine.helpers import write_unguarded
from tests.factories import make_claim, make_club, make_coach, make_draft, make_event, make_resolution, make_user
from tests.metrics.factories import hour
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    TRANSCRIPTION,
    make_attempt,
    make_cancelled,
    make_closed,
    make_moving,
    make_ready,
    make_run,
    make_sent,
    make_speechless,
    make_stalled,
)
from tests.retry.problems import ended_at, fail
from voicepipeline import roles
from voicepipeline.models import (
    AIService,
    AIServiceHealth,
    ClusterBeat,
    EventType,
    SourceChannel,
    StageRun,
    Transcript,
    WatchdogBeat,
)
from voicepipeline.stages import STAGES

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def make_everything():
    """Notes in every state, of clubs, of none and of unknown senders; their events, live figures and history."""
    make_workers()
    AIServiceHealth.objects.filter(service=AIService.CHAT).delete()
    AIServiceHealth.objects.create(
        service=AIService.CHAT, state="open", reason="provider_no_credit", needs_person=True, trouble_since=_ago(HOUR)
    )
    brigids, fianna = make_club(name="St Brigid's"), make_club(name="Na Fianna")
    niamh = make_coach(organization=brigids)
    _make_moving(niamh)
    _make_failed(niamh, fianna)
    _make_ready(niamh, fianna)
    _make_homeless()
    for back in range(5):
        aggregate_hourly_metrics(hour(timezone.now(), back=back))


def make_workers(last_seen_at=None):
    """Workers and their watchdog have just reported in."""
    seen = {"host": "h", "last_seen_at": last_seen_at or timezone.now()}
    ClusterBeat.objects.create(parent_pid=1, parent_started_at=timezone.now(), sentinel_pid=1, workers=8, **seen)
    WatchdogBeat.objects.create(pid=1, **seen)


def _ago(span):
    return timezone.now() - span


def _make_moving(coach):
    """Due, due later, on hold, being worked on, and without progress."""
    his = {"organization": coach.organization, "sender": coach}
    for stage in (TRANSCRIPTION, STATEMENTS, NAMES, ENTRIES):
        received(make_moving(stage, "queued", since=_ago(3 * MINUTE), **his))
        received(make_moving(stage, "running"))
    for _ in range(2):
        make_moving(STATEMENTS, "on hold", **his)
    make_moving(NAMES, "on hold")
    later = make_moving(TRANSCRIPTION, None, **his)
    make_run(later, TRANSCRIPTION, StageRun.Status.FAILED, error_code="provider_timeout")
    make_run(later, TRANSCRIPTION, not_before=timezone.now() + HOUR)
    make_stalled(**his)
    make_stalled(STATEMENTS, None)


def _make_failed(coach, club):
    his = {"organization": coach.organization, "sender": coach}
    received(fail(**his), "voicemail")
    fail(TRANSCRIPTION, code="audio_unsupported", organization=club)
    received(without_club(fail(TRANSCRIPTION, code="audio_unsupported")), "whatsapp_audio")
    before = fail(NAMES, at=_ago(2 * HOUR), code="unexpected_error", message="Something went wrong.", organization=club)
    ended_at(before, _ago(2 * HOUR))
    make_closed(organization=club)
    make_cancelled(organization=club)
    again = fail(ENTRIES, code="unexpected_error", message="Something else went wrong.", **his)
    make_attempt(again, outcome="failed")
    make_attempt(again)
    make_run(again, ENTRIES, StageRun.Status.SUPERSEDED)
    BulkRetry.objects.create(
        kind=RetryKind.CLAIMS_EXTRACTION,
        requested_by=make_user(roles.OPERATOR),
        reason="A test.",
        state="halted",
        started_at=timezone.now(),
    )


def _make_ready(coach, club):
    """Done within the hour and before it, with names that are unclear and entries that wait."""
    his = {"organization": coach.organization, "sender": coach}
    for number in range(3):
        ready = make_ready(**his, unclear=number == 0)
        received(ready)
        done(ready)
        done(make_ready(organization=club, unclear=True), at=_ago(3 * HOUR))
    make_event(ready, EventType.ARTIFACT_COMPLETED, metadata={"repeat": True})
    # One name that is said twice is one question; an entry that somebody has put on hold is none.
    twice = make_claim(ready, "Niamh")
    for claim in (twice, make_claim(ready, "Niamh")):
        make_resolution(claim)
    make_resolution(make_claim(without_club(make_ready()), "Caoimhe"))
    make_draft(twice, held_at=timezone.now(), held_by=make_user(roles.OPERATOR))
    make_draft(twice, status="confirmed", decided_by=make_user(roles.OPERATOR))


def _make_homeless():
    received(without_club(make_sent()), "whatsapp_text")
    make_speechless()
    doubtful = make_ready(sender=None)
    Transcript.objects.filter(artifact=doubtful).update(verdict="flagged")


def without_club(note):
    note.organization = None
    note.save()
    return note


def received(note, channel=SourceChannel.APP_TYPED):
    make_event(note, EventType.ARTIFACT_RECEIVED, metadata={"source_channel": channel})


def done(note, at=None):
    """What its stages said when they were done, and that it is ready."""
    ended = at or timezone.now()
    took = {"stage_started_at": ended - timedelta(seconds=3), "stage_completed_at": ended, "timestamp": at}
    for stage in STAGES.values():
        metadata = {"ai_model": "m"} if stage.service else {}
        make_event(note, stage.completed, stage=stage.name, metadata=metadata, **took)
    make_event(note, EventType.ARTIFACT_COMPLETED, metadata={"source_channel": "app_typed"}, **took)
    if at is not None:
        with transaction.atomic():
            for run in note.runs.all():
                write_unguarded(StageRun, run.pk, finished_at=at)
