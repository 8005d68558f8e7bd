"""The first stage: what is said in a recording, or what was typed, and whether that is anything at all."""

from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, BinaryIO, cast

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from voicepipeline.ai.client import provider
from voicepipeline.ai.hearing import MAX_KEYWORDS, MAX_TEXT_CHARACTERS, Heard, Segment
from voicepipeline.ai.pricing import Price
from voicepipeline.intake.recordings import HEAD_BYTES, RecordingRefused, examine, measure_duration
from voicepipeline.models import Artifact, Transcript, VoiceNote
from voicepipeline.operations.prices import prices_on
from voicepipeline.policies.quality import Judgement, Verdict, judge
from voicepipeline.stages.contract import NO_USAGE, PermanentFault, StageOutput, TransientFault, Usage
from voicepipeline.stages.rosters import names_to_listen_for
from voicepipeline.text import safe_text

MAX_SEGMENTS = 5_000
# Waiting does not bring these back.
LASTING = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError, SuspiciousFileOperation)


@dataclass(frozen=True)
class Given:
    """A recording, by the name under which it is kept, or a typed text; and what helps to hear it right."""

    audio_name: str = ""
    text: str = ""
    duration_seconds: Decimal | None = None
    names: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Recording:
    """The bytes to send, checked."""

    audio: bytes
    extension: str
    duration_seconds: Decimal | None


@dataclass(frozen=True)
class Written:
    """The transcript to keep."""

    heard: Heard
    judgement: Judgement
    ai_model: str = ""
    is_typed: bool = False


def load(artifact: Artifact) -> Given:
    """The note's recording or text, and for a recording its club's languages and names."""
    note = artifact.voice_note
    if note is None:
        raise PermanentFault("recording_missing", "This voice note has no recording linked to it.")
    if not note.audio:
        return Given(text=note.text)
    return Given(
        audio_name=note.audio.name or "",
        duration_seconds=note.duration_seconds,
        names=names_to_listen_for(artifact, most=MAX_KEYWORDS),
        languages=tuple(artifact.organization.languages) if artifact.organization else (),
        prices=prices_on(timezone.now().date()),
    )


def work(given: Given) -> StageOutput:
    """A typed text is its own transcript; a recording is checked once more, sent, and judged."""
    if given.audio_name:
        return _hear(given)
    heard = Heard(safe_text(given.text.strip(), MAX_TEXT_CHARACTERS))
    verdict = judge(heard.text, duration_seconds=None, languages=(), expected_languages=(), typed=True)
    return _output(Written(heard, verdict, is_typed=True), NO_USAGE)


def store(artifact: Artifact, data: Written) -> None:
    """Keep the transcript in place of an earlier one, and say on the note whether anybody speaks in it."""
    heard, judgement = data.heard, data.judgement
    columns = {
        "text": heard.text,
        "segments": [asdict(segment) for segment in heard.segments[:MAX_SEGMENTS]],
        "languages": list(heard.languages),
        "duration_seconds": heard.duration_seconds,
        "ai_model": data.ai_model,
        "confidence": heard.confidence,
        "is_typed": data.is_typed,
        "verdict": judgement.verdict.value,
        "verdict_reasons": list(judgement.reasons),
        "created_at": timezone.now(),
        # Whoever listened has judged another transcript.
        "reviewed_at": None,
        "reviewed_by": None,
    }
    Transcript.objects.update_or_create(artifact=artifact, defaults=columns)
    _set_outcome(artifact, Artifact.Outcome.NO_SPEECH if judgement.verdict is Verdict.NO_SPEECH else "")
    if heard.duration_seconds is not None:
        unmeasured = VoiceNote.objects.filter(artifact=artifact, duration_seconds__isnull=True)
        unmeasured.update(duration_seconds=heard.duration_seconds)


def remove(artifact: Artifact, *, decided_too: bool = False) -> dict[str, int]:
    """Delete the transcript, and what it said of the note."""
    deleted, _ = Transcript.objects.filter(artifact=artifact).delete()
    _set_outcome(artifact, "")
    return {"transcripts": deleted}


def _hear(given: Given) -> StageOutput:
    recording = _read(given)
    answer = provider().transcribe(
        recording.audio,
        extension=recording.extension,
        names=given.names,
        languages=given.languages,
        duration_seconds=recording.duration_seconds,
        prices=given.prices,
    )
    heard = replace(answer.data, duration_seconds=answer.data.duration_seconds or recording.duration_seconds)
    verdict = judge(
        heard.text,
        duration_seconds=heard.duration_seconds,
        languages=heard.languages,
        expected_languages=given.languages,
        no_speech_probability=_no_speech_probability(heard.segments),
        offered_names=given.names,
    )
    return _output(Written(heard, verdict, ai_model=answer.usage.ai_model), answer.usage)


def _read(given: Given) -> Recording:
    """The file as it is kept; refused before anything is paid when no provider would take it."""
    try:
        with default_storage.open(given.audio_name) as file:
            return _checked(file, given)
    except RecordingRefused as refused:
        raise PermanentFault(refused.code, refused.message) from None
    except LASTING:
        message = "The recording is no longer where it was kept. Trying again will not help; ask for the note again."
        raise PermanentFault("recording_missing", message) from None
    except OSError:
        raise TransientFault("recording_unreadable", "The recording could not be read from where it is kept.") from None


def _checked(file: "File[Any]", given: Given) -> Recording:
    head, name, size = file.read(HEAD_BYTES), given.audio_name, file.size
    seconds = given.duration_seconds
    kind = examine(head, size=size, name=name, duration_seconds=seconds)
    if seconds is None:
        seconds = measure_duration(cast("BinaryIO", file), kind.extension)
        examine(head, size=size, name=name, duration_seconds=seconds)
    file.seek(0)
    return Recording(file.read(), kind.extension, seconds)


def _no_speech_probability(segments: tuple[Segment, ...]) -> float | None:
    """How likely it is that nobody speaks, over all segments; None where the model does not tell."""
    told = [each.no_speech_probability for each in segments if each.no_speech_probability is not None]
    return sum(told) / len(told) if told else None


def _output(written: Written, usage: Usage) -> StageOutput:
    heard, judgement = written.heard, written.judgement
    metadata = {
        "transcript_word_count": len(heard.text.split()),
        "transcript_duration": heard.duration_seconds,
        "confidence_score": heard.confidence,
        "verdict": judgement.verdict.value,
        "verdict_reasons": list(judgement.reasons) or None,
        "outcome": Artifact.Outcome.NO_SPEECH.value if judgement.verdict is Verdict.NO_SPEECH else None,
    }
    return StageOutput(written, usage, metadata)


def _set_outcome(artifact: Artifact, outcome: str) -> None:
    artifact.outcome = outcome
    Artifact.objects.filter(pk=artifact.pk).update(outcome=outcome)
