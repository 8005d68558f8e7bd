"""The parts of a multipart/form-data body, as far as uploads of audio need it."""

import re
from dataclasses import dataclass

NAME = re.compile(r'[; ]name="([^"]*)"')
FILENAME = re.compile(r'[; ]filename="([^"]*)"')
BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


@dataclass(frozen=True)
class Part:
    name: str
    filename: str | None
    content: bytes


class Form:
    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts

    def text(self, name: str) -> str | None:
        texts = self.texts(name)
        return texts[0] if texts else None

    def texts(self, name: str) -> list[str]:
        """Every value of a field that may be repeated."""
        return [part.content.decode("utf-8", "replace") for part in self._parts if part.name == name]

    def file(self, name: str) -> Part | None:
        return next((part for part in self._parts if part.name == name and part.filename is not None), None)


def parse(content_type: str, body: bytes) -> Form | None:
    """The form, or None when this is not one."""
    boundary = BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        return None
    parts = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.group(1).encode())[1:-1]:
        raw_head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        head = raw_head.decode("utf-8", "replace")
        name, filename = NAME.search(head), FILENAME.search(head)
        if name is None:
            return None
        parts.append(Part(name.group(1), filename.group(1) if filename else None, content))
    return Form(parts)
