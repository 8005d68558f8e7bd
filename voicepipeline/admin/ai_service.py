"""How the AI provider fares, what is on hold for it, and what people have paused; and what to do about it."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from voicepipeline import ai_status
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin import ai_pauses
from voicepipeline.admin.ai_words import calls_words, failure_words, hold_words, service_lead, service_state, test_words
from voicepipeline.admin.bare_pages import PageAdmin
from voicepipeline.admin.words import NOTHING, moment
from voicepipeline.ai_status import Held
from voicepipeline.durations import in_words
from voicepipeline.engine.health import current_health
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import AIService, AIServiceHealth, StageName
from voicepipeline.operations import ai_service
from voicepipeline.operations.ai_service import PERMISSION, LastTest
from voicepipeline.operations.outcome import Outcome
from voicepipeline.operations.provider_models import told_cautions
from voicepipeline.stages import stages_of
from voicepipeline.text import row_number

RUNS = "admin:voicepipeline_stagerun_changelist"
PAGE = "admin:voicepipeline_aiservicehealth_changelist"


@admin.register(AIServiceHealth)
class AIServiceAdmin(PageAdmin):
    title = "AI service"
    page_template = "voicepipeline/ai_service.html"
    body_template = "voicepipeline/ai_service_body.html"
    url_name = "voicepipeline_aiservicehealth"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("test/", wrap(self.test_view), name=f"{self.url_name}_test"),
            path("resume/", wrap(self.resume_view), name=f"{self.url_name}_resume"),
            path("pause/", wrap(self.pause_view), name=f"{self.url_name}_pause"),
            path("end-pause/", wrap(self.end_pause_view), name=f"{self.url_name}_end_pause"),
        ]
        return [*own, *super().get_urls()]

    def body(self, request: HttpRequest) -> dict[str, Any]:
        user: Any = request.user
        now = timezone.now()
        held = ai_status.load_held()
        tests = ai_service.last_tests()
        return {
            "cautions": told_cautions(today=now.date()),
            "services": [_card(row, tests[row.service], held, now) for row in current_health().values()],
            "held": [_held(each, now) for each in held],
            "held_total": sum(each.count for each in held),
            "pauses": [ai_pauses.row(pause) for pause in ai_status.active_pauses()],
            "past": [ai_pauses.row(pause) for pause in ai_status.past_pauses()],
            "most_past": ai_status.PAST_PAUSES,
            "may_operate": user.has_perm(PERMISSION),
        }

    def test_view(self, request: HttpRequest) -> HttpResponse:
        """Make a test call; outside any transaction, for it takes as long as the provider does."""
        return self._do(request, lambda user, given: ai_service.test_call(given, by=user, now=timezone.now()))

    def resume_view(self, request: HttpRequest) -> HttpResponse:
        return self._do(request, lambda user, given: ai_service.resume_service(given, by=user))

    def end_pause_view(self, request: HttpRequest) -> HttpResponse:
        def end(user: Any, given: str) -> Outcome:
            number = row_number(given) or 0
            # By the clock of what is let go: the database's.
            return ai_service.end_pause(number, by=user, now=database_now())

        return self._do(request, end)

    def pause_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what to pause, show what that would do, then do it."""
        verify_platform_staff(request.user, PERMISSION)
        return ai_pauses.answer(self, request, back_url=reverse(PAGE))

    def _do(self, request: HttpRequest, operation: Any) -> HttpResponse:
        """One press of a button, with what it is about in `subject`."""
        verify_platform_staff(request.user, PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        outcome: Outcome = operation(request.user, request.POST.get("subject", ""))
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect(PAGE)


def _card(row: AIServiceHealth, test: LastTest, held: list[Held], now: datetime) -> dict[str, Any]:
    service = AIService(row.service)
    count, oldest = ai_status.held_of(service, held)
    calls = ai_status.load_calls(service, now=now)
    paused = row.state != AIServiceHealth.State.CLOSED
    stages = ",".join(stage.name for stage in stages_of(service))
    return {
        "service": service,
        "state": service_state(row),
        "lead": service_lead(row),
        "paused": paused,
        "since": moment(row.trouble_since),
        "next_test": _next_test(row, now),
        "resumed_by": ai_service.name_of(row.resumed_by) if row.resumed_by and not paused else "",
        "resumed_at": moment(row.changed_at),
        "held": count,
        "held_url": f"{reverse(RUNS)}?hold=any&stage__in={stages}",
        "oldest": in_words(now - oldest) if oldest else NOTHING,
        "minute": calls_words(calls.answered_minute, calls.failed_minute),
        "hour": calls_words(calls.answered_hour, calls.failed_hour, cut=calls.is_cut),
        "failures": [failure_words(code, number) for code, number in calls.failures],
        "test": test_words(test),
        "test_under_way": test.running_for,
    }


def _next_test(row: AIServiceHealth, now: datetime) -> str:
    if row.state != AIServiceHealth.State.OPEN or row.needs_person or row.next_probe_at is None:
        return ""
    left = row.next_probe_at - now
    return f"in {in_words(left)}" if left.total_seconds() > 0 else "with the next voice note"


def _held(each: Held, now: datetime) -> dict[str, Any]:
    club = "none" if each.club_id is None else each.club_id
    return {
        "stage": StageName(each.stage).label,
        "reason": hold_words(each.reason),
        "club": each.club or "Not known",
        "count": f"{each.count:,}",
        "url": f"{reverse(RUNS)}?stage__exact={each.stage}&hold={each.reason}&club={club}",
        "key": f"{each.stage}-{each.reason}-{club}",
        "oldest": in_words(now - each.oldest),
    }
