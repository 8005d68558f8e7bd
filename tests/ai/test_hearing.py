"""Answers to a transcription that no honest provider gives: kept from every column that would refuse them."""

import pytest
from openai.types.audio import Transcription, TranscriptionVerbose

from voicepipeline.ai.hearing import MAX_LANGUAGES, read


def heard(**fields):
    return read(Transcription.construct(text="Good session.", **fields))


def verbose(**segment):
    given = {"start": 0.0, "end": 1.0, "text": "Good session.", **segment}
    return read(TranscriptionVerbose.construct(text="Good session.", language="en", duration=1.0, segments=[given]))


def test_languages_are_text_that_a_column_takes():
    codes = [{"code": "e\x00n"}, {"code": "\ud800"}, {"code": "x" * 500}, {"code": 7}, *[{"code": "pl"}] * 50]
    languages = heard(languages=codes).languages
    assert languages[:2] == ("en", "?")
    assert (len(languages) < MAX_LANGUAGES, max(map(len, languages))) == (True, 20)


@pytest.mark.parametrize("number", [1e308, 10**400], ids=["float", "int"])
def test_numbers_out_of_this_world_are_no_error(number):
    assert heard(logprobs=[{"logprob": number}, {"logprob": number}]).confidence in (None, 1.0)
    assert verbose(avg_logprob=number, no_speech_prob=number).text == "Good session."
