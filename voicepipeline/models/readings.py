"""Who has read or heard what a note says: a person, or a club's own program."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from voicepipeline.models.api import ApiKey
from voicepipeline.models.notes import Artifact


class ContentReading(models.Model):
    """Somebody opened a note's content; looking again within the same quarter of an hour is the same reading."""

    class Place(models.TextChoices):
        NOTE_PAGE = "note_page", "Its page"
        AUDIO = "audio", "The recording"
        NAMES = "names", "Names to check"
        ENTRIES = "entries", "Suggested entries"
        API = "api", "The API"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name="who", related_name="+"
    )
    api_key = models.ForeignKey(
        ApiKey, models.PROTECT, null=True, blank=True, verbose_name="API key", related_name="+", db_index=False
    )
    artifact = models.ForeignKey(
        Artifact, models.PROTECT, verbose_name="voice note", related_name="readings", db_index=False
    )
    place = models.CharField("where", max_length=12, choices=Place)
    quarter = models.DateTimeField("quarter of an hour", editable=False)
    read_at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        verbose_name = "reading"
        ordering = ("-id",)
        constraints = [
            # Of user and key one is always null: nulls are alike here, or nothing would ever be the same reading.
            models.UniqueConstraint(
                fields=["artifact", "user", "place", "quarter", "api_key"],
                name="reading_once_a_quarter",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, api_key__isnull=True) | Q(user__isnull=True, api_key__isnull=False),
                name="reading_by_a_person_or_a_key",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="reading_of_a_person"),
            models.Index(fields=["api_key", "-id"], condition=Q(api_key__isnull=False), name="reading_of_a_key"),
            models.Index(fields=["read_at"], name="reading_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.api_key}, {self.get_place_display().lower()}"
