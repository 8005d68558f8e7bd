"""Bulk retries in every state, over notes whose stages go as a script says."""

import json

from django.utils import timezone

from retry.bulk.pacing import advance_all
from retry.bulk.previews import make_preview, start_bulk
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem
from tests.factories import make_user
from tests.retry.factories import make_failed
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.models import StageName, StageRun, VoiceNote

TRANSCRIPTION = StageName.TRANSCRIPTION
State, ItemState = BulkRetry.State, BulkRetryItem.State
REASON = "The prompt has been mended."
CODE, MESSAGE = "unreadable_audio", "The audio is not readable."


def operator(**fields):
    return make_user(roles.OPERATOR, **fields)


def administrator():
    return make_user(roles.ADMINISTRATOR)


def make_broken(*again, stage=TRANSCRIPTION, later="", **fields):
    """A note that failed at this stage and, retried, goes as these words say: `permanent` is the same problem.

    At a `later` stage it fails, too, which is another problem.
    """
    note = make_failed(stage, **{"code": CODE, "message": MESSAGE, **fields})
    script = {stage: ["permanent", *again]} | ({later: ["permanent"] * 9} if later else {})
    VoiceNote.objects.filter(pk=note.voice_note_id).update(text=json.dumps(script))
    return note


def make_notes(number, *again, **fields):
    return [make_broken(*again, **fields) for _ in range(number)]


def pks(notes):
    return [note.pk for note in notes]


def previewed(notes, *, by=None, kind=FAILED_STAGE):
    return make_preview(pks(notes), kind, by=by or operator(), chosen_by="Failed, today")


def start(bulk, **how):
    return start_bulk(bulk.bulk_id, **{"by": bulk.requested_by, "reason": REASON, **how})


def started(notes, *, by=None, kind=FAILED_STAGE, tries_first=False, **how):
    bulk = previewed(notes, by=by, kind=kind)
    outcome = start(bulk, tries_first=tries_first, **how)
    assert outcome.done, outcome.message
    bulk.refresh_from_db()
    return bulk


def in_state(state, notes=1):
    """A bulk retry of so many notes that is in this state, as if it had come there by itself."""
    bulk = previewed(make_notes(notes))
    now = timezone.now()
    values = {"state": state}
    if state != State.PREVIEW:
        values |= {"reason": REASON, "started_at": now, "moving_since": now, "tries_first": False}
    if not BulkRetry.TRANSITIONS[state]:
        values["finished_at"] = now
    BulkRetry.objects.filter(pk=bulk.pk).update(**values)
    bulk.refresh_from_db()
    return bulk


def work_off(most=1000):
    """Workers take up what is due until nothing is; how many runs that were."""
    done = 0
    while done < most:
        run = StageRun.objects.due(timezone.now()).order_by("queued_at", "id").first()
        if run is None:
            return done
        perform(run.pk)
        done += 1
    raise AssertionError("it does not end")


def go_on(bulk, most=60):
    """The watchdog and the workers by turns, until it is finished or nothing moves any more."""
    for _ in range(most):
        before = (state_of(bulk), states(bulk))
        advance_all()
        work_off()
        if (state_of(bulk), states(bulk)) == before:
            return
    raise AssertionError("it does not end")


def state_of(bulk):
    bulk.refresh_from_db()
    return bulk.state


def states(bulk):
    """The items' states in the order of the preview."""
    return list(bulk.items.order_by("position").values_list("state", flat=True))


def under_way(bulk=None):
    items = BulkRetryItem.objects.filter(state=ItemState.REQUESTED)
    return (items.filter(bulk=bulk) if bulk else items).count()
