"""Two players who are one person: one stays on the roster, and everything of the other becomes theirs."""

from dataclasses import dataclass

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.matching.keys import name_key
from voicepipeline.models import (
    BulkWork,
    EntityResolution,
    InsightDraft,
    MentionKind,
    NameChoice,
    Player,
    PlayerAlias,
    RosterChange,
    User,
)
from voicepipeline.operations.aliases import teach_apart, was_taught_apart
from voicepipeline.operations.bulk_work import start_bulk_work
from voicepipeline.operations.outcome import Outcome
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.merge_player"
MAX_REASON = 500
LONGEST_ALIAS = 200


@dataclass(frozen=True)
class Taken:
    """What the one who stays has got at once."""

    moved: int = 0  # learned names
    folded: int = 0  # learned names that they had already
    own_name: bool = False  # what the other was called on the roster is a learned name now
    number: bool = False
    team: bool = False


def refusal_to_merge(stays: Player, goes: Player) -> str:
    """Why these two cannot be merged, in words; empty when they can be."""
    if stays.pk == goes.pk:
        return "These are one and the same row of the roster. Choose another player."
    if stays.organization_id != goes.organization_id:
        return f"{goes} is not on the roster of {stays.organization}. Choose somebody of the same club."
    for player in (stays, goes):
        if player.merged_into_id is not None:
            return f"{player} has been merged into {player.merged_into} already. Choose that player."
    if not stays.is_active:
        return f"{stays} is no longer active, so nobody can be merged into them. Let the other one stay."
    return ""


@engine_transaction
def merge_players(stays_pk: int, goes_pk: int, *, by: User, reason: str = "") -> Outcome:
    """Take one player off the roster and give what they have to another: names at once, notes in the background.

    Both rows are locked against everybody who is about to write of either, so that nothing falls between: what was
    written before is found and moved, and what comes later is written of the one who stays.
    """
    verify_platform_staff(by, PERMISSION)
    verify_reader(by)
    found = _locked(stays_pk, goes_pk)
    stays, goes = found.get(stays_pk), found.get(goes_pk)
    if stays is None or goes is None:
        return Outcome(False, "One of the two is not on any roster. Choose again.")
    refusal = refusal_to_merge(stays, goes)
    if refusal:
        return Outcome(False, refusal)
    taken = _hand_over(stays, goes, by)
    reason = safe_text(reason.strip(), MAX_REASON)
    work = start_bulk_work(
        BulkWork.Kind.MERGE_PLAYERS,
        by=by,
        reason=reason,
        selection={"stays": stays.pk, "goes": goes.pk},
        organization=stays.organization,
        expected=rows_of(goes),
    )
    RosterChange.objects.create(
        organization=stays.organization,
        kind=RosterChange.Kind.MERGED,
        by=by,
        reason=reason,
        details={
            "stays": stays.pk,
            "goes": goes.pk,
            "names_moved": taken.moved,
            "names_folded": taken.folded,
            "rows_in_notes": work.expected,
            "bulk_work": work.pk,
        },
        changed_at=database_now(),
    )
    return Outcome(True, f"{goes} is {stays} now. What voice notes have of {goes} is being moved.")


def rows_of(player: Player) -> int:
    """How many matched names and entries of notes are this player's."""
    matched = EntityResolution.objects.filter(player=player).count()
    return matched + InsightDraft.objects.filter(player=player).count()


def _locked(*pks: int) -> dict[int, Player]:
    """Both in one order, so that two merges of the same two players wait instead of ending each other."""
    rows = Player.objects.select_for_update(of=("self",)).select_related("organization").filter(pk__in=pks)
    return {row.pk: row for row in rows.order_by("pk")}


def _hand_over(stays: Player, goes: Player, by: User) -> Taken:
    """Give the one who stays all that hangs on the roster, and take the other off it."""
    moved, folded = _move_aliases(stays, goes)
    number = bool(goes.external_id) and not stays.external_id
    team = goes.team_id is not None and stays.team_id is None
    Player.objects.filter(merged_into=goes).update(merged_into=stays)
    Player.objects.filter(pk=goes.pk).update(
        is_active=False, merged_into=stays, external_id="" if number else goes.external_id
    )
    Player.objects.filter(pk=stays.pk).update(
        external_id=goes.external_id if number else stays.external_id, team_id=goes.team_id if team else stays.team_id
    )
    return Taken(moved, folded, _learn_name(stays, goes, by), number, team)


def _move_aliases(stays: Player, goes: Player) -> tuple[int, int]:
    """How many learned names were moved, and how many were the other's already and are counted there from now on."""
    both = PlayerAlias.objects.filter(player__in=[stays, goes]).order_by("pk").select_for_update(of=("self",))
    rows = list(both)
    known = {_known_by(row): row for row in rows if row.player_id == stays.pk}
    moved = folded = 0
    for row in rows:
        if row.player_id != goes.pk:
            continue
        twin = known.get(_known_by(row))
        if twin is None:
            PlayerAlias.objects.filter(pk=row.pk).update(player=stays)
            moved += 1
        else:
            _fold(row, twin)
            folded += 1
    return moved, folded


def _known_by(alias: PlayerAlias) -> tuple[int | None, str, str]:
    return alias.coach_id, alias.kind, alias.key


def _fold(alias: PlayerAlias, twin: PlayerAlias) -> None:
    """Count the uses of one learned name with those of another that says the same, and let answers rest on that."""
    apart = was_taught_apart(alias) or was_taught_apart(twin)
    uses = [each.last_used_at for each in (alias, twin) if each.last_used_at is not None]
    PlayerAlias.objects.filter(pk=twin.pk).update(
        use_count=twin.use_count + alias.use_count,
        last_used_at=max(uses, default=None),
        created_at=min(alias.created_at, twin.created_at),
    )
    NameChoice.objects.filter(alias=alias).update(alias=twin)
    if apart:
        teach_apart(twin)
    alias.delete()


def _learn_name(stays: Player, goes: Player, by: User) -> bool:
    """What the one who goes was called on the roster means the one who stays, for every coach, whoever said so before.

    An answer that taught the same may be taken back: the roster's name stays known.
    """
    text = str(goes)[:LONGEST_ALIAS]
    key = name_key(MentionKind.PLAYER_NAME, text)
    if not key or key == name_key(MentionKind.PLAYER_NAME, str(stays)):
        return False
    alias, learned = PlayerAlias.objects.get_or_create(
        organization_id=stays.organization_id,
        coach=None,
        kind=MentionKind.PLAYER_NAME,
        key=key,
        player=stays,
        team=None,
        coach_meant=None,
        defaults={"text": text, "created_by": by},
    )
    teach_apart(alias)
    return learned
