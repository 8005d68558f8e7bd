"""What problems are called, what they mean, and what helps: by their code."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeWords:
    """A code in words: its name, what it means, and what to do about all that have it."""

    title: str
    meaning: str
    advice: str


ASK_AGAIN = "Once the cause is gone, retry them: three are tried first."
ONE_BY_ONE = "Retrying rarely helps: ask the coaches to send these again, then close the voice notes."
ENGINEER = "Tell an engineer. Retry them once it is put right."
SERVICE = "See the page AI service. Once it is normal, retry them."

CODES: dict[str, CodeWords] = {
    "provider_busy": CodeWords("AI service too busy", "The AI service took no more requests.", SERVICE),
    "provider_error": CodeWords("AI service in trouble", "The AI service answered with an error of its own.", SERVICE),
    "provider_timeout": CodeWords("AI service too slow", "The AI service did not answer in time.", SERVICE),
    "provider_unreachable": CodeWords("AI service out of reach", "The AI service could not be reached.", SERVICE),
    "provider_wrong_answer": CodeWords(
        "Nonsense from the AI service",
        "Something answered in the AI service's place, or it answered nonsense.",
        SERVICE,
    ),
    "provider_no_credit": CodeWords("Provider credit used up", "The AI provider wants to be paid first.", SERVICE),
    "provider_key_refused": CodeWords("Key refused", "The AI provider refused our key.", SERVICE),
    "provider_access_refused": CodeWords(
        "Access refused", "The AI provider does not allow our account what was asked.", SERVICE
    ),
    "provider_model_gone": CodeWords(
        "AI model gone", "The AI provider no longer has the model that is configured.", ENGINEER
    ),
    "provider_settings_wrong": CodeWords(
        "Request not understood", "The AI provider did not understand what this version asks of it.", ENGINEER
    ),
    "audio_too_large": CodeWords(
        "Recording too large", "These recordings are larger than the AI service takes.", ONE_BY_ONE
    ),
    "audio_unsupported": CodeWords(
        "Recording not readable",
        "The AI service cannot read these recordings: it does not take their format, or they are damaged.",
        ONE_BY_ONE,
    ),
    "note_too_long": CodeWords("Note too long", "These notes are longer than the AI model can take in.", ONE_BY_ONE),
    "content_filtered": CodeWords(
        "Turned away by the content filter",
        "The AI service's content filter did not let these notes pass.",
        "Read or hear one of them. If it is harmless, retry them; else close them.",
    ),
    "model_refused": CodeWords(
        "Declined by the AI model",
        "The AI model declined to work on these notes.",
        "Read or hear one of them. If it is harmless, retry them: the model may decide otherwise.",
    ),
    "request_refused": CodeWords(
        "Turned away by the AI service",
        "The AI service did not accept what was asked for these notes.",
        ENGINEER,
    ),
    "invalid_model_output": CodeWords(
        "Unusable answer",
        "The AI model answered twice in a form that cannot be used.",
        "Retry a few: the model may answer better. If it does not, tell an engineer.",
    ),
    "recording_missing": CodeWords(
        "Recording missing", "There is no recording to work on, or its file is gone.", ONE_BY_ONE
    ),
    "recording_unreadable": CodeWords(
        "Recording's file out of reach", "The files of these recordings could not be read.", ENGINEER
    ),
    "transcript_missing": CodeWords(
        "Transcript missing", "There is no transcript to work on.", "Retry them from transcription."
    ),
    "nothing_to_work_on": CodeWords(
        "Nothing to work on", "There is neither a recording nor a text in these notes.", ONE_BY_ONE
    ),
    "result_not_storable": CodeWords(
        "Result could not be stored", "What came of these notes cannot be kept in the database.", ENGINEER
    ),
    "stage_not_installed": CodeWords("Stage not installed", "This installation has no code for the stage.", ENGINEER),
    "took_too_long": CodeWords(
        "Took too long", "The work on these notes did not end in the time it may take.", ASK_AGAIN
    ),
    "unexpected_error": CodeWords("Error of our own", "Something in our own code went wrong.", ENGINEER),
    "worker_died": CodeWords(
        "Workers died",
        "The worker died each time in the middle of the work.",
        "Tell an engineer: these recordings may be what kills the workers. They are retried one by one, never at once.",
    ),
}
UNKNOWN = "Nothing more is known of this code than its name."


def words_of(code: str) -> CodeWords:
    """Those of this code; of one that nobody has described its own letters."""
    title = code.replace("_", " ").strip().capitalize() or "Without a code"
    return CODES.get(code) or CodeWords(title, UNKNOWN, ASK_AGAIN)


def codes_like(text: str) -> list[str]:
    """The codes whose names have this in them."""
    sought = text.casefold()
    return [code for code, words in CODES.items() if sought in words.title.casefold()]
