"""How files that a browser sends reach the disk: for those who may send some, and no more than a recording holds."""

import contextlib
import hashlib
import logging
import os
import tempfile
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from voicepipeline.access import is_platform_staff
from voicepipeline.ai.uploads import MAX_UPLOAD_BYTES
from voicepipeline.intake.storing import INCOMING, media, write_all

logger = logging.getLogger(__name__)


class ArrivedFile(UploadedFile):  # type: ignore[type-arg]
    """A file as it arrived, cut where it became too large; its size is that of the whole."""

    file: Any
    failure: OSError | None = None

    def read(self, *args: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.file.read(*args)

    def close(self) -> None:
        """Close it, and with that delete it, unless something else has: the sweep, or a person."""
        if self.file is not None:
            with contextlib.suppress(FileNotFoundError):
                self.file.close()


class BoundedUpload(FileUploadHandler):
    """Writes each file beside the recordings, where what a crash leaves is swept, and its end no further than needed.

    Forms are read before anybody asks who sends them, so strangers are stopped here.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if not self.may_send():
            raise StopUpload(connection_reset=True)
        self.file = ArrivedFile(name=self.file_name, content_type=self.content_type, size=0)
        try:
            media(INCOMING).mkdir(parents=True, exist_ok=True)
            # Unbuffered: what the disk refuses is told at once, and not again when the file is closed.
            # The request closes it, and with that deletes it.
            self.file.file = tempfile.NamedTemporaryFile(dir=media(INCOMING), suffix=".part", buffering=0)  # noqa: SIM115
        except OSError as error:
            self._fail(error)

    def may_send(self) -> bool:
        """Whether this file is to be written."""
        return is_platform_staff(getattr(self.request, "user", AnonymousUser()))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        room = MAX_UPLOAD_BYTES + 1 - start
        if room <= 0 or self.file.failure is not None:
            return
        try:
            write_all(self.file.file, raw_data[:room])
        except OSError as error:
            self._fail(error)

    def file_complete(self, file_size: int) -> ArrivedFile:
        self.file.size = file_size
        if self.file.failure is None:
            self.file.file.seek(0)
        return self.file

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()

    def _fail(self, error: OSError) -> None:
        logger.error("an upload could not be written", extra={"reason": os.strerror(error.errno or 0)})
        self.file.failure = error


class OneRecording(BoundedUpload):
    """The one file of a request whose sender has been checked, and the SHA-256 of what arrived of it."""

    def __init__(self, field_name: str) -> None:
        super().__init__()
        self.wanted = field_name
        self.begun = False
        self.refused = False
        self.digest = hashlib.sha256()

    def may_send(self) -> bool:
        self.refused = self.begun or self.field_name != self.wanted
        self.begun = True
        return not self.refused

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.digest.update(raw_data)
        super().receive_data_chunk(raw_data, start)
