"""The demo's clubs in the database: whether they may be there, whether they are, and putting them there."""

from dataclasses import dataclass
from random import Random

from voicepipeline.demo.rosters import CLUBS, LEFT, NOBODYS_PHONE, DemoClub
from voicepipeline.demo.scripts import Speaker, write_note
from voicepipeline.models import Coach, Organization, Player, Team
from voicepipeline.refusals import StartError


@dataclass(frozen=True)
class Sender:
    """A coach who sends notes, with those whom the notes are about."""

    coach: Coach
    speaker: Speaker

    @property
    def can_speak(self) -> bool:
        """Sentences are about two players and now and then another coach: people may have left too few."""
        return len(self.speaker.players) > 1 and bool(self.speaker.teams and self.speaker.coaches)

    def speaks(self, choose: Random) -> str:
        return write_note(choose, self.speaker)


@dataclass(frozen=True)
class Club:
    """A club's rows."""

    organization: Organization
    teams: tuple[Team, ...]
    players: tuple[Player, ...]
    senders: tuple[Sender, ...]


def are_there() -> bool:
    """Whether the demo's clubs are in the database; they come with their history, in one transaction."""
    return Coach.objects.filter(phone__in=[coach.phone for club in CLUBS for coach in club.coaches]).exists()


def refuse_own_data() -> None:
    """Made-up notes have no place among the notes of somebody's own clubs."""
    if not are_there() and Organization.objects.exists():
        raise StartError(
            "this database holds somebody's own clubs, and the demo would put made-up clubs and notes among them. "
            "Leave --demo out, or name an empty folder in VAR_DIR."
        )


def add_clubs() -> None:
    """Write clubs, teams, players and coaches."""
    for demo in CLUBS:
        club = Organization.objects.create(name=demo.name, slug=demo.slug, languages=list(demo.languages))
        teams = {
            team.name: team
            for team in Team.objects.bulk_create(Team(organization=club, name=team.name) for team in demo.teams)
        }
        Player.objects.bulk_create(
            Player(
                organization=club,
                team=teams[team.name],
                first_name=first,
                last_name=last,
                is_active=(first, last) != LEFT,
            )
            for team in demo.teams
            for first, last in team.players
        )
        _add_coaches(demo, club, teams)


def _add_coaches(demo: DemoClub, club: Organization, teams: dict[str, Team]) -> None:
    coaches = Coach.objects.bulk_create(
        Coach(
            organization=club,
            first_name=coach.first_name,
            last_name=coach.last_name,
            phone=coach.phone,
            trust_level=coach.trust_level,
            confirmation_threshold=coach.threshold,
        )
        for coach in demo.coaches
    )
    Coach.teams.through.objects.bulk_create(
        Coach.teams.through(coach_id=row.pk, team_id=teams[name].pk)
        for row, coach in zip(coaches, demo.coaches, strict=True)
        for name in coach.teams
    )


def read_clubs() -> list[Club]:
    """The demo's clubs as they are now: people may have changed their rosters."""
    found = Organization.objects.filter(slug__in=[club.slug for club in CLUBS], is_active=True).order_by("pk")
    return [_read(organization) for organization in found]


def _read(organization: Organization) -> Club:
    teams = tuple(organization.teams.order_by("pk"))
    players = tuple(organization.players.select_related("team").order_by("pk"))
    coaches = organization.coaches.filter(phone__startswith=NOBODYS_PHONE, is_active=True).order_by("pk")
    rows = list(coaches.prefetch_related("teams"))
    senders = (Sender(coach, _speaker(coach, players, rows)) for coach in rows)
    return Club(organization, teams, players, tuple(sender for sender in senders if sender.can_speak))


def _speaker(coach: Coach, players: tuple[Player, ...], coaches: list[Coach]) -> Speaker:
    own = sorted(coach.teams.all(), key=lambda team: team.pk)
    own_ids = {team.pk for team in own}
    names = [((player.first_name, player.last_name), player.team_id in own_ids) for player in players]
    return Speaker(
        players=[name for name, mine in names if mine],
        elsewhere=[name for name, mine in names if not mine],
        teams=[team.name for team in own],
        coaches=[other.first_name for other in coaches if other.pk != coach.pk],
    )
