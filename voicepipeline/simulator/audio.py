"""Small real audio files that carry what is spoken in them as a comment, and the reading of that comment.

WAV keeps it in a LIST/INFO chunk (ICMT), Ogg Opus in its comment header. Any player plays both.
"""

import io
import itertools
import struct
import zlib
from collections.abc import Iterator

MARK = "voice-note-script:"

WAV_RATE = 8_000  # samples a second, one byte each
SYLLABLE_SAMPLES = 1_200
OPUS_RATE = 48_000
OPUS_FRAME = 960  # samples: 20 ms
# A whole CELT frame in mono that decodes to silence.
OPUS_SILENCE = b"\xf8\xff\xfe"
FRAMES_A_PAGE = 50
FIRST_PAGE, LAST_PAGE = 2, 4
OGG_POLYNOMIAL = 0x04C11DB7


def make_wav(script: str, seconds: float, *, audible: bool = True) -> bytes:
    """A WAV file of this length with this script inside: soft beeps in the rhythm of speech, or silence."""
    samples = _beeps(script, int(seconds * WAV_RATE)) if audible else b"\x80" * int(seconds * WAV_RATE)
    comment = f"{MARK}{script}".encode() + b"\x00"
    shape = struct.pack("<HHIIHH", 1, 1, WAV_RATE, WAV_RATE, 1, 8)
    body = _chunk(b"fmt ", shape) + _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment)) + _chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def make_ogg(script: str, seconds: float) -> bytes:
    """An Ogg Opus file of this length with this script inside; it plays as silence."""
    frames = max(1, round(seconds * OPUS_RATE / OPUS_FRAME))
    serial = zlib.crc32(script.encode())
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, OPUS_RATE, 0, 0)
    pages = itertools.chain([(FIRST_PAGE, 0, [head])], _comment_pages(script), _sound_pages(frames))
    out = io.BytesIO()
    for number, (flags, granule, packets) in enumerate(pages):
        out.write(_page(flags, granule, serial, number, packets))
    return out.getvalue()


def read_script(audio: bytes) -> str | None:
    """What is spoken in this file, if it is one of ours; an empty string is silence."""
    text = _wav_comment(audio) if audio[:4] == b"RIFF" else _ogg_comment(audio) if audio[:4] == b"OggS" else None
    return text.removeprefix(MARK) if text is not None and text.startswith(MARK) else None


def duration_seconds(audio: bytes) -> float | None:
    """How long it plays, for WAV and Ogg Opus; None when that cannot be told."""
    try:
        if audio[:4] == b"RIFF":
            chunks = dict(_chunks(audio[12:]))
            bytes_a_second: int = struct.unpack_from("<I", chunks[b"fmt "], 8)[0]
            return len(chunks[b"data"]) / bytes_a_second
        if audio[:4] == b"OggS":
            granule: int = struct.unpack_from("<q", audio, audio.rindex(b"OggS") + 6)[0]
            return granule / OPUS_RATE
    except (KeyError, ValueError, ZeroDivisionError, struct.error):
        return None
    return None


# --- WAV -------------------------------------------------------------------------------------------------------


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\x00" * (len(content) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _wav_comment(audio: bytes) -> str | None:
    for name, content in _chunks(audio[12:]):
        if name == b"LIST" and content[:4] == b"INFO":
            comment = dict(_chunks(content[4:])).get(b"ICMT")
            return None if comment is None else comment.rstrip(b"\x00").decode("utf-8", "replace")
    return None


def _beeps(script: str, length: int) -> bytes:
    """A square wave a word, its pitch taken from the word, with a breath after it."""
    words = script.split() or ["…"]
    sound = bytearray()
    for word in itertools.cycle(words):
        if len(sound) >= length:
            return bytes(sound[:length])
        half = 12 + zlib.crc32(word.encode()) % 20
        wave = (b"\x88" * half + b"\x78" * half) * (SYLLABLE_SAMPLES // (2 * half))
        sound += wave + b"\x80" * (SYLLABLE_SAMPLES // 2)
    return bytes(sound)


# --- Ogg Opus --------------------------------------------------------------------------------------------------


def _comment_pages(script: str) -> Iterator[tuple[int, int, list[bytes]]]:
    vendor, comment = b"voicepipeline simulator", f"DESCRIPTION={MARK}{script}".encode()
    packet = b"OpusTags" + b"".join(
        (struct.pack("<I", len(vendor)), vendor, struct.pack("<II", 1, len(comment)), comment)
    )
    if len(packet) >= 255 * 255:
        raise ValueError("A script must fit into one Ogg page: about 60,000 bytes.")
    yield 0, 0, [packet]


def _sound_pages(frames: int) -> Iterator[tuple[int, int, list[bytes]]]:
    for first in range(0, frames, FRAMES_A_PAGE):
        count = min(FRAMES_A_PAGE, frames - first)
        flags = LAST_PAGE if first + count == frames else 0
        yield flags, (first + count) * OPUS_FRAME, [OPUS_SILENCE] * count


def _page(flags: int, granule: int, serial: int, number: int, packets: list[bytes]) -> bytes:
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, number, 0)
    page = bytearray(head + bytes([len(lacing)]) + lacing + b"".join(packets))
    struct.pack_into("<I", page, 22, _ogg_checksum(page))
    return bytes(page)


def _checksum_table() -> list[int]:
    table = []
    for value in range(256):
        register = value << 24
        for _ in range(8):
            register = (register << 1) ^ (OGG_POLYNOMIAL if register & 0x80000000 else 0)
        table.append(register & 0xFFFFFFFF)
    return table


CHECKSUMS = _checksum_table()


def _ogg_checksum(page: bytes | bytearray) -> int:
    register = 0
    for byte in page:
        register = ((register << 8) & 0xFFFFFFFF) ^ CHECKSUMS[(register >> 24) ^ byte]
    return register


def _ogg_comment(audio: bytes) -> str | None:
    """Our comment header is one packet on one page; anybody else's may be larger and is not looked for."""
    at = audio.find(b"OpusTags", 0, 70_000)
    if at < 0:
        return None
    try:
        (vendor,) = struct.unpack_from("<I", audio, at + 8)
        _, length = struct.unpack_from("<II", audio, at + 12 + vendor)
    except struct.error:
        return None
    start = at + 20 + vendor
    return audio[start : start + length].decode("utf-8", "replace").removeprefix("DESCRIPTION=")
