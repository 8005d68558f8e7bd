"""What the demo's operator has retried: by the same operations as everybody, once there are workers to do it."""

import logging

from retry.bulk.previews import make_preview, start_bulk
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, RetryAttempt
from retry.operations import retry_failed_stage
from voicepipeline.demo.traffic import tell_simulator
from voicepipeline.models import Artifact, User
from voicepipeline.operations.first_run import DEMO_ACCOUNTS
from voicepipeline.roles import OPERATOR

logger = logging.getLogger(__name__)

# Notes of the history, by the code with which they failed.
FAILS_AGAIN, SUCCEEDS, SUCCEED_IN_BULK = "audio_unsupported", "provider_timeout", "content_filtered"
STILL_UNREADABLE = {"queue": {"transcriptions": ["unsupported_audio"]}}


def play() -> None:
    """One retry that fails again, one that helps, and one of all notes with the same problem; only the first time."""
    operator = _operator()
    if operator is None or RetryAttempt.objects.exists() or BulkRetry.objects.exists():
        return
    if unreadable := _failed(FAILS_AGAIN)[:1]:
        tell_simulator(STILL_UNREADABLE)
        _retry(unreadable[0], operator, reason="The coach says that it plays well on every phone.")
    for note in _failed(SUCCEEDS)[:1]:
        _retry(note, operator, reason="")
    _retry_all(_failed(SUCCEED_IN_BULK), operator)


def _operator() -> User | None:
    addresses = [account.email for account in DEMO_ACCOUNTS if account.role == OPERATOR]
    return User.objects.filter(email__in=addresses).first()


def _failed(code: str) -> list[Artifact]:
    """The newest first; what people have closed stays closed."""
    return list(Artifact.objects.failed().filter(error_code=code, closed_at=None).order_by("-received_at"))


def _retry(note: Artifact, operator: User, *, reason: str) -> None:
    result = retry_failed_stage(note.artifact_id, by=operator, reason=reason)
    logger.info("the demo's operator retries a voice note", extra={"done": result.success, "said": result.message})


def _retry_all(notes: list[Artifact], operator: User) -> None:
    if not notes:
        return
    bulk = make_preview(
        [note.pk for note in notes], FAILED_STAGE, by=operator, chosen_by="All with the problem “content filtered”"
    )
    reason = "The AI service has loosened its filter."
    outcome = start_bulk(bulk.bulk_id, by=operator, reason=reason, tries_first=True, agreed=False)
    logger.info("the demo's operator retries many", extra={"done": outcome.done, "said": outcome.message})
