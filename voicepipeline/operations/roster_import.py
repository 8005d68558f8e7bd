"""Lists of players: kept when they are handed in, looked at, and applied to the roster in one go."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import Model, Q, QuerySet

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import Organization, Player, RosterChange, RosterImport, Team, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.policies.roster_file import EXPORTED, PlayerList, UnreadableList, as_rows, from_rows, read_list
from voicepipeline.policies.roster_parts import KnownPlayer, KnownTeam, New, Plan, State, Update
from voicepipeline.policies.roster_plan import plan_import
from voicepipeline.policies.roster_settling import Settled, UnknownAnswer, settle
from voicepipeline.spreadsheets import csv_lines
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.import_roster"
KEPT = timedelta(days=1)
LONGEST_NAME = 120
# By which Excel knows that the letters are UTF-8.
BYTE_ORDER_MARK = "\ufeff"

GONE = "This list is not kept any more. Hand it in again."
CHANGED_SINCE = "Nothing was applied: the roster has changed since you saw this. Look at what it would do now."
NOTHING = "Nothing was applied: the list would change nothing."


@dataclass(frozen=True)
class Kept:
    """What became of a file: the import to be looked at, or why it was refused."""

    import_id: uuid.UUID | None
    refusal: str = ""
    notices: tuple[str, ...] = ()


def keep_list(data: bytes, *, organization: Organization, filename: str, deactivate_missing: bool, by: User) -> Kept:
    """Read a file and keep its lines, until they are applied or a day is over."""
    verify_importer(by)
    try:
        players = read_list(data)
    except UnreadableList as refusal:
        return Kept(None, str(refusal))
    given = RosterImport(
        organization=organization,
        filename=safe_text(filename, LONGEST_NAME),
        deactivate_missing=deactivate_missing,
        uploaded_by=by,
    )
    _keep(given, players)
    return Kept(given.import_id, notices=players.notices)


def verify_importer(by: User) -> None:
    """A roster is names of players: who hands one in, applies one or takes one away may read names."""
    verify_platform_staff(by, PERMISSION)
    verify_reader(by)


@engine_transaction
def _keep(given: RosterImport, players: PlayerList) -> None:
    given.rows = as_rows(players.lines)
    plan = preview(given)
    given.plan_digest, given.counts = plan.digest(), plan.counts()
    given.save()


def imports_kept(*, now: datetime) -> QuerySet[RosterImport]:
    """Those that were applied, and those that still may be; the others only wait to be tidied up."""
    return RosterImport.objects.filter(Q(applied_at__isnull=False) | Q(uploaded_at__gt=now - KEPT))


def preview(given: RosterImport) -> Plan:
    """What applying this import would do to the roster as it is now."""
    return _plan(given, _players(given.organization_id))


def _plan(given: RosterImport, players: QuerySet[Player]) -> Plan:
    columns = ("pk", "first_name", "last_name", "external_id", "team_id", "is_active", "merged_into_id")
    known = [KnownPlayer(*row) for row in players.values_list(*columns)]
    teams = Team.objects.filter(organization_id=given.organization_id).order_by("pk").values_list("pk", "name")
    return plan_import(
        from_rows(given.rows),
        known,
        [KnownTeam(*row) for row in teams],
        deactivate_missing=given.deactivate_missing,
    )


def _players(club_id: int) -> QuerySet[Player]:
    return Player.objects.filter(organization_id=club_id).order_by("pk")


def apply_import(import_id: uuid.UUID, *, by: User, digest: str, answers: Mapping[int, str]) -> Outcome:
    """Write what the preview with this digest showed, with these answers to its questions, or nothing at all."""
    verify_importer(by)
    try:
        return _apply(import_id, by, digest, answers)
    except UnknownAnswer as problem:
        return Outcome(False, f"Nothing was applied. {problem}")
    except IntegrityError:
        # Somebody added a player or a team in the same moment.
        return Outcome(False, CHANGED_SINCE)


@engine_transaction
def _apply(import_id: uuid.UUID, by: User, digest: str, answers: Mapping[int, str]) -> Outcome:
    """The club is locked first, then the import, then its players: no key is locked, so notes may name them."""
    club_id = RosterImport.objects.filter(import_id=import_id).values_list("organization_id", flat=True).first()
    if club_id is None:
        return Outcome(False, GONE)
    _lock(Organization.objects.filter(pk=club_id))
    kept = imports_kept(now=database_now())
    given = kept.select_for_update(no_key=True).filter(import_id=import_id).first()
    if given is None:
        return Outcome(False, GONE)
    if given.applied_at is not None:
        return Outcome(False, f"It was applied already, by {given.applied_by}. It was not applied twice.")
    plan = _plan(given, _players(club_id).select_for_update(no_key=True))
    if plan.digest() != digest:
        return Outcome(False, CHANGED_SINCE)
    settled = settle(plan, answers)
    if not (settled.added or settled.updates or settled.missing):
        return Outcome(False, NOTHING)
    counts = _counts(settled)
    RosterChange.objects.create(
        organization_id=club_id,
        kind=RosterChange.Kind.IMPORTED,
        by=by,
        details={"import": str(import_id), "counts": counts, **_write(club_id, settled)},
    )
    given.rows, given.counts, given.plan_digest = [], {**plan.counts(), "applied": counts}, digest
    given.applied_by, given.applied_at = by, database_now()
    given.save()
    return Outcome(True, _told(counts))


def _lock(rows: QuerySet[Any]) -> list[Model]:
    return list(rows.select_for_update(no_key=True))


def _write(club_id: int, settled: Settled) -> dict[str, list[int]]:
    """Teams, players and changes, each in one statement; returns the ids of what was written."""
    # First: a number is one player's only, at every moment.
    Player.objects.filter(pk__in=settled.freed).update(external_id="")
    teams = Team.objects.bulk_create(Team(organization_id=club_id, name=name) for name in settled.new_teams)
    made = {team.name: team.pk for team in teams}
    players = Player.objects.bulk_create(_new_player(club_id, new, made) for new in settled.added)
    _update_players(club_id, settled.updates, made)
    Player.objects.filter(pk__in=settled.missing).update(is_active=False)
    return {
        "added": [player.pk for player in players],
        "changed": [update.player for update in settled.updates],
        "deactivated": list(settled.missing),
        "teams": list(made.values()),
        "numbers_given_up": list(settled.freed),
    }


def _team_id(state: State, made: Mapping[str, int]) -> int | None:
    if state.team is None:
        return None
    return made[state.team.name] if state.team.id is None else state.team.id


def _new_player(club_id: int, new: New, made: Mapping[str, int]) -> Player:
    state = new.state
    return Player(
        organization_id=club_id,
        team_id=_team_id(state, made),
        first_name=state.first,
        last_name=state.last,
        external_id=state.number,
        is_active=state.active,
    )


UPDATE = """
    UPDATE voicepipeline_player AS player
    SET first_name = given.first_name, last_name = given.last_name, external_id = given.external_id,
        team_id = given.team_id, is_active = given.is_active
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::boolean[])
        AS given (id, first_name, last_name, external_id, team_id, is_active)
    WHERE player.id = given.id AND player.organization_id = %s AND player.merged_into_id IS NULL
