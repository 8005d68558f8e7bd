"""Recordings on disk: written beside where they are kept, made safe, and moved there once they are wanted."""

import errno
import hashlib
import logging
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from django.core.files.storage import default_storage

from voicepipeline.ai.uploads import MAX_UPLOAD_BYTES
from voicepipeline.intake.recordings import HEAD_BYTES, RecordingRefused
from voicepipeline.models import VoiceNote
from voicepipeline.models.notes import random_audio_name

logger = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024
INCOMING = "incoming"
AUDIO = "audio"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
OWNER_ALONE = 0o600


@dataclass(frozen=True)
class Incoming:
    """A recording that has arrived whole and may still be refused."""

    path: Path
    head: bytes
    size: int
    sha256: str


class StorageRefused(Exception):
    """The recording cannot be written here and now; the message says what to do."""


@contextmanager
def taken_in(audio: BinaryIO) -> Iterator[Incoming]:
    """Write what is sent to a file of its own, reading no more than a recording may hold; it is gone afterwards."""
    path = media(INCOMING) / f"{uuid.uuid4().hex}.part"
    try:
        yield _written(audio, path)
    finally:
        discard(path)


def _written(audio: BinaryIO, path: Path) -> Incoming:
    digest, head, size = hashlib.sha256(), b"", 0
    with _told_plainly():
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE), "wb", buffering=0)
    with file:
        while size <= MAX_UPLOAD_BYTES and (chunk := _next_chunk(audio)):
            size += len(chunk)
            digest.update(chunk)
            head += chunk[: HEAD_BYTES - len(head)]
            if size <= MAX_UPLOAD_BYTES:
                with _told_plainly():
                    write_all(file, chunk)
        with _told_plainly():
            os.fsync(file.fileno())
    whole = size if size <= MAX_UPLOAD_BYTES else max(size, _told_size(audio))
    return Incoming(path, head, whole, digest.hexdigest())


def write_all(file: IO[bytes], chunk: bytes) -> None:
    """A disk that is nearly full takes a part and says so; only the next write is an error."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _next_chunk(audio: BinaryIO) -> bytes:
    try:
        return audio.read(CHUNK_BYTES)
    except OSError as error:
        raise RecordingRefused(
            "broken_off", "The recording broke off while it was being sent. Nothing of it was kept: send it again."
        ) from error


def _told_size(audio: BinaryIO) -> int:
    """How large it is altogether, without reading it; 0 when that cannot be told."""
    try:
        return int(getattr(audio, "size", 0) or audio.seek(0, os.SEEK_END))
    except (OSError, ValueError, AttributeError):
        return 0


def keep(incoming: Incoming, extension: str) -> str:
    """Move it to where recordings are kept, for good, and return the name that a recording's row has for it."""
    name = random_audio_name(VoiceNote(), f"recording.{extension}")
    path = media(name)
    with _told_plainly():
        path.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.replace(path)
        # The name of a file is safe only with its folder, and that with the one above.
        for folder in (path.parent, path.parent.parent):
            _sync_folder(folder)
    return name


def media(name: str) -> Path:
    return Path(default_storage.path(name))


def discard(path: Path) -> None:
    """Delete this file if it is there; one that cannot be deleted is left for the sweep."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("a file could not be deleted", extra={"reason": os.strerror(error.errno or 0)})


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        logger.error("a recording could not be stored", extra={"reason": os.strerror(error.errno or 0)})
        why = "the disk is full" if error.errno in FULL else "the folder for recordings cannot be written"
        raise StorageRefused(
            f"It could not be stored: {why}. Nothing was kept. Tell an administrator, and send it again afterwards."
        ) from error
