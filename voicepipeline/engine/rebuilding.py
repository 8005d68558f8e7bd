"""What a person has said about a note takes effect: its names and open entries are made again from it.

Expects the artifact's lock to be held by the operation that calls it; see rule 9 of the engine.
"""

from dataclasses import dataclass

from django.db.models import F

from voicepipeline.engine.changes import Change
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.scheduling import has_result
from voicepipeline.models import Artifact, StageName
from voicepipeline.stages import STAGES, Stage

MATCHING, ENTRIES = STAGES[StageName.ENTITY_RESOLUTION], STAGES[StageName.DRAFT_GENERATION]


@dataclass(frozen=True)
class Rebuilt:
    """Which results were made again at once; what a worker has in hand, it makes again by itself."""

    names: bool = False
    entries: bool = False


def rebuild(change: Change, *, of: str) -> Rebuilt:
    """Make names and open entries again where they are made already; `of` names what the person did.

    A run that began before sees that its input is older now, and its stage is run again.
    """
    note_new_input(change)
    artifact = change.artifact
    if not has_result(artifact, MATCHING):
        return Rebuilt()
    run = active_run(artifact)
    if run is not None and run.stage != ENTRIES.name:
        return Rebuilt()
    _make_again(change, MATCHING, of=of)
    if run is not None or not has_result(artifact, ENTRIES):
        return Rebuilt(names=True)
    _make_again(change, ENTRIES, of=of)
    return Rebuilt(names=True, entries=True)


def note_new_input(change: Change) -> None:
    """Make worthless what workers have begun from what people said before."""
    artifact = change.artifact
    artifact.input_version += 1
    artifact.updated_at = change.now
    Artifact.objects.filter(pk=artifact.pk).update(input_version=F("input_version") + 1, updated_at=change.now)


def _make_again(change: Change, stage: Stage, *, of: str) -> None:
    artifact = change.artifact
    output = stage.code.work(stage.code.load(artifact))
    for remark in stage.code.store(artifact, output.data) or ():
        change.say(remark.event_type, of=f"{of}/{remark.of}", stage=stage.name, metadata=remark.metadata)
