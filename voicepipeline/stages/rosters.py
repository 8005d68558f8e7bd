"""Whom a note may speak of, as the stages that ask a model need to know it."""

from django.db.models import Case, QuerySet, Value, When

from voicepipeline.models import Artifact, Coach, Player, Team


def players_own_teams_first(artifact: Artifact, *, most: int) -> list[Player]:
    """The club's active players, those of the sender's teams before all others; nobody without a club."""
    own = Case(When(team_id__in=_own_teams(artifact), then=Value(False)), default=Value(True))
    ordered = _players(artifact).annotate(elsewhere=own).order_by("elsewhere", "team_id", "last_name", "first_name")
    return list(ordered.select_related("team")[:most])


def names_to_listen_for(artifact: Artifact, *, most: int) -> tuple[str, ...]:
    """The players of the sender's teams, or the whole club's where there are none, then the coaches beside them."""
    teams = _own_teams(artifact)
    of_team = list(_players(artifact).filter(team_id__in=teams)[:most])
    players = of_team or list(_players(artifact)[:most])
    coaches = Coach.objects.filter(organization=artifact.organization_id, is_active=True)
    beside = coaches.filter(teams__in=teams).distinct() if of_team else coaches
    people = [*players, *beside[: most - len(players)]]
    return tuple(str(person) for person in people)


def _players(artifact: Artifact) -> QuerySet[Player]:
    return Player.objects.filter(organization=artifact.organization_id, is_active=True)


def _own_teams(artifact: Artifact) -> list[int]:
    """The teams of the note's club that its sender trains."""
    if artifact.sender_id is None or artifact.organization_id is None:
        return []
    teams = Team.objects.filter(coaches=artifact.sender_id, organization=artifact.organization_id)
    return list(teams.values_list("pk", flat=True))
