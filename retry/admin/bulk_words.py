"""What bulk retries are called on their pages: states, figures and what they will do."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse

from retry.admin.words import KEPT
from retry.bulk.previews import is_expired
from retry.bulk.rights import permission_of
from retry.kinds import FAILED_STAGE, KINDS
from retry.limits import limits
from retry.models import BulkRetry, BulkRetryItem, RetryKind
from retry.words import amount
from voicepipeline.admin.words import State
from voicepipeline.money import usd

NOTES = "voice notes"
COLOURS = {
    BulkRetry.State.PREVIEW: "waiting",
    BulkRetry.State.TRYING: "running",
    BulkRetry.State.RUNNING: "running",
    BulkRetry.State.PAUSED: "on_hold",
    BulkRetry.State.HALTED: "failed",
    BulkRetry.State.STOPPED: "closed",
    BulkRetry.State.FINISHED: "completed",
}
ITEM_COLOURS = {
    BulkRetryItem.State.WAITING: "waiting",
    BulkRetryItem.State.REQUESTED: "running",
    BulkRetryItem.State.SUCCEEDED: "completed",
    BulkRetryItem.State.FAILED: "failed",
    BulkRetryItem.State.SUPERSEDED: "closed",
    BulkRetryItem.State.REFUSED: "on_hold",
}
# What each kind keeps and makes anew, whatever the notes are.
CONSEQUENCES: dict[str, tuple[str, ...]] = {
    RetryKind.TRANSCRIPTION: ("Each is transcribed again, and everything that follows is made anew.",),
    RetryKind.CLAIMS_EXTRACTION: (
        "The transcripts stay. Statements, matched names and suggested entries are made anew.",
        KEPT,
    ),
    RetryKind.ENTITY_RESOLUTION: (
        "Transcripts and statements stay. Names are matched again with the rosters as they are now, and suggested "
        "entries are made anew.",
        KEPT,
    ),
    RetryKind.DRAFT_GENERATION: (
        "Transcripts, statements and matched names stay. Suggested entries are made anew.",
        "What people rejected is not suggested again.",
    ),
    RetryKind.FULL: (
        "Everything that was made of them is deleted, and each begins again with the first stage, in a new round.",
        f"The recordings and typed texts stay. {KEPT}",
    ),
    FAILED_STAGE: ("Each goes on at the stage at which it failed; what was made before that stays.",),
}
PACED = "It is done in the background, a few at a time: fresh voice notes keep their place, and you can leave the page."
FROZEN = "Just these voice notes are retried. Those that fail from now on are not among them."


def may_act_on(bulk: BulkRetry, user: Any) -> bool:
    """Whether this person may start, resume or stop a bulk retry of this kind."""
    return bool(user.has_perm(permission_of(bulk.kind)))


def state_of(bulk: BulkRetry, now: datetime) -> State:
    """Where a bulk retry stands, as one label."""
    if is_expired(bulk, now):
        return State("closed", "Preview, too old to start")
    state = BulkRetry.State(bulk.state)
    words = f"Trying the first {limits().tried_first}" if state == BulkRetry.State.TRYING else state.label
    return State(COLOURS[state], words)


def state_of_item(item: BulkRetryItem) -> State:
    state = BulkRetryItem.State(item.state)
    return State(ITEM_COLOURS[state], str(state.label))


def starter_of(bulk: BulkRetry) -> str:
    return bulk.requested_by.get_full_name() or bulk.requested_by.get_username()


def consequences_of(kind: str) -> tuple[str, ...]:
    return (*CONSEQUENCES.get(kind, ()), PACED, FROZEN)


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def deed_in_words(kind: str, number: int) -> str:
    """What the button says that it does."""
    return f"Start {amount(number, NOTES)} over" if kind == RetryKind.FULL else f"Retry {amount(number, NOTES)}"


def kinds_in_words(kinds: dict[str, int]) -> list[tuple[str, str]]:
    """How many voice notes of each kind, in the order of the stages."""
    return [(kind.label, f"{kinds[key]:,}") for key, kind in KINDS.items() if kinds.get(key)]


def paid(spent: Decimal | None, unknown: int) -> str:
    """What it has cost, and for how many tries that is not known: never 0 for what nobody knows."""
    if spent is None:
        return "Unknown" if unknown else usd(Decimal())
    return f"{usd(spent)}, unknown for {unknown:,}" if unknown else usd(spent)


def page_of(bulk: BulkRetry) -> str:
    return reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])


def notes_page_of(bulk: BulkRetry, *, state: str = "", problem: str = "", why: int | None = None) -> str:
    """The list of its voice notes, narrowed down."""
    chosen = {"state": state, "problem": problem, "why": "" if why is None else str(why)}
    query = "&".join(f"{name}={value}" for name, value in chosen.items() if value)
    address = reverse("admin:retry_bulkretry_notes", args=[bulk.bulk_id])
    return f"{address}?{query}" if query else address


def deed_url(bulk: BulkRetry, deed: str) -> str:
    return reverse("admin:retry_bulkretry_deed", args=[bulk.bulk_id, deed])
