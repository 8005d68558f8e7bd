"""The cards that notes and AI services themselves tell; those of figures over time are made by whoever keeps them."""

from collections.abc import Iterable, Iterator, Sequence

from django.urls import reverse

from voicepipeline.ai_notices import Standstill
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService, AIServiceHealth
from voicepipeline.overview.parts import Card, CardKey, Figure, Level
from voicepipeline.overview.pulse import MOST_COUNTED, Pulse

NOTES, RUNS = "admin:voicepipeline_artifact_changelist", "admin:voicepipeline_stagerun_changelist"
AI_SERVICE = "admin:voicepipeline_aiservicehealth_changelist"
# How an AI service can be, the worst first.
AI_LEVELS = {
    AIServiceHealth.State.OPEN: Level.TROUBLE,
    AIServiceHealth.State.HALF_OPEN: Level.NOTICE,
    AIServiceHealth.State.CLOSED: Level.GOOD,
}


def own_cards(pulse: Pulse) -> Iterator[Card]:
    yield _active(pulse)
    yield _ai_service(pulse)


def bounded(number: int) -> str:
    """As far as it was counted."""
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"


def ai_in_trouble(standstills: Iterable[Standstill]) -> list[Standstill]:
    """The AI services that are not normal, the worst first; they come in no order."""
    worst_first = list(AI_LEVELS)
    troubled = [each for each in standstills if each.service]
    return sorted(troubled, key=lambda each: (worst_first.index(AIServiceHealth.State(each.state)), each.service))


def ai_state(troubled: Sequence[Standstill]) -> AIServiceHealth.State:
    """That of the worst of them."""
    return AIServiceHealth.State(troubled[0].state) if troubled else AIServiceHealth.State.CLOSED


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


def _ai_service(pulse: Pulse) -> Card:
    """The worst of its services, and each of them by name."""
    troubled = ai_in_trouble(pulse.standstills)
    state = ai_state(troubled)
    return Card(
        key=CardKey.AI_SERVICE,
        title="AI service",
        main=Figure(str(state.label), reverse(AI_SERVICE), "How the AI service fares"),
        window="now",
        icon="cloud",
        more=tuple(Figure(f"{AIService(each.service).label}: {_why(each)}") for each in troubled)
        or (Figure("It answers for all stages"),),
        level=AI_LEVELS[state],
    )


def _why(standstill: Standstill) -> str:
    return HOLD_REASONS.get(standstill.reason, "it is in trouble")
