"""Filters that the lists of figures share."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from metrics.models import PeriodType
from voicepipeline.admin.lists import ClubFilter
from voicepipeline.text import row_number

ALL_CLUBS = "All clubs"
EACH = "each"


def club_words(row: Any) -> str:
    """Whose figures these are; those of the platform are of all clubs together."""
    return ALL_CLUBS if row.organization is None else str(row.organization)


def period_words(period_type: str, start: datetime) -> str:
    day = f"{start.day} {start:%b} {start.year}"
    return day if period_type == PeriodType.DAY else f"{day}, {start:%H:%M}"


class WhoseFilter(ClubFilter):
    """All clubs together unless one is chosen: the two are never added up."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        shown = super().choices(changelist)
        yield {**next(shown), "display": "All clubs together"}
        yield from shown

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(organization=row_number(self.value() or ""))


class EachFilter(WhoseFilter):
    """The same, with every club's rows beside those of all."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(EACH, "Each club"), *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == EACH:
            return queryset.filter(organization__isnull=False)
        return super().queryset(request, queryset)


class PeriodTypeFilter(admin.SimpleListFilter):
    title = "length"
    parameter_name = "length"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(PeriodType.HOUR.value, "Hours"), (PeriodType.DAY.value, "Days (UTC)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(period_type=self.value()) if self.value() in PeriodType.values else queryset
