"""A stage whose results cannot be taken away: some are gone already when it gives up."""

from voicepipeline.models import Artifact, InsightDraft
from voicepipeline.stages import drafts

load, work, store = drafts.load, drafts.work, drafts.store


def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
    InsightDraft.objects.filter(artifact=artifact).delete()
    raise ZeroDivisionError("a secret that must not be shown")
