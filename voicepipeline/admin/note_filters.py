"""The filters of the list of voice notes, each through an index."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from voicepipeline.admin.lists import SinceFilter, SpanFilter
from voicepipeline.models import Artifact, EntityResolution, StageName, StageRun, Transcript
from voicepipeline.queries import failed_since, stalled_notes, transcripts_to_review
from voicepipeline.querysets import ACTIVE_STATUSES
from voicepipeline.spans import span_in

HOME = "needs"


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = [(status.value, str(status.label)) for status in Artifact.Status]
        return [
            ("active", "On their way"),
            *states,
            ("stalled", "No progress"),
            ("on_hold", "On hold"),
            ("closed", "Closed, won't fix"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        match value:
            case "active":
                return queryset.filter(status__in=ACTIVE_STATUSES)
            case "failed":
                return queryset.filter(status="failed", closed_at__isnull=True)
            case "closed":
                return queryset.filter(closed_at__isnull=False)
            case "stalled":
                return stalled_notes(queryset)
            case "on_hold":
                return queryset.filter(pk__in=StageRun.objects.parked().values("artifact"))
        return queryset.filter(status=value) if value in Artifact.Status.values else queryset


class StageFilter(admin.SimpleListFilter):
    title = "stage"
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(stage.value, str(stage.label)) for stage in StageName]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(current_stage=self.value()) if self.value() in StageName.values else queryset


class ReceivedFilter(SinceFilter):
    title = "received"
    parameter_name = "received"
    column = "received_at"
    spans = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("Last 24 hours", timedelta(hours=24)),
        "7d": ("Last 7 days", timedelta(days=7)),
        "30d": ("Last 30 days", timedelta(days=30)),
    }


class FailedFilter(SinceFilter):
    """Notes that are failed now, and became so in the last hours or days."""

    title = "failed"
    parameter_name = "failed"
    spans = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("Last 24 hours", timedelta(hours=24)),
        "7d": ("Last 7 days", timedelta(days=7)),
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.spans:
            return queryset
        _, span = self.spans[self.value() or ""]
        return failed_since(queryset, timezone.now() - span)


class ReceivedInFilter(SpanFilter):
    title = "time received"
    parameter_name = "received_in"
    column = "received_at"


class ReadyInFilter(SpanFilter):
    """Notes that became ready for the first time in a span."""

    title = "time ready"
    parameter_name = "ready_in"
    column = "first_completed_at"

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        span = span_in(value)
        # None is ready before it is received: said for the index that the list is sorted by.
        return super().narrow(queryset, value).filter(received_at__lt=span[1]) if span else queryset


class Home(NamedTuple):
    """Notes that wait for a person to do one thing, but for those that somebody has closed."""

    label: str
    notes: Callable[[QuerySet[Any]], QuerySet[Any]]


def _of_verdict(verdict: str) -> Callable[[QuerySet[Any]], QuerySet[Any]]:
    return lambda notes: notes.filter(pk__in=transcripts_to_review(verdict).values("artifact"))


def _with_unclear_names(notes: QuerySet[Any]) -> QuerySet[Any]:
    unclear = EntityResolution.objects.filter(status=EntityResolution.Status.NEEDS_DISAMBIGUATION)
    return notes.filter(pk__in=unclear.values("artifact"))


HOMES = {
    "club": Home("Without a club", lambda notes: notes.filter(organization__isnull=True)),
    "coach": Home("Sender unknown", lambda notes: notes.filter(sender__isnull=True)),
    "review": Home("To be reviewed", _of_verdict(Transcript.Verdict.FLAGGED)),
    "no_speech": Home("No speech", _of_verdict(Transcript.Verdict.NO_SPEECH)),
    "names": Home("Names to check", _with_unclear_names),
}


def notes_of_home(key: str, notes: QuerySet[Any]) -> QuerySet[Any]:
    return HOMES[key].notes(notes).filter(closed_at__isnull=True)


def list_of_home(key: str) -> str:
    """Where they are listed; empty for what is none of them."""
    return f"{reverse('admin:voicepipeline_artifact_changelist')}?{HOME}={key}" if key in HOMES else ""


class NeedsFilter(admin.SimpleListFilter):
    title = "needs"
    parameter_name = HOME

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, home.label) for key, home in HOMES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        key = self.value() or ""
        return notes_of_home(key, queryset) if key in HOMES else queryset
