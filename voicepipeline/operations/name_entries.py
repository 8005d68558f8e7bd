"""Suggested entries that were confirmed for somebody whom their statement no longer means."""

from collections.abc import Collection

from voicepipeline.models import Artifact, InsightDraft
from voicepipeline.stages import drafts

KEPT = (InsightDraft.Status.CONFIRMED, InsightDraft.Status.APPLIED)


def decided_for_others(artifact: Artifact, claim_keys: Collection[str]) -> list[InsightDraft]:
    """Entries of these statements that are confirmed, and that the rule would not make for the same person now.

    They stay as they are: only a person changes what was decided.
    """
    decided = InsightDraft.objects.filter(artifact=artifact, status__in=KEPT, claim_key__in=claim_keys)
    entries = list(decided.select_related("player", "team").order_by("display_order", "pk"))
    if not entries:
        return []
    given = drafts.load(artifact)
    meant = {
        (claim.key, target.player, target.team)
        for claim in given.claims
        if claim.key in claim_keys
        for target in drafts.targets_of(claim, given.own_team)
    }
    return [entry for entry in entries if (entry.claim_key, entry.player_id, entry.team_id) not in meant]
