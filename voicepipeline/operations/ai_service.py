"""What operators do about the AI provider: test it, resume it, pause work and let it go on."""

import io
import math
import struct
import time
import wave
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q

from voicepipeline.access import verify_platform_staff
from voicepipeline.ai.endpoint import Endpoint, configured_endpoint
from voicepipeline.durations import in_words
from voicepipeline.engine import health
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import AIService, AIServiceHealth, Organization, Pause, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.stages.contract import StageFault
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.operate_ai_service"
MAX_REASON = 500
# A test waits for no answer longer than this; a person is watching.
LONGEST_TEST = timedelta(seconds=20)
# The chat service may ask twice. Should the process die meanwhile, tests are possible again after this.
TEST_OVER_AFTER = 2 * LONGEST_TEST + timedelta(seconds=10)
PAUSE_BETWEEN_TESTS = timedelta(seconds=5)
TESTS_REMEMBERED = timedelta(days=1)
CLIP_RATE = 16_000

ADVICE = {
    "provider_no_credit": "Top up the account with the provider, then test again.",
    "provider_key_refused": "An engineer has to enter a key that is valid (OPENAI_API_KEY).",
    "provider_access_refused": "Whoever owns the account has to allow it with the provider.",
    "provider_model_gone": "An engineer has to name another model in the settings.",
    "provider_settings_wrong": "An engineer has to look at the settings of the models.",
    "provider_busy": "Wait a minute, then test again.",
    "provider_wrong_answer": "An engineer has to look at the address of the provider (OPENAI_BASE_URL).",
    "provider_unreachable": "If it lasts, an engineer has to look at the network and at the provider's address.",
}
LATER = "Nothing is to be done: it is tried again by itself."


# --- Testing and resuming a service ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class LastTest:
    """The last test call of a service, and whether one is under way."""

    at: datetime | None = None
    by: str = ""
    answered: bool = False
    words: str = ""
    running_for: str = ""  # whose test is under way


def test_call(service: str, *, by: User, now: datetime) -> Outcome:
    """Make one small real call, and say how long it took or what is wrong."""
    verify_platform_staff(by, PERMISSION)
    if service not in AIService.values:
        return Outcome(False, "There is no AI service with this name.")
    name = name_of(by)
    if not cache.add(_busy_key(service), name, TEST_OVER_AFTER.total_seconds()):
        return Outcome(False, "A test call is under way, or was made a moment ago: see its result below.")
    try:
        answered, words = _test(AIService(service))
    finally:
        cache.set(_busy_key(service), "", PAUSE_BETWEEN_TESTS.total_seconds())
    cache.set(_last_key(service), asdict(LastTest(now, name, answered, words)), TESTS_REMEMBERED.total_seconds())
    return Outcome(answered, f"{AIService(service).label}: {words}")


def last_tests() -> dict[str, LastTest]:
    """The last test call of each service, as long as it is remembered."""
    keys = {service: (_last_key(service), _busy_key(service)) for service in AIService.values}
    found: dict[str, Any] = cache.get_many([key for pair in keys.values() for key in pair])
    return {
        service: replace(LastTest(**found.get(last, {})), running_for=found.get(busy, ""))
        for service, (last, busy) in keys.items()
    }


def _test(service: AIService) -> tuple[bool, str]:
    started_at, started = database_now(), time.monotonic()
    was_paused = _is_paused(service)
    fault = None
    try:
        _call(service)
    except StageFault as error:
        fault = error
    took = in_words(timedelta(seconds=time.monotonic() - started))
    health.record_test_call(service, fault, started_at=started_at)
    if fault is not None:
        return False, f"{fault.message} {ADVICE.get(fault.code, LATER)} The test took {took}."
    if _is_paused(service):
        return True, f"It answered in {took}. It is still paused: resume it, and the voice notes on hold go on."
    normal = " It is back to normal: the voice notes on hold go on." if was_paused else ""
    return True, f"It answered in {took}.{normal}"


def _is_paused(service: AIService) -> bool:
    return AIServiceHealth.objects.filter(service=service).exclude(state=AIServiceHealth.State.CLOSED).exists()


def _call(service: AIService) -> None:
    # Imported late: the library takes half a second to load, and most pages do without it.
    from voicepipeline.ai.client import provider
    from voicepipeline.ai.prompts import ping_prompt
    from voicepipeline.ai.schemas import PongShape

    ours = provider(_hasty(configured_endpoint()))
    if service == AIService.TRANSCRIPTION:
        ours.transcribe(one_second_clip(), extension="wav")
    else:
        ours.complete_json(ping_prompt(), PongShape)


def _hasty(endpoint: Endpoint) -> Endpoint:
    return replace(
        endpoint,
        transcription_timeout=min(LONGEST_TEST, endpoint.transcription_timeout),
        chat_timeout=min(LONGEST_TEST, endpoint.chat_timeout),
    )


