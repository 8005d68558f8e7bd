"""Whom a club's notes may mean: its players, teams and coaches, and what people have taught that they are called."""

from dataclasses import dataclass

from voicepipeline.matching.keys import name_key
from voicepipeline.matching.roster import Alias, Person, Roster
from voicepipeline.models import Coach, MentionKind, Organization, Player, PlayerAlias, Team


@dataclass(frozen=True)
class LearnedName:
    """A learned name of the kind that it was taught for."""

    id: int
    kind: str
    text: str
    key: str
    target_id: int

    @property
    def alias(self) -> Alias:
        return Alias(self.text, self.target_id)


def players_of(organization_id: int) -> tuple[Person, ...]:
    """Everybody on the roster, also those no longer active: somebody who left is asked about, not unknown."""
    rows = Player.objects.filter(organization_id=organization_id, merged_into__isnull=True).order_by("pk")
    columns = rows.values_list("pk", "first_name", "last_name", "team__name", "is_active")
    return tuple(Person(*row) for row in columns)


def teams_of(organization_id: int) -> tuple[Person, ...]:
    rows = Team.objects.filter(organization_id=organization_id).order_by("pk").values_list("pk", "name", "is_active")
    return tuple(Person(pk, name, active=active) for pk, name, active in rows)


def teams_of_coach(coach_id: int, organization_id: int) -> tuple[Person, ...]:
    """The teams of this club that the coach trains."""
    rows = Team.objects.filter(coaches=coach_id, organization_id=organization_id).order_by("pk")
    return tuple(Person(pk, name, active=active) for pk, name, active in rows.values_list("pk", "name", "is_active"))


def coaches_of(organization_id: int) -> tuple[Person, ...]:
    rows = Coach.objects.filter(organization_id=organization_id).order_by("pk")
    columns = rows.values_list("pk", "first_name", "last_name", "is_active")
    return tuple(Person(pk, first, last, active=active) for pk, first, last, active in columns)


def learned_names(organization_id: int, coach_id: int | None) -> tuple[LearnedName, ...]:
    """What the club's notes have been taught; what one coach means by a name goes before what others mean by it."""
    rows = PlayerAlias.objects.filter(organization_id=organization_id, coach_id__isnull=True)
    if coach_id is not None:
        rows |= PlayerAlias.objects.filter(organization_id=organization_id, coach_id=coach_id)
    names = [(row.coach_id, _learned_name(row)) for row in rows.order_by("pk")]
    own = {(name.kind, name.key) for coach, name in names if name and coach is not None}
    return tuple(name for coach, name in names if name and (coach is not None or (name.kind, name.key) not in own))


def _learned_name(row: PlayerAlias) -> LearnedName | None:
    """None for a name that was taught to mean something of another kind, which matching has no use for."""
    targets = {
        MentionKind.PLAYER_NAME: row.player_id,
        MentionKind.TEAM_NAME: row.team_id,
        MentionKind.COACH_NAME: row.coach_meant_id,
    }
    target = targets.get(MentionKind(row.kind))
    return None if target is None else LearnedName(row.pk, row.kind, row.text, name_key(row.kind, row.text), target)


def roster_of(organization: Organization, coach: Coach | None = None) -> Roster:
    """The club's players as notes of this coach may call them."""
    learned = learned_names(organization.pk, coach.pk if coach else None)
    aliases = (name.alias for name in learned if name.kind == MentionKind.PLAYER_NAME)
    return Roster(players_of(organization.pk), aliases)
