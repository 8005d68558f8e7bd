"""A week of notes as if the pipeline had worked on them: rows that follow from what was said, not saved yet."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from voicepipeline.ai.endpoint import Endpoint
from voicepipeline.ai.faults import fault
from voicepipeline.ai.pricing import Price, with_cost
from voicepipeline.ai.prompts import CLAIMS_VERSION
from voicepipeline.demo import scripts
from voicepipeline.demo.clubs import Sender
from voicepipeline.demo.entries import keep_entries, suggest
from voicepipeline.demo.fates import ENDINGS, NEEDS_A_RECORDING, Fate
from voicepipeline.demo.people import People
from voicepipeline.demo.recordings import TYPED, Recording, choose_channel, record
from voicepipeline.demo.results import (
    Results,
    Surroundings,
    keep_matches,
    match_names,
    read_claims,
    transcript_of,
)
from voicepipeline.demo.timeline import Timeline
from voicepipeline.models import Artifact, EventType, SourceChannel, StageName, VoiceNote
from voicepipeline.policies.backoff import retry_delay
from voicepipeline.simulator import protocol
from voicepipeline.simulator.transcribing import TOKENS_A_SECOND
from voicepipeline.stages import claims, drafts
from voicepipeline.stages.contract import Remark, Usage

TRIES = 6
# How many of the shorter recordings can be heard.
WAV_SHARE = 0.3
OUTAGE_LASTS = timedelta(minutes=11)
PAUSE_BETWEEN_RELEASES = timedelta(seconds=1.5)
# The prompt with its schema and a roster of some fifty lines.
PROMPT_TOKENS = 2_900
TOKENS_A_CLAIM = 165
PASSING = "provider_unreachable"
OUTAGE_FAULT = "provider_error"


@dataclass
class Outage:
    """A time in which the AI service was down; what came in meanwhile is let go one after another."""

    starts_at: datetime
    held: int = 0

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + OUTAGE_LASTS

    def holds(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def release(self) -> datetime:
        self.held += 1
        return self.ends_at + self.held * PAUSE_BETWEEN_RELEASES


@dataclass
class Story:
    """A note of the history with everything that was made of it."""

    sender: Sender
    around: Surroundings
    fate: Fate
    note: VoiceNote
    artifact: Artifact
    timeline: Timeline
    script: str
    recording: Recording | None
    results: Results = field(default_factory=Results)


@dataclass
class Writer:
    """Writes the notes one after another, in the order in which they were received."""

    choose: Random
    surroundings: list[Surroundings]
    endpoint: Endpoint
    prices: tuple[Price, ...]
    outage: Outage
    people: People
    _duplicate_keys: set[str] = field(default_factory=set)

    def write(self, fate: Fate, received_at: datetime) -> Story:
        story = self._begin(fate, received_at)
        steps: tuple[Callable[[Story], bool], ...] = (self._hear, self._read, self._match, self._suggest)
        if all(step(story) for step in steps):
            story.timeline.complete()
        self.people.look_at(story)
        return story

    # --- What came in ------------------------------------------------------------------------------------------

    def _begin(self, fate: Fate, received_at: datetime) -> Story:
        around = self.choose.choice(self.surroundings)
        sender = self.choose.choice(around.club.senders)
        channel = choose_channel(self.choose, may_be_typed=fate not in NEEDS_A_RECORDING)
        script = self._script(fate, sender)
        recording = None if channel in TYPED else record(self.choose, script, wav_share=WAV_SHARE)
        note = self._note(sender, channel, script, recording, received_at)
        club = around.club.organization
        artifact = Artifact(
            artifact_id=uuid.UUID(int=self.choose.getrandbits(128), version=4),
            voice_note=note,
            source_channel=channel,
            sender=sender.coach,
            organization=club,
            org_context_candidates=[{"organization_id": club.pk, "confidence": 0.9}],
            received_at=received_at,
        )
        return Story(sender, around, fate, note, artifact, Timeline(artifact, self.choose), script, recording)

    def _script(self, fate: Fate, sender: Sender) -> str:
        if fate is Fate.NOTHING_SAID:
            return self.choose.choice(scripts.ACCIDENTS)
        said = sender.speaks(self.choose)
        return scripts.mumbled(self.choose, said) if fate is Fate.MUMBLED else said

    def _note(
        self, sender: Sender, channel: SourceChannel, script: str, recording: Recording | None, received_at: datetime
    ) -> VoiceNote:
        if recording is None:
            return VoiceNote(source_channel=channel, text=script, created_at=received_at)
        sha256 = hashlib.sha256(recording.content).hexdigest()
        name = f"{self.choose.getrandbits(128):032x}"
        return VoiceNote(
            source_channel=channel,
            audio=f"audio/{name[:2]}/{name}.{recording.extension}",
            sha256=sha256,
            duplicate_key=self._duplicate_key(sender, sha256),
            mime_type=recording.mime_type,
            size_bytes=len(recording.content),
            duration_seconds=Decimal(str(recording.seconds)),
            created_at=received_at,
        )

    def _duplicate_key(self, sender: Sender, sha256: str) -> str:
        """As the way in makes it; none for silence of the same length, which may well come twice in a week."""
        key = hashlib.sha256(f"coach/{sender.coach.pk}/{sha256}".encode()).hexdigest()
        if key in self._duplicate_keys:
            return ""
        self._duplicate_keys.add(key)
        return key

    # --- The stages, each telling whether the note goes on --------------------------------------------------------

    def _hear(self, story: Story) -> bool:
        stage = StageName.TRANSCRIPTION
        if story.recording is None:
            story.timeline.succeed(stage, self._milliseconds(8, 30), metadata=self._keep_transcript(story))
            return True
        if not self._survives(story, stage):
            return False
        if self.outage.holds(story.timeline.now):
            story.timeline.hold(OUTAGE_FAULT, after=self._milliseconds(300, 900), until=self.outage.release())
        lasting = self._seconds(0.9, 1.8) + timedelta(seconds=story.recording.seconds * 0.05)
        usage = self._usage(
            self.endpoint.transcription_model,
            lasting,
            input_tokens=max(1, round(story.recording.seconds * TOKENS_A_SECOND)),
            output_tokens=protocol.tokens(story.script),
            audio_seconds=Decimal(str(story.recording.seconds)),
        )
        story.timeline.succeed(stage, lasting, usage, self._keep_transcript(story))
        return True

    def _keep_transcript(self, story: Story) -> dict[str, object]:
        transcript = transcript_of(
            story.artifact,
            story.script,
            story.recording,
            languages=story.around.club.organization.languages,
            model=self.endpoint.transcription_model,
            created_at=story.timeline.now,
        )
        story.results.transcript = transcript
        nothing = transcript.verdict == transcript.Verdict.NO_SPEECH
        if nothing:
            story.artifact.outcome = Artifact.Outcome.NO_SPEECH
        return {
            "transcript_word_count": len(transcript.text.split()),
            "transcript_duration": transcript.duration_seconds,
            "verdict": transcript.verdict,
            "verdict_reasons": transcript.verdict_reasons or None,
            "outcome": Artifact.Outcome.NO_SPEECH.value if nothing else None,
        }

    def _read(self, story: Story) -> bool:
        stage = StageName.CLAIMS_EXTRACTION
        if story.artifact.outcome:
            story.timeline.succeed(stage, self._milliseconds(4, 12), metadata={"claim_count": 0})
            return True
        if not self._survives(story, stage):
            return False
        checked = read_claims(story.script, story.around)
        lasting = self._seconds(1.6, 3.0) + timedelta(seconds=0.4 * len(checked.claims))
        story.timeline.succeed(
            stage,
            lasting,
            self._claims_usage(lasting, story, len(checked.claims)),
            claims.figures_of(checked),
        )
        where = {
            "prompt_version": CLAIMS_VERSION,
            "ai_model": self.endpoint.claims_model,
            "created_at": story.timeline.now,
        }
        story.results.claims = [
            claims.row_of(story.artifact, number, claim, **where) for number, claim in enumerate(checked.claims, 1)
        ]
        return True

    def _match(self, story: Story) -> bool:
        results, now = story.results, story.timeline.now
        output = match_names(results.claims, story.sender, story.around, now)
        added = story.timeline.succeed(
            StageName.ENTITY_RESOLUTION, self._milliseconds(15, 70), metadata=output.metadata
        )
        if questions := output.metadata["disambiguation_count"]:
            metadata = {"disambiguation_count": questions}
            added.remarks.append(Remark(EventType.ENTITY_NEEDS_DISAMBIGUATION, metadata=metadata))
        keep_matches(story.artifact, results, output.data.matches, story.timeline.now)
        self.people.count_uses(output.data.used, now)
        return True

    def _suggest(self, story: Story) -> bool:
        output = suggest(story.results, story.sender, story.around)
        lasting = self._milliseconds(10, 60)
        added = story.timeline.succeed(StageName.DRAFT_GENERATION, lasting, metadata=output.metadata)
        added.remarks += [
            drafts.confirmed_automatically(entry) for entry in output.data if entry.confirmation.automatic
        ]
        keep_entries(story.artifact, story.results, output.data, story.timeline.now)
        return True

    # --- Passing and lasting trouble -----------------------------------------------------------------------------

    def _survives(self, story: Story, stage: StageName) -> bool:
        """Let happen what the fate of the note has in store for this stage; False when that is its end."""
        where, code = ENDINGS.get(story.fate, ("", ""))
        if story.fate is Fate.CRASHED and self.choose.random() < 0.5:
            story.timeline.die(stage)
        if story.fate is Fate.HICCUP and stage == StageName.TRANSCRIPTION:
            self._pass(story, stage, PASSING, self._seconds(0.4, 2.5), tries=1)
        if where != stage:
            return True
        lasting = self._seconds(0.6, 2.2)
        if story.fate is Fate.TIMED_OUT:
            lasting = self.endpoint.transcription_timeout
            self._pass(story, stage, code, lasting, tries=TRIES - 1)
        usage = Usage()
        if stage == StageName.CLAIMS_EXTRACTION:
            usage = self._claims_usage(lasting, story, 0)
        story.timeline.fail(stage, lasting, fault(code, usage=usage))
        return False

    def _pass(self, story: Story, stage: StageName, code: str, lasting: timedelta, *, tries: int) -> None:
        for number in range(1, tries + 1):
            pause = retry_delay(number, retry_after=None, jitter=self.choose.uniform)
            story.timeline.fail(stage, lasting, fault(code), pause=pause)

    # --- Small change --------------------------------------------------------------------------------------------

    def _claims_usage(self, lasting: timedelta, story: Story, claims: int) -> Usage:
        return self._usage(
            self.endpoint.claims_model,
            lasting,
            prompt_version=CLAIMS_VERSION,
            input_tokens=PROMPT_TOKENS + protocol.tokens(story.script),
            output_tokens=12 + claims * TOKENS_A_CLAIM,
        )

    def _usage(self, model: str, lasting: timedelta, **amounts: object) -> Usage:
        request_id = f"req_{self.choose.getrandbits(96):024x}"
        took = round(lasting.total_seconds() * 960)
        usage = Usage(ai_model=model, request_id=request_id, provider_ms=took, **amounts)  # type: ignore[arg-type]
        return with_cost(usage, self.prices)

    def _milliseconds(self, least: int, most: int) -> timedelta:
        return timedelta(milliseconds=self.choose.randint(least, most))

    def _seconds(self, least: float, most: float) -> timedelta:
        return timedelta(milliseconds=round(1000 * self.choose.uniform(least, most)))
