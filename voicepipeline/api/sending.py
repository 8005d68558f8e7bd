"""`POST /voice-notes`: what was sent becomes a voice note of the key's club, once."""

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, cast

from django.http import HttpRequest
from django.urls import reverse

from voicepipeline.api.bodies import Sent, read_body
from voicepipeline.api.problems import ApiProblem, wrong_fields
from voicepipeline.intake.receiving import Received, Result, receive_voice_note
from voicepipeline.intake.requests import OtherContent, receive_once
from voicepipeline.models import ApiRequest, Artifact, Coach, Organization, SourceChannel
from voicepipeline.operations.api_keys import Caller
from voicepipeline.phones import normalised

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,200}")
STATUSES = {"too_large": 413, "broken_off": 400, "not_stored": 503}
RETRY_SECONDS = "60"


def receive(request: HttpRequest, caller: Caller, idempotency_key: str | None) -> Received:
    """Read what is sent and receive it; answers once row and file are safe, and raises a problem else."""
    if idempotency_key is not None and not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise wrong_fields([("Idempotency-Key", "It has 1 to 200 plain letters, digits and signs, and no spaces.")])
    with read_body(request) as sent:
        if sent.audio is not None and sent.audio.failure is not None:
            raise not_stored("The recording could not be written. Nothing was kept.")
        received = _receive(sent, caller, idempotency_key)
    if received.result is Result.REFUSED:
        raise _refused(received)
    return received


def _receive(sent: Sent, caller: Caller, idempotency_key: str | None) -> Received:
    club = Organization.objects.get(pk=caller.club_id)
    if idempotency_key is None:
        return _taker(sent, club)()
    content = fingerprint(sent)
    try:
        # First of all: its coach may have left since, and it is the same note all the same.
        before = _received_before(club, idempotency_key, content)
        if before is not None:
            return before
        take = _taker(sent, club)
        return receive_once(club.pk, idempotency_key, content, lambda chosen: take(artifact_id=chosen))
    except OtherContent:
        raise ApiProblem(
            409,
            "idempotency_key_used",
            "This Idempotency-Key was used for something else",
            "The same key was sent before with other content. Use a new key for each voice note, and the same one only "
            "to send the very same again.",
        ) from None


def _received_before(club: Organization, idempotency_key: str, content: str) -> Received | None:
    """The note that this very sending has become, if it has."""
    known = ApiRequest.objects.filter(organization=club, idempotency_key=idempotency_key).first()
    if known is None:
        return None
    if known.fingerprint != content:
        raise OtherContent
    if not Artifact.objects.filter(artifact_id=known.artifact_id).exists():
        return None
    return Received(Result.DUPLICATE, known.artifact_id, "duplicate", "Received before.")


def _taker(sent: Sent, club: Organization) -> Callable[..., Received]:
    """What receives it, once it is clear who sent it."""
    note, audio = sent.note, cast(BinaryIO | None, sent.audio)
    return partial(
        receive_voice_note,
        source_channel=SourceChannel.API,
        audio=audio,
        filename=(sent.audio.name or "") if sent.audio else "",
        text=note.text or "",
        sender=_sender(sent, club),
        organization=club,
        channel_message_id=f"{club.pk}/{note.message_id}" if note.message_id else "",
        received_at=note.recorded_at,
        sender_address=note.sender_phone or "",
    )


def fingerprint(sent: Sent) -> str:
    """Of everything that was sent, but for what the file is called."""
    said = json.dumps([sent.note.model_dump(mode="json"), sent.audio_sha256], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _sender(sent: Sent, club: Organization) -> Coach | None:
    """The coach, or nobody for a phone that no coach of this club has; what other clubs know is not told."""
    coaches = Coach.objects.filter(organization=club, is_active=True)
    if sent.note.sender_id is not None:
        known = coaches.filter(pk=sent.note.sender_id).first()
        if known is None:
            raise wrong_fields([("sender_id", "Your club has no active coach with this number. Check it.")])
        return known
    wanted = normalised(sent.note.sender_phone or "")
    found = [coach for coach in coaches.exclude(phone="") if normalised(coach.phone) == wanted]
    return found[0] if wanted and len(found) == 1 else None


def _refused(received: Received) -> ApiProblem:
    if received.code == "not_stored":
        return not_stored(received.message)
    status = STATUSES.get(received.code, 422)
    return ApiProblem(status, received.code, "The voice note was not taken", received.message)


def not_stored(why: str) -> ApiProblem:
    return ApiProblem(
        503,
        "not_stored",
        "It could not be stored",
        f"{why} Send the very same request again later.",
        headers={"Retry-After": RETRY_SECONDS},
    )


def address_of(note_id: uuid.UUID) -> str:
    return reverse("api:voice_note", kwargs={"note_id": note_id})


def links_to(note_id: uuid.UUID) -> dict[str, Any]:
    return {"self": address_of(note_id)}
