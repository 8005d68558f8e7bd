"""Schedules are owned by the code: this makes django-q's table say what the registry says."""

from typing import Any

from croniter import croniter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from voicepipeline.access import verify_platform_staff
from voicepipeline.models import User
from voicepipeline.registry import registry


def write_schedules(**kwargs: Any) -> int:
    """Add what is missing, mend what was edited, delete what the code does not know; return how many were wrong.

    One schedule with bad arguments stops django-q's scheduler for all of them.
    """
    with transaction.atomic():
        wrong = 0
        seen: set[str] = set()
        for row in Schedule.objects.select_for_update().order_by("pk"):
            wanted = registry.schedules.get(row.name or "")
            if wanted is None or wanted.name in seen:
                row.delete()
                wrong += 1
                continue
            seen.add(wanted.name)
            wrong += _mend(row, wanted.func, wanted.cron)
        for schedule in registry.schedules.values():
            if schedule.name not in seen:
                Schedule.objects.create(name=schedule.name, **_columns(schedule.func, schedule.cron))
                wrong += 1
    return wrong


def run_schedule_now(name: str, *, by: User) -> None:
    """Start a scheduled job at once, beside its next regular time."""
    verify_platform_staff(by, "voicepipeline.run_schedule")
    schedule = registry.schedules.get(name)
    if schedule is None:
        raise PermissionDenied("There is no such job.")
    async_task(schedule.func, task_name=schedule.name)


def _columns(func: str, cron: str) -> dict[str, Any]:
    return {
        "func": func,
        "cron": cron,
        "schedule_type": Schedule.CRON,
        "repeats": -1,
        "args": None,
        "kwargs": None,
        "hook": None,
        "cluster": None,
        "next_run": croniter(cron, timezone.now()).get_next(type(timezone.now())),
    }


def _mend(row: Schedule, func: str, cron: str) -> int:
    wanted = _columns(func, cron)
    # The next run moves by itself; only one that is missing or too far away was edited.
    if row.next_run and row.next_run <= wanted["next_run"]:
        wanted["next_run"] = row.next_run
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    if changed:
        for name in changed:
            setattr(row, name, wanted[name])
        row.save()
    return int(bool(changed))
