"""The second stage: the statements in a transcript, as a model reads them and we could check them."""

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from django.utils import timezone

from voicepipeline.ai.client import provider
from voicepipeline.ai.pricing import Price
from voicepipeline.ai.prompts import RosterLine, claims_prompt
from voicepipeline.ai.schemas import ClaimsShape
from voicepipeline.matching.roster import Person
from voicepipeline.models import Artifact, Claim, EntityResolution, InsightDraft, Topic, Transcript
from voicepipeline.operations.prices import prices_on
from voicepipeline.policies.claims import Checked, CheckedClaim, check
from voicepipeline.stages.contract import NO_USAGE, PermanentFault, StageOutput, Usage
from voicepipeline.stages.rosters import players_own_teams_first

# A line is about 25 tokens: 300 players cost as much as an hour of speech, and more would drown the likely ones.
MAX_ROSTER = 300


@dataclass(frozen=True)
class Given:
    """What was said, empty when nothing was, and whom it may be about."""

    transcript: str
    roster: tuple[Person, ...] = ()
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Extracted:
    """The statements to keep, and what read them."""

    claims: tuple[CheckedClaim, ...] = ()
    ai_model: str = ""
    prompt_version: str = ""


def load(artifact: Artifact) -> Given:
    """The transcript, and the players whom its coach may speak of."""
    transcript = Transcript.objects.filter(artifact=artifact).first()
    if transcript is None:
        message = "There is no transcript to read statements from. Run this voice note again from Transcription."
        raise PermanentFault("transcript_missing", message)
    if transcript.verdict == Transcript.Verdict.NO_SPEECH or not transcript.text.strip():
        return Given("")
    players = players_own_teams_first(artifact, most=MAX_ROSTER)
    return Given(
        transcript=transcript.text,
        roster=tuple(
            Person(player.pk, player.first_name, player.last_name, player.team.name if player.team else None)
            for player in players
        ),
        prices=prices_on(timezone.now().date()),
    )


def work(given: Given) -> StageOutput:
    """Ask the model, unless nothing was said, and keep of its answer what the transcript bears out."""
    if not given.transcript:
        return _output(Checked(), NO_USAGE)
    lines = (RosterLine(str(person.id), person.name, person.team or "") for person in given.roster)
    prompt = claims_prompt(given.transcript, lines)
    answer = provider().complete_json(prompt, ClaimsShape, prices=given.prices)
    people = {str(person.id): person for person in given.roster}
    offered = {roster_id: people[key] for roster_id, key in prompt.keys_by_id.items()}
    return _output(check(answer.data, transcript=given.transcript, offered=offered), answer.usage)


def store(artifact: Artifact, data: Extracted) -> None:
    """Keep the statements in place of all earlier ones."""
    remove(artifact)
    read_by = {"ai_model": data.ai_model, "prompt_version": data.prompt_version}
    Claim.objects.bulk_create(
        row_of(artifact, number, claim, **read_by) for number, claim in enumerate(data.claims, start=1)
    )


def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
    """Delete the statements, with the matched names and the undecided entries that hang on them.

    Entries that somebody has decided about stay, and forget which statement they came from.
    """
    pending = InsightDraft.objects.filter(artifact=artifact, claim__isnull=False, status=InsightDraft.Status.PENDING)
    entries, _ = pending.delete()
    _, deleted = Claim.objects.filter(artifact=artifact).delete()
    return {
        "statements": deleted.get(Claim._meta.label, 0),
        "matched names": deleted.get(EntityResolution._meta.label, 0),
        "suggested entries": entries,
    }


def row_of(artifact: Artifact, number: int, claim: CheckedClaim, **more: Any) -> Claim:
    """The row that keeps this statement."""
    return Claim(
        artifact=artifact,
        number=number,
        key=claim.key,
        topic=claim.topic,
        title=claim.title or Topic(claim.topic).label,
        description=claim.description,
        quote=claim.quote,
        quote_start=claim.place.start if claim.place else None,
        quote_end=claim.place.end if claim.place else None,
        mentions=[asdict(mention) for mention in claim.mentions],
        confidence=claim.confidence,
        recommended_action=claim.recommended_action,
        time_reference=claim.time_reference,
        severity=claim.severity,
        sentiment=claim.sentiment,
        skill_name=claim.skill_name,
        skill_rating=claim.skill_rating,
        **more,
    )


def _output(checked: Checked, usage: Usage) -> StageOutput:
    return StageOutput(Extracted(checked.claims, usage.ai_model, usage.prompt_version), usage, figures_of(checked))


def figures_of(checked: Checked) -> dict[str, Any]:
    """What the event says of the statements: the figures by which a bad prompt can be seen."""
    sureness = [claim.confidence for claim in checked.claims if claim.confidence is not None]
    return {
        "claim_count": len(checked.claims),
        "entity_count": checked.mention_count,
        "claims_unsupported": checked.unsupported_quotes,
        "claims_dropped": checked.dropped_claims,
        "claims_dropped_ids": checked.dropped_ids,
        "claims_mentions_dropped": checked.dropped_mentions,
        "claims_links_cleared": checked.cleared_links,
        "confidence_score": fmean(sureness) if sureness else None,
    }
