"""What live figures and history say on the overview; two queries, whatever there is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest

from metrics import history_sql
from metrics.dashboard import words
from metrics.figures import Figures, LiveMetrics, StageFigures, figures_of
from metrics.limits import HOUR
from metrics.links import counter_link, figure_link, stage_link
from metrics.models import END_TO_END, CounterType, StageSnapshot
from metrics.queries import get_real_time_metrics
from metrics.windows import Grain
from voicepipeline.models import StageName
from voicepipeline.overview.parts import Card, CardKey, Contribution, Figure, FlowTimes, Level, StageTimes

LATELY, USUALLY = "lately", "usually"
DAYS_COMPARED = 7
DAY = timedelta(days=1)
# Of fewer notes a typical time says little, and a change of it nothing.
ENOUGH = 5
COUNTERS = {
    StageName.TRANSCRIPTION: CounterType.TRANSCRIPTIONS_COMPLETED,
    StageName.CLAIMS_EXTRACTION: CounterType.CLAIMS_EXTRACTED,
    StageName.ENTITY_RESOLUTION: CounterType.ENTITIES_RESOLVED,
    StageName.DRAFT_GENERATION: CounterType.DRAFTS_GENERATED,
}
OF_TODAY = {
    "artifacts_completed": "bigint",
    "artifacts_failed": "bigint",
    "artifacts_received": "bigint",
    "ai_calls_unpriced": "bigint",
    "ai_cost": "numeric",
}
HISTORY = f"""
WITH stage_rows AS (
    SELECT span, stage_row.*
    FROM unnest(%(starts)s::timestamptz[], %(spans)s::text[]) AS chosen (period_start, span)
    JOIN {history_sql.SNAPSHOTS} snapshot USING (period_start)
    JOIN {history_sql.STAGES} stage_row ON stage_row.snapshot_id = snapshot.id
    WHERE snapshot.period_type = 'hour' AND snapshot.organization_id IS NULL
),
{history_sql.percentiles("span, stage", history_sql.merged("span, stage", "stage_rows"))},
added AS (SELECT span, stage, {history_sql.sums(StageSnapshot)} FROM stage_rows GROUP BY span, stage),
today AS (
    SELECT {", ".join(f"coalesce(sum({name}), 0)::{kind} AS today_{name}" for name, kind in OF_TODAY.items())}
    FROM {history_sql.SNAPSHOTS}
    WHERE period_type = 'hour' AND organization_id IS NULL AND period_start >= %(today)s
)
SELECT * FROM today LEFT JOIN (added LEFT JOIN percentile USING (span, stage)) ON true
"""  # noqa: S608 — every name in it is our own


@dataclass(frozen=True)
class History:
    """How long stages took in this hour and the one before it, and at this time of the days before; the UTC day so far.

    The running hour is counted anew every minute.
    """

    since: datetime
    lately: Mapping[str, StageFigures]
    usually: Mapping[str, StageFigures]
    today: Figures


def load(request: HttpRequest, now: datetime) -> Contribution:
    live, history = get_real_time_metrics(), load_history(now)
    return Contribution(cards=list(_cards(history, now)), flow_times=_flow_times(live, history))


def load_flow_times(now: datetime) -> FlowTimes:
    return _flow_times(get_real_time_metrics(), load_history(now))


def load_history(now: datetime) -> History:
    hour = Grain.HOUR.floor(now)
    lately = [hour - HOUR, hour]
    usually = [each - days * DAY for each in lately for days in range(1, DAYS_COMPARED + 1)]
    values: dict[str, Any] = {
        "starts": lately + usually,
        "spans": [LATELY] * len(lately) + [USUALLY] * len(usually),
        "today": Grain.DAY.floor(now),
    }
    found: dict[str, dict[str, StageFigures]] = {LATELY: {}, USUALLY: {}}
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, values)
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, each, strict=True)) for each in cursor.fetchall()]
    for row in rows:
        if row["span"]:
            found[row["span"]][row["stage"]] = figures_of(StageFigures, row)
    today = replace(Figures(), **{name: rows[0][f"today_{name}"] for name in OF_TODAY})
    return History(lately[0], found[LATELY], found[USUALLY], today)


# --- Cards ----------------------------------------------------------------------------------------------------------
def _cards(history: History, now: datetime) -> Iterator[Card]:
    today = history.today
    start, end = Grain.DAY.floor(now), Grain.DAY.floor(now) + DAY

    def figure(name: str, told: str) -> Figure:
        link = figure_link(name, start, end, now=now)
        return Figure(told, link.url, link.says) if link else Figure(told)

    window = "today (UTC)"
    yield Card(
        CardKey.READY,
        "Ready",
        figure("artifacts_completed", words.count(today.artifacts_completed)),
        window,
        "check_circle",
        more=(figure("artifacts_received", f"{words.count(today.artifacts_received)} received"),),
    )
    yield Card(
        CardKey.FAILED,
        "Failed",
        figure("artifacts_failed", words.count(today.artifacts_failed)),
        window,
        "error",
        more=(Figure(_of_those_that_ended(today.failure_rate)),),
        level=Level.NOTICE if today.artifacts_failed else Level.QUIET,
    )
    yield _time(history, now)
    unpriced = today.ai_calls_unpriced
    yield Card(
        CardKey.COST,
        "AI cost",
        figure("ai_cost", words.money(today.ai_cost)),
        window,
        "payments",
        more=(figure("ai_calls_unpriced", _not_priced(unpriced)),) if unpriced else (),
    )


def _not_priced(calls: int) -> str:
    """What the cost leaves out, in few words: where they are listed tells more."""
    return f"{words.count(calls)} {'call' if calls == 1 else 'calls'} not priced"


def _of_those_that_ended(failure_rate: float | None) -> str:
    return "none has ended yet" if failure_rate is None else f"{words.rate(failure_rate)} of those that ended"


def _time(history: History, now: datetime) -> Card:
    """Half of the notes were quicker; against this time of day in the week before."""
    lately, usually = (_end_to_end(each) for each in (history.lately, history.usually))
    link = (
        stage_link(END_TO_END, "timed", history.since, Grain.HOUR.floor(now) + HOUR, now=now) if lately.timed else None
    )
    return Card(
        CardKey.TIME,
        "Time to ready",
        Figure(words.duration(lately.p50_ms), link.url if link else "", link.says if link else ""),
        f"typical, since {history.since:%H:%M} UTC",
        "timer",
        more=(Figure(f"slowest 1 in 20: {words.duration(lately.p95_ms)}"),) if lately.timed else (),
        change=_change(lately, usually),
    )


def _change(lately: StageFigures, usually: StageFigures) -> str:
    if min(lately.timed, usually.timed) < ENOUGH or lately.p50_ms is None or usually.p50_ms is None:
        return ""
    change = words.change(words.TIME, lately.p50_ms, usually.p50_ms)
    return f"Against this time in the last 7 days: {change}"


def _end_to_end(found: Mapping[str, StageFigures]) -> StageFigures:
    return found.get(END_TO_END, StageFigures(stage=END_TO_END))


# --- The flow -------------------------------------------------------------------------------------------------------
def _flow_times(live: LiveMetrics, history: History) -> FlowTimes:
    def figure(counter_type: CounterType) -> Figure:
        link = counter_link(counter_type, live.start, live.end)
        return Figure(words.count(float(live[counter_type])), link.url, link.says)

    def stage(name: StageName) -> StageTimes:
        known = history.lately.get(name, StageFigures(stage=name))
        done = int(live[COUNTERS[name]])
        return StageTimes(figure(COUNTERS[name]), known.p50_ms, known.p95_ms, done)

    received, ready = CounterType.ARTIFACTS_RECEIVED, CounterType.ARTIFACTS_COMPLETED
    return FlowTimes(
        received=figure(received),
        received_count=int(live[received]),
        ready=figure(ready),
        ready_count=int(live[ready]),
        stages={name: stage(name) for name in StageName},
        times_since=history.since,
    )
