"""Who has read or heard what a note says."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from voicepipeline.models.notes import Artifact


class ContentReading(models.Model):
    """Somebody opened a note's content; looking again within the same quarter of an hour is the same reading."""

    class Place(models.TextChoices):
        NOTE_PAGE = "note_page", "Its page"
        AUDIO = "audio", "The recording"
        NAMES = "names", "Names to check"
        ENTRIES = "entries", "Suggested entries"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name="who", related_name="+")
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
            models.UniqueConstraint(fields=["artifact", "user", "place", "quarter"], name="reading_once_a_quarter"),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="reading_of_a_person"),
            models.Index(fields=["read_at"], name="reading_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_place_display().lower()}"
