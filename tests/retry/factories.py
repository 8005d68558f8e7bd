"""Voice notes in every state that a retry may find them in, written as rows: quick, and without a worker."""

from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from tests.factories import make_claim, make_club, make_coach, make_draft, make_resolution, make_user
from voicepipeline import roles
from voicepipeline.engine.requests import CANCELLED
from voicepipeline.models import Artifact, EntityResolution, SourceChannel, StageName, StageRun, Transcript, VoiceNote
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages import STAGES

TRANSCRIPTION, STATEMENTS, NAMES, ENTRIES = StageName
RECORDING = "audio/tests/recording.wav"
LOST_RECORDING = "audio/tests/lost.wav"
LONG = timedelta(hours=1)
CODE, MESSAGE = "model_refused", "The AI service refuses this note."

# What a note was sent as: the fields of its recording; None when none is linked.
SENT_AS = {
    "typed": {"source_channel": SourceChannel.APP_TYPED, "text": "Niamh was sharp in training today."},
    "recorded": {"source_channel": SourceChannel.APP_RECORDED, "audio": RECORDING},
    "audio gone": {"source_channel": SourceChannel.APP_RECORDED, "audio": LOST_RECORDING},
    "empty": {"source_channel": SourceChannel.APP_RECORDED},
    "not linked": None,
}


def keep_recording():
    """The one file that all recordings of tests share."""
    if not default_storage.exists(RECORDING):
        default_storage.save(RECORDING, ContentFile(b"RIFF"))


def make_sent(sent_as="typed", **fields):
    """A received note of this kind at which nothing has been done."""
    recording = SENT_AS[sent_as]
    if sent_as == "recorded":
        keep_recording()
    note = VoiceNote.objects.create(**recording) if recording else None
    club = fields.pop("organization", None) or make_club()
    channel = note.source_channel if note else SourceChannel.APP_TYPED
    return Artifact.objects.create(voice_note=note, source_channel=channel, organization=club, **fields)


def before(stage):
    """The stages whose results this one goes on from."""
    return tuple(each.name for each in STAGES.values() if each.position < STAGES[stage].position)


def make_run(note, stage, status=StageRun.Status.QUEUED, **fields):
    """One more try at a stage, in this status."""
    now = timezone.now()
    earlier = note.runs.filter(stage=stage, generation=note.generation).count()
    minimal = {"attempt": earlier + 1, "generation": note.generation}
    if status == StageRun.Status.RUNNING:
        minimal |= {
            "lease_token": 1,
            "lease_until": now + timedelta(seconds=60),
            "hard_deadline": now + timedelta(seconds=240),
            "started_at": now,
            "worker": "test:1:1",
        }
    elif status != StageRun.Status.QUEUED:
        minimal |= {"started_at": now - timedelta(seconds=2), "finished_at": now, "lease_token": 1}
    return StageRun.objects.create(artifact=note, stage=stage, status=status, **{**minimal, **fields})


def make_results(note, stages, *, unclear=False):
    """What these stages have made of a note: their runs in use, and a row in each of their tables."""
    for stage in stages:
        make_run(note, stage, StageRun.Status.SUCCEEDED, effective=True)
    if TRANSCRIPTION in stages:
        Transcript.objects.create(artifact=note, text="Niamh was sharp in training today.", verdict="good")
    if STATEMENTS in stages:
        claim = make_claim(note, "Niamh")
    if NAMES in stages:
        statuses = EntityResolution.Status
        make_resolution(claim, status=statuses.NEEDS_DISAMBIGUATION if unclear else statuses.UNRESOLVED)
    if ENTRIES in stages:
        make_draft(claim)


def make_failed(stage=STATEMENTS, *, sent_as="typed", with_input=True, code=CODE, message=MESSAGE, **fields):
    """A note that failed at this stage, with the results before it in use unless they are missing."""
    failed = {
        "status": Artifact.Status.FAILED,
        "current_stage": stage,
        "failed_stage": stage,
        "error_code": code,
        "error_message": message,
        "fingerprint": fingerprint(stage, code, message),
    }
    note = make_sent(sent_as, **{**failed, **fields})
    if with_input:
        make_results(note, before(stage))
    if code == CANCELLED:
        make_run(note, stage, StageRun.Status.CANCELLED, terminal=True)
    else:
        kept = {name: failed[name] for name in ("error_code", "error_message", "fingerprint")}
        make_run(note, stage, StageRun.Status.FAILED, terminal=True, **kept)
    return note


