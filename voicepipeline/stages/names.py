"""Who is meant by the mentions of one note, from its club's roster and people's answers: pure, on plain values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from voicepipeline.matching.deciding import OFFERED, Decision, Kind, Mention, decide
from voicepipeline.matching.keys import without_title
from voicepipeline.matching.ranking import Candidate
from voicepipeline.matching.roster import Alias, Person, Roster
from voicepipeline.matching.teams import Teams, decide_team
from voicepipeline.models import EntityResolution, MentionKind
from voicepipeline.operations.aliases import LearnedName
from voicepipeline.text import safe_text

Status = EntityResolution.Status

TARGETS = {
    MentionKind.PLAYER_NAME: "player",
    MentionKind.TEAM_NAME: "team",
    MentionKind.COACH_NAME: "coach_meant",
}
LONGEST_REASON = 300
# Different names in one note: half an hour of talk has fewer, and each costs time.
MOST_NAMES = 500

NO_CLUB = "The club of this voice note is not known, so there is no roster to look in."
A_GROUP = "A group of people, not one of them."
CHOSEN = "Chosen by a person."
NOBODY = "A person said that this is nobody on the roster."
CHOICE_GONE = "whoever was chosen for this name is no longer with the club"
TOO_MANY = "there are more names in this note than are looked up"
MODEL_TOO = "the AI took it for the same player"
MODEL_ALONE = "the AI took it for this player, but the name is not alike"


@dataclass(frozen=True)
class Spoken:
    """One mention of one claim."""

    claim_id: int
    claim_key: str
    number: int
    kind: str
    raw_text: str
    key: str
    position: int | None
    model_player: int | None

    @property
    def question(self) -> tuple[str, str]:
        """The same name of the same kind is one question in the whole note."""
        return self.kind, self.key


@dataclass(frozen=True)
class Choice:
    """What a person answered about a name; no target when it is nobody."""

    kind: str
    key: str
    claim_key: str
    target: tuple[str, int] | None
    chosen_by: int
    chosen_at: datetime


@dataclass(frozen=True)
class Given:
    """The mentions of a note, and everybody whom they may mean."""

    mentions: tuple[Spoken, ...] = ()
    choices: tuple[Choice, ...] = ()
    has_club: bool = False
    players: tuple[Person, ...] = ()
    teams: tuple[Person, ...] = ()
    coaches: tuple[Person, ...] = ()
    learned: tuple[LearnedName, ...] = ()
    own_teams: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Match:
    """What has become of one mention."""

    mention: Spoken
    status: str
    reason: str
    target: tuple[str, int] | None = None
    score: float | None = None
    candidates: tuple[dict[str, Any], ...] = ()
    model_player: int | None = None
    model_agrees: bool | None = None
    chosen_by: int | None = None
    chosen_at: datetime | None = None


class People:
    """Everybody whom the mentions of one note may mean, and what was decided about the names so far."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.choices = {(one.kind, one.key, one.claim_key): one for one in given.choices}
        self.present = {
            "player": {one.id: one for one in given.players},
            "team": {one.id: one for one in given.teams},
            "coach_meant": {one.id: one for one in given.coaches},
        }
        self.players = Roster(given.players, self._aliases(MentionKind.PLAYER_NAME))
        called = (Alias(without_title(one.text), one.person_id) for one in self._aliases(MentionKind.COACH_NAME))
        self.coaches = Roster(given.coaches, called)
        own = frozenset(team.id for team in given.own_teams)
        self.teams = Teams(given.teams, tuple(self._aliases(MentionKind.TEAM_NAME)), own)
        self.team_names = frozenset(team.name for team in given.own_teams)
        self.linked_by_model = self._linked_by_model()
        self.decisions: dict[tuple[str, str], Decision] = {}
        self.linked: dict[tuple[str, str], int | str] = {}

    def _aliases(self, kind: MentionKind) -> list[Alias]:
        return [name.alias for name in self.given.learned if name.kind == kind]

    def _linked_by_model(self) -> dict[tuple[str, str], list[int]]:
        """Whom the model took each name for, in the whole note; ids that are not of this club are nobody."""
        linked: dict[tuple[str, str], list[int]] = {}
        for mention in self.given.mentions:
            player = self._model_player(mention)
            if player is not None and player not in linked.setdefault(mention.question, []):
                linked[mention.question].append(player)
        return linked

    def _model_player(self, mention: Spoken) -> int | None:
        return mention.model_player if mention.model_player in self.present["player"] else None

    def match(self, mention: Spoken) -> Match:
        if mention.kind == MentionKind.GROUP_REFERENCE:
            return Match(mention, Status.AUTO_RESOLVED, A_GROUP)
        if not self.given.has_club:
            return Match(mention, Status.UNRESOLVED, NO_CLUB)
        found = self._chosen(mention) or self._decided(mention)
        model = self._model_player(mention)
        if model is None:
            return found
        return replace(found, model_player=model, model_agrees=_agrees(found, model))

    def _chosen(self, mention: Spoken) -> Match | None:
        """What a person answered: about this mention alone, or about the name in the whole note."""
        choice = self._choice(mention)
        if choice is None or self._is_gone(choice):
            return None
        status, reason = (Status.USER_RESOLVED, CHOSEN) if choice.target else (Status.UNRESOLVED, NOBODY)
        return Match(mention, status, reason, choice.target, chosen_by=choice.chosen_by, chosen_at=choice.chosen_at)

    def _choice(self, mention: Spoken) -> Choice | None:
        of_claim = self.choices.get((*mention.question, mention.claim_key))
        return of_claim or self.choices.get((*mention.question, ""))

    def _is_gone(self, choice: Choice) -> bool:
        return choice.target is not None and choice.target[1] not in self.present[choice.target[0]]

    def _decided(self, mention: Spoken) -> Match:
        decision = self._decision(mention)
        choice = self._choice(mention)
        if choice is not None:  # and whom it means has left
            doubt = Kind.ASK if decision.candidates else Kind.NONE
            decision = replace(decision, kind=doubt, person=None, reason=CHOICE_GONE)
        reason = safe_text(_sentence(decision.reason), LONGEST_REASON)
        if decision.person is not None:
            best = decision.candidates[0]
            self.linked[mention.question] = decision.person.id
            target = (TARGETS[MentionKind(mention.kind)], int(decision.person.id))
            offered = _as_rows(decision.candidates)
            return Match(mention, Status.AUTO_RESOLVED, reason, target, round(best.score, 1), offered)
        status = Status.NEEDS_DISAMBIGUATION if decision.kind is Kind.ASK else Status.UNRESOLVED
        best_score = round(decision.candidates[0].score, 1) if decision.candidates else None
        return Match(mention, status, reason, None, best_score, _as_rows(decision.candidates))

    def _decision(self, mention: Spoken) -> Decision:
        decision = self.decisions.get(mention.question)
        if decision is None:
            few = len(self.decisions) < MOST_NAMES
            decision = self._decide(mention.kind, mention.raw_text) if few else Decision(Kind.NONE, TOO_MANY)
            decision = self._with_the_models_view(mention.question, decision)
            self.decisions[mention.question] = decision
        return decision

    def _decide(self, kind: str, text: str) -> Decision:
        if kind == MentionKind.TEAM_NAME:
            return decide_team(text, self.teams)
        if kind == MentionKind.COACH_NAME:
            return decide(Mention(without_title(text)), self.coaches)
        return decide(Mention(text, self.team_names), self.players)

    def _with_the_models_view(self, question: tuple[str, str], decision: Decision) -> Decision:
        """Whom the model meant is told beside a question, and makes one of a name that we cannot place.

        It never links anybody and raises no score: a model guesses, and does what it reads in a note.
        """
        meant = self.linked_by_model.get(question)
        if not meant or decision.kind is Kind.LINK or question[0] != MentionKind.PLAYER_NAME:
            return decision
        offered = [_told(one) if one.person.id in meant else one for one in decision.candidates]
        known = {one.person.id for one in offered}
        alone = [self.present["player"][pk] for pk in meant if pk not in known][:OFFERED]
        offered = [*offered[: OFFERED - len(alone)], *(Candidate(one, 0, None, None, MODEL_ALONE) for one in alone)]
        reason = decision.reason if decision.kind is Kind.ASK else f"{decision.reason}; the AI took it for a player"
        return Decision(Kind.ASK, reason, candidates=tuple(offered))

    def used(self) -> frozenset[int]:
        """The learned names by which somebody was linked."""
        return frozenset(one.id for one in self.given.learned if self.linked.get((one.kind, one.key)) == one.target_id)


def _told(candidate: Candidate) -> Candidate:
    return replace(candidate, reason=f"{candidate.reason}; {MODEL_TOO}")


def _agrees(found: Match, model_player: int) -> bool | None:
    """Unknown while it is a question."""
    if found.status == Status.NEEDS_DISAMBIGUATION:
        return None
    return found.target == ("player", model_player)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}." if reason else ""


def _as_rows(candidates: Iterable[Candidate]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "id": one.person.id,
            "name": one.person.name,
            "score": round(one.score, 1),
            "reason": safe_text(one.reason, LONGEST_REASON),
        }
        for one in candidates
    )
