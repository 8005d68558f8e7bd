"""A kind of bulk work made for tests: every note's `input_version` tells how often it has been seen to."""

from django.db import OperationalError
from django.db.models import F

from tests.factories import make_note, make_user
from voicepipeline import roles
from voicepipeline.engine.transactions import engine_transaction, lock_artifact
from voicepipeline.models import Artifact
from voicepipeline.operations.bulk_work import Handled, go_on, register, start_bulk_work

KIND = "count_notes"
LEFT = "It was to be left"
FULL_SPEED = {"bulk_slice": 10}
NOTE_BY_NOTE = {"bulk_slice": 0}


def find(work, cursor, most):
    if "unheard_of" in work.selection:
        raise KeyError("unheard_of")
    return [pk for pk in work.selection["notes"] if pk > cursor][:most]


@engine_transaction
def count(work, artifact_pk):
    note = lock_artifact(artifact_pk)
    Artifact.objects.filter(pk=note.pk).update(input_version=F("input_version") + 1)
    what = work.selection.get(str(artifact_pk), "done")
    if what == "breaks":
        raise ValueError("a statement that nobody foresaw")
    if what == "loses the database":
        raise OperationalError("the connection is lost")
    done = what == "done"
    return Handled(int(done), int(not done), {} if done else {what: 1})


register(KIND, find, count)


def begun(notes, *, expected=None, **fates):
    """Work on so many notes, of which some, named by their place, have a fate of their own."""
    pks = [make_note().pk for _ in range(notes)]
    selection = {"notes": pks} | {str(pks[int(place[1:])]): fate for place, fate in fates.items()}
    return start_bulk_work(
        KIND,
        by=make_user(roles.OPERATOR),
        reason="Seen by Orla.",
        selection=selection,
        expected=notes if expected is None else expected,
    )


def seen_to(work):
    """How often each note was, in their order."""
    return list(
        Artifact.objects.filter(pk__in=work.selection["notes"]).order_by("pk").values_list("input_version", flat=True)
    )


def counts(work):
    work.refresh_from_db()
    return work.notes, work.done, work.skipped, work.failed


def go_on_in_a_child(bulk_pk):
    go_on(bulk_pk)
