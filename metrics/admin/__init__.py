"""The pages under Engineering that show what the metrics keep; nobody changes it here."""

from metrics.admin import history, jobs, live_figures, periods  # noqa: F401
from metrics.dashboard import pages
from voicepipeline.admin import shell
from voicepipeline.admin.shell import Entry, Group


def _entry(title: str, icon: str, model: str, summary: str) -> Entry:
    return Entry(Group.ENGINEERING, title, icon, f"admin:metrics_{model}_changelist", f"metrics.view_{model}", summary)


pages.register()
shell.add(
    _entry("Live figures", "speed", "counter", "What was counted in each minute of the last two hours."),
    _entry(
        "History", "bar_chart", "metricssnapshot", "What was counted in each hour and day, for all clubs and for each."
    ),
    _entry("Job runs", "task", "jobrun", "What the jobs that count and clean up did, and how long it took them."),
    _entry(
        "Counted periods",
        "event_available",
        "period",
        "Which hours and days are counted, which are final, what is missing, and what came too late.",
    ),
)
