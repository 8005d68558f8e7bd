"""The filters of the list of stage runs to which figures on other pages lead."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from voicepipeline.admin.lists import ChosenFilter, ClubOrNoneFilter, SpanFilter
from voicepipeline.models import StageRun
from voicepipeline.text import row_number

UNKNOWN_COST_SPAN = timedelta(hours=24)
# Older tries are not looked at: there is no index by time, and a day has far fewer.
NEWEST_RUNS = 50_000
FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")


def of_unknown_cost(runs: QuerySet[Any], *, now: datetime) -> QuerySet[Any]:
    """Tries of the last day that a model did work for and whose cost is not known; a call that failed is none."""
    worked = Q(status=StageRun.Status.SUCCEEDED)
    for column in ("input_tokens", "output_tokens", "audio_seconds"):
        worked |= Q(**{f"{column}__isnull": False})
    newest = StageRun.objects.order_by("-pk").values("pk")[:1]
    return runs.filter(
        worked,
        pk__gt=Subquery(newest) - NEWEST_RUNS,
        cost_usd__isnull=True,
        started_at__gte=now - UNKNOWN_COST_SPAN,
    ).exclude(ai_model="")


class CostFilter(admin.SimpleListFilter):
    title = "cost"
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unknown", "Unknown, last 24 hours")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return of_unknown_cost(queryset, now=timezone.now()) if self.value() == "unknown" else queryset


class HoldFilter(admin.SimpleListFilter):
    """On hold, for whatever reason or for one of those that runs are on hold for now."""

    title = "on hold"
    parameter_name = "hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("any", "On hold"), ("no", "Not on hold")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value == "no":
            return queryset.filter(parked_since__isnull=True)
        held = queryset.filter(status=StageRun.Status.QUEUED, parked_since__isnull=False)
        return held if value == "any" else held.filter(parked_reason=value)


class WaitsFilter(admin.SimpleListFilter):
    """Not on hold, and waiting for the next free worker or, by the database's clock, for when they are due."""

    title = "waits"
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "For a worker"), ("later", "Until its next try is due")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting = Q(status=StageRun.Status.QUEUED, parked_since__isnull=True)
        match self.value():
            case "now":
                return queryset.filter(waiting, not_before__lte=Now())
            case "later":
                return queryset.filter(waiting, not_before__gt=Now())
        return queryset


class EndedInFilter(SpanFilter):
    title = "time ended"
    parameter_name = "ended_in"
    column = "finished_at"


class LastFilter(admin.SimpleListFilter):
    """Tries after which a note had failed; most tries that fail are followed by another."""

    title = "of its note"
    parameter_name = "last"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "The last try")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(terminal=True) if self.value() == "yes" else queryset


class ProblemFilter(ChosenFilter):
    """Tries with this problem after which a note had failed."""

    title = "problem"
    parameter_name = "problem"

    def words(self, value: str) -> str:
        return f"Problem {value[:8]}" if FINGERPRINT.fullmatch(value) else ""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(terminal=True, fingerprint=value)


class RunClubFilter(ClubOrNoneFilter):
    """Clubs of the runs' notes."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == self.NONE:
            return queryset.filter(artifact__organization=None)
        club = row_number(value)
        return queryset if club is None else queryset.filter(artifact__organization=club)
