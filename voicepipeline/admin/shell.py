"""What surrounds every page: the sidebar, the banner, the stylesheet and the script.

Another app adds its page with `shell.add(Entry(...))` in its admin module.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from voicepipeline.access import is_platform_staff
from voicepipeline.ai_notices import Notice, load_standstills, notice_of
from voicepipeline.registry import registry


class Group(StrEnum):
    """The sidebar's groups, from top to bottom."""

    OVERVIEW = "Overview"
    VOICE_NOTES = "Voice notes"
    REVIEW = "Review"
    METRICS = "Metrics"
    CLUBS = "Clubs"
    TEAM = "Team"
    ENGINEERING = "Engineering"


@dataclass(frozen=True)
class Entry:
    """One page in the sidebar; seen once its URL exists, by those who hold the permission, or by all without one."""

    group: Group
    title: str
    icon: str  # a Material Symbols name
    url_name: str
    permission: str | None = None
    summary: str = ""  # what it is for, in one sentence


@dataclass(frozen=True)
class Page:
    """A page of the admin that belongs to no model: its route below the admin's address, and its URL's name."""

    route: str
    view: Callable[..., Any]
    name: str


_pages: list[Page] = []
_entries: list[Entry] = [
    Entry(Group.OVERVIEW, "Overview", "home", "admin:index"),
    Entry(
        Group.TEAM,
        "Users",
        "group",
        "admin:voicepipeline_user_changelist",
        "voicepipeline.view_user",
        "Who may sign in here, and what their role lets them do.",
    ),
]


def add(*entries: Entry, first: bool = False) -> None:
    """Behind what its group has already, or before it."""
    new = [entry for entry in entries if entry not in _entries]
    _entries[:] = [*new, *_entries] if first else [*_entries, *new]


def add_pages(*pages: Page) -> None:
    _pages.extend(page for page in pages if page not in _pages)


def own_pages() -> Sequence[Page]:
    return _pages


def visible(
    request: HttpRequest, entries: Sequence[Entry] = _entries
) -> Iterator[tuple[Group, list[tuple[Entry, str]]]]:
    """Each group with the entries that this viewer may open and their addresses; groups without one are left out."""
    for group in Group:
        pages = [
            (entry, url)
            for entry in entries
            if entry.group == group and (url := _address(entry)) and _may_open(request, entry)
        ]
        if pages:
            yield group, pages


def _may_open(request: HttpRequest, entry: Entry) -> bool:
    return entry.permission is None or request.user.has_perm(entry.permission)


def _address(entry: Entry) -> str:
    try:
        return reverse(entry.url_name)
    except NoReverseMatch:
        return ""


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The navigation in unfold's own terms."""
    return [
        {
            # The overview stands alone at the top; a heading that repeats it would say nothing.
            "title": "" if group is Group.OVERVIEW else str(group),
            "items": [{"title": entry.title, "icon": entry.icon, "link": url} for entry, url in pages],
        }
        for group, pages in visible(request)
    ]


def cards(request: HttpRequest) -> list[dict[str, str]]:
    """The same pages with what each is for, without the overview itself."""
    return [
        {"group": str(group), "title": entry.title, "icon": entry.icon, "summary": entry.summary, "url": url}
        for group, pages in visible(request)
        if group is not Group.OVERVIEW
        for entry, url in pages
    ]


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the layouts need on every page; the notice is asked for by those that show it."""
    return {
        "ai_simulated": settings.AI_SIMULATED,
        "ai_notice": lambda: _notice(request),
        "app_notices": lambda: list(_app_notices(request)),
    }


def _notice(request: HttpRequest) -> Notice | None:
    """What stands still, for those who work here."""
    user = getattr(request, "user", None)
    return notice_of(load_standstills()) if user is not None and is_platform_staff(user) else None


def _app_notices(request: HttpRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the other apps want this person to know, for those who work here."""
    user = getattr(request, "user", None)
    if user is None or not is_platform_staff(user):
        return
    for notice in registry.notices.values():
        context = notice.context(request)
        if context is not None:
            yield notice.template, context


def stylesheet(request: HttpRequest) -> str:
    return static("voicepipeline/shell.css")


def script(request: HttpRequest) -> str:
    return static("voicepipeline/shell.js")


def favicon(request: HttpRequest) -> str:
    return static("voicepipeline/favicon.svg")
