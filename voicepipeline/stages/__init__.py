"""The one table of stages: their order, what they are called, and what is said when they move."""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, cast

from django.conf import settings

from voicepipeline.models import AIService, Artifact, EventType, StageName
from voicepipeline.stages.contract import PermanentFault

if TYPE_CHECKING:
    from voicepipeline.stages.contract import StageCode


@dataclass(frozen=True)
class Stage:
    """One row of the table."""

    name: StageName
    task: str
    takes_voice_note: bool  # its task is given the voice note's id instead of the artifact's
    status_while_running: Artifact.Status
    status_when_done: Artifact.Status
    service: AIService | None  # what of the AI provider its work depends on
    uses_choices: bool  # a person's choice about a name makes a result from before it worthless
    started: EventType
    completed: EventType
    failed: EventType

    @cached_property
    def position(self) -> int:
        return list(STAGES).index(self.name)

    @property
    def previous(self) -> "Stage | None":
        return IN_ORDER[self.position - 1] if self.position else None

    @property
    def next(self) -> "Stage | None":
        return IN_ORDER[self.position + 1] if self.position + 1 < len(IN_ORDER) else None

    @property
    def from_here(self) -> "tuple[Stage, ...]":
        """This stage and those after it."""
        return IN_ORDER[self.position :]

    @property
    def code(self) -> "StageCode":
        module = settings.STAGE_CODE.get(self.name)
        if module is None:
            raise PermanentFault("stage_not_installed", "This installation has no code for this stage.")
        return cast("StageCode", import_module(module))


IN_ORDER = (
    Stage(
        name=StageName.TRANSCRIPTION,
        task="voicepipeline.tasks.transcribe_audio",
        takes_voice_note=True,
        status_while_running=Artifact.Status.TRANSCRIBING,
        status_when_done=Artifact.Status.TRANSCRIBED,
        service=AIService.TRANSCRIPTION,
        uses_choices=False,
        started=EventType.TRANSCRIPTION_STARTED,
        completed=EventType.TRANSCRIPTION_COMPLETED,
        failed=EventType.TRANSCRIPTION_FAILED,
    ),
    Stage(
        name=StageName.CLAIMS_EXTRACTION,
        task="voicepipeline.tasks.extract_claims",
        takes_voice_note=False,
        status_while_running=Artifact.Status.PROCESSING,
        status_when_done=Artifact.Status.PROCESSING,
        service=AIService.CHAT,
        uses_choices=False,
        started=EventType.CLAIMS_EXTRACTION_STARTED,
        completed=EventType.CLAIMS_EXTRACTED,
        failed=EventType.CLAIMS_EXTRACTION_FAILED,
    ),
    Stage(
        name=StageName.ENTITY_RESOLUTION,
        task="voicepipeline.tasks.resolve_entities",
        takes_voice_note=False,
        status_while_running=Artifact.Status.PROCESSING,
        status_when_done=Artifact.Status.PROCESSING,
        service=None,
        uses_choices=True,
        started=EventType.ENTITY_RESOLUTION_STARTED,
        completed=EventType.ENTITY_RESOLUTION_COMPLETED,
        failed=EventType.ENTITY_RESOLUTION_FAILED,
    ),
    Stage(
        name=StageName.DRAFT_GENERATION,
        task="voicepipeline.tasks.generate_drafts",
        takes_voice_note=False,
        status_while_running=Artifact.Status.PROCESSING,
        status_when_done=Artifact.Status.COMPLETED,
        service=None,
        uses_choices=True,
        started=EventType.DRAFT_GENERATION_STARTED,
        completed=EventType.DRAFTS_GENERATED,
        failed=EventType.DRAFT_GENERATION_FAILED,
    ),
)
STAGES: dict[str, Stage] = {stage.name: stage for stage in IN_ORDER}
FIRST, LAST = IN_ORDER[0], IN_ORDER[-1]


def stages_of(service: AIService) -> tuple[Stage, ...]:
    """The stages whose work depends on this service."""
    return tuple(stage for stage in IN_ORDER if stage.service == service)
