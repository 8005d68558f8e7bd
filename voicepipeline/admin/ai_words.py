"""The AI services, their calls and what is on hold, in words."""

from voicepipeline.admin.words import State, moment
from voicepipeline.ai.faults import FAULTS
from voicepipeline.ai_notices import trouble_words
from voicepipeline.engine.gate import PAUSED_BY_STAFF
from voicepipeline.models import AIServiceHealth
from voicepipeline.operations.ai_service import LastTest

NEEDS_PERSON = {
    "provider_no_credit": "Paused: no credit",
    "provider_key_refused": "Paused: key refused",
    "provider_access_refused": "Paused: access refused",
    "provider_model_gone": "Paused: model gone",
    "provider_settings_wrong": "Paused: settings wrong",
}


def service_state(row: AIServiceHealth) -> State:
    if row.state == AIServiceHealth.State.CLOSED:
        return State("completed", "Normal")
    if row.state == AIServiceHealth.State.HALF_OPEN:
        return State("running", "Testing")
    if row.needs_person:
        return State("failed", NEEDS_PERSON.get(row.reason, "Paused: somebody has to act"))
    return State("on_hold", "Paused: the AI service is down")


def service_lead(row: AIServiceHealth) -> str:
    """What the state means for voice notes."""
    if row.state == AIServiceHealth.State.CLOSED:
        return "Voice notes are sent as they come."
    reason = trouble_words(row.reason)
    if row.state == AIServiceHealth.State.HALF_OPEN:
        return f"{reason}. One voice note is being sent to see whether it works again; the others wait."
    if row.needs_person:
        return f"{reason}. Nothing is sent until somebody resumes it; voice notes wait, and nothing is lost."
    return f"{reason}. It is tried again by itself, with one voice note; the others wait, and nothing is lost."


def hold_words(code: str) -> str:
    return "Paused by people" if code == PAUSED_BY_STAFF else trouble_words(code)


def calls_words(answered: int, failed: int, *, cut: bool = False) -> str:
    if not answered and not failed:
        return "none"
    newest = " of the newest" if cut else ""
    return f"{answered:,} answered, {failed:,} failed{newest}"


def failure_words(code: str, number: int) -> str:
    words = FAULTS[code][1].removesuffix(".") if code in FAULTS else "Another trouble"
    return f"{words} ({number:,})"


def test_words(test: LastTest) -> str:
    return "" if test.at is None else f"{moment(test.at)}, {test.by}. {test.words}"
