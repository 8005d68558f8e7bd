"""The body of a request that sends a voice note, read no further than a voice note goes."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pydantic
from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from voicepipeline.api.patience import Patience
from voicepipeline.api.problems import ApiProblem, refuse_others, told, unsaid, wrong_fields
from voicepipeline.api.schemas import EARLIEST, NewNote
from voicepipeline.intake.uploading import ArrivedFile, OneRecording

FORM, JSON = "multipart/form-data", "application/json"
AUDIO = "audio"
BROKEN_OFF, TOO_MANY_SLOW = "broken_off", "too_many_slow"
# The largest recording that is taken, and the form around it.
MAX_FORM_BYTES = 26_214_400 + 256 * 1024
# The longest text, each sign of it escaped.
MAX_JSON_BYTES = 256 * 1024
# Of what is refused, so much is read all the same.
MOST_HEARD_OUT_BYTES = 2 * MAX_FORM_BYTES
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Sent:
    """What was sent, each field for itself as it should be."""

    note: NewNote
    audio: ArrivedFile | None
    audio_sha256: str


class WholeBody:
    """A request's body, which ends where was announced and not before: half a form looks like a whole one."""

    def __init__(self, request: HttpRequest, length: int, patience: Patience) -> None:
        self.request, self.missing, self.patience = request, length, patience

    def read(self, size: int | None = None, /) -> bytes:
        if not self.missing or size == 0:
            return b""
        if self.patience.is_over:
            raise self._cut_short()
        try:
            chunk = self.request.read(self.missing if size is None or size < 0 else min(size, self.missing))
        except UnreadablePostError as error:
            raise self._cut_short() from error
        if not chunk:
            raise self._cut_short()
        self.missing -= len(chunk)
        return chunk

    def _cut_short(self) -> ApiProblem:
        return _too_many_slow() if self.patience.crowded else _broken_off()


@contextlib.contextmanager
def read_body(request: HttpRequest) -> Iterator[Sent]:
    """What was sent; its recording lies in a file that is gone afterwards."""
    try:
        with _read(request) as sent:
            yield sent
    except ApiProblem as problem:
        if problem.code not in (BROKEN_OFF, TOO_MANY_SLOW):
            hear_out(request)
        raise


@contextlib.contextmanager
def _read(request: HttpRequest) -> Iterator[Sent]:
    refuse_others(request)
    form = _is_form(request)
    length = _length(request, MAX_FORM_BYTES if form else MAX_JSON_BYTES)
    patience = Patience(request, settings.API_UPLOAD_SECONDS)
    body = WholeBody(request, length, patience)
    if not form:
        with patience:
            typed = _of_json(body)
        yield Sent(_checked(typed, has_audio=False), None, "")
        return
    handler = OneRecording(AUDIO)
    try:
        with patience:
            fields, audio = _of_form(request, body, handler)
        note = _checked(_understood(NewNote.model_validate_strings, fields), has_audio=audio is not None)
        yield Sent(note, audio, handler.digest.hexdigest() if audio else "")
    finally:
        handler.upload_interrupted()


def hear_out(request: HttpRequest) -> None:
    """Read the rest and forget it: few programs that are still sending hear that they were refused."""
    left = MOST_HEARD_OUT_BYTES
    with contextlib.suppress(UnreadablePostError), Patience(request, settings.API_SILENT_SECONDS) as patience:
        while left > 0 and not patience.is_over and (chunk := request.read(CHUNK_BYTES)):
            left -= len(chunk)


def _is_form(request: HttpRequest) -> bool:
    if request.content_type not in (FORM, JSON):
        raise ApiProblem(
            415,
            "media_type",
            "Not a kind of content that is taken",
            f"Send a recording as {FORM}, and typed text as that or as {JSON}.",
        )
    return request.content_type == FORM


def _length(request: HttpRequest, most: int) -> int:
    """How long the body says that it is; one that is too long is not begun."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if not announced.isascii() or not announced.isdigit():
        raise ApiProblem(
            411, "length_required", "Length required", "Send the request with a Content-Length, not in chunks."
        )
    if len(announced) > 15 or int(announced) > most:
        raise ApiProblem(
            413,
            "too_large",
            "Too large",
            "A recording has at most 25 MB, and a typed note 20,000 characters. Send it in shorter parts, or save the "
            "recording as MP3 with a lower bit rate.",
        )
    return int(announced)


def _of_json(body: WholeBody) -> NewNote:
    content = bytearray()
    while chunk := body.read():
        content += chunk
    return _understood(NewNote.model_validate_json, bytes(content))


def _of_form(request: HttpRequest, body: WholeBody, handler: OneRecording) -> tuple[dict[str, str], ArrivedFile | None]:
    stream: Any = body
    try:
        # Whatever charset is named: Python knows some by name that are none of text.
        fields, files = MultiPartParser(request.META, stream, [handler], "utf-8").parse()
    except RequestDataTooBig as error:
        raise unsaid(413) from error
    except (MultiPartParserError, SuspiciousOperation, BadRequest) as error:
        raise unsaid(400) from error
    if handler.refused:
        raise wrong_fields([(AUDIO, "Send one file, in the field audio. Several recordings are several requests.")])
    # A field that was left empty was not filled in.
    given = {name: str(value) for name, value in fields.items() if value and name != AUDIO}
    audio: Any = files.get(AUDIO)
    return given, audio


def _understood(read: Callable[[Any], NewNote], given: Any) -> NewNote:
    try:
        return read(given)
    except pydantic.ValidationError as error:
        found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        raise unsaid(400)
    raise wrong_fields((".".join(map(str, each["loc"])), told(each)) for each in found)


def _checked(note: NewNote, *, has_audio: bool) -> NewNote:
    wrong = []
    if has_audio == (note.text is not None):
        wrong.append((AUDIO, "Send either a recording or a text."))
    if (note.sender_phone is None) == (note.sender_id is None):
        wrong.append(("sender_phone", "Say who sent it: either by sender_phone or by sender_id."))
    if note.recorded_at is not None and note.recorded_at < EARLIEST:
        wrong.append(("recorded_at", f"Give a time since {EARLIEST.year}."))
    if wrong:
        raise wrong_fields(wrong)
    return note


def _broken_off() -> ApiProblem:
    return ApiProblem(
        400,
        BROKEN_OFF,
        "Broken off",
        "The request ended, or its time was up, before all of it had come. Nothing was kept: send it again.",
    )


def _too_many_slow() -> ApiProblem:
    return ApiProblem(
        503,
        TOO_MANY_SLOW,
        "Too many slow requests",
        "The request came slowly, and as many as can be waited for did so already. Nothing was kept: send the same "
        "request again later.",
        headers={"Retry-After": str(settings.API_SILENT_SECONDS)},
    )
