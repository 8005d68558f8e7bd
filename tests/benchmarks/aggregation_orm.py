"""An hour of history as one would write it with the ORM: events as objects, figures in Python, rows by upsert."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil, log

from django.db import transaction

from metrics.models import END_TO_END, MetricsSnapshot, PromptSnapshot, SourceSnapshot, StageSnapshot
from voicepipeline.models import Organization, PipelineEvent
from voicepipeline.stages import IN_ORDER

HOUR = timedelta(hours=1)
BENEATH = {StageSnapshot: "stage", SourceSnapshot: "source_channel", PromptSnapshot: "prompt_version"}
COUNTS = {
    "claims_extracted": {"claims": "claim_count", "claims_unsupported": "claims_unsupported"},
    "entity_resolution_completed": {
        "entities": "entity_count",
        "entities_auto_resolved": "auto_resolved",
        "entities_user_resolved": "user_resolved",
        "entities_unresolved": "unresolved",
        "disambiguations": "disambiguation_count",
    },
    "drafts_generated": {"drafts": "draft_count", "drafts_automatic": "automatic_count"},
}
CONFIDENCES = {
    "transcription_completed": ("transcript_confidence", "transcripts_with_confidence"),
    "claims_extracted": ("claim_confidence", "notes_with_claim_confidence"),
}
NOTES = {
    "artifact_received": "artifacts_received",
    "artifact_completed": "artifacts_completed",
    "artifact_failed": "artifacts_failed",
}
DECISIONS = {
    "draft_confirmed": "drafts_confirmed",
    "draft_rejected": "drafts_rejected",
    "draft_undone": "drafts_undone",
}
NUMBERS = {
    **NOTES,
    **DECISIONS,
    "retry_initiated": "retries",
    "retry_succeeded": "retries_succeeded",
    "retry_failed": "retries_failed",
}
OF_A_PROMPT = {"claims_extracted": "completed", "claims_extraction_failed": "failed", **DECISIONS}
STEPS = {
    event_type: (stage.name, step)
    for stage in IN_ORDER
    for event_type, step in ((stage.started, "attempts"), (stage.completed, "completed"), (stage.failed, "failed"))
} | {
    "artifact_received": (END_TO_END, "attempts"),
    "artifact_completed": (END_TO_END, "completed"),
    "artifact_failed": (END_TO_END, "failed"),
}


class Club:
    """What one club's events come to."""

    def __init__(self) -> None:
        self.sums = Counter()
        self.beneath = {model: defaultdict(Counter) for model in BENEATH}
        self.durations = defaultdict(list)


@transaction.atomic
def count_by_orm(start: datetime) -> None:
    """Count this hour, and write its rows."""
    clubs = {None: Club()} | {club: Club() for club in Organization.objects.values_list("pk", flat=True)}
    for event in PipelineEvent.objects.filter(timestamp__gte=start, timestamp__lt=start + HOUR).iterator():
        for whose in {None, event.organization_id}:
            add(clubs[whose], event)
    for whose, club in clubs.items():
        save(start, whose, club)


def add(club: Club, event: PipelineEvent) -> None:
    told, kind = event.metadata, event.event_type
    prompt = club.beneath[PromptSnapshot][told["prompt_version"]] if "prompt_version" in told else Counter()
    figures = dict(costs(told))
    club.sums.update(figures)
    prompt.update(figures)
    if told.get("repeat") or told.get("will_retry"):
        return
    if kind in NUMBERS:
        club.sums[NUMBERS[kind]] += 1
    if kind in OF_A_PROMPT:
        prompt[OF_A_PROMPT[kind]] += 1
        prompt["drafts_confirmed_automatically"] += kind == "draft_confirmed" and told.get("automatic", False)
    figures = dict(quality(kind, told))
    club.sums.update(figures)
    if kind == "claims_extracted":
        prompt.update(figures)
    if kind in NOTES:
        add_note(club, event)
    if kind in STEPS:
        stage, step = STEPS[kind]
        club.beneath[StageSnapshot][stage][step] += 1
        if step == "completed" and event.duration_ms is not None:
            club.durations[stage].append(event.duration_ms)


