import io
import wave

import pytest

from voicepipeline.simulator.audio import duration_seconds, make_ogg, make_wav, read_script

SCRIPT = "Róisín O'Brien hurt her ankle — “badly”."


@pytest.mark.parametrize("make", [make_wav, make_ogg])
@pytest.mark.parametrize("script", [SCRIPT, "", "word " * 2_000])
def test_the_script_comes_out_as_it_went_in(make, script):
    assert read_script(make(script, 3.0)) == script


@pytest.mark.parametrize("make", [make_wav, make_ogg])
@pytest.mark.parametrize("seconds", [0.5, 12.34, 90.0])
def test_a_file_is_as_long_as_was_asked(make, seconds):
    assert duration_seconds(make(SCRIPT, seconds)) == pytest.approx(seconds, abs=0.02)


def test_a_wav_file_is_read_by_others():
    with wave.open(io.BytesIO(make_wav(SCRIPT, 2.0))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8_000, 16_000)
        assert len(set(file.readframes(16_000))) > 1


def test_silence_is_silent():
    with wave.open(io.BytesIO(make_wav("", 1.0, audible=False))) as file:
        assert set(file.readframes(8_000)) == {0x80}


def ogg_checksum(page):
    """Bit by bit, as the standard says it, unlike the table in the code."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = ((register << 1) ^ 0x04C11DB7 if register & 0x80000000 else register << 1) & 0xFFFFFFFF
    return register


def test_every_page_of_an_ogg_file_has_its_number_and_checksum():
    audio, at, number, flags = make_ogg(SCRIPT, 3.0), 0, 0, []
    while at < len(audio):
        count = audio[at + 26]
        size = 27 + count + sum(audio[at + 27 : at + 27 + count])
        page = bytearray(audio[at : at + size])
        told = int.from_bytes(page[22:26], "little")
        page[22:26] = bytes(4)
        assert ogg_checksum(page) == told
        assert int.from_bytes(page[18:22], "little") == number
        flags.append(page[5])
        at, number = at + size, number + 1
    assert at == len(audio)
    assert (flags[0], flags[-1]) == (2, 4)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"OggS", b"OggS" + b"OpusTags", b"\xff\xfb\x90\x00" * 100])
def test_what_is_not_ours_has_no_script_and_does_no_harm(content):
    assert read_script(content) is None
    duration_seconds(content)
