"""Recordings to send, and what is on disk afterwards."""

import io
import itertools

from voicepipeline.intake.receiving import receive_voice_note
from voicepipeline.models import Artifact, VoiceNote
from voicepipeline.simulator.audio import make_wav

_numbers = itertools.count(1)


def recording(words=None, seconds=3):
    """A real WAV file, unlike every other one unless the words are given."""
    return make_wav(words or f"Recording number {next(_numbers)}", seconds)


def send(content=None, **given):
    """Receive these bytes, or what is given as audio or text."""
    if content is not None:
        given["audio"] = io.BytesIO(content)
    given = {"source_channel": "admin_upload", "audio": None, "sender": None, "organization": None, **given}
    return receive_voice_note(**given)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def nothing_left(media):
    return files(media) == [] and not VoiceNote.objects.exists() and not Artifact.objects.exists()
