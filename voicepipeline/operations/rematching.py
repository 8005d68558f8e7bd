"""Matching a club's open questions again: after its roster or its learned names have changed."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet

from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.changes import Change
from voicepipeline.engine.rebuilding import ENTRIES, MATCHING, note_new_input
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.scheduling import has_result
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import Artifact, BulkWork, EntityResolution, Organization, User
from voicepipeline.operations.bulk_work import Handled, register, start_bulk_work
from voicepipeline.operations.outcome import Outcome
from voicepipeline.stages import drafts
from voicepipeline.stages.open_questions import OPEN, Answered, ask_again
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.match_again"
MAX_REASON = 500
STILL_OPEN = "Still open: the roster says no more than before"
BEING_MATCHED = "The voice note is being worked on, and its names are matched anyway"
ANOTHER_CLUB = "The voice note belongs to another club now"
NO_NAMES = "The names of the voice note are not matched yet"


@dataclass(frozen=True)
class OpenQuestions:
    """How many names of how many notes would be looked at again."""

    questions: int
    notes: int


def open_questions_of(club: Organization) -> OpenQuestions:
    questions = _open(club.pk).order_by().values("artifact_id", "kind", "name_key").distinct().count()
    notes = _open(club.pk).order_by().values("artifact_id").distinct().count()
    return OpenQuestions(questions, notes)


def _open(club_pk: int | None) -> QuerySet[EntityResolution]:
    """Not those of notes that failed: what they had is made again when they are retried."""
    rows = EntityResolution.objects.filter(OPEN, organization_id=club_pk or 0)
    return rows.exclude(artifact__status=Artifact.Status.FAILED)


@engine_transaction
def match_club_again(club_pk: int, *, by: User, reason: str = "") -> Outcome:
    """Look at all open questions of this club again, in the background, note by note."""
    verify_platform_staff(by, PERMISSION)
    # Locked, so that of two who ask at once the second sees what the first began.
    club = Organization.objects.select_for_update(no_key=True).filter(pk=club_pk).first()
    if club is None:
        return Outcome(False, "There is no such club.")
    unfinished = BulkWork.objects.filter(kind=BulkWork.Kind.MATCH_AGAIN, organization=club, finished_at__isnull=True)
    if unfinished.exists():
        return Outcome(False, f"The names of {club} are being matched again already. See Bulk actions.")
    found = open_questions_of(club)
    if not found.questions:
        return Outcome(False, f"{club} has no open question, so there is nothing to match again.")
    newest = Artifact.objects.filter(organization=club).order_by("-pk").values_list("pk", flat=True).first()
    start_bulk_work(
        BulkWork.Kind.MATCH_AGAIN,
        by=by,
        reason=safe_text(reason.strip(), MAX_REASON),
        selection={"newest_note": newest},
        organization=club,
        expected=found.questions,
    )
    return Outcome(True, f"The open questions of {club} are being matched again. Bulk actions tells what comes of it.")


def find_notes(work: BulkWork, cursor: int, most: int) -> list[int]:
    """The next notes with an open question; those that came after the request have been matched with a newer roster."""
    rows = _open(work.organization_id).filter(artifact_id__gt=cursor, artifact_id__lte=work.selection["newest_note"])
    return list(rows.order_by("artifact_id").values_list("artifact_id", flat=True).distinct()[:most])


@engine_transaction
def match_note_again(work: BulkWork, artifact_pk: int) -> Handled:
    """Answer what is open in one note; names that were matched or chosen, and their entries, stay as they are."""
    change = Change(lock_artifact(artifact_pk), database_now())
    artifact = change.artifact
    waiting = EntityResolution.objects.filter(OPEN, artifact=artifact).order_by()
    questions = waiting.values("kind", "name_key").distinct().count()
    if artifact.organization_id != work.organization_id:
        return Handled(done=0, skipped=questions, remarks={ANOTHER_CLUB: questions})
    if not has_result(artifact, MATCHING):
        return Handled(done=0, skipped=questions, remarks={NO_NAMES: questions} if questions else {})
    run = active_run(artifact)
    if run is not None and run.stage != ENTRIES.name:
        note_new_input(change)
        return Handled(done=0, skipped=questions, remarks={BEING_MATCHED: questions})
    answered = answer_open_questions(change, of=f"again/{work.pk}/{artifact.pk}")
    change.flush()
    settled = len(answered.settled)
    still = answered.asked - settled
    return Handled(done=settled, skipped=still, remarks={STILL_OPEN: still} if still else {})


def answer_open_questions(
    change: Change, *, of: str, only: Callable[[EntityResolution], bool] | None = None
) -> Answered:
    """Match open questions again under the note's lock, and make anew the open entries of statements that changes.

    Expects names to be matched already, and no run that is to match them.
    """
    artifact = change.artifact
    answered = ask_again(artifact, only=only)
    if not answered.changed:
        return answered
    note_new_input(change)
    # A run that makes entries sees that its input is older now, and is run again.
    if active_run(artifact) is None and has_result(artifact, ENTRIES):
        made = drafts.work(drafts.load(artifact))
        for remark in drafts.store(artifact, made.data, claims=answered.changed):
            change.say(remark.event_type, of=f"{of}/{remark.of}", stage=ENTRIES.name, metadata=remark.metadata)
    return answered


register(BulkWork.Kind.MATCH_AGAIN, find_notes, match_note_again)
