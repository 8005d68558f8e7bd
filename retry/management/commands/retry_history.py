import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retry.facts import name_of
from retry.models import RetryAttempt
from retry.operations import MAX_REASON
from retry.queries import get_retry_history
from retry.words import deleted_in_words, printable
from voicepipeline.durations import in_words
from voicepipeline.situations import find_artifact

HEADINGS = ("Attempt", "When (UTC)", "Who", "What", "Outcome", "Took", "Deleted", "Why")
NONE = "This voice note has not been retried."
NOT_ENDED = "-"


class Command(BaseCommand):
    help = "Tells how often a voice note was retried, the newest first: who asked, why, how it ended, what was deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("artifact_id", metavar="ID", help="the voice note's id, as its page shows it")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, artifact_id: str, **options: Any) -> None:
        artifact = find_artifact(artifact_id)
        if artifact is None:
            raise CommandError(
                f"There is no voice note with the id {printable(artifact_id)!r}. Copy it from the note's page."
            )
        attempts = get_retry_history(artifact)
        if options["json"]:
            told = [_as_dict(attempt) for attempt in attempts]
            self.stdout.write(json.dumps({"id": str(artifact.artifact_id), "attempts": told}))
            return
        for line in _table([_cells(attempt) for attempt in attempts]) if attempts else [NONE]:
            self.stdout.write(line)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """As wide as what stands in it; the last column is why, which is the longest."""
    lines = [HEADINGS, *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for cells in lines:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(attempt: RetryAttempt) -> tuple[str, ...]:
    return (
        str(attempt.number),
        f"{attempt.requested_at:%Y-%m-%d %H:%M:%S}",
        printable(name_of(attempt.requested_by)),
        attempt.get_kind_display() + (", in bulk" if _bulk_of(attempt) else ""),
        _outcome(attempt),
        in_words(attempt.finished_at - attempt.requested_at) if attempt.finished_at else NOT_ENDED,
        deleted_in_words(attempt.deleted),
        printable(attempt.reason, MAX_REASON),
    )


def _outcome(attempt: RetryAttempt) -> str:
    """With where and in which code it ended, when it failed."""
    words = attempt.get_outcome_display()
    return f"{words}: {attempt.get_failed_stage_display()}, {attempt.error_code}" if attempt.error_code else words


def _bulk_of(attempt: RetryAttempt) -> str | None:
    """The bulk retry that it belonged to; a reverse one-to-one is an exception where there is none."""
    item = getattr(attempt, "bulk_item", None)
    return str(item.bulk.bulk_id) if item else None


def _as_dict(attempt: RetryAttempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "requested_at": attempt.requested_at.isoformat(),
        "requested_by": attempt.requested_by.get_username(),
        "kind": attempt.kind,
        "reason": attempt.reason,
        "outcome": attempt.outcome,
        "finished_at": _iso(attempt.finished_at),
        "took_ms": _took_ms(attempt),
        "failed_stage": attempt.failed_stage or None,
        "error_code": attempt.error_code or None,
        "deleted": attempt.deleted,
        "agreed_to": attempt.agreed_to,
        "bulk": _bulk_of(attempt),
    }


def _took_ms(attempt: RetryAttempt) -> int | None:
    if attempt.finished_at is None:
        return None
    return round((attempt.finished_at - attempt.requested_at).total_seconds() * 1000)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