"""


def _update_players(club_id: int, updates: Sequence[Update], made: Mapping[str, int]) -> None:
    if not updates:
        return
    rows = [
        (one.player, one.state.first, one.state.last, one.state.number, _team_id(one.state, made), one.state.active)
        for one in updates
    ]
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, [*(list(column) for column in zip(*rows, strict=True)), club_id])
        if cursor.rowcount != len(rows):
            raise IntegrityError("a player was merged away under the lock of its row")


def _counts(settled: Settled) -> dict[str, int]:
    activities = [(update.activity, update.state.active) for update in settled.updates]
    off = sum(1 for activity, active in activities if activity and not active)
    return {
        "added": len(settled.added),
        "changed": sum(1 for activity, _ in activities if not activity),
        "reactivated": sum(1 for activity, active in activities if activity and active),
        "deactivated": off + len(settled.missing),
        "new_teams": len(settled.new_teams),
        "left_out": settled.left_out,
    }


WORDS = {
    "added": "{} added",
    "changed": "{} changed",
    "reactivated": "{} active again",
    "deactivated": "{} no longer active",
}


def _told(counts: Mapping[str, int]) -> str:
    done = ", ".join(words.format(f"{counts[name]:,}") for name, words in WORDS.items() if counts[name])
    left = counts["left_out"]
    lines = "1 line was left out." if left == 1 else f"{left:,} lines were left out."
    return f"The list was applied: {done}. {lines if left else ''}".strip()


def forget_old_imports(*, now: datetime) -> int:
    """Lists that nobody applied within a day go: they are names of players."""
    old = RosterImport.objects.filter(applied_at__isnull=True, uploaded_at__lt=now - KEPT)
    return old.delete()[0]


def roster_lines(organization: Organization) -> Iterator[str]:
    """The club's players as a file that a spreadsheet shows rightly, and that can be handed in again."""
    players = Player.objects.filter(organization=organization, merged_into__isnull=True)
    columns = ("first_name", "last_name", "team__name", "external_id", "is_active")
    ordered = players.order_by("team__name", "last_name", "first_name", "pk").values_list(*columns)
    yield BYTE_ORDER_MARK
    yield from csv_lines(EXPORTED, ((*cells, "yes" if active else "no") for *cells, active in ordered.iterator()))
