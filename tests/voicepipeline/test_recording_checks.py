import contextlib
import io
import struct
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicepipeline.ai.uploads import ACCEPTED_EXTENSIONS, MAX_UPLOAD_BYTES
from voicepipeline.intake.recordings import (
    HEAD_BYTES,
    LONGEST,
    MIME_TYPES,
    REFUSALS,
    RecordingRefused,
    examine,
    measure_duration,
)
from voicepipeline.simulator.audio import make_ogg, make_wav

WAV = make_wav("Niamh was excellent", 4)
OGG = make_ogg("Niamh was excellent", 10)
MP3_FRAME = b"\xff\xfb\x90\x00" + bytes(413)  # 417 bytes, 1152 samples at 44.1 kHz and 128 kbit/s
MP3 = MP3_FRAME * 200
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x14" + bytes(20)


def box(name, content=b"", *, claimed=None):
    return struct.pack(">I4s", 8 + len(content) if claimed is None else claimed, name) + content


def mp4(brand=b"M4A ", *, seconds=12, sound=5_000, there=None):
    """As phones write it: the sound, then the index."""
    header = struct.pack(">IIIII", 0, 0, 0, 1_000, seconds * 1_000) + bytes(80)
    kind, index = box(b"ftyp", brand + bytes(12)), box(b"moov", box(b"mvhd", header))
    data = box(b"mdat", bytes(sound if there is None else there), claimed=8 + sound)
    return kind + (data + index if there is None else index + data)


def flac(*, samples, rate=16_000):
    info = struct.pack(">Q", rate << 44 | 15 << 36 | samples)
    return b"fLaC" + b"\x80\x00\x00\x22" + bytes(10) + info + bytes(16) + b"\xff\xf8" + bytes(3_000)


WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(400)


def look(content, name="note.mp3", *, seconds="5", size=None):
    return examine(
        content[:HEAD_BYTES],
        size=len(content) if size is None else size,
        name=name,
        duration_seconds=None if seconds is None else Decimal(seconds),
    )


def refusal(content, name="note.mp3", **more):
    with pytest.raises(RecordingRefused) as refused:
        look(content, name, **more)
    return refused.value


def measure(content, extension=None):
    return measure_duration(io.BytesIO(content), extension)


# --- What it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (WAV, "wav"),
        (OGG, "ogg"),
        (MP3, "mp3"),
        (ID3 + MP3, "mp3"),
        (ID3 + bytes(50) + MP3, "mp3"),  # padding that the tag does not count
        (b"ID3\x04\x00\x00\x00\x7f\x7f\x7f" + bytes(9_000), "mp3"),  # a cover larger than what is seen
        (ID3 + flac(samples=32_000), "flac"),
        (b"\xff\xf3\x40\xc0" + bytes(300), "mp3"),  # MPEG 2
        (b"\xff\xfd\x90\x00" + bytes(300), "mp3"),  # layer II, as in .mpga
        (mp4(), "m4a"),
        (mp4(b"M4B "), "m4a"),
        (mp4(b"mp42"), "mp4"),
        (mp4(b"isom"), "mp4"),
        (mp4(b"3gp4"), "mp4"),
        (WEBM, "webm"),
        (flac(samples=32_000), "flac"),
        (OGG.replace(b"OpusHead", b"\x01vorbis\x00"), "ogg"),
    ],
)
@pytest.mark.parametrize("name", ["", "note", "../../etc/passwd", "page.html", "note.wav", "note.flac\x00.exe"])
def test_the_first_bytes_decide_whatever_the_name(content, extension, name):
    recording = look(content, name)
    assert (recording.extension, recording.mime_type) == (extension, MIME_TYPES[extension])
    assert recording.duration_seconds == 5


@pytest.mark.parametrize(
    ("name", "extension"), [("a.m4a", "m4a"), ("A.M4A", "m4a"), ("a.mp4", "mp4"), ("a.mp3", "mp4")]
)
def test_the_name_tells_m4a_from_mp4(name, extension):
    assert look(mp4(b"mp42"), name).extension == extension


@pytest.mark.parametrize("name", ["a.ogg", "a.oga", "a.opus"])
def test_ogg_is_sent_under_the_name_that_is_accepted(name):
    assert look(OGG, name).extension == "ogg"