def costs(told: dict) -> Iterator[tuple[str, object]]:
    if "ai_model" in told:
        yield "ai_calls", 1
        yield "ai_calls_unpriced", int("ai_cost" not in told)
    if "ai_cost" in told:
        yield "ai_cost", Decimal(told["ai_cost"])


def quality(kind: str, told: dict) -> Iterator[tuple[str, object]]:
    for name, key in COUNTS.get(kind, {}).items():
        yield name, told.get(key, 0)
    if kind == "claims_extracted" and "claim_count" in told:
        yield "notes_with_claim_count", 1
    if kind in CONFIDENCES and "confidence_score" in told:
        total, number = CONFIDENCES[kind]
        yield total, Decimal(str(told["confidence_score"]))
        yield number, 1


def add_note(club: Club, event: PipelineEvent) -> None:
    figures = {NOTES[event.event_type]: 1}
    if event.event_type == "artifact_completed":
        figures["artifacts_no_speech"] = int(event.metadata.get("outcome") == "no_speech")
        if event.duration_ms is not None:
            figures |= {"timed": 1, "total_ms": event.duration_ms}
    club.sums["artifacts_no_speech"] += figures.get("artifacts_no_speech", 0)
    if "source_channel" in event.metadata:
        club.beneath[SourceSnapshot][event.metadata["source_channel"]].update(figures)


def save(start: datetime, whose: int | None, club: Club) -> None:
    """The rows of one club, or of the platform; what is no longer there goes."""
    for stage, durations in club.durations.items():
        club.beneath[StageSnapshot][stage] = {**club.beneath[StageSnapshot][stage], **times(sorted(durations))}
    row, _ = MetricsSnapshot.objects.update_or_create(
        period_type="hour", period_start=start, organization_id=whose, defaults=club.sums
    )
    for model, key in BENEATH.items():
        rows = {which: figures for which, figures in club.beneath[model].items() if any(figures.values())}
        for which, figures in rows.items():
            model.objects.update_or_create(**{"snapshot": row, key: which}, defaults=figures)
        model.objects.filter(snapshot=row).exclude(**{f"{key}__in": rows}).delete()


def times(ranked: list[int]) -> dict[str, object]:
    histogram = Counter(-1 if each < 1 else ceil(log(each) / log(1.02)) for each in ranked)
    buckets = sorted(histogram)
    p50, p95 = (ranked[ceil(share * len(ranked)) - 1] for share in (0.5, 0.95))
    return {
        "timed": len(ranked),
        "total_ms": sum(ranked),
        "buckets": buckets,
        "counts": [histogram[bucket] for bucket in buckets],
        "p50_ms": p50,
        "p95_ms": p95,
    }


def stored(start: datetime) -> dict[tuple[object, ...], dict[str, object]]:
    """Every row of this hour, by whose it is and what it tells of."""
    rows = {}
    for snapshot in MetricsSnapshot.objects.filter(period_type="hour", period_start=start):
        rows[snapshot.organization_id, ""] = figures_of(snapshot)
        for model, key in BENEATH.items():
            for row in model.objects.filter(snapshot=snapshot):
                rows[snapshot.organization_id, getattr(row, key)] = figures_of(row)
    return rows


def figures_of(row: object) -> dict[str, object]:
    names = {field.attname for field in row._meta.local_fields} - {"id", "snapshot_id"}
    return {name: getattr(row, name) for name in names}


def different(rows: dict, exact: dict) -> list[str]:
    """Where these rows say something else than the exact ones."""
    if rows.keys() != exact.keys():
        return [f"there are {len(rows)} rows, not {len(exact)}"]
    return [
        f"{which} {name}: {value}, not {exact[which][name]}"
        for which, figures in rows.items()
        for name, value in figures.items()
        if not alike(name, value, exact[which][name])
    ]


def alike(name: str, value: object, exact: object) -> bool:
    """Percentiles are read from the histogram, and sums of fractions may differ in the last digit."""
    if name in ("p50_ms", "p95_ms") and value is not None and exact is not None:
        return abs(value - exact) <= 0.01 * exact
    return abs(value - exact) <= 1e-9 * abs(exact) if isinstance(value, float) else value == exact
