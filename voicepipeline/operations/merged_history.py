"""What voice notes have of a player who was merged is given to the one who stays, note by note, in the background."""

from django.db.models import QuerySet

from voicepipeline.engine.changes import Change
from voicepipeline.engine.rebuilding import ENTRIES, MATCHING, note_new_input
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.scheduling import has_result
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.models import BulkWork, EntityResolution, InsightDraft, MentionKind, NameChoice, Player
from voicepipeline.operations.bulk_work import Handled, register
from voicepipeline.operations.rematching import answer_open_questions
from voicepipeline.stages.merged import move_entries, move_names, staying


def find_notes(work: BulkWork, cursor: int, most: int) -> list[int]:
    """The next notes that know the player who was merged, in whatever way."""
    goes = work.selection["goes"]
    candidate = EntityResolution.objects.filter(
        organization=work.organization, kind=MentionKind.PLAYER_NAME, candidates__contains=[{"id": goes}]
    )
    rows: list[QuerySet[EntityResolution] | QuerySet[NameChoice] | QuerySet[InsightDraft]] = [
        EntityResolution.objects.filter(player_id=goes),
        EntityResolution.objects.filter(model_player_id=goes),
        candidate,
        NameChoice.objects.filter(player_id=goes),
        InsightDraft.objects.filter(player_id=goes),
    ]
    notes: set[int] = set()
    for found in rows:
        after = found.filter(artifact_id__gt=cursor).order_by("artifact_id")
        notes.update(after.values_list("artifact_id", flat=True).distinct()[:most])
    return sorted(notes)[:most]


@engine_transaction
def move_history(work: BulkWork, artifact_pk: int) -> Handled:
    """Give one note's rows to the one who stays; a question which of the two it is has its answer."""
    change = Change(lock_artifact(artifact_pk), database_now())
    artifact = change.artifact
    goes = work.selection["goes"]
    winners = {pk: Player.objects.get(pk=winner) for pk, winner in staying([goes]).items()}
    asked = _questions_about(artifact.pk, goes)
    moved = move_names(artifact, winners) + move_entries(artifact)
    if moved:
        note_new_input(change)
    run = active_run(artifact)
    if asked and has_result(artifact, MATCHING) and (run is None or run.stage == ENTRIES.name):
        of = f"merged/{work.pk}/{artifact.pk}"
        answer_open_questions(change, of=of, only=lambda row: row.pk in asked)
    change.flush()
    return Handled(done=moved, skipped=0, remarks={})


def _questions_about(artifact_pk: int, player_pk: int) -> frozenset[int]:
    unclear = EntityResolution.objects.filter(
        artifact_id=artifact_pk,
        status=EntityResolution.Status.NEEDS_DISAMBIGUATION,
        kind=MentionKind.PLAYER_NAME,
        candidates__contains=[{"id": player_pk}],
    )
    return frozenset(unclear.values_list("pk", flat=True))


register(BulkWork.Kind.MERGE_PLAYERS, find_notes, move_history)
