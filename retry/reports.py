"""A preview and what came of it, for terminals and for scripts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from retry.kinds import KINDS, label_of
from retry.queries import Preview, PreviewedNote
from retry.words import MOST_SAID, amount, cost_in_words, deleted_in_words, printable, time_in_words

REQUESTED, REFUSED, WAITING, POSSIBLE = "requested", "refused", "waiting", "possible"
MOST_REASONS = 10


@dataclass(frozen=True)
class Told:
    """What became of one voice note."""

    artifact_id: str
    kind: str
    result: str
    message: str
    attempt: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.artifact_id,
            "kind": self.kind or None,
            "result": self.result,
            "message": self.message,
            "attempt": self.attempt,
        }


def foretold(note: PreviewedNote) -> Told:
    refusal = note.verdict.refusal
    message = refusal.message if refusal else ""
    return Told(str(note.artifact_id), note.kind, REFUSED if refusal else POSSIBLE, message)


def preview_lines(preview: Preview) -> Iterator[str]:
    """As the preview page has it."""
    number = len(preview.notes)
    yield f"{label_of(preview.asked_for)}: {preview.possible:,} of {amount(number, 'voice notes')} can be retried"
    if preview.refused:
        yield _line("Refused", f"{preview.refused:,}")
        yield from reason_lines(_refusals(preview))
    if not preview.possible:
        return
    if len(preview.kinds) > 1 or preview.asked_for not in KINDS:
        yield _line("What", ", ".join(f"{KINDS[kind].label}: {n:,}" for kind, n in preview.kinds.items()))
    yield _line("Deleted", deleted_in_words(preview.deleted))
    if preview.confirmed:
        whose = amount(preview.with_confirmed, "voice notes")
        yield _line("Confirmed", f"{amount(preview.confirmed, 'entries')} of {whose}: needs --agree")
    yield _line("Stages", f"{preview.runs:,}")
    yield _line("AI calls", f"{preview.calls:,}")
    yield _line("AI cost", cost_in_words(preview.cost_usd, preview.without_cost))
    yield _line("Time", time_in_words(preview.takes))
    if preview.on_hold:
        yield _line("On hold", f"{sum(n for _, n in preview.on_hold):,} will wait")
        yield from reason_lines(preview.on_hold)
    if preview.needs_reason:
        yield _line("Reason", preview.needs_reason)


def _refusals(preview: Preview) -> Sequence[tuple[str, int]]:
    """Of a single note exactly why; of several what they have in common."""
    if len(preview.notes) == 1 and preview.notes[0].verdict.refusal:
        return [(preview.notes[0].verdict.refusal.message, 1)]
    return preview.refusals


def reason_lines(reasons: Sequence[tuple[str, int]]) -> Iterator[str]:
    for words, number in reasons[:MOST_REASONS]:
        yield f"  {number:>6,}  {printable(words, MOST_SAID)}"
    if len(reasons) > MOST_REASONS:
        rest = sum(number for _, number in reasons[MOST_REASONS:])
        yield f"  {rest:>6,}  for other reasons"


def _line(label: str, value: str) -> str:
    return f"  {label:<10}  {value}"


def preview_as_dict(preview: Preview) -> dict[str, Any]:
    """By the names of the code; what is not known is null, and money keeps its digits as text."""
    return {
        "possible": preview.possible,
        "refused": preview.refused,
        "refusals": [{"why": words, "notes": number} for words, number in preview.refusals],
        "kinds": preview.kinds,
        "deleted": preview.deleted,
        "with_confirmed": preview.with_confirmed,
        "confirmed": preview.confirmed,
        "runs": preview.runs,
        "calls": preview.calls,
        "cost_usd": None if preview.cost_usd is None else str(preview.cost_usd),
        "without_cost": preview.without_cost,
        "takes_seconds": None if preview.takes is None else round(preview.takes.total_seconds(), 1),
        "on_hold": [{"why": words, "notes": number} for words, number in preview.on_hold],
    }


def counts(told: Sequence[Told]) -> dict[str, int]:
    found = Counter(each.result for each in told)
    return {result: found[result] for result in (REQUESTED, REFUSED, WAITING)}


def result_lines(told: Sequence[Told], *, foretold_refusals: int) -> Iterator[str]:
    """How many were requested, and why others were refused when the preview did not say so."""
    if len(told) == 1:
        yield printable(told[0].message, MOST_SAID)
        return
    found = counts(told)
    yield f"Requested: {found[REQUESTED]:,}, refused: {found[REFUSED]:,}, not begun: {found[WAITING]:,}"
    if found[REFUSED] > foretold_refusals:
        reasons = Counter(each.message for each in told if each.result == REFUSED)
        yield from reason_lines(reasons.most_common())