def one_second_clip() -> bytes:
    """A second of a soft tone as a WAV file: real audio in which nobody says anything."""
    wavelength = CLIP_RATE / 440
    samples = [round(3_000 * math.sin(2 * math.pi * at / wavelength)) for at in range(CLIP_RATE)]
    out = io.BytesIO()
    with wave.open(out, "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(CLIP_RATE)
        clip.writeframes(struct.pack(f"<{CLIP_RATE}h", *samples))
    return out.getvalue()


def _busy_key(service: str) -> str:
    return f"ai-test-under-way/{service}"


def _last_key(service: str) -> str:
    return f"ai-test-last/{service}"


def resume_service(service: str, *, by: User) -> Outcome:
    """Let calls through again; the notes on hold go on, oldest first."""
    verify_platform_staff(by, PERMISSION)
    if service not in AIService.values:
        return Outcome(False, "There is no AI service with this name.")
    label = AIService(service).label
    if not health.resume_service(AIService(service), by_id=by.pk):
        return Outcome(False, f"{label} is not paused: somebody resumed it, or it came back by itself.")
    return Outcome(True, f"{label} is resumed. The voice notes on hold go on, oldest first.")


# --- Pausing work ----------------------------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def pause(subject: str, *, organization_id: int | None, reason: str, by: User, now: datetime) -> Outcome:
    """Stop a stage, everything or automatic confirmation, for one club or for all, until somebody ends the pause."""
    verify_platform_staff(by, PERMISSION)
    reason = safe_text(reason.strip(), MAX_REASON)
    if subject not in Pause.Subject.values:
        return Outcome(False, "There is nothing with this name to pause.")
    if not reason:
        return Outcome(False, "Say why: whoever finds it paused will want to know.")
    club = None if organization_id is None else Organization.objects.filter(pk=organization_id).first()
    if organization_id is not None and club is None:
        return Outcome(False, "There is no such club.")
    try:
        # Two people who press at once: the unique constraint lets one of them in, the other is told of it.
        row, made = Pause.objects.get_or_create(
            subject=subject,
            organization=club,
            resumed_at=None,
            defaults={"reason": reason, "paused_by": by, "paused_at": now},
        )
    except IntegrityError:
        return Outcome(False, "Somebody else changed this at the same moment. Look again.")
    if not made:
        return Outcome(False, already(row, now=now))
    return Outcome(True, f"{words_of(row)} {'switched off' if _is_switch(row) else 'paused'} {whom(row)}.")


@transaction.atomic(durable=True)
def end_pause(pause_id: int, *, by: User, now: datetime) -> Outcome:
    """End a pause. What waited for it goes on, unless another pause holds it too."""
    verify_platform_staff(by, PERMISSION)
    ended = Pause.objects.filter(pk=pause_id, resumed_at__isnull=True).update(resumed_at=now, resumed_by=by)
    row = Pause.objects.select_related("organization", "resumed_by").filter(pk=pause_id).first()
    if row is None:
        return Outcome(False, "There is no such pause.")
    if not ended and row.resumed_at and row.resumed_by:
        return Outcome(False, f"Already resumed by {name_of(row.resumed_by)} at {clock(row.resumed_at, now=now)}.")
    if _is_switch(row):
        done = f"Automatic confirmation is on again {whom(row)}, for entries that are suggested from now on."
    else:
        done = f"{words_of(row)} resumed {whom(row)}. The voice notes on hold go on, oldest first."
    other = _still_applying(row)
    if other is not None:
        done += f" But {words_of(other, small=True)} still {'off' if _is_switch(other) else 'paused'} {whom(other)}."
    return Outcome(True, done)


def active_pause(subject: str, organization_id: int | None) -> Pause | None:
    """The pause of exactly this, if there is one."""
    active = Pause.objects.filter(subject=subject, organization=organization_id, resumed_at__isnull=True)
    return active.select_related("organization", "paused_by").first()


def already(row: Pause, *, now: datetime) -> str:
    state = "Already switched off" if _is_switch(row) else "Already paused"
    return f"{state} by {name_of(row.paused_by)} since {clock(row.paused_at, now=now)}."


def _still_applying(row: Pause) -> Pause | None:
    """Another pause that holds all of what this one held."""
    subjects = {row.subject} if _is_switch(row) else {row.subject, str(Pause.Subject.EVERYTHING)}
    clubs = Q(organization=None) | Q(organization=row.organization_id)
    active = Pause.objects.filter(clubs, subject__in=subjects, resumed_at__isnull=True)
    return active.select_related("organization").order_by("subject", "pk").first()


def _is_switch(row: Pause) -> bool:
    return row.subject == Pause.Subject.AUTOMATIC_CONFIRMATION


def words_of(row: Pause, *, small: bool = False) -> str:
    """The subject with its verb, such as "Transcription is"."""
    label = str(row.get_subject_display())
    plural = row.subject in (Pause.Subject.CLAIMS_EXTRACTION, Pause.Subject.DRAFT_GENERATION)
    return f"{label.lower() if small else label} {'are' if plural else 'is'}"


def whom(row: Pause) -> str:
    return f"for {row.organization}" if row.organization_id else "for all clubs"


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def clock(when: datetime, *, now: datetime) -> str:
    """The time of day in UTC, with its day unless that is today's."""
    day = "" if when.date() == now.date() else f"{when.day} {when:%b}, "
    return f"{day}{when:%H:%M} UTC"
