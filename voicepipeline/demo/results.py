"""What the stages would have made of a note, by the stages' own rules; only the model's part is the simulator's."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from voicepipeline.ai.schemas import ClaimsShape
from voicepipeline.demo.clubs import Club, Sender
from voicepipeline.demo.recordings import Recording
from voicepipeline.matching.keys import name_key
from voicepipeline.matching.roster import Person
from voicepipeline.models import (
    Artifact,
    Claim,
    EntityResolution,
    EntryDecision,
    InsightDraft,
    NameChoice,
    Player,
    Transcript,
)
from voicepipeline.operations.aliases import LearnedName
from voicepipeline.policies.claims import Checked, check
from voicepipeline.policies.quality import judge
from voicepipeline.simulator.statements import Rostered, statements
from voicepipeline.stages import resolution
from voicepipeline.stages.contract import StageOutput
from voicepipeline.stages.names import Choice, Given, Match, Spoken


@dataclass
class Surroundings:
    """A club as matching sees it; `learned` grows with what people teach it."""

    club: Club
    players: tuple[Person, ...]
    teams: tuple[Person, ...]
    coaches: tuple[Person, ...]
    learned: list[tuple[datetime, LearnedName]] = field(default_factory=list)

    @classmethod
    def of(cls, club: Club) -> "Surroundings":
        coaches = [sender.coach for sender in club.senders]
        return cls(
            club,
            tuple(_person(player) for player in club.players),
            tuple(Person(team.pk, team.name, active=team.is_active) for team in club.teams),
            tuple(Person(coach.pk, coach.first_name, coach.last_name, active=coach.is_active) for coach in coaches),
        )

    @cached_property
    def names(self) -> dict[tuple[str, int | None], str]:
        """What players and coaches are called."""
        names: dict[tuple[str, int | None], str] = {("player", one.pk): str(one) for one in self.club.players}
        names.update({("coach_meant", sender.coach.pk): str(sender.coach) for sender in self.club.senders})
        return names

    def teams_of(self, sender: Sender) -> tuple[Person, ...]:
        own = {team.pk for team in sender.coach.teams.all()}
        return tuple(team for team in self.teams if team.id in own)

    def offered(self) -> dict[str, Person]:
        return {str(person.id): person for person in self.players if person.active}

    def learned_before(self, moment: datetime) -> tuple[LearnedName, ...]:
        return tuple(name for taught_at, name in self.learned if taught_at < moment)


def _person(player: Player) -> Person:
    team = player.team.name if player.team else None
    return Person(player.pk, player.first_name, player.last_name, team, player.is_active)


@dataclass
class Results:
    """The rows of one note. Claims know their number only, until they are saved."""

    transcript: Transcript | None = None
    claims: list[Claim] = field(default_factory=list)
    choices: list[NameChoice] = field(default_factory=list)
    matches: tuple[Match, ...] = ()
    resolutions: list[EntityResolution] = field(default_factory=list)
    drafts: list[InsightDraft] = field(default_factory=list)
    decisions: list[EntryDecision] = field(default_factory=list)


def transcript_of(
    artifact: Artifact,
    text: str,
    recording: Recording | None,
    *,
    languages: list[str],
    model: str,
    created_at: datetime,
) -> Transcript:
    seconds = None if recording is None else Decimal(str(recording.seconds))
    heard = ["en"] if recording and text else []
    judgement = judge(
        text, duration_seconds=seconds, languages=heard, expected_languages=languages, typed=recording is None
    )
    return Transcript(
        artifact=artifact,
        text=text,
        languages=heard,
        duration_seconds=seconds,
        ai_model=model if recording else "",
        is_typed=recording is None,
        verdict=judgement.verdict.value,
        verdict_reasons=list(judgement.reasons),
        created_at=created_at,
    )


def read_claims(text: str, around: Surroundings) -> Checked:
    """The statements that the simulated model finds, held against the transcript."""
    roster = [Rostered(key, person.name, person.team or "") for key, person in around.offered().items()]
    answer = ClaimsShape.model_validate({"claims": statements(text, roster)})
    return check(answer, transcript=text, offered=around.offered())


def match_names(
    claims: list[Claim], sender: Sender, around: Surroundings, moment: datetime, choices: tuple[Choice, ...] = ()
) -> StageOutput:
    """What the matching stage says of these statements."""
    given = Given(
        tuple(_spoken(claim, number, mention) for claim in claims for number, mention in enumerate(claim.mentions, 1)),
        choices,
        has_club=True,
        players=around.players,
        teams=around.teams,
        coaches=around.coaches,
        learned=around.learned_before(moment),
        own_teams=around.teams_of(sender),
    )
    return resolution.work(given)


def _spoken(claim: Claim, number: int, mention: dict[str, Any]) -> Spoken:
    kind, text = mention["kind"], mention["raw_text"]
    # The statement's number stands for its key until it is saved.
    return Spoken(
        claim.number, claim.key, number, kind, text, name_key(kind, text), mention["position"], mention["player_id"]
    )


def keep_matches(artifact: Artifact, results: Results, matches: tuple[Match, ...], moment: datetime) -> None:
    """Put these matches in the place of earlier ones, as the matching stage does."""
    by_number = {claim.number: claim for claim in results.claims}
    results.matches = matches
    results.resolutions = [
        resolution.row_of(artifact, one, claim=by_number[one.mention.claim_id], created_at=moment) for one in matches
    ]
    unclear = {one.mention.claim_id for one in matches if one.status == EntityResolution.Status.NEEDS_DISAMBIGUATION}
    for claim in results.claims:
        is_unclear = claim.number in unclear
        claim.status = Claim.Status.NEEDS_DISAMBIGUATION if is_unclear else Claim.Status.RESOLVED
