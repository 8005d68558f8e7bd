"""Which hours and days have been written into history, and what was too late for it."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class PeriodType(models.TextChoices):
    HOUR = "hour", "Hour"
    DAY = "day", "Day"


class Period(models.Model):
    """An hour or a UTC day of the history: when it was last counted, from how much, and whether that is final."""

    NO_CLUB: ClassVar[int] = 0  # stands in `gaps` for the events that name no club

    period_type = models.CharField(max_length=4, choices=PeriodType)
    period_start = models.DateTimeField("from")
    aggregated_at = models.DateTimeField("last counted")
    events = models.PositiveBigIntegerField(help_text="How many events it was counted from.")
    hours = models.PositiveSmallIntegerField(
        null=True, help_text="For a day: how many of its hours it was counted from."
    )
    sealed_at = models.DateTimeField(
        "final since",
        null=True,
        help_text="From then on it is not counted again: the events of an hour may go, the hours of a day as well.",
    )
    gaps = ArrayField(models.BigIntegerField(), default=list, help_text="Clubs whose events could not be counted.")

    class Meta:
        verbose_name = "counted period"
        constraints = [
            models.UniqueConstraint(fields=["period_type", "period_start"], name="period_once"),
            models.CheckConstraint(condition=Q(sealed_at=None) | Q(gaps=[]), name="period_with_gaps_is_not_final"),
            models.CheckConstraint(
                condition=Q(period_type="day", hours__isnull=False) | Q(period_type="hour", hours__isnull=True),
                name="period_day_has_hours",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_period_type_display()} {self.period_start:%Y-%m-%d %H:%M}"


class RefusedEvent(models.Model):
    """An event that came for an hour which is final: it is not kept, but that there was one is."""

    period_start = models.DateTimeField("hour")
    event_type = models.CharField("what", max_length=40)
    refused_at = models.DateTimeField(default=timezone.now, db_default=Now())

    class Meta:
        verbose_name = "event that came too late"
        verbose_name_plural = "events that came too late"
        indexes = [models.Index(fields=["refused_at"], name="refused_event_when")]

    def __str__(self) -> str:
        return f"{self.event_type}, {self.period_start:%Y-%m-%d %H:%M}"
