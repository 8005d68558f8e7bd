"""History: what happened in each hour and each UTC day, on the platform and at each club.

Only what adds up is kept, with histograms of times: rates, averages and percentiles over any span follow from it.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from metrics.models.periods import PeriodType
from voicepipeline.models import Organization, SourceChannel, StageName

END_TO_END = "end_to_end"


def number_of(what: str) -> "models.PositiveBigIntegerField[int, int]":
    return models.PositiveBigIntegerField(what, default=0)


def sum_of(what: str) -> "models.FloatField[float, float]":
    return models.FloatField(what, default=0)


def money() -> "models.DecimalField[object, object]":
    return models.DecimalField("AI cost in US dollars", max_digits=24, decimal_places=8, default=0)


class MetricsSnapshot(models.Model):
    """One hour or day of one club, or of the platform when it names none."""

    period_type = models.CharField(max_length=4, choices=PeriodType)
    period_start = models.DateTimeField("from")
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, related_name="+", db_index=False
    )
    has_gaps = models.BooleanField(default=False, help_text="Some club's events could not be counted and are missing.")

    artifacts_received = number_of("voice notes received")
    artifacts_completed = number_of("voice notes ready")  # for the first time
    artifacts_failed = number_of("voice notes failed")
    artifacts_no_speech = number_of("voice notes without speech")  # of those that are ready

    # Sums of what notes told, and how many told it: an average is over those alone.
    transcript_confidence = sum_of("sum of transcripts' confidence")
    transcripts_with_confidence = number_of("transcripts with a confidence")
    claim_confidence = sum_of("sum of notes' mean confidence in their statements")
    notes_with_claim_confidence = number_of("notes with a confidence in statements")

    claims = number_of("statements")
    notes_with_claim_count = number_of("notes that told how many statements they have")
    claims_unsupported = number_of("statements whose quote is not in the transcript")
    entities = number_of("names mentioned")
    entities_auto_resolved = number_of("names matched automatically")
    entities_user_resolved = number_of("names chosen by a person")
    entities_unresolved = number_of("names not on the roster")
    disambiguations = number_of("unclear names to ask about")
    drafts = number_of("suggested entries")
    drafts_automatic = number_of("suggested entries confirmed automatically")
    drafts_confirmed = number_of("entries confirmed")  # automatic ones included
    drafts_rejected = number_of("entries rejected")
    drafts_undone = number_of("decisions about entries taken back")

    retries = number_of("retries")
    retries_succeeded = number_of("retries that succeeded")
    retries_failed = number_of("retries that failed")

    ai_cost = money()
    ai_calls = number_of("tries that called the AI service")
    ai_calls_unpriced = number_of("tries whose AI cost is unknown")

    class Meta:
        verbose_name = "hour or day of history"
        verbose_name_plural = "hours and days of history"
        constraints = [
            models.UniqueConstraint(
                fields=["period_type", "period_start", "organization"],
                name="snapshot_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(period_type__in=PeriodType.values), name="snapshot_period_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "period_type", "period_start"], name="snapshot_of_a_club"),
        ]

    def __str__(self) -> str:
        return f"{self.get_period_type_display()} {self.period_start:%Y-%m-%d %H:%M}"


class StageSnapshot(models.Model):
    """The tries at one stage that began or ended in a period, or the whole way of notes that became ready in it."""

    STAGES = [*StageName.choices, (END_TO_END, "From receipt to ready")]

    snapshot = models.ForeignKey(MetricsSnapshot, models.CASCADE, related_name="stages", db_index=False)
    stage = models.CharField(max_length=20, choices=STAGES)
    attempts = number_of("tries begun")
    completed = number_of("tries that succeeded")
    failed = number_of("final failures")
    timed = number_of("successes with a known duration")
    total_ms = number_of("sum of their milliseconds")
    # See migration 0003: how many durations fell into which bucket, in ascending order of buckets.
    buckets = ArrayField(models.SmallIntegerField(), default=list)
    counts = ArrayField(models.BigIntegerField(), default=list)
    p50_ms = models.FloatField("typical, in milliseconds", null=True)
    p95_ms = models.FloatField("slowest 1 in 20, in milliseconds", null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "stage"], name="stage_snapshot_once")]

    def __str__(self) -> str:
        return self.get_stage_display()


class SourceSnapshot(models.Model):
    """The voice notes of one source channel in a period."""

    snapshot = models.ForeignKey(MetricsSnapshot, models.CASCADE, related_name="sources", db_index=False)
    source_channel = models.CharField(max_length=20, choices=SourceChannel)
    artifacts_received = number_of("voice notes received")
    artifacts_completed = number_of("voice notes ready")
    artifacts_failed = number_of("voice notes failed")
    artifacts_no_speech = number_of("voice notes without speech")
    timed = number_of("ready notes with a known duration")
    total_ms = number_of("sum of their milliseconds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "source_channel"], name="source_snapshot_once")]

    def __str__(self) -> str:
        return self.get_source_channel_display()


class PromptSnapshot(models.Model):
    """What one version of the prompt for reading statements brought about in a period."""

    snapshot = models.ForeignKey(MetricsSnapshot, models.CASCADE, related_name="prompts", db_index=False)
    prompt_version = models.CharField(max_length=200)
    completed = number_of("voice notes read")
    failed = number_of("final failures")
    claims = number_of("statements")
    notes_with_claim_count = number_of("notes that told how many statements they have")
    claims_unsupported = number_of("statements whose quote is not in the transcript")
    claim_confidence = sum_of("sum of notes' mean confidence in their statements")
    notes_with_claim_confidence = number_of("notes with a confidence in statements")
    drafts_confirmed = number_of("entries confirmed")  # automatic ones included
    drafts_confirmed_automatically = number_of("entries confirmed automatically")
    drafts_rejected = number_of("entries rejected")
    drafts_undone = number_of("decisions about entries taken back")
    ai_cost = money()
    ai_calls = number_of("tries that called the AI service")
    ai_calls_unpriced = number_of("tries whose AI cost is unknown")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["snapshot", "prompt_version"], name="prompt_snapshot_once")]

    def __str__(self) -> str:
        return self.prompt_version
