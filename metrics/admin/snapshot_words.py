"""One hour or day of history in words: its sums, and what follows from them."""

from collections.abc import Iterator
from typing import Any

from metrics.dashboard.words import average, count, duration, money, rate
from metrics.figures import Figures, PromptFigures, SourceFigures, StageFigures, figures_of
from metrics.models import END_TO_END, MetricsSnapshot, StageSnapshot
from voicepipeline.models import SourceChannel, StageName

STAGE_ORDER = [*StageName.values, END_TO_END]
Facts = list[tuple[str, str]]


def snapshot_context(snapshot: MetricsSnapshot) -> dict[str, Any]:
    """Everything that the page of a snapshot shows; four queries, whatever it holds."""
    figures = figures_of(Figures, vars(snapshot))
    return {
        "has_gaps": figures.has_gaps,
        "groups": [*_notes(figures), *_decisions(figures)],
        "stages": [_stage(row) for row in sorted(snapshot.stages.all(), key=lambda row: STAGE_ORDER.index(row.stage))],
        "sources": [_source(row) for row in snapshot.sources.order_by("-artifacts_received", "source_channel")],
        "prompts": [_prompt(row) for row in snapshot.prompts.order_by("-prompt_version")],
    }


def _notes(figures: Figures) -> Iterator[tuple[str, Facts]]:
    yield (
        "Voice notes",
        [
            ("Received", count(figures.artifacts_received)),
            ("Ready", count(figures.artifacts_completed)),
            ("Of these without speech", count(figures.artifacts_no_speech)),
            ("Failed", count(figures.artifacts_failed)),
            ("Failure rate", rate(figures.failure_rate)),
            ("Retries", count(figures.retries)),
            ("Retries that succeeded", rate(figures.retry_success_rate)),
        ],
    )
    yield (
        "Statements",
        [
            ("Confidence in transcripts", rate(figures.average_transcript_confidence)),
            ("Statements", count(figures.claims)),
            ("A voice note", average(figures.claims_per_note)),
            ("Confidence in statements", rate(figures.average_claim_confidence)),
            ("Quote not in the transcript", rate(figures.unsupported_rate)),
        ],
    )
    yield (
        "Names",
        [
            ("Mentioned", count(figures.entities)),
            ("Matched automatically", rate(figures.auto_resolution_rate)),
            ("Chosen by a person", count(figures.entities_user_resolved)),
            ("Not on the roster", count(figures.entities_unresolved)),
            ("Unclear", rate(figures.disambiguation_rate)),
        ],
    )


def _decisions(figures: Figures) -> Iterator[tuple[str, Facts]]:
    yield (
        "Entries",
        [
            ("Suggested", count(figures.drafts)),
            ("Confirmed", count(figures.drafts_confirmed)),
            ("Suggested and confirmed automatically", count(figures.drafts_automatic)),
            ("Rejected", count(figures.drafts_rejected)),
            ("Decisions taken back", count(figures.drafts_undone)),
        ],
    )
    yield (
        "AI cost",
        [
            ("In all", money(figures.ai_cost)),
            ("A ready voice note", money(figures.ai_cost_per_note)),
            ("Tries that called it", count(figures.ai_calls)),
            ("Of these without a known cost", count(figures.ai_calls_unpriced)),
        ],
    )


def _stage(row: StageSnapshot) -> dict[str, str]:
    figures = figures_of(StageFigures, vars(row))
    counted = row.stage != END_TO_END  # the whole way has no tries of its own
    return {
        "name": row.get_stage_display(),
        "attempts": count(figures.attempts if counted else None),
        "completed": count(figures.completed),
        "failed": count(figures.failed if counted else None),
        "failure_rate": rate(figures.failure_rate if counted else None),
        "average": duration(figures.average_ms),
        "typical": duration(figures.p50_ms),
        "slowest": duration(figures.p95_ms),
    }


def _source(row: Any) -> dict[str, str]:
    figures = figures_of(SourceFigures, vars(row))
    return {
        "name": dict(SourceChannel.choices).get(figures.source_channel, figures.source_channel),
        "received": count(figures.artifacts_received),
        "ready": count(figures.artifacts_completed),
        "failed": count(figures.artifacts_failed),
        "failure_rate": rate(figures.failure_rate),
        "average": duration(figures.average_ms),
    }


def _prompt(row: Any) -> dict[str, str]:
    figures = figures_of(PromptFigures, vars(row))
    return {
        "name": figures.prompt_version,
        "read": count(figures.completed),
        "claims": average(figures.claims_per_note),
        "unsupported": rate(figures.unsupported_rate),
        "confirmed": count(figures.drafts_confirmed),
        "rejected": rate(figures.rejection_rate),
        "cost": money(figures.ai_cost),
        "cost_a_note": money(figures.ai_cost_per_note),
    }
