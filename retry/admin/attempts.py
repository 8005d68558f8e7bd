"""Every retry of every voice note, kept for ever: to be looked through by everybody who may, changed by nobody."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from retry.admin.words import outcome_of, trouble_of
from retry.facts import name_of
from retry.models import RetryAttempt
from retry.queries import still_failed
from retry.words import deleted_in_words
from voicepipeline.access import may_read_content
from voicepipeline.admin import shell
from voicepipeline.admin.events import of_notes_like
from voicepipeline.admin.lists import HistoryAdmin, SinceFilter, SpanFilter
from voicepipeline.admin.words import NOTHING, length, moment
from voicepipeline.masking import HIDDEN
from voicepipeline.models import User
from voicepipeline.text import row_number

# People type names into the reasons that they give.
MASKED = {"why": "why_hidden"}


class RequesterFilter(admin.SimpleListFilter):
    """People by name; long lists are cut."""

    title = "who"
    parameter_name = "who"
    most = 200

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = User.objects.filter(is_platform_staff=True).order_by("first_name", "last_name", "username")
        return [(str(user.pk), name_of(user)) for user in people[: self.most]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        number = row_number(self.value() or "")
        return queryset if number is None else queryset.filter(requested_by_id=number)


class RequestedFilter(SinceFilter):
    title = "when"
    parameter_name = "requested"
    column = "requested_at"


class RequestedInFilter(SpanFilter):
    title = "time span"
    parameter_name = "requested_in"
    column = "requested_at"


class StillFilter(admin.SimpleListFilter):
    title = "since then"
    parameter_name = "still"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed again, and nothing has helped since")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return still_failed(queryset) if self.value() == "failed" else queryset


class AloneFilter(admin.SimpleListFilter):
    title = "how"
    parameter_name = "how"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("alone", "One by one"), ("bulk", "In a bulk retry")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "alone":
                return queryset.filter(bulk_item__isnull=True)
            case "bulk":
                return queryset.filter(bulk_item__isnull=False)
        return queryset


@admin.register(RetryAttempt)
class RetryAttemptAdmin(HistoryAdmin):
    list_display = ("number_no", "note", "what", "outcome_state", "who", "why", "took", "requested")
    list_filter = (RequestedInFilter, RequestedFilter, "outcome", StillFilter, "kind", RequesterFilter, AloneFilter)
    list_select_related = ("artifact", "requested_by")
    ordering = ("-id",)
    search_fields = ("artifact",)
    search_help_text = "Voice note id"
    empty_hint = "Each retry of a voice note appears here, one by one and in bulk, with who asked for it and why."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        attempts: QuerySet[Any] = super().get_queryset(request)
        return attempts.select_related("artifact", "requested_by", "bulk_item__bulk")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return of_notes_like(queryset, search_term) if search_term.strip() else queryset, False

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return _masked(request, self.list_display)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        asked = ("note", "what", "number", "generation", "who", "why", "requested", "part_of", "agreed_to", "removed")
        return (
            ("What was asked for", {"fields": _masked(request, asked)}),
            ("What came of it", {"fields": ("outcome_state", "finished", "took", "trouble")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        return [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]

    @display(description="Attempt")
    def number_no(self, attempt: RetryAttempt) -> str:
        return format_html('<span class="whitespace-nowrap">Attempt {}</span>', attempt.number)

    @display(description="Voice note")
    def note(self, attempt: RetryAttempt) -> str:
        url = reverse("admin:voicepipeline_artifact_change", args=[attempt.artifact.artifact_id])
        return format_html('<a class="text-link" href="{}">{}</a>', url, str(attempt.artifact.artifact_id)[:8])

    @display(description="What")
    def what(self, attempt: RetryAttempt) -> str:
        return str(attempt.get_kind_display())

    @display(description="Outcome")
    def outcome_state(self, attempt: RetryAttempt) -> str:
        return outcome_of(attempt).label

    @display(description="Who")
    def who(self, attempt: RetryAttempt) -> str:
        return name_of(attempt.requested_by)

    @display(description="Why")
    def why(self, attempt: RetryAttempt) -> str:
        return attempt.reason or NOTHING

    @display(description="Why")
    def why_hidden(self, attempt: RetryAttempt) -> str:
        return HIDDEN if attempt.reason else NOTHING

    @display(description="Took")
    def took(self, attempt: RetryAttempt) -> str:
        return length(attempt.requested_at, attempt.finished_at or timezone.now())

    @display(description="Requested (UTC)")
    def requested(self, attempt: RetryAttempt) -> str:
        return moment(attempt.requested_at)

    @display(description="Ended (UTC)")
    def finished(self, attempt: RetryAttempt) -> str:
        return moment(attempt.finished_at)

    @display(description="Deleted")
    def removed(self, attempt: RetryAttempt) -> str:
        return deleted_in_words(attempt.deleted).capitalize()

    @display(description="Problem")
    def trouble(self, attempt: RetryAttempt) -> str:
        return trouble_of(attempt) or NOTHING

    @display(description="Part of")
    def part_of(self, attempt: RetryAttempt) -> str:
        item = getattr(attempt, "bulk_item", None)
        if item is None:
            return NOTHING
        url = reverse("admin:retry_bulkretry_change", args=[item.bulk.bulk_id])
        return format_html('<a class="text-link" href="{}">A bulk retry</a>', url)


def _masked(request: HttpRequest, columns: Sequence[str]) -> Sequence[str]:
    return columns if may_read_content(request.user) else [MASKED.get(each, each) for each in columns]


shell.add(
    shell.Entry(
        shell.Group.VOICE_NOTES,
        "Retries",
        "replay",
        "admin:retry_retryattempt_changelist",
        "retry.view_retryattempt",
        "Who retried which voice note, why, and what came of it.",
    )
)
