"""Notes that have gone all the way, and work in the background done at once."""

from tests.factories import make_claim
from tests.names.helpers import DRAFTS, make_read_note, resolve
from voicepipeline.engine.execution import perform
from voicepipeline.engine.requests import active_run
from voicepipeline.models import Artifact, BulkWork, InsightDraft
from voicepipeline.tasks import work_in_bulk


def make_ready_note(sender, *names, **fields):
    """A note with one statement about these, whose names are matched and whose entries are made."""
    note = make_read_note(sender=sender)
    make_claim(note, *names, **fields)
    resolve(note)
    finish(note)
    return note


def finish(note):
    run = active_run(note)
    assert run.stage == DRAFTS
    perform(run.pk)
    note.refresh_from_db()
    assert note.status == Artifact.Status.COMPLETED


def the_work(kind, **fields):
    """The newest work of this kind, done to its end."""
    work = BulkWork.objects.filter(kind=kind, **fields).latest("pk")
    work_in_bulk(work.pk)
    work.refresh_from_db()
    assert work.finished_at is not None
    return work


def entries(note):
    return list(InsightDraft.objects.filter(artifact=note).select_related("player").order_by("pk"))
