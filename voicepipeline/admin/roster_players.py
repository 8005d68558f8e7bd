"""A player's page beyond its form: whom they were merged into, and merging two who are one person."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display

from voicepipeline.access import may_read_content
from voicepipeline.admin import roster_merging
from voicepipeline.admin.words import State
from voicepipeline.models import Player
from voicepipeline.operations.merging import PERMISSION
from voicepipeline.text import row_number

PLAYER = "admin:voicepipeline_player_change"


class StandingFilter(admin.SimpleListFilter):
    """Who is on the roster, who has left it, and who turned out to be somebody else there."""

    title = "standing"
    parameter_name = "standing"
    conditions: dict[str, tuple[str, dict[str, bool]]] = {
        "active": ("On the roster", {"is_active": True}),
        "left": ("No longer active", {"is_active": False, "merged_into__isnull": True}),
        "merged": ("Merged into another", {"merged_into__isnull": False}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = self.conditions.get(self.value() or "")
        return queryset.filter(**found[1]) if found else queryset


class PlayerPages:
    """For the players' admin: a merged player is history, and all others may be merged."""

    change_form_outer_before_template = "voicepipeline/merge_panel.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]
        merge = path("<int:player_pk>/merge/", wrap(self.merge_view), name="voicepipeline_player_merge")
        return [merge, *super().get_urls()]  # type: ignore[misc]

    def merge_view(self, request: HttpRequest, player_pk: int) -> HttpResponse:
        """Not in a transaction: the operation makes its own."""
        return roster_merging.answer(self, request, player_pk)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Held while it is saved, so that a form opened earlier does not undo a merge that has just been made."""
        if request.method == "POST" and (pk := row_number(object_id)) is not None:
            list(Player.objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))
        return super().get_object(request, object_id, from_field)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What belonged to somebody who was merged is another player's: there is nothing left to change."""
        if obj is not None and obj.merged_into_id is not None:
            return False
        allowed: bool = super().has_change_permission(request, obj)  # type: ignore[misc]
        return allowed

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**_beside_the_form(request, object_id), **(extra_context or {})}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)  # type: ignore[misc]
        return response

    @display(description="Standing")
    def standing(self, player: Player) -> str:
        if player.merged_into_id is not None:
            return State("closed", "Merged into another").label
        return (
            State("completed", "On the roster").label if player.is_active else State("closed", "No longer active").label
        )


def _beside_the_form(request: HttpRequest, object_id: str) -> dict[str, Any]:
    """What the panel above the form says; nothing of a player who is not there."""
    player = Player.objects.select_related("merged_into").filter(pk=row_number(object_id) or 0).first()
    if player is None:
        return {}
    if player.merged_into is not None:
        return {"merged_into": player.merged_into, "merged_into_url": reverse(PLAYER, args=[player.merged_into.pk])}
    may = request.user.has_perm(PERMISSION) and may_read_content(request.user)
    return {"merge_url": reverse("admin:voicepipeline_player_merge", args=[player.pk]) if may else ""}
