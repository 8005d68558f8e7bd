"""Scheduled jobs are owned by the code: django-q's table says what the registry says, and each run leaves its mark."""

from datetime import datetime, timedelta
from typing import Any

from croniter import croniter
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule
from django_q.tasks import async_task

from voicepipeline.access import verify_platform_staff
from voicepipeline.models import ScheduledJob, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.registry import registry

ENTRY_POINT = "voicepipeline.tasks.run_scheduled_job"
WRITE_LOCK = 7_310_260_129
# Who presses twice wants one run.
ASK_AGAIN_AFTER = timedelta(seconds=60)


def write_schedules(**kwargs: Any) -> int:
    """Add what is missing, mend what was edited, delete what the code does not know; return how many were wrong.

    One schedule with bad arguments stops django-q's scheduler for all of them.
    """
    if Schedule._meta.db_table not in connection.introspection.table_names():
        return 0  # a migration of this app alone, into an empty database
    with transaction.atomic():
        with connection.cursor() as cursor:  # several watchdogs would add the same one twice
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [WRITE_LOCK])
        wrong = 0
        seen: set[str] = set()
        for row in Schedule.objects.select_for_update().order_by("pk"):
            wanted = registry.schedules.get(row.name or "")
            if wanted is None or wanted.name in seen:
                row.delete()
                wrong += 1
                continue
            seen.add(wanted.name)
            wrong += _mend(row, wanted.cron)
        for schedule in registry.schedules.values():
            if schedule.name not in seen:
                Schedule.objects.create(name=schedule.name, **_columns(schedule.name, schedule.cron))
                wrong += 1
    return wrong


@transaction.atomic(durable=True)
def run_schedule_now(name: str, *, by: User, now: datetime) -> Outcome:
    """Start a scheduled job at once, beside its next regular time."""
    verify_platform_staff(by, "voicepipeline.run_schedule")
    schedule = registry.schedules.get(name)
    if schedule is None:
        return Outcome(False, "There is no scheduled job with this name.")
    ScheduledJob.objects.get_or_create(name=name)
    job = ScheduledJob.objects.select_for_update().get(name=name)
    if job.requested_at and now - job.requested_at < ASK_AGAIN_AFTER:
        return Outcome(False, f"{name} was started a moment ago. Wait a minute before you start it again.")
    ScheduledJob.objects.filter(pk=job.pk).update(requested_at=now, requested_by=by)
    transaction.on_commit(lambda: async_task(ENTRY_POINT, name, task_name=name))
    return Outcome(True, f"{name} starts as soon as a worker is free.")


def perform_scheduled_job(name: str) -> None:
    """Run a job and keep on its row when it started, when it ended and whether it went well."""
    schedule = registry.schedules.get(name)
    if schedule is None:
        return  # the code that rang knew a job that this code does not
    started = {"last_started_at": timezone.now(), "last_finished_at": None, "last_succeeded": None}
    ScheduledJob.objects.update_or_create(name=name, defaults=started)
    succeeded = False
    try:
        import_string(schedule.func)()
        succeeded = True
    finally:
        ended = {"last_finished_at": timezone.now(), "last_succeeded": succeeded}
        ScheduledJob.objects.filter(name=name, last_started_at=started["last_started_at"]).update(**ended)


def _columns(name: str, cron: str) -> dict[str, Any]:
    return {
        "func": ENTRY_POINT,
        "cron": cron,
        "schedule_type": Schedule.CRON,
        "repeats": -1,
        "args": repr((name,)),
        "kwargs": None,
        "hook": None,
        "cluster": None,
        "next_run": croniter(cron, timezone.now()).get_next(type(timezone.now())),
    }


def _mend(row: Schedule, cron: str) -> int:
    wanted = _columns(row.name, cron)
    # The next run moves by itself; only one that is missing or too far away was edited.
    if row.next_run and row.next_run <= wanted["next_run"]:
        wanted["next_run"] = row.next_run
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, wanted[name])
        row.save()
    return int(bool(changed))
