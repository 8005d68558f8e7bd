"""Changes of rosters that touched many rows: what, by whom, when and why."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.decorators import display

from voicepipeline.admin.lists import BoundedList, ClubFilter, HistoryAdmin, SinceFilter
from voicepipeline.admin.words import NOTHING, moment
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import Player, RosterChange

Kind = RosterChange.Kind


class ChangedFilter(SinceFilter):
    title = "when"
    parameter_name = "changed"
    column = "changed_at"
    spans = {
        "24h": ("Last 24 hours", timedelta(hours=24)),
        "7d": ("Last 7 days", timedelta(days=7)),
        "30d": ("Last 30 days", timedelta(days=30)),
        "90d": ("Last 90 days", timedelta(days=90)),
    }


class ChangeRows(BoundedList):
    """Changes with the names of the players they tell of, looked up for all rows of a page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        told = {row.details.get(part) for row in rows if row.kind == Kind.MERGED for part in ("stays", "goes")}
        players = Player.objects.in_bulk([pk for pk in told if isinstance(pk, int)])
        eyes = eyes_of(request.user)
        for row in rows:
            row.told = in_words(row, players, eyes)
            row.why = eyes.text(row.reason)
        self.result_list: Any = rows


@admin.register(RosterChange)
class RosterChangeAdmin(HistoryAdmin):
    list_display = ("when", "kind", "club", "told", "who", "why")
    list_display_links = None
    list_filter = ("kind", ClubFilter, ChangedFilter)
    list_select_related = ("organization", "by")
    ordering = ("-id",)
    empty_hint = "Imported lists, merged players and removed learned names appear here."

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [path("", wrap(self.changelist_view), name="voicepipeline_rosterchange_changelist")]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeRows

    @display(description="When (UTC)")
    def when(self, change: RosterChange) -> str:
        return moment(change.changed_at)

    @display(description="Club")
    def club(self, change: RosterChange) -> str:
        return str(change.organization) if change.organization else "Several clubs"

    @display(description="Details")
    def told(self, change: Any) -> str:
        words: str = change.told
        return words

    @display(description="Who")
    def who(self, change: RosterChange) -> str:
        return change.by.get_full_name() or change.by.username

    @display(description="Why", empty_value=NOTHING)
    def why(self, change: Any) -> str | None:
        return change.why or None


def in_words(change: RosterChange, players: dict[int, Player], eyes: Eyes) -> str:
    details: dict[str, Any] = change.details
    if change.kind == Kind.MERGED:
        goes, stays = (players.get(details.get(part, 0)) for part in ("goes", "stays"))
        return f"{eyes.name(goes)} into {eyes.name(stays)}" if goes and stays else NOTHING
    if change.kind == Kind.NAMES_REMOVED:
        removed = details.get("removed", 0)
        return "1 learned name" if removed == 1 else f"{removed:,} learned names"
    counts = details.get("counts", {})
    said = [
        f"{str(what).replace('_', ' ')} {count:,}" for what, count in counts.items() if isinstance(count, int) and count
    ]
    words = ", ".join(said)
    return f"{words[:1].upper()}{words[1:]}" or NOTHING
