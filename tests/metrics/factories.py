"""History without the events that it was counted from."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from metrics.models import MetricsSnapshot, Period, PromptSnapshot, SourceSnapshot, StageSnapshot


def make_period(period_type, start, **fields):
    if period_type == "day":
        fields.setdefault("hours", 24)
    fields = {"aggregated_at": timezone.now(), "events": 0, **fields}
    return Period.objects.get_or_create(period_type=period_type, period_start=start, defaults=fields)[0]


def make_snapshot(period_type, start, club=None, *, stages=None, sources=None, prompts=None, **figures):
    """One hour or day of a club or the platform; `stages` and so on name the rows beneath it: {"transcription": {…}}.

    `durations` of a stage, in milliseconds, become its histogram.
    """
    make_period(period_type, start)
    snapshot = MetricsSnapshot.objects.create(period_type=period_type, period_start=start, organization=club, **figures)
    for stage, fields in (stages or {}).items():
        StageSnapshot.objects.create(snapshot=snapshot, stage=stage, **_with_histogram(fields))
    for channel, fields in (sources or {}).items():
        SourceSnapshot.objects.create(snapshot=snapshot, source_channel=channel, **fields)
    for version, fields in (prompts or {}).items():
        PromptSnapshot.objects.create(snapshot=snapshot, prompt_version=version, **fields)
    return snapshot


def _with_histogram(fields):
    durations = fields.get("durations")
    rest = {name: value for name, value in fields.items() if name != "durations"}
    if not durations:
        return rest
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(bucket ORDER BY bucket), array_agg(n ORDER BY bucket) FROM"
            " (SELECT metrics_bucket(ms) AS bucket, count(*) AS n FROM unnest(%s::bigint[]) AS g (ms) GROUP BY 1) s",
            [durations],
        )
        buckets, counts = cursor.fetchone()
        cursor.execute(
            "SELECT metrics_percentile(%s::smallint[], %s::bigint[], 0.5),"
            " metrics_percentile(%s::smallint[], %s::bigint[], 0.95)",
            [buckets, counts] * 2,
        )
        p50, p95 = cursor.fetchone()
    counted = {"completed": len(durations), "timed": len(durations), "total_ms": sum(durations)}
    return {**counted, "buckets": buckets, "counts": counts, "p50_ms": p50, "p95_ms": p95, **rest}


def hour(moment, *, back=0):
    return moment.replace(minute=0, second=0, microsecond=0) - timedelta(hours=back)
