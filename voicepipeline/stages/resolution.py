"""Matching names: every mention of every statement is linked to somebody, asked about, or found not on the roster.

No model has a say in it. Whom one linked is checked against our own decision, and at most offered to a person.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import F
from django.utils import timezone

from voicepipeline.matching.keys import name_key
from voicepipeline.models import (
    Artifact,
    Claim,
    EntityResolution,
    EventType,
    MentionKind,
    NameChoice,
    Player,
    PlayerAlias,
)
from voicepipeline.operations.aliases import coaches_of, learned_names, players_of, teams_of, teams_of_coach
from voicepipeline.stages.contract import Remark, StageOutput
from voicepipeline.stages.merged import merged_players, moved_candidates, staying
from voicepipeline.stages.names import Choice, Given, Match, People, Spoken, Status
from voicepipeline.text import safe_text

LONGEST_NAME = 200


@dataclass(frozen=True)
class Result:
    matches: tuple[Match, ...]
    used: frozenset[int] = field(default_factory=frozenset)  # learned names that decided something


def load(artifact: Artifact) -> Given:
    """The mentions, the roster and people's answers, in as many queries for a long note as for a short one."""
    club = artifact.organization_id
    merged = merged_players(club) if club is not None else {}
    mentions = tuple(_mentions(artifact, merged))
    if not mentions or club is None:
        return Given(mentions)
    return Given(
        mentions,
        tuple(_choice(row, merged) for row in NameChoice.objects.filter(artifact=artifact, undone_at__isnull=True)),
        has_club=True,
        players=players_of(club),
        teams=teams_of(club),
        coaches=coaches_of(club),
        learned=learned_names(club, artifact.sender_id),
        own_teams=teams_of_coach(artifact.sender_id, club) if artifact.sender_id else (),
    )


def _mentions(artifact: Artifact, merged: Mapping[int, int]) -> Iterator[Spoken]:
    rows = Claim.objects.filter(artifact=artifact).order_by("number").values_list("pk", "key", "mentions")
    for claim_id, claim_key, mentions in rows:
        for number, given in enumerate(mentions, start=1):
            kind, text = given["kind"], given["raw_text"]
            key, by_model = name_key(kind, text), given["player_id"]
            linked = merged.get(by_model, by_model)
            yield Spoken(claim_id, claim_key, number, kind, text, key, given["position"], linked)


def _choice(row: NameChoice, merged: Mapping[int, int]) -> Choice:
    player = merged.get(row.player_id, row.player_id) if row.player_id is not None else None
    targets = {"player": player, "team": row.team_id, "coach_meant": row.coach_meant_id}
    target = next(((name, pk) for name, pk in targets.items() if pk is not None), None)
    return Choice(row.kind, row.name_key, row.claim_key, target, row.chosen_by_id, row.chosen_at)


def work(given: Given) -> StageOutput:
    """Decide each name once, then answer each mention from it, or from what a person chose."""
    people = People(given)
    matches = tuple(people.match(mention) for mention in given.mentions)
    return StageOutput(Result(matches, people.used()), metadata=_counts(matches))


def _counts(matches: Iterable[Match]) -> dict[str, int]:
    """For the event: mentions by what became of them, and questions, of which several mentions may be one."""
    found = list(matches)
    statuses = [match.status for match in found]
    return {
        "entity_count": len(found),
        "auto_resolved": statuses.count(Status.AUTO_RESOLVED),
        "user_resolved": statuses.count(Status.USER_RESOLVED),
        "unresolved": statuses.count(Status.UNRESOLVED),
        "disambiguation_count": _questions(found),
        "model_disagreed": sum(match.model_agrees is False for match in found),
    }


def _questions(matches: Iterable[Match]) -> int:
    return len({match.mention.question for match in matches if match.status == Status.NEEDS_DISAMBIGUATION})


def store(artifact: Artifact, data: Result) -> list[Remark]:
    """Put these matches in the place of earlier ones, and say so when a person has to look."""
    data = replace(data, matches=of_those_who_stay(data.matches))
    EntityResolution.objects.filter(artifact=artifact).delete()
    rows = (row_of(artifact, match, claim_id=match.mention.claim_id) for match in data.matches)
    EntityResolution.objects.bulk_create(rows)
    unclear = {match.mention.claim_id for match in data.matches if match.status == Status.NEEDS_DISAMBIGUATION}
    claims = Claim.objects.filter(artifact=artifact)
    claims.filter(pk__in=unclear).update(status=Claim.Status.NEEDS_DISAMBIGUATION)
    claims.exclude(pk__in=unclear).update(status=Claim.Status.RESOLVED)
    count_uses(data.used)
    if not unclear:
        return []
    return [Remark(EventType.ENTITY_NEEDS_DISAMBIGUATION, metadata={"disambiguation_count": _questions(data.matches)})]


def of_those_who_stay(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """The same matches, with those who stay in the place of players who were merged since they were made."""
    known = {pk for match in matches for pk in _players_in(match)}
    winners = staying(known) if known else {}
    if not winners:
        return matches
    rows = Player.objects.in_bulk(set(winners.values()))
    return tuple(_moved(match, {pk: rows[winner] for pk, winner in winners.items()}) for match in matches)


def _players_in(match: Match) -> Iterator[int]:
    if match.mention.kind == MentionKind.PLAYER_NAME:
        yield from (one["id"] for one in match.candidates)
    if match.target is not None and match.target[0] == "player":
        yield match.target[1]
    if match.model_player is not None:
        yield match.model_player


def _moved(match: Match, winners: Mapping[int, Player]) -> Match:
    if winners.keys().isdisjoint(_players_in(match)):
        return match
    target, model = match.target, match.model_player
    if target is not None and target[0] == "player" and target[1] in winners:
        target = "player", winners[target[1]].pk
    model = winners[model].pk if model is not None and model in winners else model
    agrees = match.model_agrees if match.model_agrees is None else target == ("player", model)
    candidates = tuple(moved_candidates(match.candidates, winners))
    return replace(match, target=target, candidates=candidates, model_player=model, model_agrees=agrees)


def row_of(artifact: Artifact, match: Match, **more: Any) -> EntityResolution:
    """The row of one match; which claim's it is, the caller says."""
    mention = match.mention
    return EntityResolution(
        artifact=artifact,
        organization_id=artifact.organization_id,
        sender_id=artifact.sender_id,
        mention_number=mention.number,
        kind=mention.kind,
        raw_text=safe_text(mention.raw_text, LONGEST_NAME),
        name_key=mention.key,
        position=mention.position,
        status=match.status,
        score=match.score,
        reason=match.reason,
        candidates=list(match.candidates),
        model_player_id=match.model_player,
        model_agrees=match.model_agrees,
        resolved_by_id=match.chosen_by,
        resolved_at=match.chosen_at,
        **({f"{match.target[0]}_id": match.target[1]} if match.target else {}),
        **more,
    )


def count_uses(used: frozenset[int]) -> None:
    """Keep that these learned names have decided something once more."""
    if not used:
        return
    # In one order: two notes that use the same two names would else wait for each other.
    rows = PlayerAlias.objects.filter(pk__in=used).order_by("pk").select_for_update(no_key=True)
    in_order = list(rows.values_list("pk", flat=True))
    PlayerAlias.objects.filter(pk__in=in_order).update(use_count=F("use_count") + 1, last_used_at=timezone.now())


def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
    """Delete the matches; what people chose stays, and so do the statements."""
    deleted, _ = EntityResolution.objects.filter(artifact=artifact).delete()
    Claim.objects.filter(artifact=artifact).update(status=Claim.Status.EXTRACTED)
    return {"matched names": deleted}
