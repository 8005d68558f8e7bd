"""A voice note's audio, as the player on its page asks for it: piece by piece, never the whole in memory."""

import re
import uuid
from collections.abc import Iterator
from typing import IO, Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.models import ContentReading, VoiceNote
from voicepipeline.operations.readings import record_reading

CHUNK_BYTES = 64 * 1024
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)
PLAYABLE = re.compile(r"(audio|video)/[a-z0-9.+-]+", re.ASCII)


class Unsatisfiable(Exception):
    """The range asked for begins behind the end."""


class Part:
    """Some bytes of an open file, read while they are sent; whoever sends them closes it."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self.file, self.start, self.length = file, start, length

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(self.start)
        left = self.length
        while left > 0 and (chunk := self.file.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.file.close()


@require_safe
def audio(request: HttpRequest, artifact_id: uuid.UUID) -> HttpResponseBase:
    """The recording of this voice note, or the part of it that the request names."""
    verify_platform_staff(request.user, "voicepipeline.view_artifact")
    verify_reader(request.user)
    notes = VoiceNote.objects.filter(artifact__artifact_id=artifact_id).exclude(audio="")
    note = notes.select_related("artifact").first()
    if note is None:
        raise Http404("This voice note has no recording.")
    try:
        file: Any = note.audio.storage.open(str(note.audio.name), "rb")
    except OSError as error:
        raise Http404("The recording of this voice note is gone.") from error
    if request.method == "GET":
        # Any part of it is a hearing: players ask for many, and whoever asks for the second half alone has heard it.
        user: Any = request.user
        record_reading(user, [note.artifact.pk], ContentReading.Place.AUDIO)
    response = _answer(request, note, file)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = _etag(note)
    response["Content-Disposition"] = f'inline; filename="{_plain_name(artifact_id, note)}"'
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _answer(request: HttpRequest, note: VoiceNote, file: IO[bytes]) -> HttpResponseBase:
    size = file.seek(0, 2)
    try:
        wanted = None if request.method == "HEAD" else wanted_range(request, size, _etag(note))
    except Unsatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = wanted or (0, size - 1)
    length = end - start + 1
    headers = {"Content-Length": str(length), "Content-Type": _content_type(note)}
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers=headers)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    return StreamingHttpResponse(Part(file, start, length), status=206 if wanted else 200, headers=headers)


def wanted_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """The first and the last byte asked for; None for all: no range, several, or one of another version."""
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range", "").strip()
    if asked is None or asked[1] == asked[2] == "" or condition not in ("", etag):
        return None
    if asked[1] == "":
        start, end = max(0, size - int(asked[2])), size - 1
    else:
        start, end = int(asked[1]), min(int(asked[2] or size), size - 1)
        if asked[2] and int(asked[2]) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def _etag(note: VoiceNote) -> str:
    return f'"{note.sha256 or note.pk}"'


def _content_type(note: VoiceNote) -> str:
    """As it was recognised when it came in; anything else is nothing that a browser should open."""
    return note.mime_type if PLAYABLE.fullmatch(note.mime_type) else "application/octet-stream"


def _plain_name(artifact_id: uuid.UUID, note: VoiceNote) -> str:
    """What the file is called when somebody saves it: nothing of what its sender called it."""
    extension = (note.audio.name or "").rpartition(".")[2]
    return f"voice-note-{str(artifact_id)[:8]}" + (f".{extension}" if extension.isalnum() else "")
