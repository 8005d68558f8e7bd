"""What the scheduled jobs of the metrics did."""

from django.db import models


class JobRun(models.Model):
    """One run of a job: when, how long, how much it wrote or deleted, and what went wrong."""

    name = models.CharField("job", max_length=60)
    started_at = models.DateTimeField("began")
    finished_at = models.DateTimeField("ended", null=True)  # None: running, or died in the middle
    succeeded = models.BooleanField(null=True)
    periods = models.PositiveIntegerField(default=0, help_text="How many hours or days it saw to.")
    rows = models.PositiveBigIntegerField(default=0, help_text="How many rows it wrote or deleted.")
    error = models.CharField("what went wrong", max_length=500, blank=True)

    class Meta:
        verbose_name = "job run"
        indexes = [models.Index(fields=["name", "-started_at"], name="job_run_newest_of_a_job")]

    def __str__(self) -> str:
        return f"{self.name}, {self.started_at:%Y-%m-%d %H:%M}"
