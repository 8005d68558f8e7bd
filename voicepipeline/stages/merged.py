"""Players who stood on a roster twice: what notes say of either is said of the one who stayed.

A merge takes both players' rows FOR UPDATE. Whoever is about to write of one of them asks `staying` first, waits there
for a merge in flight, and writes of the one who stays; a merge that comes later finds what was written, and moves it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.db import connection

from voicepipeline.models import Artifact, EntityResolution, InsightDraft, MentionKind, NameChoice, Player
from voicepipeline.policies.drafts import Confirmation

if TYPE_CHECKING:
    from voicepipeline.stages.drafts import Entry

Status = InsightDraft.Status

LOCK = "SELECT id, merged_into_id FROM voicepipeline_player WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"
HOLD = ("held_at", "held_by", "held_reason")


def entry_key(claim_key: str, *, player: int | None, team: int | None) -> str:
    """The same for the same statement about the same player or team, however often it is read."""
    return hashlib.sha256(f"{claim_key}/{player or ''}/{team or ''}".encode()).hexdigest()


def staying(player_pks: Iterable[int]) -> dict[int, int]:
    """Who has taken the place of each of these players that were merged; held so until the transaction ends."""
    into: dict[int, int | None] = {}
    wanted = set(player_pks)
    while wanted:
        with connection.cursor() as cursor:
            cursor.execute(LOCK, [sorted(wanted)])
            into |= dict.fromkeys(wanted) | dict(cursor.fetchall())
        wanted = {pk for pk in into.values() if pk is not None} - into.keys()
    return {pk: _last(pk, into) for pk, winner in into.items() if winner is not None}


def _last(pk: int, into: Mapping[int, int | None]) -> int:
    winner = into[pk]
    return pk if winner is None else _last(winner, into)


def merged_players(organization_id: int) -> dict[int, int]:
    """The club's players who were merged, and into whom."""
    merged = Player.objects.filter(organization_id=organization_id, merged_into__isnull=False)
    return {pk: winner for pk, winner in merged.values_list("pk", "merged_into_id") if winner is not None}


def moved_candidates(candidates: Iterable[dict[str, Any]], winners: Mapping[int, Player]) -> list[dict[str, Any]]:
    """The same candidates, each of whom once, with what fitted best."""
    best: dict[int, dict[str, Any]] = {}
    for one in candidates:
        winner = winners.get(one["id"])
        moved = {**one, "id": winner.pk, "name": str(winner)} if winner else dict(one)
        known = best.get(moved["id"])
        if known is None or known["score"] < moved["score"]:
            best[moved["id"]] = moved
    return sorted(best.values(), key=lambda one: -one["score"])


def for_those_who_stay(entries: tuple["Entry", ...], taken_up: Callable[[], frozenset[str]]) -> tuple["Entry", ...]:
    """The same entries, moved where a player was merged since; of two that are one now, the more careful.

    `taken_up` gives the keys of entries that a person has begun to decide; it is asked for only when one is moved.
    """
    winners = staying(entry.target.player for entry in entries if entry.target.player is not None)
    if not winners:
        return entries
    keys = taken_up()
    found: dict[str, Entry] = {}
    for entry in entries:
        winner = winners.get(entry.target.player or 0)
        moved = entry if winner is None else _for_winner(entry, winner, keys)
        if moved.key not in found or found[moved.key].confirmation.automatic:
            found[moved.key] = moved
    return tuple(found.values())


def _for_winner(entry: "Entry", winner: int, taken_up: frozenset[str]) -> "Entry":
    key = entry_key(entry.claim_key, player=winner, team=entry.target.team)
    by_person = key in taken_up and entry.confirmation.automatic
    confirmation = Confirmation(automatic=False, reason="taken_up_by_a_person") if by_person else entry.confirmation
    return replace(entry, key=key, target=replace(entry.target, player=winner), confirmation=confirmation)


# --- What a note has ----------------------------------------------------------------------------------------------
def move_names(artifact: Artifact, winners: Mapping[int, Player]) -> int:
    """Let matched names and people's answers mean those who stayed; say how many of them changed."""
    return _move_matches(artifact, winners) + _move_choices(artifact, winners)


