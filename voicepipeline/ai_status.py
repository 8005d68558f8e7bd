"""The AI provider at one moment: how each service fares, what is on hold, what people have paused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet

from voicepipeline.models import AIService, Pause, ProviderCall, StageName, StageRun
from voicepipeline.stages import STAGES, stages_of

# Calls beyond the newest so many are not counted; a page that refreshes itself must stay cheap.
MOST_CALLS = 5_000
MOST_GROUPS = 200
PAST_PAUSES = 20
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Calls:
    """What came of the calls of the last minute and hour; `failures` are codes with their number in the hour."""

    answered_minute: int = 0
    failed_minute: int = 0
    answered_hour: int = 0
    failed_hour: int = 0
    failures: tuple[tuple[str, int], ...] = ()

    @property
    def is_cut(self) -> bool:
        return self.answered_hour + self.failed_hour >= MOST_CALLS


@dataclass(frozen=True)
class Held:
    """Voice notes on hold in one stage, for one reason, of one club; the club is None where it is not known."""

    stage: str
    reason: str
    club_id: int | None
    club: str | None
    count: int
    oldest: datetime


@dataclass(frozen=True)
class Ahead:
    """What a pause would meet now."""

    waiting: int
    running: int
    on_the_way: int


def load_calls(service: AIService, *, now: datetime) -> Calls:
    newest = ProviderCall.objects.filter(service=service, ended_at__gte=now - HOUR).order_by("-ended_at")[:MOST_CALLS]
    rows = (
        ProviderCall.objects.filter(pk__in=newest.values("pk"))
        .order_by()
        .values_list("succeeded", "code")
        .annotate(hour=Count("pk"), minute=Count("pk", filter=Q(ended_at__gte=now - MINUTE)))
    )
    answered = [(hour, minute) for succeeded, _, hour, minute in rows if succeeded]
    failed = [(code, hour, minute) for succeeded, code, hour, minute in rows if not succeeded]
    return Calls(
        answered_minute=sum(minute for _, minute in answered),
        failed_minute=sum(minute for _, _, minute in failed),
        answered_hour=sum(hour for hour, _ in answered),
        failed_hour=sum(hour for _, hour, _ in failed),
        failures=tuple(sorted(((code, hour) for code, hour, _ in failed), key=lambda each: (-each[1], each[0]))),
    )


def load_held() -> list[Held]:
    """All that is on hold, in the order of the stages; the largest groups when there are too many."""
    groups = (
        StageRun.objects.parked()
        .order_by()
        .values_list("stage", "parked_reason", "artifact__organization", "artifact__organization__name")
        .annotate(count=Count("pk"), oldest=Min("parked_since"))
        .order_by("-count", "stage", "parked_reason", "artifact__organization")[:MOST_GROUPS]
    )
    held = [Held(*group) for group in groups]
    return sorted(held, key=lambda each: (STAGES[each.stage].position, each.reason, -each.count))


def held_of(service: AIService, held: Iterable[Held]) -> tuple[int, datetime | None]:
    """How many voice notes wait in the stages that need this service, and since when the oldest does."""
    stages = {stage.name for stage in stages_of(service)}
    own = [each for each in held if each.stage in stages]
    return sum(each.count for each in own), min((each.oldest for each in own), default=None)


def active_pauses() -> QuerySet[Pause]:
    return Pause.objects.filter(resumed_at__isnull=True).select_related("organization", "paused_by")


def past_pauses() -> QuerySet[Pause]:
    ended = Pause.objects.filter(resumed_at__isnull=False).order_by("-resumed_at", "-pk")
    return ended.select_related("organization", "paused_by", "resumed_by")[:PAST_PAUSES]


def load_ahead(subject: str, organization_id: int | None) -> Ahead:
    """What this pause would stop, let finish, and meet later."""
    runs = StageRun.objects.active().order_by()
    if organization_id is not None:
        runs = runs.filter(artifact__organization=organization_id)
    counts = {(stage, status): n for stage, status, n in runs.values_list("stage", "status").annotate(n=Count("pk"))}
    stages = [subject] if subject in StageName.values else list(StageName.values)
    before = [stage for stage in STAGES if STAGES[stage].position < STAGES[stages[0]].position]

    def total(names: Iterable[str], *statuses: str) -> int:
        return sum(n for (stage, status), n in counts.items() if stage in names and status in statuses)

    return Ahead(
        waiting=total(stages, StageRun.Status.QUEUED),
        running=total(stages, StageRun.Status.RUNNING),
        on_the_way=total(before, *StageRun.ACTIVE),
    )
