"""What people have begun to decide about a note's entries; their history outlives the entries' rows."""

from typing import Any

from voicepipeline.models import Artifact, Claim, EntryDecision
from voicepipeline.stages.merged import merged_players, with_todays_keys

Kind = EntryDecision.Kind
# A person did it without having the last word.
BEGUN = (Kind.HELD, Kind.RELEASED, Kind.UNDONE)


def taken_up(artifact: Artifact) -> frozenset[str]:
    """Keys of entries that the rule leaves to people, for one of them has begun to decide."""
    begun = EntryDecision.objects.filter(artifact=artifact, kind__in=BEGUN)
    keys = frozenset(begun.values_list("draft_key", flat=True))
    if not keys or artifact.organization_id is None:
        return keys
    claims = Claim.objects.filter(artifact=artifact).values_list("key", flat=True)
    return with_todays_keys(keys, claims, merged_players(artifact.organization_id))


def holds_of(artifact: Artifact) -> dict[str, dict[str, Any]]:
    """By key, the entries that somebody put on hold and nobody has decided about since."""
    newest = EntryDecision.objects.filter(artifact=artifact).order_by("draft_key", "-pk").distinct("draft_key")
    return {
        row.draft_key: {"held_at": row.decided_at, "held_by_id": row.by_id, "held_reason": row.reason}
        for row in newest
        if row.kind == Kind.HELD
    }
