"""The kinds of retry: from which stage each begins, and what it is called."""

from dataclasses import dataclass

from retry.models import RetryKind
from voicepipeline.models import StageName
from voicepipeline.stages import FIRST, STAGES, Stage

RETRY_ARTIFACT = "retry.retry_artifact"
START_OVER = "retry.start_over"


@dataclass(frozen=True)
class Kind:
    """One row of the table."""

    key: RetryKind
    stage: Stage
    permission: str

    @property
    def starts_over(self) -> bool:
        return self.key == RetryKind.FULL

    @property
    def label(self) -> str:
        return str(self.key.label)


def _of_stage(key: RetryKind, stage: StageName) -> Kind:
    return Kind(key, STAGES[stage], RETRY_ARTIFACT)


IN_ORDER = (
    _of_stage(RetryKind.TRANSCRIPTION, StageName.TRANSCRIPTION),
    _of_stage(RetryKind.CLAIMS_EXTRACTION, StageName.CLAIMS_EXTRACTION),
    _of_stage(RetryKind.ENTITY_RESOLUTION, StageName.ENTITY_RESOLUTION),
    _of_stage(RetryKind.DRAFT_GENERATION, StageName.DRAFT_GENERATION),
    Kind(RetryKind.FULL, FIRST, START_OVER),
)
KINDS: dict[str, Kind] = {kind.key: kind for kind in IN_ORDER}
# What a preview, a bulk retry and a command may ask for beside these: of each note the stage at which it failed.
FAILED_STAGE = "failed_stage"
FAILED_STAGE_LABEL = "Retry the stage that failed"


def kind_of_stage(stage: str) -> Kind:
    """The retry that begins with this stage and keeps what came before."""
    return KINDS[stage]


def label_of(asked_for: str) -> str:
    """What is asked for in words: one kind for all, or of each note the stage that failed."""
    return FAILED_STAGE_LABEL if asked_for == FAILED_STAGE else KINDS[asked_for].label
