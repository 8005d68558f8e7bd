"""What waiting voice notes of bulk retries wait for: AI services that are paused, and what people have paused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from retry.facts import UNKNOWN_TROUBLE
from retry.kinds import IN_ORDER, Kind
from retry.models import BulkRetry, BulkRetryItem
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService, AIServiceHealth, Pause, StageRun
from voicepipeline.policies.breaker import Standing, Verdict, verdict
from voicepipeline.stages import stages_of

PAUSED = HOLD_REASONS["paused_by_staff"]


@dataclass
class Holds:
    """By kind of retry: why none should begin now, for which clubs none should, and which may only test a service."""

    why: dict[str, str] = field(default_factory=dict)
    clubs: dict[str, set[int]] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Whether anything is held at all."""
        return bool(self.why or self.clubs or self.tests)

    def next_items(self, bulk: BulkRetry, most: int) -> list[BulkRetryItem]:
        """The first that have not begun and need nothing that is paused."""
        free = self._waiting(bulk).exclude(kind__in=list(self.why))
        for kind, clubs in self.clubs.items():
            free = free.exclude(kind=kind, artifact__organization__in=clubs)
        return list(free.select_related("artifact").order_by("position")[:most])

    def waits_for(self, bulk: BulkRetry) -> str:
        """Why nothing of it can begin just now, in words; empty when something can, or nothing is left."""
        if (not self.why and not self.clubs) or self.next_items(bulk, 1):
            return ""
        first = self._waiting(bulk).order_by("position").values_list("kind", flat=True).first()
        return "" if first is None else self.why.get(first, PAUSED)

    def note_begun(self, kind: str) -> None:
        """A service that is to be tested gets one: what else needs it waits for what becomes of that."""
        words = self.tests.get(kind)
        if words is not None:
            self.why |= self.tests
            self.tests = {}

    def _waiting(self, bulk: BulkRetry) -> QuerySet[BulkRetryItem]:
        return BulkRetryItem.objects.filter(bulk=bulk, state=BulkRetryItem.State.WAITING)


def load_holds(now: datetime) -> Holds:
    """How things stand now: two questions, and one for each service that is to be tested."""
    pauses = list(Pause.objects.filter(resumed_at=None).order_by().values_list("subject", "organization_id"))
    paused, to_be_tested = _services(now)
    holds = Holds()
    for kind in IN_ORDER:
        _add(holds, kind, pauses, paused, to_be_tested)
    return holds


def _add(
    holds: Holds,
    kind: Kind,
    pauses: Sequence[tuple[str, int | None]],
    paused: Mapping[str, str],
    to_be_tested: Mapping[str, str],
) -> None:
    """For this kind and all stages that it goes through: begun now, it would only be left half way."""
    subjects = {str(Pause.Subject.EVERYTHING), *(stage.name for stage in kind.stage.from_here)}
    services = [stage.service for stage in kind.stage.from_here if stage.service]
    clubs = [club for subject, club in pauses if subject in subjects]
    if None in clubs:
        holds.why[kind.key] = PAUSED
    elif any(service in paused for service in services):
        holds.why[kind.key] = next(paused[service] for service in services if service in paused)
    elif any(service in to_be_tested for service in services):
        holds.tests[kind.key] = next(to_be_tested[service] for service in services if service in to_be_tested)
    if clubs:
        holds.clubs[kind.key] = {club for club in clubs if club is not None}


def _services(now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """Why services take nothing now; and those that wait for a run to test them, while there is none to do it."""
    paused: dict[str, str] = {}
    to_be_tested: dict[str, str] = {}
    for row in AIServiceHealth.objects.exclude(state=AIServiceHealth.State.CLOSED).select_related("probe_run"):
        probing = row.probe_run is not None and row.probe_run.status == StageRun.Status.RUNNING
        standing = Standing(row.state, row.reason, row.needs_person, row.next_probe_at, row.probe_until, probing)
        alone = verdict(standing, now) == Verdict.PROBE and not _somebody_will_test(AIService(row.service))
        words = to_be_tested if alone else paused
        words[row.service] = HOLD_REASONS.get(row.reason, UNKNOWN_TROUBLE)
    return paused, to_be_tested


def _somebody_will_test(service: AIService) -> bool:
    names = [stage.name for stage in stages_of(service)]
    active = Q(status=StageRun.Status.QUEUED) | Q(status=StageRun.Status.RUNNING)
    return StageRun.objects.filter(active, stage__in=names).exists()
