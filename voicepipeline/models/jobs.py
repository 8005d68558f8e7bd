"""What became of the jobs that run by the clock."""

from django.conf import settings
from django.db import models


class ScheduledJob(models.Model):
    """The last time a scheduled job ran, and who last asked for it; one row a job, its plan stands in the code."""

    name = models.CharField(max_length=100, unique=True)
    last_started_at = models.DateTimeField("last started", null=True)
    last_finished_at = models.DateTimeField("last ended", null=True)
    last_succeeded = models.BooleanField("succeeded", null=True)  # None: running, or died in the middle
    requested_at = models.DateTimeField("last asked for", null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        permissions = [("run_schedule", "Can start a scheduled job at once")]

    def __str__(self) -> str:
        return self.name
