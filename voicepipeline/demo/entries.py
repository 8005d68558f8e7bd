"""The entries that the last stage would have suggested for a note of the history, by that stage's own rules."""

from datetime import datetime

from voicepipeline.demo.clubs import Sender
from voicepipeline.demo.results import Results, Surroundings
from voicepipeline.models import Artifact, Claim, InsightDraft, Transcript
from voicepipeline.policies.drafts import LIFETIME, bears_out
from voicepipeline.stages import drafts
from voicepipeline.stages.contract import StageOutput
from voicepipeline.stages.drafts import COPIED, Entry, Given, Name, Read, Rule
from voicepipeline.stages.names import Match

Status = InsightDraft.Status


def suggest(results: Results, sender: Sender, around: Surroundings) -> StageOutput:
    """What the stage says of these statements and matches."""
    by_claim: dict[int, list[Match]] = {}
    for match in results.matches:
        by_claim.setdefault(match.mention.claim_id, []).append(match)
    said = results.transcript.text if results.transcript else ""
    read = tuple(_read(claim, said, by_claim.get(claim.number, []), around) for claim in results.claims)
    own = [int(team.id) for team in around.teams_of(sender) if team.active]
    flagged = results.transcript is None or results.transcript.verdict != Transcript.Verdict.GOOD
    rule = Rule(sender.coach.trust_level, sender.coach.confirmation_threshold, flagged=flagged)
    return drafts.work(Given(read, rule, own[0] if len(own) == 1 else None))


def _read(claim: Claim, said: str, matches: list[Match], around: Surroundings) -> Read:
    return Read(
        id=claim.number,
        key=claim.key,
        confidence=claim.confidence,
        supported=bears_out(said, claim.quote_start, claim.quote_end),
        title=claim.title,
        description=claim.description,
        recommended_action=claim.recommended_action,
        copied={name: getattr(claim, name) for name in COPIED},
        names=tuple(_name(match, around) for match in matches),
    )


def _name(match: Match, around: Surroundings) -> Name:
    kind, pk = match.target or ("", None)
    return Name(
        kind=match.mention.kind,
        raw_text=match.mention.raw_text,
        status=match.status,
        by_person=match.chosen_by is not None,
        player=pk if kind == "player" else None,
        team=pk if kind == "team" else None,
        right_name=around.names.get((kind, pk), ""),
        score=match.score,
    )


def keep_entries(artifact: Artifact, results: Results, entries: tuple[Entry, ...], moment: datetime) -> None:
    """Put these entries in the place of those that nobody has decided about, as the stage does."""
    decided = [draft for draft in results.drafts if draft.status != Status.PENDING]
    known = {draft.key for draft in decided}
    claims = {claim.number: claim for claim in results.claims}
    since = {"created_at": moment, "expires_at": moment + LIFETIME}
    made = [
        drafts.row_of(artifact, entry, moment, claim=claims[entry.claim_id], **since)
        for entry in entries
        if entry.key not in known
    ]
    results.drafts = [*decided, *made]
