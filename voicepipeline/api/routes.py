"""The addresses of the API, and the document that describes them."""

import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import Header, NinjaAPI, Path, Query, Router
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import Status as Answer

from voicepipeline.api import problems, reading, sending
from voicepipeline.api.keys import ApiKeyAuth
from voicepipeline.api.problems import Problem
from voicepipeline.api.schemas import MOST_A_PAGE, Moment, NotePage, NoteWithEntries, Received, Status, request_body
from voicepipeline.intake.receiving import Result
from voicepipeline.models import ApiScope
from voicepipeline.operations.api_keys import Caller

DESCRIPTION = (
    "For a club's own programs: send voice notes, and ask how they fare. Every request carries the club's key as "
    "`Authorization: Bearer vp_…`; the people who run this service make keys. Errors are problem details (RFC 9457) "
    "that say what to do."
)
ALWAYS = {401, 403, 405, 429, 500, 503}


class Docs(Swagger):
    """Swagger UI from our own files, without a call to any other host."""

    def __init__(self) -> None:
        super().__init__({"validatorUrl": None, "deepLinking": False, "defaultModelsExpandDepth": 0})

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        configuration = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        return render(request, "voicepipeline/api_docs.html", {"api": api, "configuration": configuration})


class VoiceNotesApi(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """With errors as the problems that they are, where ninja takes every answer for plain JSON."""
        document = super().get_openapi_schema(**kwargs)
        for operations in document["paths"].values():
            for operation in operations.values():
                for status, described in operation["responses"].items():
                    if int(status) >= 400:
                        described["content"] = {problems.CONTENT_TYPE: described["content"].pop("application/json")}
        return document


router = Router(tags=["Voice notes"])


def _errors(*statuses: int) -> dict[int, type[Problem]]:
    return dict.fromkeys(sorted({*ALWAYS, *statuses}), Problem)


@router.post(
    "/voice-notes",
    auth=ApiKeyAuth(ApiScope.SEND_NOTES),
    response={200: Received, 201: Received, **_errors(400, 409, 411, 413, 415, 422)},
    operation_id="send_voice_note",
    summary="Send a voice note",
    url_name="voice_notes",
    openapi_extra={"requestBody": request_body()},
)
def send_voice_note(
    request: HttpRequest,
    response: HttpResponse,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="1 to 200 plain signs, new for each voice note. Sent again with the same content within 30 "
            "days it is the same note, with other content it is refused.",
        ),
    ] = None,
) -> Answer[Any]:
    """A recording as a form with the file, or typed text as a form or as JSON. Takes the scope `notes:send`.

    201: it is safe, file and all; work on it comes later. 200: it was received before, and this is the note.
    """
    caller = caller_of(request)
    received = sending.receive(request, caller, idempotency_key)
    if received.artifact_id is None:
        raise AssertionError(received.code)
    response["Location"] = sending.address_of(received.artifact_id)
    accepted = received.result is Result.ACCEPTED
    return Answer(201 if accepted else 200, reading.standing(received.artifact_id, caller))


@router.get(
    "/voice-notes",
    auth=ApiKeyAuth(ApiScope.READ_NOTES),
    response={200: NotePage, **_errors(422)},
    operation_id="list_voice_notes",
    summary="Your club's voice notes",
    url_name="voice_note_list",
)
def list_voice_notes(
    request: HttpRequest,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
    since: Annotated[Moment | None, Query(description="Only those received since then.")] = None,
    cursor: Annotated[str | None, Query(max_length=60, description="next_cursor of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_A_PAGE, description="How many at a time.")] = 50,
) -> dict[str, Any]:
    """Newest first, by when they were received or recorded. Takes the scope `notes:read`."""
    problems.refuse_others(request, "status", "since", "cursor", "limit")
    return reading.many_notes(caller_of(request), status=status, since=since, cursor=cursor, limit=limit)


@router.get(
    "/voice-notes/{note_id}",
    auth=ApiKeyAuth(ApiScope.READ_NOTES),
    response={200: NoteWithEntries, **_errors(404, 422)},
    operation_id="get_voice_note",
    summary="One voice note and its entries",
    url_name="voice_note",
)
def get_voice_note(request: HttpRequest, note_id: Annotated[uuid.UUID, Path()]) -> dict[str, Any]:
    """How it fares, and the entries suggested from it.

    Takes the scope `notes:read`. What entries say and whom they name is hidden without `content:read`.
    """
    problems.refuse_others(request)
    return reading.one_note(note_id, caller_of(request))


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]  # put there by ninja, from ApiKeyAuth
    return caller


api = VoiceNotesApi(
    title="Voice notes API", version="1", description=DESCRIPTION, urls_namespace="api", docs=Docs(), docs_url="/docs"
)
api.add_router("/v1", router)
problems.install(api)
