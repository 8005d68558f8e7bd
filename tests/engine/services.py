"""AI services in every state, and notes that meet them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.engine.helpers import active_run, make_artifact, scheduled
from tests.stages.scripted import USAGE
from voicepipeline.engine.claiming import Claim, claim
from voicepipeline.engine.settling import settle
from voicepipeline.models import AIService, AIServiceHealth, Artifact, PipelineEvent, ProviderCall, StageRun
from voicepipeline.stages.contract import NeedsPersonFault, PermanentFault, ProviderFault, StageOutput

HEARING = AIService.TRANSCRIPTION
DOWN = ProviderFault("provider_error", "The AI service has trouble of its own.", usage=USAGE)
NO_CREDIT = NeedsPersonFault("provider_no_credit", "The credit with the AI provider is used up.", usage=USAGE)
UNREADABLE = PermanentFault("audio_unsupported", "The AI service cannot read this recording.", usage=USAGE)


def ago(seconds: float) -> Any:
    return timezone.now() - timedelta(seconds=seconds)


def taken_up(artifact: Artifact | None = None) -> Claim:
    """A fresh note, or this one, in a worker's hands."""
    if artifact is None:
        artifact = make_artifact()
        scheduled(artifact)
    taken = claim(active_run(artifact).pk, worker="test:1:1")
    assert taken is not None
    return taken


def turned_away(artifact: Artifact | None = None) -> StageRun:
    """A fresh note, or this one, that no worker gets."""
    if artifact is None:
        artifact = make_artifact()
        scheduled(artifact)
    assert claim(active_run(artifact).pk, worker="test:1:1") is None
    return active_run(artifact)


def answered(taken: Claim) -> None:
    """The service answered, and the work was done; nothing is stored but by the scripted stages' own values."""
    from tests.stages.scripted import Given

    settle(taken, StageOutput(Given(taken.stage.name, "ok", taken.run_id, taken.token), usage=USAGE))


def fail_in_a_row(count: int = 5) -> list[Artifact]:
    """So many notes that the provider fails, all of them at work at the same time."""
    claims = [taken_up() for _ in range(count)]
    for taken in claims:
        settle(taken, DOWN)
    return list(Artifact.objects.filter(pk__in=[taken.artifact_pk for taken in claims]).order_by("pk"))


def paused(**values: Any) -> AIServiceHealth:
    """A service in trouble, to be tested now unless the values say otherwise."""
    values = {"state": "open", "reason": "provider_error", "trouble_since": ago(60), "changed_at": ago(60),
              "probe_pause": timedelta(seconds=60), "next_probe_at": ago(1), **values}  # fmt: skip
    return AIServiceHealth.objects.create(service=HEARING, **values)


def closed_for(seconds: float) -> AIServiceHealth:
    """A service that was in trouble and has been back for so long."""
    return AIServiceHealth.objects.create(service=HEARING, changed_at=ago(seconds))


def health() -> AIServiceHealth:
    return AIServiceHealth.objects.get(service=HEARING)


def calls() -> list[tuple[bool, bool, str]]:
    rows = ProviderCall.objects.order_by("id").values_list("succeeded", "charged", "code")
    return [(bool(succeeded), bool(charged), str(code)) for succeeded, charged, code in rows]


def told(event_type: str) -> int:
    return PipelineEvent.objects.filter(event_type=event_type).count()


def on_hold() -> int:
    return StageRun.objects.parked().count()
