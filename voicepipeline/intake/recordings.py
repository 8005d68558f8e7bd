"""What a recording is, told by its first bytes, and whether it is worth sending to a provider that is paid."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath

from voicepipeline.ai.uploads import MAX_UPLOAD_BYTES, upload_extension
from voicepipeline.intake.durations import measure_duration

__all__ = ["HEAD_BYTES", "Recording", "RecordingRefused", "examine", "measure_duration"]

# How much of a file `examine` wants to see: past the first page of an Ogg file, and two frames of an MP3.
HEAD_BYTES = 8_192
# Less than the headers of anything that plays for a second.
SMALLEST_BYTES = 128
SHORTEST = Decimal(1)  # seconds; providers refuse less
# 25 MB at 16 kbit/s, about the lowest rate at which speech is recorded, are three and a half hours.
LONGEST = Decimal(4 * 3600)  # seconds

MIME_TYPES = {
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "webm": "audio/webm",
}


@dataclass(frozen=True)
class Recording:
    """A recording that may be sent: the extension is the provider's way to tell what it is."""

    extension: str
    mime_type: str
    duration_seconds: Decimal | None  # None: unknown, which is no reason to refuse


class RecordingRefused(Exception):
    """It will not be taken; the message says to staff why, and what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


SAVE_AS = "Save it as MP3, M4A or WAV and send that."
REFUSALS = {
    "empty": "The file is empty. Record it again, or send the file again.",
    "web_page": "This is a web page, not a recording. Open the link, download the recording itself and send that.",
    "text": "This is a text file, not a recording. Send the recording, or type the text in as a note.",
    "picture": "This is a picture, not a recording. Send the recording.",
    "video": f"This is a video that the AI service does not take. {SAVE_AS}",
    "audio_format": f"This kind of sound file is not one that the AI service takes. {SAVE_AS}",
    "not_a_recording": f"This is not a recording that can be recognised. {SAVE_AS}",
    "cut_off": "The file is cut off: there is no sound in it. Send it again, or record it again.",
    "too_short": "The recording is shorter than one second. Record it again.",
}

AUDIO_IN_OGG = (b"OpusHead", b"\x01vorbis", b"\x7fFLAC", b"Speex   ")
# Brands of MP4 that carry sound alone or sound that can be taken out; three letters stand for a family.
BRANDS = frozenset({"M4A", "M4B", "M4P", "M4V", "mp4", "iso", "avc", "das", "MSN", "3gp", "3g2", "3gr", "3gs"})
SOUND_ALONE = frozenset({"M4A", "M4B", "M4P"})
PICTURE_BRANDS = frozenset({"hei", "hev", "mif", "msf", "avi", "crx"})

# What people send by mistake; where the signature stands beyond the start, its place is given.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"\x89PNG", "picture"),
    (0, b"GIF8", "picture"),
    (0, b"BM", "picture"),
    (0, b"II*\x00", "picture"),
    (0, b"MM\x00*", "picture"),
    (8, b"WEBP", "picture"),
    (8, b"AVI ", "video"),
    (0, b"\x00\x00\x01\xba", "video"),
    (0, b"\x00\x00\x01\xb3", "video"),
    (0, b"FLV", "video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "audio_format"),  # WMA
    (0, b"#!AMR", "audio_format"),
    (0, b"caff", "audio_format"),
    (8, b"AIFF", "audio_format"),
    (8, b"AIFC", "audio_format"),
    (0, b".snd", "audio_format"),
    (0, b"MThd", "audio_format"),
    (0, b"RF64", "audio_format"),
    (0, b"\xff\xf1", "audio_format"),  # AAC without a container
    (0, b"\xff\xf9", "audio_format"),
    (0, b"PK\x03\x04", "not_a_recording"),
    (0, b"%PDF", "not_a_recording"),
)
WEB_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<!--")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def examine(head: bytes, *, size: int, name: str, duration_seconds: Decimal | None) -> Recording:
    """What this recording is, or RecordingRefused. The first bytes decide; the name is a hint within a kind."""
    if size == 0 or not head:
        raise _refused("empty")
    extension = _extension(head, name)
    if extension not in MIME_TYPES:
        raise _refused(extension)
    if size > MAX_UPLOAD_BYTES:
        raise _too_large(size)
    if size < SMALLEST_BYTES or duration_seconds == 0:
        raise _refused("cut_off")
    if duration_seconds is not None and duration_seconds < SHORTEST:
        raise _refused("too_short")
    if duration_seconds is not None and duration_seconds > LONGEST:
        raise _too_long(duration_seconds)
    return Recording(extension, MIME_TYPES[extension], duration_seconds)


def _refused(code: str) -> RecordingRefused:
    return RecordingRefused(code, REFUSALS[code])


def _too_large(size: int) -> RecordingRefused:
    # Rounded up, so that nobody reads of 25.0 MB being more than 25.0.
    tenths = -(-size * 10 // 1_048_576)
    most = MAX_UPLOAD_BYTES * 10 // 1_048_576
    return RecordingRefused(
        "too_large",
        f"The recording is {tenths / 10:.1f} MB; the AI service takes at most {most / 10:.1f} MB. "
        "Send it in shorter parts, or save it as MP3 with a lower bit rate.",
    )


def _too_long(seconds: Decimal) -> RecordingRefused:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return RecordingRefused(
        "too_long",
        f"The recording is {hours} h {minutes:02} min long; the limit is {int(LONGEST) // 3600} hours. "
        "Send it in shorter parts.",
    )


def _extension(head: bytes, name: str) -> str:
    """An extension of MIME_TYPES, or a code of REFUSALS."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"OggS":
        return _in_ogg(head)
    if head[:4] == b"fLaC":
        return "flac"
    if head[4:8] == b"ftyp":
        return _in_mp4(head, name)
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "video"
    if head[:3] == b"ID3":
        return _behind_id3(head)
    return "mp3" if _is_mp3_frame(head, 0) else _mistaken_for_one(head)


