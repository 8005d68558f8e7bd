"""What retries will about cost and how long they will take, from how the stages fared lately. Unknown is never 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from django.conf import settings
from django.db.models import Avg, F, Q, QuerySet, Sum

from retry.limits import limits
from voicepipeline.models import StageName, StageRun
from voicepipeline.stages import IN_ORDER, Stage

LOOKED_BACK = timedelta(days=7)
# Of each stage, the newest: enough for an average, and as quick to read after a year as on the first day.
MOST_RUNS = 200
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Spoken:
    """What the cost of one voice note hangs on."""

    is_typed: bool  # a typed text is its own transcript
    seconds: Decimal | None  # of the recording
    is_silent: bool  # its transcript, if that is kept, says nothing: no model reads it


@dataclass(frozen=True)
class Rates:
    """Averages of the last successful tries; what nothing is known of is missing."""

    a_second: Decimal | None = None  # USD, of audio that was transcribed
    a_call: Mapping[str, Decimal] = field(default_factory=dict)  # USD, by stage
    works_for: Mapping[str, timedelta] = field(default_factory=dict)  # by stage

    def cost_of(self, stages: Sequence[Stage], spoken: Spoken) -> Decimal | None:
        """What the model's part of these stages will about cost; None when one of them cannot be told."""
        costs = [self._cost_of_stage(stage, spoken) for stage in calls_in(stages, spoken)]
        known = [cost for cost in costs if cost is not None]
        return sum(known, NOTHING) if len(known) == len(costs) else None

    def _cost_of_stage(self, stage: Stage, spoken: Spoken) -> Decimal | None:
        if stage.name != StageName.TRANSCRIPTION:
            return self.a_call.get(stage.name)
        if spoken.seconds is None or self.a_second is None:
            return None
        return spoken.seconds * self.a_second

    def work_of(self, stages: Sequence[Stage]) -> timedelta | None:
        """How long workers will about be busy with these stages; None when one of them cannot be told."""
        known = [self.works_for.get(stage.name) for stage in stages]
        times = [time for time in known if time is not None]
        return sum(times, timedelta()) if len(times) == len(known) else None


def calls_in(stages: Sequence[Stage], spoken: Spoken) -> list[Stage]:
    """Those of these stages that will ask the AI service."""
    return [stage for stage in stages if stage.service is not None and _asks(stage, stages, spoken)]


def _asks(stage: Stage, stages: Sequence[Stage], spoken: Spoken) -> bool:
    if stage.name == StageName.TRANSCRIPTION:
        return not spoken.is_typed
    heard_anew = any(each.name == StageName.TRANSCRIPTION for each in stages)
    return heard_anew or not spoken.is_silent


def at_once() -> int:
    """How many retries in bulk may be under way together: their share of the workers, and never none."""
    return max(1, settings.WORKERS * limits().share_of_workers_percent // 100)


def time_for(works: Sequence[timedelta], side_by_side: int) -> timedelta:
    """How long so many workers take for all of this; never less than for its longest piece."""
    return max([sum(works, timedelta()) / side_by_side, *works], default=timedelta())


def recent_rates(now: datetime) -> Rates:
    """One query, over the newest successful tries of each stage."""
    rows: dict[str, dict[str, Any]] = {row["stage"]: row for row in _averages(now)}
    heard = rows.get(StageName.TRANSCRIPTION, {})
    seconds = heard.get("priced_seconds")
    return Rates(
        a_second=heard["cost_of_them"] / seconds if seconds else None,
        a_call={stage: row["a_call"] for stage, row in rows.items() if row["a_call"] is not None},
        works_for={stage: row["works_for"] for stage, row in rows.items() if row["works_for"] is not None},
    )


def _averages(now: datetime) -> QuerySet[Any, dict[str, Any]]:
    newest = reduce(lambda before, more: before.union(more, all=True), map(_newest, IN_ORDER))
    lately: QuerySet[Any] = StageRun.objects.filter(pk__in=newest, finished_at__gt=now - LOOKED_BACK)
    priced = Q(audio_seconds__gt=0, cost_usd__isnull=False)
    averages: QuerySet[Any, dict[str, Any]] = lately.values("stage").annotate(
        a_call=Avg("cost_usd", filter=~Q(ai_model="")),
        priced_seconds=Sum("audio_seconds", filter=priced),
        cost_of_them=Sum("cost_usd", filter=priced),
        works_for=Avg(F("finished_at") - F("started_at")),
    )
    return averages


def _newest(stage: Stage) -> QuerySet[Any, Any]:
    succeeded = StageRun.objects.filter(stage=stage.name, status=StageRun.Status.SUCCEEDED)
    return succeeded.order_by("-pk").values("pk")[:MOST_RUNS]
