"""What a note's page says in place of what is not there, and what comes next. Plain values in, words out."""

from typing import NamedTuple

from voicepipeline.explanations import HOLD_REASONS, Run
from voicepipeline.models import Artifact, StageName
from voicepipeline.stages import STAGES, Stage


class Words(NamedTuple):
    """How one stage's result is spoken of while there is none."""

    none: str
    work: str  # what waits for a worker, or runs
    later: str  # how it comes about, while an earlier stage is at work
    done: str  # the stage is through, and there is nothing


WORDS = {
    StageName.TRANSCRIPTION: Words(
        "No transcript", "transcription", "the recording is transcribed first", "It was not kept."
    ),
    StageName.CLAIMS_EXTRACTION: Words(
        "No statements",
        "reading them",
        "they are read from the transcript, once it is there",
        "Nothing that is said is a statement about a player, a team or what is to be done.",
    ),
    StageName.ENTITY_RESOLUTION: Words(
        "No names", "matching them with the roster", "they are matched once the statements are read", "None is spoken."
    ),
    StageName.DRAFT_GENERATION: Words(
        "No suggested entries",
        "writing them",
        "they are suggested once statements are read and names matched",
        "No statement led to one. Those whose name is unclear do so once somebody has said who is meant.",
    ),
}


def nothing_yet(stage: StageName, artifact: Artifact, run: Run | None) -> str:
    """One sentence, or two, for the place where this stage's result would stand."""
    words = WORDS[stage]
    if artifact.outcome == Artifact.Outcome.NO_SPEECH and stage != StageName.TRANSCRIPTION:
        return f"{words.none}: nobody speaks in this note."
    if artifact.status == Artifact.Status.FAILED:
        return _after_failure(STAGES[artifact.failed_stage], STAGES[stage])
    if not artifact.is_active:
        return f"{words.none}. {words.done}"
    now = STAGES[artifact.current_stage].position if artifact.current_stage else -1
    if now > STAGES[stage].position:
        return f"{words.none}. {words.done}"
    if now < STAGES[stage].position and not (now < 0 and STAGES[stage].position == 0):
        return f"{words.none} yet: {words.later}."
    return f"{words.none} yet: {_at_work(words, run)}"


def _after_failure(failed: Stage, stage: Stage) -> str:
    words = WORDS[stage.name]
    if failed.position > stage.position:
        return f"{words.none}. {words.done}"
    return f"{words.none}: the stage {failed.name.label} failed. What to do stands at the top of this page."


def _at_work(words: Words, run: Run | None) -> str:
    if run is None:
        return f"{words.work} has not been queued. It will be within a minute."
    if run.parked_since:
        reason = HOLD_REASONS.get(run.parked_reason, "the AI service is in trouble")
        return f"{words.work} is on hold because {reason}. When it goes on stands at the top of this page."
    if run.running:
        return f"{words.work} is under way."
    return f"{words.work} is waiting for a worker."