def _move_matches(artifact: Artifact, winners: Mapping[int, Player]) -> int:
    moved = 0
    for row in (
        EntityResolution.objects.filter(artifact=artifact, kind=MentionKind.PLAYER_NAME)
        .order_by("pk")
        .select_related("player", "model_player")
    ):
        before = (row.player_id, row.model_player_id, row.candidates)
        row.player = winners.get(row.player_id or 0, row.player)
        row.model_player = winners.get(row.model_player_id or 0, row.model_player)
        if any(one["id"] in winners for one in row.candidates):
            row.candidates = moved_candidates(row.candidates, winners)
        if (row.player_id, row.model_player_id, row.candidates) == before:
            continue
        if row.model_agrees is not None:
            row.model_agrees = row.model_player_id == row.player_id
        row.save(update_fields=["player", "model_player", "model_agrees", "candidates"])
        moved += 1
    return moved


def _move_choices(artifact: Artifact, winners: Mapping[int, Player]) -> int:
    choices = NameChoice.objects.filter(artifact=artifact)
    return sum(choices.filter(player_id=loser).update(player=winner) for loser, winner in winners.items())


def move_entries(artifact: Artifact) -> int:
    """Let entries for players who were merged be for those who stayed, none of them twice.

    What waits makes way for the same entry of the one who stays, and for one that is confirmed already. Two that
    were decided both stay, one of them under the key that it had: a key is one entry's.
    """
    drafts = InsightDraft.objects.filter(artifact=artifact)
    strays = list(drafts.filter(player__merged_into__isnull=False).select_related("player").order_by("pk"))
    if not strays:
        return 0
    winners = [row.player.merged_into_id for row in strays if row.player and row.player.merged_into_id]
    present = {row.key: row for row in drafts.filter(player_id__in=winners)}
    for stray in strays:
        _move(stray, present)
    return len(strays)


def _move(stray: InsightDraft, present: dict[str, InsightDraft]) -> None:
    if stray.player is None or stray.player.merged_into_id is None:
        return
    stray.player_id = stray.player.merged_into_id
    key = entry_key(stray.claim_key, player=stray.player_id, team=stray.team_id) if stray.claim_key else stray.key
    twin = present.get(key)
    if twin is not None and stray.status == Status.PENDING:
        _hand_over_hold(stray, twin)
        stray.delete()
        return
    if twin is not None and twin.status == Status.PENDING and stray.status in (Status.CONFIRMED, Status.APPLIED):
        twin.delete()
        twin = None
    if twin is None:
        stray.key = key
        present[key] = stray
    stray.save(update_fields=["player", "key"])


def _hand_over_hold(stray: InsightDraft, twin: InsightDraft) -> None:
    if stray.held_at is None or twin.held_at is not None or twin.status != Status.PENDING:
        return
    for name in HOLD:
        setattr(twin, name, getattr(stray, name))
    twin.save(update_fields=list(HOLD))


# --- What people decided ------------------------------------------------------------------------------------------
def todays_keys(drafts: Iterable[InsightDraft]) -> dict[str, str]:
    """The key of each of these entries by every key that it has had: decisions are kept under the key of their day."""
    rows = [row for row in drafts if row.player_id is not None and row.claim_key]
    losers: dict[int | None, list[int]] = {}
    # Nobody's id beside theirs: pages ask as many questions where there is no player.
    merged = Player.objects.filter(merged_into__in={0, *(row.player_id for row in rows if row.player_id is not None)})
    for pk, winner in merged.values_list("pk", "merged_into_id"):
        losers.setdefault(winner, []).append(pk)
    former = {
        entry_key(row.claim_key, player=pk, team=row.team_id): row.key
        for row in rows
        for pk in losers.get(row.player_id, ())
    }
    # Of two entries that were decided before they were one's, each has what was decided about it.
    return former | {row.key: row.key for row in rows}


def with_todays_keys(keys: frozenset[str], claim_keys: Iterable[str], merged: Mapping[int, int]) -> frozenset[str]:
    """These keys of entries, and those that the same entries have since their players were merged."""
    if not keys or not merged:
        return keys
    moved = (
        entry_key(claim_key, player=winner, team=None)
        for claim_key in claim_keys
        for loser, winner in merged.items()
        if entry_key(claim_key, player=loser, team=None) in keys
    )
    return keys | frozenset(moved)
