"""The cards that notes and AI services themselves tell; those of figures over time are made by whoever keeps them."""

from collections.abc import Iterator

from django.urls import reverse

from voicepipeline.ai_notices import Standstill
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService, AIServiceHealth
from voicepipeline.overview.parts import Card, CardKey, Figure, Level
from voicepipeline.overview.pulse import MOST_COUNTED, Pulse

NOTES, RUNS = "admin:voicepipeline_artifact_changelist", "admin:voicepipeline_stagerun_changelist"
AI_SERVICE = "admin:voicepipeline_aiservicehealth_changelist"


def own_cards(pulse: Pulse) -> Iterator[Card]:
    yield _active(pulse)
    yield _ai_service([each for each in pulse.standstills if each.service])


def bounded(number: int) -> str:
    """As far as it was counted."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


def _active(pulse: Pulse) -> Card:
    notes, runs = reverse(NOTES), reverse(RUNS)
    running, on_hold = pulse.total("running"), pulse.total("on_hold")
    more = [Figure(f"{running:,} being worked on", f"{runs}?status__exact=running", "What workers have in hand")]
    if on_hold:
        more.append(Figure(f"{on_hold:,} on hold", f"{notes}?status=on_hold", "Voice notes on hold"))
    return Card(
        key=CardKey.ACTIVE,
        title="On their way",
        main=Figure(f"{pulse.active:,}", f"{notes}?status=active", "Voice notes that are on their way"),
        window="now",
        icon="graphic_eq",
        more=tuple(more),
        level=Level.NOTICE if on_hold else Level.QUIET,
    )


def _ai_service(troubled: list[Standstill]) -> Card:
    """The worst of its services, and each of them by name."""
    states = {each.service: each.state for each in troubled}
    words = "Normal" if not states else str(AIServiceHealth.State(next(iter(states.values()))).label)
    return Card(
        key=CardKey.AI_SERVICE,
        title="AI service",
        main=Figure(words, reverse(AI_SERVICE), "How the AI service fares"),
        window="now",
        icon="cloud",
        more=tuple(Figure(f"{AIService(each.service).label}: {_why(each)}") for each in troubled)
        or (Figure("It answers for all stages"),),
        level=Level.TROUBLE if states else Level.GOOD,
    )


def _why(standstill: Standstill) -> str:
    return HOLD_REASONS.get(standstill.reason, "it is in trouble")
