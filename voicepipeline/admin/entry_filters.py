"""Which suggested entries are looked at: the tabs and filters of their list, each through an index, page by page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from voicepipeline.admin.entry_rows import with_related
from voicepipeline.admin.lists import MOST_COUNTED
from voicepipeline.models import Coach, InsightDraft, Organization, Topic
from voicepipeline.operations.entry_selection import Filters
from voicepipeline.text import row_number

Status = InsightDraft.Status
Entries = QuerySet[InsightDraft]
PAGE = 25


@dataclass(frozen=True)
class Tab:
    """Entries that stand alike; of each status the database finds its newest or oldest by one index."""

    key: str
    words: str
    statuses: tuple[str, ...]
    condition: Q
    empty: str

    @property
    def is_open(self) -> bool:
        return self.statuses == (Status.PENDING,)

    def querysets(self, filters: Filters) -> list[Entries]:
        of_status = (InsightDraft.objects.filter(self.condition, status=status) for status in self.statuses)
        return [filters.apply(rows) for rows in of_status]


TABS = (
    Tab(
        "pending",
        "To be confirmed",
        (Status.PENDING,),
        Q(held_at__isnull=True),
        "Nothing waits to be confirmed. New entries appear here as voice notes are read.",
    ),
    Tab(
        "on_hold",
        "On hold",
        (Status.PENDING,),
        Q(held_at__isnull=False),
        "Nothing is on hold. What somebody wants to wait, without expiring, appears here.",
    ),
    Tab(
        "confirmed",
        "Confirmed",
        (Status.CONFIRMED, Status.APPLIED),
        Q(automatic=False),
        "Nobody has confirmed an entry yet.",
    ),
    Tab(
        "automatic",
        "Confirmed automatically",
        (Status.CONFIRMED, Status.APPLIED),
        Q(automatic=True),
        "No entry was confirmed automatically. That takes a trusted coach and a harmless category.",
    ),
    # No rule rejects or expires as it confirms: said for the index, whose second column it is.
    Tab("rejected", "Rejected", (Status.REJECTED,), Q(automatic=False), "Nobody has rejected an entry yet."),
    Tab("expired", "Expired", (Status.EXPIRED,), Q(automatic=False), "No entry has expired."),
)


class FilterForm(forms.Form):
    """The filters, in the address."""

    club = forms.ModelChoiceField(
        label="Club",
        queryset=Organization.objects.order_by("name"),
        required=False,
        empty_label="All clubs",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "There is no such club. Choose one from the list."},
    )
    coach = forms.ModelChoiceField(
        label="Coach",
        queryset=Coach.objects.none(),
        required=False,
        empty_label="All coaches",
        widget=UnfoldAdminSelectWidget,
        error_messages={"invalid_choice": "This coach is not the club's. Choose one from the list."},
    )
    topic = forms.ChoiceField(
        label="Category",
        choices=[("", "All categories"), *Topic.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    since = forms.DateField(
        label="Suggested from",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        error_messages={"invalid": "Give a day, such as 2026-11-21."},
    )
    until = forms.DateField(
        label="Suggested until",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        error_messages={"invalid": "Give a day, such as 2026-11-21."},
    )
    prompt = forms.CharField(
        label="Prompt version", required=False, max_length=40, widget=UnfoldAdminTextInputWidget(attrs={"size": 12})
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        club, coach = data.get("club", ""), data.get("coach", "")
        coaches: Any = self.fields["coach"]
        if (club_pk := row_number(club)) is not None:
            coaches.queryset = Coach.objects.filter(organization_id=club_pk).order_by("last_name", "first_name")
        elif (coach_pk := row_number(coach)) is not None:
            coaches.queryset = Coach.objects.filter(pk=coach_pk)
        else:
            coaches.empty_label = "Choose a club first"

    def clean(self) -> dict[str, Any] | None:
        given = self.cleaned_data
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            self.add_error("until", "This is before the first day.")
        return given

    @property
    def chosen(self) -> Filters:
        """What is chosen, of a form that is valid."""
        given = self.cleaned_data
        return Filters(
            club=given["club"].pk if given["club"] else None,
            coach=given["coach"].pk if given["coach"] else None,
            topic=given["topic"],
            prompt_version=given["prompt"].replace("\x00", ""),
            since=given["since"].isoformat() if given["since"] else "",
            until=given["until"].isoformat() if given["until"] else "",
        )

    @property
    def in_use(self) -> int:
        """How many of them say something, fitting or not."""
        return sum(bool(self.data.get(name)) for name in self.fields)


@dataclass(frozen=True)
class Page:
    entries: list[InsightDraft]
    following: str  # what leads to the page after it; empty on the last


def page_of(tab: Tab, filters: Filters, place: str) -> Page:
    """The entries after this place: what waits oldest first, what is decided newest first."""
    order, after = _OLDEST if tab.is_open else _NEWEST
    rows = (after(each, place).order_by(*order) for each in tab.querysets(filters))
    found = [list(with_related(each)[: PAGE + 1]) for each in rows]
    in_order = merge(*found, key=_by_id) if tab.is_open else merge(*found, key=_by_decision, reverse=True)
    entries = list(islice(in_order, PAGE + 1))
    last = entries[PAGE - 1] if len(entries) > PAGE else None
    return Page(entries[:PAGE], _place(last, tab) if last else "")


def _by_id(entry: InsightDraft) -> Any:
    return entry.pk


def _by_decision(entry: InsightDraft) -> Any:
    return (entry.decided_at, entry.pk)


def _place(entry: InsightDraft, tab: Tab) -> str:
    return str(entry.pk) if tab.is_open or entry.decided_at is None else f"{entry.decided_at.isoformat()}~{entry.pk}"


def _after_id(rows: Entries, place: str) -> Entries:
    last = row_number(place)
    return rows if last is None else rows.filter(pk__gt=last)


def _before_decision(rows: Entries, place: str) -> Entries:
    when, _, number = place.partition("~")
    pk = row_number(number)
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        return rows
    if pk is None or moment.tzinfo is None:
        return rows
    # The first condition is the index's.
    return rows.filter(Q(decided_at__lt=moment) | Q(pk__lt=pk), decided_at__lte=moment)


After = Callable[[Entries, str], Entries]
_OLDEST: tuple[tuple[str, ...], After] = (("pk",), _after_id)
_NEWEST: tuple[tuple[str, ...], After] = (("-decided_at", "-pk"), _before_decision)


def count_of(tab: Tab, filters: Filters) -> str:
    """How many, no further than anybody would look."""
    most = MOST_COUNTED + 1
    number = sum(rows.order_by().values("pk")[:most].count() for rows in tab.querysets(filters))
    return f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"
