"""How long a recording plays, as far as its sound is really there. No file makes this raise or take long."""

import math
import os
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from tinytag import TinyTag

# tinytag does not read webm, mpeg and mpga.
MEASURED = frozenset({"flac", "m4a", "mp3", "mp4", "oga", "ogg", "opus", "wav", "wave"})
LONGEST_BELIEVED = Decimal(7 * 24 * 3600)  # seconds
PLACES = Decimal("0.01")
NOTHING = Decimal(0)
# The rate of an MP3 is a rounded one.
ROUNDED_RATE = 0.98
# An hour in the smallest pages needs fewer; a hostile file would keep a page waiting for long. Beyond it is unknown.
MAX_READS = 500_000
MAX_BOXES = 10_000
# The largest page of an Ogg file, with room for rubbish behind it.
LAST_PAGES = 2 * 65_307


class TooManyReads(Exception):
    """Reading this file takes more steps than any recording needs."""


class _Counted:
    """A file that ends the patience of whoever reads it in tiny steps."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_READS

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooManyReads
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def measure_duration(file: BinaryIO | str | os.PathLike[str], extension: str | None = None) -> Decimal | None:
    """Seconds of sound; None when they cannot be told, 0 when there is none (a header without anything behind it).

    The first bytes decide what the file is. An extension of something that cannot be measured spares the reading.
    """
    if extension is not None and extension.lower().removeprefix(".") not in MEASURED:
        return None
    try:
        if isinstance(file, str | os.PathLike):
            with Path(file).open("rb") as opened:
                return _measure(opened)
        return _measured_and_rewound(file)
    # Whatever a hostile file provokes in a parser: it only means that the duration is not known.
    except Exception:
        return None


def _measured_and_rewound(file: BinaryIO) -> Decimal | None:
    before = file.tell()
    try:
        return _measure(file)
    finally:
        file.seek(before)


def _measure(file: BinaryIO) -> Decimal | None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    counted: Any = _Counted(file)
    tag = TinyTag.get(file_obj=counted, tags=False)
    kind = (tag.mime_type or "").partition(";")[0]
    if kind == "audio/mp4":
        return _believed(_of_mp4(tag, file, size))
    if not tag.samplerate:
        return NOTHING
    if kind == "audio/ogg":
        return _believed(_of_ogg(tag, file, size))
    if kind == "audio/flac":
        return _believed(tag.duration or None)  # 0 is FLAC's way to say unknown
    return _believed(_of_what_is_there(tag, size)) if kind in ("audio/wav", "audio/mpeg") else None


def _believed(seconds: float | None) -> Decimal | None:
    if seconds is None or not math.isfinite(seconds):
        return None
    exact = Decimal(seconds)
    return exact.quantize(PLACES) if 0 <= exact <= LONGEST_BELIEVED else None


def _of_what_is_there(tag: TinyTag, size: int) -> float | None:
    """WAV and MP3 may claim more than there is: then the bytes there are count, at the rate that the file tells.

    A recorder that was cut off leaves a WAV that claims nothing at all, and its sound is there nevertheless.
    """
    if not tag.bitrate:
        return tag.duration
    there = size * 8 / (tag.bitrate * 1000)
    claims_too_much = not tag.duration or tag.duration * ROUNDED_RATE > there
    return there if claims_too_much else tag.duration


def _of_ogg(tag: TinyTag, file: BinaryIO, size: int) -> float | None:
    """tinytag leaves the last page out when the file has no proper end, and that may be the only page with sound."""
    file.seek(max(0, size - LAST_PAGES))
    tail = file.read()
    at = tail.rfind(b"OggS")
    granule: int = struct.unpack_from("<q", tail, at + 6)[0]
    return max(tag.duration or 0.0, granule / (tag.samplerate or 1))


def _of_mp4(tag: TinyTag, file: BinaryIO, size: int) -> float | None:
    """The claimed duration, by how much of the sound is there; nothing plays without an index (`moov`)."""
    boxes = _boxes(file, size)
    if not any(name == b"moov" and there == claimed for name, there, claimed in boxes):
        return 0
    # A recording in fragments does not tell how long it is.
    if not tag.duration:
        return None
    sound = [(there, claimed) for name, there, claimed in boxes if name == b"mdat"]
    claimed_bytes = sum(claimed for _, claimed in sound)
    return tag.duration * sum(there for there, _ in sound) / claimed_bytes if claimed_bytes else 0


def _boxes(file: BinaryIO, size: int) -> list[tuple[bytes, int, int]]:
    """The outermost boxes: name, bytes that are there, bytes that are claimed."""
    boxes: list[tuple[bytes, int, int]] = []
    at = 0
    while at + 8 <= size and len(boxes) < MAX_BOXES:
        file.seek(at)
        head = file.read(16)
        claimed, name = struct.unpack_from(">I4s", head)
        if claimed == 1 and len(head) == 16:
            (claimed,) = struct.unpack_from(">Q", head, 8)
        elif claimed == 0:
            claimed = size - at
        if claimed < 8:
            break
        boxes.append((name, min(claimed, size - at), claimed))
        at += claimed
    return boxes
