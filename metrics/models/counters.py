"""Live figures: what happened in each minute of the last two hours."""

from django.db import models

from voicepipeline.models import Organization


class CounterType(models.TextChoices):
    """What is counted; the name says over which time it is read: the 60 whole minutes that end now."""

    ARTIFACTS_RECEIVED = "artifacts_received_1h", "Voice notes received"
    ARTIFACTS_COMPLETED = "artifacts_completed_1h", "Voice notes ready"  # for the first time
    ARTIFACTS_FAILED = "artifacts_failed_1h", "Voice notes failed"
    TRANSCRIPTIONS_COMPLETED = "transcriptions_completed_1h", "Transcriptions done"
    CLAIMS_EXTRACTED = "claims_extracted_1h", "Statements read"
    ENTITIES_RESOLVED = "entities_resolved_1h", "Names matched"
    DRAFTS_GENERATED = "drafts_generated_1h", "Entries suggested"
    FAILURES = "failures_1h", "Failures of stages and voice notes"  # final ones of stages, and failed notes
    RETRIES = "retries_1h", "Retries"
    AI_COST = "ai_cost_1h", "AI cost in US dollars"


class Counter(models.Model):
    """A part of one figure for one minute: of a club, or of the platform when it names none.

    Each database connection adds to rows of its own, so that nobody waits for anybody; their sum is the figure.
    """

    counter_type = models.CharField("what", max_length=40, choices=CounterType)
    organization = models.ForeignKey(
        Organization, models.PROTECT, verbose_name="club", null=True, related_name="+", db_index=False
    )
    window_start = models.DateTimeField("from")
    window_end = models.DateTimeField("until")
    slot = models.IntegerField(help_text="The connection that counted; 0 once the minute is over and added up.")
    value = models.DecimalField(max_digits=24, decimal_places=8)

    class Meta:
        verbose_name = "live figure"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "window_start", "counter_type", "slot"],
                name="counter_once_a_slot",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=models.Q(counter_type__in=CounterType.values), name="counter_type_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_counter_type_display()}, {self.window_start:%Y-%m-%d %H:%M}"
