"""The page Metrics and its CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from metrics.dashboard import charts, clubs, tables, tiles
from metrics.dashboard.asked import RANGE_WORDS, Asked, read_address
from metrics.dashboard.loading import Loaded
from metrics.dashboard.picker import picker_for
from metrics.windows import CUSTOM, RANGES
from voicepipeline.admin import shell
from voicepipeline.admin.shell import Entry, Group
from voicepipeline.models import Organization
from voicepipeline.spreadsheets import csv_lines

PAGE, CLUBS, EXPORT = "metrics_dashboard", "metrics_dashboard_clubs", "metrics_dashboard_export"
PERMISSION = "metrics.view_metricssnapshot"
# Without it spreadsheets take the names of clubs for another charset's.
BYTE_ORDER_MARK = "\ufeff"


def register() -> None:
    """The page, its CSV, and its place in the sidebar."""
    shell.add_pages(
        # Not metrics/ alone: the sidebar would take every page below it for this one.
        shell.Page("metrics/figures/", page_view, PAGE),
        shell.Page("metrics/figures/clubs/", clubs_view, CLUBS),
        shell.Page("metrics/figures/export/", export_view, EXPORT),
    )
    shell.add(
        Entry(
            Group.METRICS,
            "Metrics",
            "monitoring",
            f"admin:{PAGE}",
            PERMISSION,
            "How many voice notes came, how long they took, what failed and what it cost, over hours, days and months.",
        ),
        first=True,
    )


def page_view(request: HttpRequest) -> HttpResponse:
    """Everything but the table of clubs, which takes longest: the page asks for it once it is there."""
    _verify(request)
    loaded = Loaded(read_address(request.GET, now=timezone.now()))
    context = {
        **_surroundings(request, loaded),
        "title": "Metrics",
        "tiles": tiles.tiles_of(loaded),
        "charts": [charts.drawn(chart, loaded) for chart in charts.charts_of(loaded)],
        "payload": charts.payload(loaded),
        "tables": [tables.shown(table, loaded) for table in tables.TABLES.values()],
        "longest_url": loaded.asked.in_range("90d"),
    }
    return TemplateResponse(request, "metrics/dashboard.html", context)


def clubs_view(request: HttpRequest) -> HttpResponse:
    """The table of clubs: a page of its own, out of which the page Metrics takes it."""
    _verify(request)
    asked = read_address(request.GET, now=timezone.now())
    if asked.club:
        return redirect(f"{reverse(f'admin:{PAGE}')}{asked.address()}")
    loaded = Loaded(replace(asked, compares=False))
    context = {
        **_surroundings(request, loaded),
        "title": "Clubs in figures",
        "clubs": clubs.shown(loaded),
        "page_url": f"{reverse(f'admin:{PAGE}')}{asked.address()}",
    }
    return TemplateResponse(request, "metrics/clubs_page.html", context)


def export_view(request: HttpRequest) -> HttpResponseBase:
    """One chart or table of the page as CSV."""
    _verify(request)
    key = request.GET.get("chart", "")
    asked = read_address(request.GET, now=timezone.now())
    if key not in (*charts.CHARTS, *tables.TABLES, clubs.KEY):
        raise Http404("There is no such chart.")
    header, rows = _csv_of(key, Loaded(asked))
    name = f"metrics-{key}-{asked.first_day}-to-{asked.last_day}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8", headers=headers)


def _surroundings(request: HttpRequest, loaded: Loaded) -> dict[str, Any]:
    """What both pages have above their figures, and around the table of clubs."""
    asked, names = loaded.asked, list(Organization.objects.order_by("name", "pk").values_list("pk", "name"))
    return {
        **admin.site.each_context(request),
        "asked": asked,
        "ranges": _ranges(asked),
        "picker": picker_for(asked, names),
        "loaded": loaded,
        "clubs_path": reverse(f"admin:{CLUBS}"),
        "clubs_url": f"{reverse(f'admin:{CLUBS}')}{asked.address()}",
        "clubs_csv": asked.address(chart=clubs.KEY),
        "clubs_rows": len(names) if asked.shows_all_clubs else min(len(names), clubs.FIRST_SHOWN),
        "export_url": reverse(f"admin:{EXPORT}"),
        "all_clubs_url": asked.address(club=""),
    }


def _csv_of(key: str, loaded: Loaded) -> tuple[list[str], Iterator[Sequence[Any]]]:
    if key in charts.CHARTS:
        return charts.csv_of(charts.CHARTS[key], loaded)
    return clubs.csv_of(loaded) if key == clubs.KEY else tables.csv_of(tables.TABLES[key], loaded)


def _lines(header: Sequence[str], rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    yield from csv_lines(header, rows)


def _ranges(asked: Asked) -> list[dict[str, Any]]:
    """Other days begin with those that are shown."""
    return [
        {"words": RANGE_WORDS[key], "url": asked.in_range(key), "is_chosen": asked.window.key == key}
        for key in (*RANGES, CUSTOM)
    ]


def _verify(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
