"""The filters of the list of events, some of which figures on other pages lead to."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from voicepipeline.admin.lists import ChosenFilter, SpanFilter
from voicepipeline.models import EventType, SourceChannel, User
from voicepipeline.operations.ai_service import name_of
from voicepipeline.stages import IN_ORDER
from voicepipeline.text import row_number, safe_text

LONGEST_PROMPT_VERSION = 200
STAGE_FAILED = [stage.failed.value for stage in IN_ORDER]
FINAL = Q(event_type__in=STAGE_FAILED) & ~Q(metadata__contains={"will_retry": True})
FIRST_TIME = Q(event_type=EventType.ARTIFACT_COMPLETED) & ~Q(metadata__contains={"repeat": True})
CALLED = Q(metadata__has_key="ai_model")


class ErrorsFilter(admin.SimpleListFilter):
    title = "errors"
    parameter_name = "errors"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", "Errors only")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(error_code="") if self.value() == "only" else queryset


class OnlyFilter(admin.SimpleListFilter):
    """What the type of an event alone does not tell."""

    title = "only"
    parameter_name = "only"
    kinds = {
        "first": ("Ready for the first time", FIRST_TIME),
        "no_speech": ("Ready without speech", FIRST_TIME & Q(metadata__contains={"outcome": "no_speech"})),
        "final": ("Final failures of stages", FINAL),
        "failures": ("Final failures, and notes that failed", FINAL | Q(event_type=EventType.ARTIFACT_FAILED)),
        "ai": ("Tries that called the AI service", CALLED),
        "ai_unpriced": ("Tries whose AI cost is unknown", CALLED & ~Q(metadata__has_key="ai_cost")),
        "automatic": (
            "Confirmed automatically",
            Q(event_type=EventType.DRAFT_CONFIRMED, metadata__contains={"automatic": True}),
        ),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.kinds.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


class EventSpanFilter(SpanFilter):
    title = "time span"


class SourceFilter(ChosenFilter):
    """What was received, became ready or failed of the notes that came by one source channel."""

    title = "source"
    parameter_name = "source"

    def words(self, value: str) -> str:
        return str(SourceChannel(value).label) if value in SourceChannel.values else ""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(metadata__contains={"source_channel": value})


class PromptFilter(ChosenFilter):
    title = "prompt version"
    parameter_name = "prompt"

    def words(self, value: str) -> str:
        return safe_text(value, LONGEST_PROMPT_VERSION)

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(metadata__contains={"prompt_version": self.words(value)})


class PersonFilter(ChosenFilter):
    """What one person did."""

    title = "who"
    parameter_name = "who"

    def words(self, value: str) -> str:
        person = User.objects.filter(pk=row_number(value) or 0, is_platform_staff=True).first()
        return name_of(person) if person else ""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(actor_id=row_number(value))
