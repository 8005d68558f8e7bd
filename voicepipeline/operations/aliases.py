"""Whom a club's notes may mean: its players, teams and coaches, and what people have taught that they are called."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from voicepipeline.matching.deciding import names_in
from voicepipeline.matching.keys import name_key, without_title
from voicepipeline.matching.normalise import MAX_CHARACTERS, MAX_WORDS, words
from voicepipeline.matching.roster import Alias, Person, Roster
from voicepipeline.matching.teams import team_key
from voicepipeline.models import Artifact, Coach, MentionKind, NameChoice, Organization, Player, PlayerAlias, Team, User
from voicepipeline.policies.names import PRONOUNS

ONE_ALIAS = ["organization", "coach", "kind", "key", "player", "team", "coach_meant"]


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


def is_learnable(kind: str, text: str) -> bool:
    """Whether this may be one name in other notes, too: not "she", not two names in one, not a shirt number."""
    if len(text) > MAX_CHARACTERS or text.strip().casefold() in PRONOUNS:
        return False
    if kind == MentionKind.TEAM_NAME:
        return bool(team_key(text))
    name = without_title(text) if kind == MentionKind.COACH_NAME else text
    return len(names_in(name)) == 1 and len(words(name)) <= MAX_WORDS


def learn(artifact: Artifact, *, kind: str, text: str, target: tuple[str, int], by: User, now: datetime) -> PlayerAlias:
    """Remember whom the note's sender calls this, or the whole club when the sender is not known."""
    alias = PlayerAlias(
        organization=artifact.organization,
        coach_id=artifact.sender_id,
        kind=kind,
        text=text,
        key=name_key(kind, text),
        created_at=now,
        created_by=by,
        **{f"{target[0]}_id": target[1]},
    )
    # In one statement that takes the row that is there, and keeps it there until the answer that rests on it is.
    (kept,) = PlayerAlias.objects.bulk_create(
        [alias], update_conflicts=True, unique_fields=ONE_ALIAS, update_fields=["kind"]
    )
    return kept


def forget(alias_pk: int) -> bool:
    """Remove a learned name once no answer rests on it any more; one older than all answers was taught apart."""
    alias = PlayerAlias.objects.select_for_update().filter(pk=alias_pk).first()
    if alias is None:
        return False
    still_meant = NameChoice.objects.filter(alias=alias, undone_at__isnull=True).exists()
    if still_meant or was_taught_apart(alias):
        return False
    alias.delete()
    return True


def was_taught_apart(alias: PlayerAlias) -> bool:
    """Whether a learned name rests on something else than answers: it was there before the first of them."""
    return not NameChoice.objects.filter(alias=alias, chosen_at__lte=alias.created_at).exists()


def teach_apart(alias: PlayerAlias) -> None:
    """Let a learned name be known even when every answer that rests on it is taken back."""
    first = NameChoice.objects.filter(alias=alias).aggregate(first=Min("chosen_at"))["first"]
    if first is not None:
        earlier = PlayerAlias.objects.filter(pk=alias.pk, created_at__gte=first)
        earlier.update(created_at=first - timedelta.resolution)
