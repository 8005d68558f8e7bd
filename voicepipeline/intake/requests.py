"""Sendings that carry an Idempotency-Key: sent again, whole or after a crash, they are the same voice note."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from voicepipeline.intake.receiving import Received, Result
from voicepipeline.models import ApiRequest, Artifact

# How long a key is remembered; the same one may then be used for something else.
KEPT = timedelta(days=30)
MOST_LOOKS = 5


class OtherContent(Exception):
    """The key was used before, for something else."""


def receive_once(
    organization_id: int, idempotency_key: str, fingerprint: str, receive: Callable[[uuid.UUID], Received]
) -> Received:
    """Receive it under the id that was chosen when this key was first seen.

    The id is kept before anything is received, so a sending that broke off in between is taken up and not repeated.
    What could not be stored keeps its key and may be sent again. What was refused for what it is gives its key back:
    every other sending with this key has the same content and fares alike, so none can be under way that would be
    accepted.
    """
    request = _claimed(organization_id, idempotency_key, fingerprint)
    received = receive(request.artifact_id)
    if received.result is Result.REFUSED and not received.may_work_later:
        ApiRequest.objects.filter(pk=request.pk).filter(~_has_note()).delete()
    return received


def _claimed(organization_id: int, idempotency_key: str, fingerprint: str) -> ApiRequest:
    for _ in range(MOST_LOOKS):
        ApiRequest.objects.bulk_create(
            [
                ApiRequest(
                    organization_id=organization_id,
                    idempotency_key=idempotency_key,
                    fingerprint=fingerprint,
                    artifact_id=uuid.uuid4(),
                )
            ],
            ignore_conflicts=True,
        )
        # Gone again when another one with this key was refused in between.
        request = ApiRequest.objects.filter(organization_id=organization_id, idempotency_key=idempotency_key).first()
        if request is not None and request.fingerprint != fingerprint:
            raise OtherContent
        if request is not None:
            return request
    raise OtherContent


def _has_note() -> Exists:
    return Exists(Artifact.objects.filter(artifact_id=OuterRef("artifact_id")))


def forget_old_requests(*, now: datetime) -> int:
    """Delete keys that need not be remembered any longer; says how many."""
    return ApiRequest.objects.filter(created_at__lt=now - KEPT).delete()[0]
