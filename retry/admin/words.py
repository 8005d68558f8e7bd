"""What retries of one voice note are called on pages: what each kind does, and how an attempt went."""

from retry.estimates import LOOKED_BACK
from retry.kinds import START_OVER, Kind
from retry.models import RetryAttempt, RetryKind
from voicepipeline.admin.words import State

# What expected costs and times are averages of.
LATELY = f"as in the last {LOOKED_BACK.days} days"
# One sentence each: what stays and what is made anew.
DOES: dict[str, str] = {
    RetryKind.TRANSCRIPTION: "Transcribes it again and makes everything that follows anew.",
    RetryKind.CLAIMS_EXTRACTION: "Keeps the transcript; makes statements, matched names and suggested entries anew.",
    RetryKind.ENTITY_RESOLUTION: "Keeps the statements; matches the names again and makes the suggested entries anew.",
    RetryKind.DRAFT_GENERATION: "Keeps the matched names; makes the suggested entries anew.",
    RetryKind.FULL: "Deletes everything that was made of it and begins again with the first stage.",
}
KEPT = "Names that people chose stay as they are, and what they rejected is not suggested again."
# What happens in the order in which it does.
CONSEQUENCES: dict[str, tuple[str, ...]] = {
    RetryKind.TRANSCRIPTION: ("It is transcribed again, and everything that follows is made anew.",),
    RetryKind.CLAIMS_EXTRACTION: (
        "The transcript stays.",
        "Statements, matched names and suggested entries are made anew.",
        KEPT,
    ),
    RetryKind.ENTITY_RESOLUTION: (
        "The transcript and the statements stay.",
        "Names are matched again, with the club's roster as it is now, and suggested entries are made anew.",
        KEPT,
    ),
    RetryKind.DRAFT_GENERATION: (
        "The transcript, the statements and the matched names stay.",
        "Suggested entries are made anew.",
        "What people rejected is not suggested again.",
    ),
    RetryKind.FULL: (
        "Everything that was made of it is deleted, and it begins again with the first stage, in a new round.",
        "If a worker still has it, whatever that worker writes comes too late and is discarded.",
        "The recording or typed text stays. " + KEPT,
    ),
}
ICONS: dict[str, str] = {
    RetryKind.TRANSCRIPTION: "mic",
    RetryKind.CLAIMS_EXTRACTION: "format_quote",
    RetryKind.ENTITY_RESOLUTION: "person_search",
    RetryKind.DRAFT_GENERATION: "edit_note",
    RetryKind.FULL: "restart_alt",
}
COLOURS: dict[str, str] = {
    RetryAttempt.Outcome.UNDER_WAY: "running",
    RetryAttempt.Outcome.SUCCEEDED: "completed",
    RetryAttempt.Outcome.FAILED: "failed",
    RetryAttempt.Outcome.SUPERSEDED: "closed",
    RetryAttempt.Outcome.NOT_STARTED: "failed",
}


def fate_of_confirmed(*, starts_over: bool) -> str:
    """What becomes of entries that were confirmed or applied, to which somebody has to agree."""
    if starts_over:
        return "They are deleted with everything else."
    return (
        "Those that people confirmed, and those that were applied, stay as they are, even where what is made anew "
        "says something else. Those that were confirmed automatically are made anew."
    )


def outcome_of(attempt: RetryAttempt) -> State:
    return State(COLOURS[attempt.outcome], str(attempt.get_outcome_display()))


def trouble_of(attempt: RetryAttempt) -> str:
    """In what it ended that did not succeed; empty where nothing is known or to be told."""
    stage = str(attempt.get_failed_stage_display()) if attempt.failed_stage else ""
    return ": ".join(filter(None, (stage, attempt.error_message or attempt.error_code)))


def reserved_for(kind: Kind) -> str:
    """Who may begin this kind, for those who may not."""
    who = "Administrators" if kind.permission == START_OVER else "Operators and administrators"
    return f"{who} may do this."
