"""What is said in a voice note, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf.locale import LANG_INFO

from voicepipeline.admin.note_marks import Paragraph, Quote, clock, paragraphs
from voicepipeline.admin.words import State, moment
from voicepipeline.masking import Eyes
from voicepipeline.models import Claim, Transcript
from voicepipeline.policies import quality

LONG_TEXT = 900  # characters; beyond, the transcript is folded
UNKNOWN = "unknown"
VERDICTS = {
    Transcript.Verdict.GOOD: State("completed", "Good"),
    Transcript.Verdict.FLAGGED: State("review", "To be reviewed"),
    Transcript.Verdict.NO_SPEECH: State("no_speech", "No speech"),
}
LISTENED = State("closed", "Listened to")


@dataclass(frozen=True)
class TranscriptView:
    transcript: Transcript
    paragraphs: list[Paragraph]
    facts: list[tuple[str, str]]
    reasons: list[str]
    is_long: bool
    hidden: bool = False

    @property
    def verdict(self) -> State:
        verdict = Transcript.Verdict(self.transcript.verdict)
        return LISTENED if verdict == Transcript.Verdict.FLAGGED and self.listened else VERDICTS[verdict]

    @property
    def listened(self) -> str:
        """Who has heard the recording because of what the machine doubted, and when."""
        by, at = self.transcript.reviewed_by, self.transcript.reviewed_at
        return f"{by.get_full_name() or by.get_username()} has listened to it, {moment(at)}." if by else ""


def transcript_view(transcript: Transcript, claims: Sequence[Claim], eyes: Eyes) -> TranscriptView:
    said = transcript.text if eyes.read else ""
    quotes = [Quote(each.number, each.quote_start or 0, each.quote_end or 0) for each in claims if each.is_supported]
    segments = transcript.segments if isinstance(transcript.segments, list) else []
    return TranscriptView(
        transcript=transcript,
        paragraphs=paragraphs(said, quotes, segments),
        facts=_transcript_facts(transcript),
        reasons=[quality.REASONS.get(code, code) for code in transcript.verdict_reasons],
        is_long=len(said) > LONG_TEXT,
        hidden=not eyes.read,
    )


def _transcript_facts(transcript: Transcript) -> list[tuple[str, str]]:
    languages = ", ".join(map(language_name, transcript.languages)) or UNKNOWN
    if transcript.is_typed:
        return [("Language", languages)] if transcript.languages else []
    seconds = transcript.duration_seconds
    return [
        ("Language", languages),
        ("Duration", UNKNOWN if seconds is None else clock(float(seconds))),
        ("Model", transcript.ai_model or UNKNOWN),
        ("Confidence", percent(transcript.confidence)),
    ]


def language_name(code: str) -> str:
    """What a language is called; providers give codes or names."""
    return str(LANG_INFO.get(code.lower(), {}).get("name", code.capitalize() if len(code) > 3 else code))


def percent(share: float | None) -> str:
    """A confidence from 0 to 1; never rounded up to certainty."""
    if share is None:
        return UNKNOWN
    return f"{100 if share >= 1 else min(99, round(100 * share))} %"