def test_every_kind_is_one_that_the_provider_takes():
    assert set(MIME_TYPES) <= ACCEPTED_EXTENSIONS


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>" * 9, "web_page"),
        (b"\xef\xbb\xbf\n  <HTML>" + b" " * 300, "web_page"),
        (b"<?xml version='1.0'?><Error/>" * 9, "web_page"),
        (b"Niamh was excellent tonight. " * 9, "text"),
        ("Bhí Róisín ar fheabhas. ".encode() * 9, "text"),
        ("Róisín".encode("utf-16") * 40, "text"),
        (b'{"error": "not found"}' * 9, "text"),
        (b"\xff\xd8\xff\xe0" + bytes(300), "picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), "picture"),
        (b"GIF89a" + bytes(300), "picture"),
        (b"RIFF\x00\x10\x00\x00WEBPVP8 " + bytes(300), "picture"),
        (mp4(b"heic"), "picture"),
        (mp4(b"avif"), "picture"),
        (b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(300), "video"),
        (mp4(b"qt  "), "video"),
        (mp4(b"\xff\xfe\x00\x01"), "video"),
        (WEBM.replace(b"\x84webm", b"\x88matroska"), "video"),
        (OGG.replace(b"OpusHead", b"\x80theora\x00"), "video"),
        (b"\x00\x00\x01\xba" + bytes(300), "video"),
        (b"#!AMR\n" + bytes(300), "audio_format"),
        (b"caff" + bytes(300), "audio_format"),
        (b"FORM\x00\x00\x10\x00AIFFCOMM" + bytes(300), "audio_format"),
        (b"\xff\xf1\x50\x80" + bytes(300), "audio_format"),
        (b"PK\x03\x04" + bytes(300), "not_a_recording"),
        (b"%PDF-1.7" + bytes(300), "not_a_recording"),
        (bytes(5_000), "not_a_recording"),
        (b"\xff" * 5_000, "not_a_recording"),
        (b"\xff\xeb\x90\x00" + bytes(300), "not_a_recording"),  # a version of MPEG that does not exist
        (ID3 + b"nothing of the kind" * 30, "not_a_recording"),
        (b"RIFF\x00\x10\x00\x00XXXX" + bytes(300), "not_a_recording"),
        (OGG[:27], "cut_off"),
        (WAV[:44], "cut_off"),
        (b"ID3", "cut_off"),
        (MP3[:100], "cut_off"),
    ],
)
def test_what_is_no_recording_is_refused(content, code):
    assert refusal(content, seconds=None).code == code


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_says_what_to_do(code):
    first, *rest = REFUSALS[code].split(". ")
    assert first
    assert any(verb in " ".join(rest) for verb in ("end", "ecord", "type"))


# --- How long and how large ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [None, "1", "1.00", "14400"])
def test_durations_within_the_limits_and_unknown_ones_are_taken(seconds):
    assert look(WAV, seconds=seconds).extension == "wav"


@pytest.mark.parametrize(("seconds", "code"), [("0", "cut_off"), ("0.99", "too_short"), ("14400.01", "too_long")])
def test_durations_outside_of_them_are_refused(seconds, code):
    assert refusal(WAV, seconds=seconds).code == code


def test_a_recording_that_is_too_long_is_told_the_limit():
    assert "5 h 02 min long; the limit is 4 hours" in refusal(WAV, seconds=str(LONGEST + 62 * 60)).message


def test_the_largest_recording_that_the_provider_takes_is_taken():
    assert look(WAV, size=MAX_UPLOAD_BYTES).extension == "wav"


@pytest.mark.parametrize(("size", "told"), [(30 * 1_048_576, "30.0 MB"), (MAX_UPLOAD_BYTES + 1, "25.0 MB")])
def test_a_larger_one_is_told_its_size_and_the_limit(size, told):
    refused = refusal(WAV, size=size)
    assert refused.code == "too_large"
    assert f"is {told}; the AI service takes at most 24.9 MB" in refused.message


def test_a_large_file_that_is_no_recording_is_told_that_first():
    assert refusal(b"<html>" + bytes(500), size=90_000_000).code == "web_page"


# --- Measuring -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (WAV, "4.00"),
        (OGG, "10.00"),
        (make_ogg("x", 1.3), "1.30"),
        (MP3, "5.22"),
        (ID3 + MP3, "5.22"),
        (mp4(seconds=12), "12.00"),
        (flac(samples=32_000), "2.00"),
    ],
)
def test_a_whole_recording_is_measured(content, seconds):
    assert measure(content) == Decimal(seconds)


@pytest.mark.parametrize("extension", ["webm", ".mpeg", "MPGA", "html", ""])
def test_what_cannot_be_measured_is_unknown(extension):
    assert measure(WAV, extension) is None


@pytest.mark.parametrize("content", [WEBM, b"", b"<html>" * 90, flac(samples=0), mp4(seconds=0), flac(samples=10**10)])
def test_what_does_not_tell_is_unknown(content):
    assert measure(content) is None


@pytest.mark.parametrize("extension", ["wav", ".WAV", "mp3", None])
def test_the_first_bytes_decide_how_it_is_measured(extension):
    assert measure(WAV, extension) == 4


