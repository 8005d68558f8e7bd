"""Retries of one voice note. Everything is looked at before anything is changed, and a refused retry changes nothing.

Each is one transaction: the note is locked, its facts are read, the attempt is kept, and what the retry changes stands
in a savepoint of its own, so that an attempt that could not be started is on record and nothing is half done.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from retry.closing import close
from retry.facts import facts_of, name_of
from retry.kinds import FAILED_STAGE, KINDS, RETRY_ARTIFACT, Kind
from retry.limits import limits
from retry.models import RetryAttempt, RetryKind
from retry.policies import Verdict, decide
from voicepipeline.access import verify_platform_staff
from voicepipeline.durations import in_words
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.requests import run_again_from, start_over
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_note
from voicepipeline.errors import InvalidEvent
from voicepipeline.models import Artifact, EventType, User
from voicepipeline.text import safe_text

logger = logging.getLogger(__name__)

MAX_REASON = 500
MAX_KEY = 64
UNKNOWN = "There is no voice note with this id."
NOT_STARTED = "Something went wrong, so nothing was changed. Try again; if it happens again, tell an engineer."
OTHER_FORM = "This form was used for something else. Open the page again."
LOOK_AGAIN = "Look at it again, and agree if that is meant."
NEW_ROUND = "It has been started over since you looked at it. Look at it again first."


@dataclass(frozen=True)
class RetryResult:
    """Whether the retry was requested, what to tell the person, and the attempt that it is or that came before it."""

    success: bool
    message: str
    retry_attempt: RetryAttempt | None = None
    refused_for: str = ""  # the message without anything of this note, when the policies refuse it


@dataclass(frozen=True)
class Request:
    """What somebody asks for, as it came."""

    asked_for: str
    by: User
    reason: str
    idempotency_key: str
    expected_generation: int | None
    agreed_to: int
    as_of: datetime | None
    bulk: bool


class Retry(Protocol):
    def __call__(
        self,
        artifact_id: uuid.UUID,
        *,
        by: User,
        reason: str = "",
        idempotency_key: str | None = None,
        expected_generation: int | None = None,
        agreed_to: int = 0,
        as_of: datetime | None = None,
    ) -> RetryResult: ...


def retry(
    asked_for: str,
    artifact_id: uuid.UUID,
    *,
    by: User,
    reason: str = "",
    idempotency_key: str | None = None,
    expected_generation: int | None = None,
    agreed_to: int = 0,
    as_of: datetime | None = None,
    bulk: bool = False,
) -> RetryResult:
    """Work on a voice note again from where this kind begins; it may concern so many entries confirmed until `as_of`.

    User-level problems are results in plain words; only a missing right is an exception.
    """
    verify_platform_staff(by, RETRY_ARTIFACT if asked_for == FAILED_STAGE else KINDS[asked_for].permission)
    request = Request(
        asked_for,
        by,
        safe_text(reason.strip(), MAX_REASON),
        safe_text(idempotency_key or "", MAX_KEY),
        expected_generation,
        agreed_to,
        as_of,
        bulk,
    )
    try:
        return _retry(request, artifact_id)
    except (DataError, IntegrityError, InvalidEvent):
        logger.exception("a retry could not be kept", extra={"artifact": str(artifact_id)})
        return RetryResult(False, NOT_STARTED)


# One for each kind, and one for whichever stage failed.
retry_transcription: Retry = partial(retry, RetryKind.TRANSCRIPTION)
retry_claims_extraction: Retry = partial(retry, RetryKind.CLAIMS_EXTRACTION)
retry_entity_resolution: Retry = partial(retry, RetryKind.ENTITY_RESOLUTION)
retry_draft_generation: Retry = partial(retry, RetryKind.DRAFT_GENERATION)
retry_full_pipeline: Retry = partial(retry, RetryKind.FULL)
retry_failed_stage: Retry = partial(retry, FAILED_STAGE)


@engine_transaction
def _retry(request: Request, artifact_id: uuid.UUID) -> RetryResult:
    artifact = lock_note(artifact_id)
    if artifact is None:
        return RetryResult(False, UNKNOWN)
    if request.asked_for == RetryKind.FULL or request.agreed_to:
        # What one person deletes of several notes at the same instant counts one after the other.
        User.objects.select_for_update(no_key=True).get(pk=request.by.pk)
    change = Change(artifact, database_now())
    known = _same_request(change, request)
    if known is not None:
        return known
    facts = facts_of([artifact], by=request.by, now=change.now)[artifact.pk]
    verdict = decide(request.asked_for, facts, limits(), now=change.now, bulk=request.bulk, as_of=request.as_of)
    refusal = _refusal(change, request, verdict)
    if refusal:
        group = verdict.refusal.group if verdict.refusal and verdict.refusal.message == refusal else ""
        return RetryResult(False, refusal, _under_way(change.artifact), group)
    attempt = _keep_attempt(change, request, verdict, number=facts.retries + 1)
    result = _carry_out(change, attempt, verdict)
    change.flush(strict=True)
    return result


def _same_request(change: Change, request: Request) -> RetryResult | None:
    """The attempt that this very form has made already."""
    if not request.idempotency_key:
        return None
    made = RetryAttempt.objects.filter(idempotency_key=request.idempotency_key).select_related("requested_by").first()
    if made is None:
        return None
    if made.artifact_id != change.artifact.pk or made.requested_by_id != request.by.pk:
        return RetryResult(False, OTHER_FORM)
    ago = in_words(change.now - made.requested_at)
    started = made.outcome != RetryAttempt.Outcome.NOT_STARTED
    words = f"Already requested by {name_of(made.requested_by)} {ago} ago (attempt {made.number})."
    return RetryResult(started, words if started else NOT_STARTED, made)


def _refusal(change: Change, request: Request, verdict: Verdict) -> str:
    """Why not, in words; empty when nothing stands against it."""
    if request.expected_generation is not None and request.expected_generation != change.artifact.generation:
        return NEW_ROUND
    if verdict.refusal is not None:
        return verdict.refusal.message
    if verdict.needs_reason and not request.reason:
        return verdict.needs_reason
    more = verdict.confirmed - request.agreed_to
    if more > 0:
        entries = "1 confirmed entry depends" if more == 1 else f"{more} confirmed entries depend"
        return f"{entries} on it to which you have not agreed. {LOOK_AGAIN}"
    if request.as_of is not None and verdict.confirmed_at is not None and verdict.confirmed_at > request.as_of:
        return f"An entry was confirmed since you looked at it, to which you have not agreed. {LOOK_AGAIN}"
    return ""


def _under_way(artifact: Artifact) -> RetryAttempt | None:
    return RetryAttempt.objects.filter(artifact=artifact, outcome=RetryAttempt.Outcome.UNDER_WAY).last()


def _carry_out(change: Change, attempt: RetryAttempt, verdict: Verdict) -> RetryResult:
    try:
        with change.all_or_nothing():
            _begin(change, KINDS[verdict.kind], attempt)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("a retry could not be started", extra={"artifact": str(change.artifact.artifact_id)})
        close(change, attempt, RetryAttempt.Outcome.NOT_STARTED)
        attempt.refresh_from_db()
        return RetryResult(False, NOT_STARTED, attempt)
    message = f"Retry requested (attempt {attempt.number})."
    if verdict.on_hold:
        message = f"{message} It waits on hold, because {verdict.on_hold}, and goes on by itself."
    return RetryResult(True, message, attempt)


def _keep_attempt(change: Change, request: Request, verdict: Verdict, *, number: int) -> RetryAttempt:
    artifact, kind = change.artifact, KINDS[verdict.kind]
    attempt = RetryAttempt.objects.create(
        artifact=artifact,
        number=number,
        kind=kind.key,
        generation=artifact.generation + (1 if kind.starts_over else 0),
        requested_by=request.by,
        reason=request.reason,
        requested_at=change.now,
        idempotency_key=request.idempotency_key,
        agreed_to=verdict.confirmed,
        problem_before=artifact.fingerprint,
    )
    change.say(
        EventType.RETRY_INITIATED,
        of=f"retry/{attempt.origin}",
        stage=kind.stage.name,
        previous_status=artifact.status,
        actor_id=request.by.pk,
        metadata={"retry_attempt": attempt.number, "kind": kind.key, "given_reason": request.reason or None},
    )
    return attempt


def _begin(change: Change, kind: Kind, attempt: RetryAttempt) -> None:
    """Delete what must go, reset the note, and queue the first run of this attempt."""
    budgets = Budgets(origin=attempt.origin, requested_by_id=attempt.requested_by_id)
    deleted = start_over(change, budgets) if kind.starts_over else run_again_from(change, kind.stage, budgets)
    attempt.deleted = {words: number for words, number in deleted.items() if number}
    if attempt.deleted:
        attempt.save(update_fields=["deleted"])
