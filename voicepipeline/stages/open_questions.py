"""Open questions of one note, asked of its club's roster again; what is answered already stays as it is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Q

from voicepipeline.models import Artifact, Claim, EntityResolution, MentionKind
from voicepipeline.stages import resolution
from voicepipeline.stages.names import Given, Match

Status = EntityResolution.Status

# A name that is unclear, or that nobody on the roster had; not one that a person said is nobody's.
OPEN = Q(status=Status.NEEDS_DISAMBIGUATION) | (
    Q(status=Status.UNRESOLVED, resolved_by__isnull=True) & ~Q(kind=MentionKind.GROUP_REFERENCE)
)
ANSWER = (
    "status",
    "player_id",
    "team_id",
    "coach_meant_id",
    "score",
    "reason",
    "candidates",
    "model_player_id",
    "model_agrees",
    "resolved_by_id",
    "resolved_at",
)
COLUMNS = tuple(name.removesuffix("_id") for name in ANSWER)

Question = tuple[str, str]


@dataclass(frozen=True)
class Answered:
    """How many questions were asked again, which of them have their answer, and the statements that it changes."""

    asked: int
    settled: frozenset[Question]
    changed: frozenset[int]


def is_open(row: EntityResolution) -> bool:
    unknown = row.status == Status.UNRESOLVED and row.resolved_by_id is None
    return row.status == Status.NEEDS_DISAMBIGUATION or (unknown and row.kind != MentionKind.GROUP_REFERENCE)


def ask_again(artifact: Artifact, *, only: Callable[[EntityResolution], bool] | None = None) -> Answered:
    """Match the names that are open, of those the ones that `only` picks, and keep what comes of it."""
    rows = [row for row in EntityResolution.objects.filter(OPEN, artifact=artifact) if only is None or only(row)]
    if not rows:
        return Answered(0, frozenset(), frozenset())
    given = resolution.load(artifact)
    found = resolution.of_those_who_stay(resolution.work(given).data.matches)
    changed = _keep(artifact, rows, {(match.mention.claim_id, match.mention.number): match for match in found})
    questions = {_question(row) for row in rows}
    settled = frozenset(questions - {_question(row) for row in rows if is_open(row)})
    _tell_claims(artifact, changed)
    resolution.count_uses(_names_used(given, [row for row in rows if _question(row) in settled]))
    return Answered(len(questions), settled, changed)


def _question(row: EntityResolution) -> Question:
    return row.kind, row.name_key


def _keep(artifact: Artifact, rows: Iterable[EntityResolution], found: dict[tuple[int, int], Match]) -> frozenset[int]:
    changed: set[int] = set()
    for row in rows:
        match = found.get((row.claim_id, row.mention_number))
        if match is None:
            continue
        fresh = resolution.row_of(artifact, match, claim_id=row.claim_id)
        answer = [getattr(fresh, name) for name in ANSWER]
        if answer == [getattr(row, name) for name in ANSWER]:
            continue
        for name, value in zip(ANSWER, answer, strict=True):
            setattr(row, name, value)
        row.save(update_fields=COLUMNS)
        changed.add(row.claim_id)
    return frozenset(changed)


def _tell_claims(artifact: Artifact, changed: frozenset[int]) -> None:
    unclear = EntityResolution.objects.filter(artifact=artifact, status=Status.NEEDS_DISAMBIGUATION)
    still = changed & set(unclear.values_list("claim_id", flat=True))
    Claim.objects.filter(pk__in=still).update(status=Claim.Status.NEEDS_DISAMBIGUATION)
    Claim.objects.filter(pk__in=changed - still).update(status=Claim.Status.RESOLVED)


def _names_used(given: Given, settled: Iterable[EntityResolution]) -> frozenset[int]:
    """The learned names by which an open question has found its answer."""
    meant = {(row.kind, row.name_key): row.player_id or row.team_id or row.coach_meant_id for row in settled}
    return frozenset(one.id for one in given.learned if meant.get((one.kind, one.key)) == one.target_id)