def test_a_path_is_measured_like_a_file(tmp_path):
    path = tmp_path / "note"
    path.write_bytes(WAV)
    assert measure_duration(path, "wav") == measure_duration(str(path)) == 4
    assert measure_duration(tmp_path / "missing", "wav") is None


def test_a_file_is_left_where_it_was():
    file = io.BytesIO(WAV)
    file.seek(7)
    measure_duration(file, "wav")
    assert (file.tell(), file.closed) == (7, False)


def about(seconds):
    return pytest.approx(seconds, abs=0.1)


def test_of_a_truncated_wav_the_sound_that_is_there_counts():
    assert float(measure(WAV[: len(WAV) // 2])) == about(2)


def test_a_wav_that_claims_a_day_is_not_believed():
    at = WAV.index(b"data") + 4
    assert float(measure(WAV[:at] + b"\xff\xff\xff\x7f" + WAV[at + 4 :])) == about(4)


def test_a_wav_whose_recorder_was_cut_off_before_it_wrote_its_length_is_measured():
    at = WAV.index(b"data") + 4
    assert float(measure(WAV[:at] + bytes(4) + WAV[at + 4 :])) == about(4)


def test_of_a_truncated_ogg_the_pages_that_are_there_count():
    assert float(measure(OGG[: len(OGG) // 2])) == pytest.approx(5, abs=1)


def test_the_only_page_of_an_ogg_without_an_end_counts():
    content = bytearray(make_ogg("x", 1))
    content[content.rindex(b"OggS") + 5] = 0
    assert measure(bytes(content)) == 1


def test_an_mp3_that_claims_more_than_there_is_counts_what_is_there():
    claims = b"\xff\xfb\x90\x00" + bytes(32) + b"Info" + struct.pack(">III", 3, 2_000, 2_000 * 417) + bytes(365)
    assert float(measure(claims + MP3)) == about(5.25)


def test_of_a_truncated_mp4_the_part_that_is_there_counts():
    assert float(measure(mp4(seconds=100, sound=50_000, there=25_000))) == about(50)


@pytest.mark.parametrize(
    "content",
    [
        mp4()[:3_000],  # the index comes last, and is gone
        mp4()[:-40],
        box(b"ftyp", b"M4A " + bytes(200)),
        b"RIFF\x00\x10\x00\x00WAVEJUNK" + struct.pack("<I", 200) + bytes(200),
        ID3 + bytes(500),
        OGG[:27] + b"\x10" + bytes(200),
    ],
)
def test_a_file_without_any_sound_is_refused(content):
    assert measure(content) == 0
    assert refusal(content, seconds="0").code in ("cut_off", "not_a_recording")


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("content", [WAV, OGG, MP3, flac(samples=32_000)])
def test_a_truncated_recording_with_a_second_of_sound_is_taken(content, cut):
    part = content[: int(len(content) * cut)]
    assert look(part, seconds=measure(part)).duration_seconds >= 1


# --- Hostile files ---------------------------------------------------------------------------------------------

HEADS = [WAV[:60], OGG[:200], MP3[:900], ID3, mp4()[:60], flac(samples=9)[:60], WEBM[:60], b""]


@given(st.sampled_from(HEADS), st.integers(0, 900), st.binary(max_size=300))
def test_any_bytes_are_measured_or_unknown_and_examined_or_refused(head, cut, rest):
    content = head[:cut] + rest
    seconds = measure(content)
    assert seconds is None or (seconds.is_finite() and seconds >= 0)
    with contextlib.suppress(RecordingRefused):
        assert look(content, seconds=seconds).extension in MIME_TYPES


@given(st.data())
def test_any_byte_of_a_recording_may_be_wrong(data):
    content = bytearray(data.draw(st.sampled_from([WAV[:9_000], OGG, MP3[:9_000], mp4(), flac(samples=32_000)])))
    for at in data.draw(st.lists(st.integers(0, 250), max_size=6)):
        content[at] = data.draw(st.integers(0, 255))
    seconds = measure(bytes(content))
    assert seconds is None or 0 <= seconds <= 7 * 24 * 3600


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(25_000_000),
        b"\xff\xfb" + b"\xff" * 25_000_000,
        box(b"ftyp", b"M4A \x00\x00\x00\x00") + box(b"free") * 3_000_000,
        box(b"ftyp", b"M4A \x00\x00\x00\x00") + box(b"moov", box(b"free") * 3_000_000),
        b"fLaC\x04\x00\x00\x08" + bytes(4) + b"\xff\xff\xff\xff" + bytes(25_000_000),
        (OGG[:27] + b"\x00") * 900_000,
    ],
    ids=["wav", "mp3", "boxes", "index", "flac", "ogg"],
)
def test_a_file_made_to_keep_us_reading_is_given_up(content):
    started = time.process_time()
    measure(content)
    assert time.process_time() - started < 8