def _in_ogg(head: bytes) -> str:
    if b"\x80theora" in head:
        return "video"
    return "ogg" if any(codec in head for codec in AUDIO_IN_OGG) else "cut_off"


def _in_mp4(head: bytes, name: str) -> str:
    brand = head[8:11].decode("latin-1")
    if brand not in BRANDS:
        return "picture" if brand in PICTURE_BRANDS else "video"
    hint = upload_extension(PurePath(name).suffix)
    return "m4a" if brand in SOUND_ALONE or hint == "m4a" else "mp4"


def _behind_id3(head: bytes) -> str:
    """MP3 after its tag, unless something else follows; a tag with a cover is longer than what we see."""
    if len(head) < 10:
        return "cut_off"
    at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    rest = head[at:].lstrip(b"\x00")
    if rest[:4] == b"fLaC":
        return "flac"
    return "mp3" if not rest or _is_mp3_frame(rest, 0) else "not_a_recording"


def _is_mp3_frame(head: bytes, at: int) -> bool:
    """Eleven set bits, layer II or III, and no reserved value. Two bytes alone would take half of all files for MP3."""
    if len(head) < at + 4 or head[at] != 0xFF or head[at + 1] & 0xE0 != 0xE0:
        return False
    version, layer = head[at + 1] >> 3 & 3, head[at + 1] >> 1 & 3
    rate, frequency = head[at + 2] >> 4, head[at + 2] >> 2 & 3
    return version != 1 and layer in (1, 2) and 0 < rate < 15 and frequency != 3


def _mistaken_for_one(head: bytes) -> str:
    for at, signature, code in SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return code
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(WEB_PAGE):
        return "web_page"
    return "text" if _is_text(head) else "not_a_recording"


def _is_text(head: bytes) -> bool:
    """Readable, even when the last letter is cut in two."""
    if head.startswith(BYTE_ORDER_MARKS):
        return True
    shown = head.decode("utf-8", "replace")[:-1]
    return "\ufffd" not in shown and all(sign.isprintable() or sign.isspace() for sign in shown)
