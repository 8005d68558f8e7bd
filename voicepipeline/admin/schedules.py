"""The jobs that run by the clock."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django_q.models import Schedule

from voicepipeline.access import verify_platform_staff
from voicepipeline.admin.bare_pages import PageAdmin
from voicepipeline.admin.words import State, length, moment
from voicepipeline.models import ScheduledJob
from voicepipeline.operations.schedules import run_schedule_now
from voicepipeline.registry import registry

RUN_PERMISSION = "voicepipeline.run_schedule"


@admin.register(ScheduledJob)
class ScheduleAdmin(PageAdmin):
    title = "Schedules"
    page_template = "voicepipeline/schedules.html"
    body_template = "voicepipeline/schedules_body.html"
    url_name = "voicepipeline_scheduledjob"

    def get_urls(self) -> list[URLPattern]:
        run = self.admin_site.admin_view(self.run_view)
        return [*super().get_urls(), path("run/", run, name="voicepipeline_scheduledjob_run")]

    def body(self, request: HttpRequest) -> dict[str, Any]:
        user: Any = request.user
        jobs = {job.name: job for job in ScheduledJob.objects.select_related("requested_by")}
        next_runs = dict(Schedule.objects.values_list("name", "next_run"))
        return {
            "schedules": [
                {
                    "schedule": schedule,
                    "next": moment(next_runs.get(schedule.name)),
                    **_last(jobs.get(schedule.name)),
                }
                for schedule in registry.schedules.values()
            ],
            "may_run": user.has_perm(RUN_PERMISSION),
        }

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Start one job at once, for whoever may."""
        verify_platform_staff(request.user, RUN_PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user: Any = request.user
        outcome = run_schedule_now(request.POST.get("name", ""), by=user, now=timezone.now())
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect("admin:voicepipeline_scheduledjob_changelist")


def _last(job: ScheduledJob | None) -> dict[str, Any]:
    """When it last ran, how that went, and who last asked for a run."""
    if job is None or job.last_started_at is None:
        return {"last": "", "state": State("closed", "Not run yet"), "took": "", "asked": _asked(job)}
    state = {
        True: State("completed", "Succeeded"),
        False: State("failed", "Failed"),
        None: State("running", "Running"),
    }[job.last_succeeded]
    took = length(job.last_started_at, job.last_finished_at) if job.last_finished_at else ""
    return {"last": moment(job.last_started_at), "state": state, "took": took, "asked": _asked(job)}


def _asked(job: ScheduledJob | None) -> str:
    if job is None or job.requested_by is None:
        return ""
    by = job.requested_by.get_full_name() or job.requested_by.get_username()
    return f"{by}, {moment(job.requested_at)}"
