"""What the lists of large tables share: bounded counting, plain search, and no way to change history."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin

from voicepipeline.models import Organization
from voicepipeline.spans import span_in
from voicepipeline.text import row_number

MOST_COUNTED = 10_000
SHORTEST_PREFIX = 6
HEX_DIGITS = frozenset("0123456789abcdef")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Stops counting at 10,000, and with it paging: nobody turns 200 pages, and OFFSET reads all that it skips."""

    template_name = "voicepipeline/pagination.html"

    @cached_property
    def counted(self) -> int:
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return int(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST_COUNTED)

    @property
    def has_more(self) -> bool:
        return self.counted > MOST_COUNTED


class BoundedList(ChangeList):
    """Tells how many rows were found only where they were searched or filtered, and all were counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters) or self.paginator.has_more:
            self.full_result_count = self.result_count


class ListAdmin(ModelAdmin):
    """A list that stays quick at any size: say `list_select_related`, and search indexed columns alone."""

    paginator = BoundedPaginator
    change_list_template = "voicepipeline/list.html"
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    list_filter_sheet = True
    actions: Any = None
    actions_on_top = False
    sortable_by: Sequence[str] = ()
    empty_hint = ""  # what an empty list tells people to do or to expect

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Of the model's own columns only those that the list has a filter for.

        Django takes any of them from the address: `last_name__startswith=K` would tell names to those who see initials.
        """
        column = lookup.partition("__")[0]
        filtered = column in map(_filtered, self.get_list_filter(request))
        # PostgreSQL knows no text with a NUL.
        if column in _columns(self.opts) and (not filtered or "\x00" in value):
            return False
        return bool(super().lookup_allowed(lookup, value, request))


def _columns(opts: Any) -> set[str]:
    """By whatever name an address can call them; the key alone tells nothing."""
    columns = {name for field in opts.get_fields() for name in (field.name, getattr(field, "attname", field.name))}
    return columns - {opts.pk.name}


def _filtered(given: Any) -> str:
    """What an address calls one of a list's filters, of whichever of Django's three forms it is."""
    name = given[0] if isinstance(given, tuple) else getattr(given, "parameter_name", given)
    return str(name).partition("__")[0]


class HistoryAdmin(ListAdmin):
    """What happened: to be read by everybody who may, and changed by nobody, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Nothing of it is ever changed here, so there is no history of changes to offer."""
        context = {"show_history": False, **(extra_context or {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


class SinceFilter(admin.SimpleListFilter):
    """The last minutes, hours or days by one column of time; name it in a subclass."""

    title = "time"
    parameter_name = "since"
    column = "timestamp"
    spans = {
        "15m": ("Last 15 minutes", timedelta(minutes=15)),
        "1h": ("Last hour", timedelta(hours=1)),
        "6h": ("Last 6 hours", timedelta(hours=6)),
        "24h": ("Last 24 hours", timedelta(hours=24)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.spans.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.spans:
            return queryset
        _, span = self.spans[self.value() or ""]
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - span})


class ChosenFilter(admin.SimpleListFilter):
    """One value that links bring along, in the sheet to be seen and taken off; nonsense is nothing."""

    def words(self, value: str) -> str:
        """What the sheet calls this value; empty for what is none."""
        return value

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value() or ""
        words = self.words(value) if value else ""
        return [(value, words)] if words else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return self.narrow(queryset, value) if value and self.words(value) else queryset


class SpanFilter(ChosenFilter):
    """From one moment until just before another, by one column of time; name it in a subclass."""

    title = "time"
    parameter_name = "in"
    column = "timestamp"

    def words(self, value: str) -> str:
        span = span_in(value)
        return f"{_minute(span[0])} to {_minute(span[1])} (UTC)" if span else ""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        span = span_in(value)
        return queryset.filter(**{f"{self.column}__gte": span[0], f"{self.column}__lt": span[1]}) if span else queryset


def _minute(moment: datetime) -> str:
    return f"{moment.day} {moment:%b} {moment.year}, {moment:%H:%M}"


class ClubFilter(admin.SimpleListFilter):
    """Clubs by name; long lists are cut, and a club's own page leads to its rows."""

    title = "club"
    parameter_name = "club"
    most = 200

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Organization.objects.values_list("pk", "name")[: self.most]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        club = row_number(self.value() or "")
        return queryset if club is None else queryset.filter(organization_id=club)


class ClubOrNoneFilter(ClubFilter):
    """Clubs, and `none` for rows whose club is not known."""

    NONE: ClassVar[str] = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), (self.NONE, "Not known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(organization=None) if self.value() == self.NONE else super().queryset(request, queryset)


def uuid_range(text: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and last UUID that begin like this text, or None when it cannot be the beginning of one."""
    digits = text.strip().lower().replace("-", "")
    if not SHORTEST_PREFIX <= len(digits) <= 32 or not set(digits) <= HEX_DIGITS:
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def notes_like(queryset: QuerySet[Any], text: str, path: str = "") -> QuerySet[Any]:
    """Rows whose voice note has an id that begins like this, by the id's index alone."""
    found = uuid_range(text)
    return queryset.filter(**{f"{path}artifact_id__range": found}) if found else queryset.none()
