"""Job runs: what the jobs of the metrics did, and the button that starts one."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import display

from metrics.last_runs import last_runs
from metrics.models import JobRun
from metrics.schedules import SCHEDULES
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.words import NOTHING, State, length, moment
from voicepipeline.operations.schedules import run_schedule_now

RUN_PERMISSION = "voicepipeline.run_schedule"
# No job works for longer: a run without an end died in the middle.
LONGEST = timedelta(hours=1)


class JobFilter(admin.SimpleListFilter):
    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(schedule.name, schedule.name) for schedule in SCHEDULES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {schedule.name for schedule in SCHEDULES}
        return queryset.filter(name=self.value()) if self.value() in known else queryset


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    states: dict[str, tuple[str, dict[str, Any]]] = {
        "failed": ("Failed", {"succeeded": False}),
        "succeeded": ("Succeeded", {"succeeded": True}),
        "open": ("Running, or never ended", {"finished_at": None}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.states.get(self.value() or "")
        return queryset.filter(**chosen[1]) if chosen else queryset


@admin.register(JobRun)
class JobRunAdmin(HistoryAdmin):
    list_display = ("name", "state", "when", "took", "periods_seen", "rows_written", "problem")
    list_filter = (JobFilter, StateFilter)
    list_before_template = "metrics/jobs.html"
    ordering = ("-id",)
    empty_hint = "Each run of these jobs appears here, and stays for two weeks by default."
    fields = ("name", "when", "took", "state", "periods_seen", "rows_written", "error")
    readonly_fields = ("when", "took", "state", "periods_seen", "rows_written")

    def get_urls(self) -> list[URLPattern]:
        run = self.admin_site.admin_view(self.run_view)
        return [path("run/", run, name="metrics_jobrun_run"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "title": "Job runs",
            "jobs": jobs_in_words(timezone.now()),
            "may_run": request.user.has_perm(RUN_PERMISSION),
        }
        response: HttpResponse = super().changelist_view(request, {**context, **(extra_context or {})})
        return response

    def run_view(self, request: HttpRequest) -> HttpResponse:
        """Start one of these jobs at once, for whoever may."""
        verify_platform_staff(request.user, RUN_PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user: Any = request.user
        outcome = run_schedule_now(request.POST.get("name", ""), by=user, now=timezone.now())
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect("admin:metrics_jobrun_changelist")

    @display(description="Began (UTC)")
    def when(self, run: JobRun) -> str:
        return moment(run.started_at)

    @display(description="Took")
    def took(self, run: JobRun) -> str:
        return length(run.started_at, run.finished_at)

    @display(description="State")
    def state(self, run: JobRun) -> str:
        return state_of(run, timezone.now()).label

    @display(description="Hours and days")
    def periods_seen(self, run: JobRun) -> str:
        return f"{run.periods:,}"

    @display(description="Rows")
    def rows_written(self, run: JobRun) -> str:
        return f"{run.rows:,}"

    @display(description="What went wrong")
    def problem(self, run: JobRun) -> str:
        return run.error or NOTHING


def state_of(run: JobRun, now: datetime) -> State:
    if run.finished_at is None:
        lost = now - run.started_at > LONGEST
        return State("stalled", "Never ended") if lost else State("running", "Running")
    return State("completed", "Succeeded") if run.succeeded else State("failed", "Failed")


def jobs_in_words(now: datetime) -> list[dict[str, Any]]:
    """Each job, what it is for, and how it last went."""
    last = last_runs()
    never = State("closed", "Not run yet")
    return [
        {
            "schedule": schedule,
            "state": state_of(last[schedule.name], now) if schedule.name in last else never,
            "last": moment(last[schedule.name].started_at) if schedule.name in last else "Never",
        }
        for schedule in SCHEDULES
    ]
