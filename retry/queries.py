"""What was retried, and what a retry would do: read alone, in a number of queries that no number of notes changes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet

from retry.estimates import NOTHING, Rates, Spoken, at_once, calls_in, recent_rates, time_for
from retry.facts import load_facts
from retry.kinds import KINDS, Kind
from retry.limits import Limits, limits
from retry.models import RetryAttempt
from retry.policies import Facts, Verdict, decide, is_destructive
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import (
    Artifact,
    Claim,
    EntityResolution,
    InsightDraft,
    StageName,
    Transcript,
    User,
)
from voicepipeline.stages import Stage

Status = InsightDraft.Status
TRANSCRIPTS, STATEMENTS = "transcripts", "statements"
NAMES, ENTRIES = "matched names", "suggested entries"
# What goes when a stage is run again, by the names that its `remove` has for it. Entries go by who decided about them.
MADE_IN: tuple[tuple[str, StageName, type[Model]], ...] = (
    (TRANSCRIPTS, StageName.TRANSCRIPTION, Transcript),
    (STATEMENTS, StageName.CLAIMS_EXTRACTION, Claim),
    (NAMES, StageName.ENTITY_RESOLUTION, EntityResolution),
)
NO_ROWS: Mapping[str, int] = {}


def still_failed(attempts: QuerySet[RetryAttempt]) -> QuerySet[RetryAttempt]:
    """Those that failed and after which nothing came: the newest of each note that is failed now, and not closed."""
    newer = RetryAttempt.objects.filter(artifact=OuterRef("artifact"), number__gt=OuterRef("number"))
    failed = attempts.filter(
        outcome=RetryAttempt.Outcome.FAILED,
        artifact__status=Artifact.Status.FAILED,
        artifact__closed_at__isnull=True,
    )
    return failed.exclude(Exists(newer))


@dataclass(frozen=True)
class PreviewedNote:
    """What the retry of one note would do, or why there would be none."""

    artifact_pk: int
    artifact_id: UUID
    kind: str  # empty when none fits
    generation: int
    verdict: Verdict
    deleted: dict[str, int]
    cost_usd: Decimal | None
    problem_before: str
    calls: int = 0
    works: timedelta | None = None

    @property
    def is_possible(self) -> bool:
        return self.verdict.refusal is None

    @property
    def stages(self) -> tuple[Stage, ...]:
        return KINDS[self.kind].stage.from_here if self.is_possible else ()


@dataclass(frozen=True)
class Preview:
    """What retrying these notes would do, all together. Only of those that may be retried, but for the refusals."""

    asked_for: str
    notes: tuple[PreviewedNote, ...]
    possible: int
    refused: int
    refusals: list[tuple[str, int]]  # why and how many, most first
    kinds: dict[str, int]
    deleted: dict[str, int]
    with_confirmed: int  # voice notes
    confirmed: int  # entries
    runs: int
    calls: int
    cost_usd: Decimal | None
    without_cost: int  # voice notes
    takes: timedelta | None
    on_hold: list[tuple[str, int]]  # why and how many voice notes, most first
    needs_reason: str
    as_of: datetime  # nothing that came later is in it for sure


@dataclass(frozen=True)
class _Known:
    """Everything that the preview of one note is made from."""

    artifact_id: UUID
    facts: Facts
    spoken: Spoken
    rows: Mapping[str, int] = field(default_factory=dict)
    decided: int = 0  # entries that only starting over deletes


def get_retry_history(artifact: Artifact) -> list[RetryAttempt]:
    """The retries of this note, the newest first."""
    attempts = RetryAttempt.objects.filter(artifact=artifact).order_by("-number")
    return list(attempts.select_related("requested_by", "bulk_item__bulk"))


def preview_retry(artifacts: Sequence[int], kind: str, *, by: User | None, bulk: bool = True) -> Preview:
    """What this retry of these notes would do if this person asked for it now; one kind, or of each what failed."""
    now = database_now()
    known = _load(artifacts, by=by, now=now)
    rates = recent_rates(now)
    verdicts = _verdicts(kind, known, now=now, bulk=bulk)
    notes = tuple(_previewed(pk, known[pk], verdict, rates) for pk, verdict in verdicts.items())
    return _summed_up(kind, notes, side_by_side=at_once() if bulk else 1, as_of=now)


def _load(artifacts: Sequence[int], *, by: User | None, now: datetime) -> dict[int, _Known]:
    """In the order in which the notes were named, each once."""
    facts = load_facts(artifacts, by=by, now=now)
    rows, decided = _rows_of(artifacts)
    notes = Artifact.objects.filter(pk__in=artifacts).order_by()
    details = notes.values_list("pk", "artifact_id", "outcome", "voice_note__audio", "voice_note__duration_seconds")
    by_pk = {
        pk: _Known(
            artifact_id,
            facts[pk],
            Spoken(is_typed=not audio, seconds=seconds, is_silent=outcome == Artifact.Outcome.NO_SPEECH),
            rows.get(pk, NO_ROWS),
            decided.get(pk, 0),
        )
        for pk, artifact_id, outcome, audio, seconds in details
        if pk in facts
    }
    return {pk: by_pk[pk] for pk in dict.fromkeys(artifacts) if pk in by_pk}


def _rows_of(artifacts: Sequence[int]) -> tuple[Mapping[int, Mapping[str, int]], Mapping[int, int]]:
    """What was made of each note, and how many entries were decided on by people or applied."""
    rows: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for words, _, model in MADE_IN:
        for pk, number in _counted(model, artifacts):
            rows[pk][words] = number
    machine_made = Q(status__in=[Status.PENDING, Status.EXPIRED]) | Q(status=Status.CONFIRMED, automatic=True)
    entries = InsightDraft.objects.filter(artifact__in=artifacts).exclude(status=Status.REJECTED).order_by()
    counted = entries.values_list("artifact").annotate(undecided=Count("pk", filter=machine_made), number=Count("pk"))
    decided = {}
    for pk, undecided, all_of_them in counted:
        rows[pk][ENTRIES] = undecided
        decided[pk] = all_of_them - undecided
    return rows, decided


def _counted(model: type[Model], artifacts: Sequence[int]) -> Iterable[tuple[int, int]]:
    rows: Any = model._default_manager.filter(artifact__in=artifacts).order_by()
    counted: Iterable[tuple[int, int]] = rows.values_list("artifact").annotate(number=Count("pk"))
    return counted


def _verdicts(asked_for: str, known: Mapping[int, _Known], *, now: datetime, bulk: bool) -> dict[int, Verdict]:
    """One after the other, for what a person may destroy within an hour is used up by the notes before."""
    how: Limits = limits()
    verdicts: dict[int, Verdict] = {}
    used_up: tuple[datetime, ...] = ()
    for pk, note in known.items():
        facts = replace(note.facts, destructive=note.facts.destructive + used_up) if used_up else note.facts
        verdict = decide(asked_for, facts, how, now=now, bulk=bulk)
        if verdict.refusal is None and is_destructive(KINDS[verdict.kind], verdict.confirmed):
            used_up += (now,)
        verdicts[pk] = verdict
    return verdicts


def _previewed(pk: int, note: _Known, verdict: Verdict, rates: Rates) -> PreviewedNote:
    possible = KINDS[verdict.kind] if verdict.refusal is None else None
    stages = possible.stage.from_here if possible else ()
    return PreviewedNote(
        artifact_pk=pk,
        artifact_id=note.artifact_id,
        kind=verdict.kind,
        generation=note.facts.generation,
        verdict=verdict,
        deleted=_deleted(possible, note) if possible else {},
        cost_usd=rates.cost_of(stages, note.spoken) if possible else None,
        problem_before=note.facts.problem,
        calls=len(calls_in(stages, note.spoken)),
        works=rates.work_of(stages) if possible else None,
    )


def _deleted(kind: Kind, note: _Known) -> dict[str, int]:
    """What of this note the stages from here on take away; starting over also what was decided, but not refused."""
    again = {stage.name for stage in kind.stage.from_here}
    going = {words: note.rows.get(words, 0) for words, stage, _ in MADE_IN if stage in again}
    going[ENTRIES] = note.rows.get(ENTRIES, 0) + (note.decided if kind.starts_over else 0)
    return {words: number for words, number in going.items() if number}


def _summed_up(asked_for: str, notes: tuple[PreviewedNote, ...], *, side_by_side: int, as_of: datetime) -> Preview:
    possible = [note for note in notes if note.is_possible]
    costs = [note.cost_usd for note in possible if note.cost_usd is not None]
    works = [note.works for note in possible if note.works is not None]
    deleted: Counter[str] = Counter()
    for note in possible:
        deleted.update(note.deleted)
    return Preview(
        asked_for=asked_for,
        notes=notes,
        possible=len(possible),
        refused=len(notes) - len(possible),
        refusals=_most_first(note.verdict.refusal.group for note in notes if note.verdict.refusal),
        kinds=dict(_most_first(note.kind for note in possible)),
        deleted={words: deleted[words] for words in (TRANSCRIPTS, STATEMENTS, NAMES, ENTRIES) if deleted[words]},
        with_confirmed=sum(note.verdict.confirmed > 0 for note in possible),
        confirmed=sum(note.verdict.confirmed for note in possible),
        runs=sum(len(note.stages) for note in possible),
        calls=sum(note.calls for note in possible),
        cost_usd=sum(costs, NOTHING) if costs else None,
        without_cost=len(possible) - len(costs),
        takes=time_for(works, side_by_side) if possible and len(works) == len(possible) else None,
        on_hold=_most_first(note.verdict.on_hold for note in possible if note.verdict.on_hold),
        needs_reason=next((note.verdict.needs_reason for note in possible if note.verdict.needs_reason), ""),
        as_of=as_of,
    )


def _most_first(words: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(words).items(), key=lambda counted: (-counted[1], counted[0]))