def make_closed(stage=STATEMENTS, **fields):
    """A failed note of which somebody has said that it will not be fixed."""
    closing = {"closed_at": timezone.now(), "closed_by": make_user(roles.OPERATOR), "closed_reason": "A test."}
    return make_failed(stage, **closing, **fields)


def make_cancelled(stage=STATEMENTS, **fields):
    """A note whose waiting run somebody has cancelled."""
    return make_failed(stage, code=CANCELLED, message="Cancelled by a person.", **fields)


def make_ready(*, sent_as="typed", unclear=False, **fields):
    """A note that is ready, with one entry to be confirmed."""
    now = timezone.now()
    ready = {"status": Artifact.Status.COMPLETED, "completed_at": now, "first_completed_at": now}
    note = make_sent(sent_as, **{**ready, **fields})
    make_results(note, StageName.values, unclear=unclear)
    return note


def make_speechless(*, sent_as="recorded", **fields):
    """A note that is ready because nobody says anything in it."""
    now = timezone.now()
    ready = {"status": Artifact.Status.COMPLETED, "completed_at": now, "first_completed_at": now}
    note = make_sent(sent_as, outcome=Artifact.Outcome.NO_SPEECH, **{**ready, **fields})
    for stage in StageName.values:
        make_run(note, stage, StageRun.Status.SUCCEEDED, effective=True)
    Transcript.objects.create(artifact=note, verdict="no_speech")
    return note


def make_moving(stage=TRANSCRIPTION, run="queued", *, sent_as="typed", since=None, **fields):
    """A note on its way, whose run waits, is `running` or is `on hold`; unchanged `since` then. `run=None`: none."""
    row = STAGES[stage]
    waiting = row.previous.status_when_done if row.previous else Artifact.Status.RECEIVED
    status = row.status_while_running if run == "running" else waiting
    at = since or timezone.now()
    note = make_sent(sent_as, status=status, current_stage=stage, updated_at=at, **fields)
    make_results(note, before(stage))
    moments = {"queued_at": at, "not_before": at}
    if run == "running":
        make_run(note, stage, StageRun.Status.RUNNING, **moments, started_at=at)
    elif run == "on hold":
        make_run(note, stage, parked_reason="provider_no_credit", parked_since=at, **moments)
    elif run == "queued":
        make_run(note, stage, **moments)
    return note


def make_stalled(stage=TRANSCRIPTION, run="running", **fields):
    """A note that has made no progress for long: its worker is slow, or nobody takes it up."""
    return make_moving(stage, run, since=timezone.now() - LONG, **fields)


def make_confirmed(note, *, applied=False, automatic=False, by=None, **fields):
    """An entry of a ready note that somebody, or the rule, has confirmed."""
    status = "applied" if applied else "confirmed"
    decided = {"automatic": True} if automatic else {"decided_by": by or make_user(roles.OPERATOR)}
    return make_draft(note.claims.first() or make_claim(note, "Niamh"), status=status, **decided, **fields)


def make_attempt(note, by=None, *, kind=RetryKind.CLAIMS_EXTRACTION, **fields):
    """One more retry of a note, under way unless an outcome is given."""
    now = timezone.now()
    number = fields.pop("number", None) or note.retries.count() + 1
    minimal = {"number": number, "generation": note.generation, "requested_at": now}
    if fields.get("outcome", "under_way") != "under_way":
        minimal["finished_at"] = now
    by = by or make_user(roles.OPERATOR)
    return RetryAttempt.objects.create(artifact=note, kind=kind, requested_by=by, **{**minimal, **fields})


def make_trusted_note(**fields):
    """A ready note of a coach whom the club trusts, in a club with a player called Niamh."""
    coach = make_coach(trust_level=3)
    return make_ready(sender=coach, organization=coach.organization, **fields)


def make_bulk_of(attempt):
    """A bulk retry that this attempt is all of."""
    now = timezone.now()
    started = {"state": "running", "reason": "A test.", "started_at": now}
    bulk = BulkRetry.objects.create(kind=attempt.kind, requested_by=attempt.requested_by, **started)
    done = {"state": "succeeded", "settled_at": now, "attempt": attempt, "kind": attempt.kind}
    BulkRetryItem.objects.create(bulk=bulk, artifact=attempt.artifact, position=1, generation=1, **done)
    return bulk
