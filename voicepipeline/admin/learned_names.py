"""What people are called in notes, as it was taught; and every change of a roster."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display

from voicepipeline.access import may_read_content
from voicepipeline.admin import roster_changes, roster_unlearning  # noqa: F401  registers roster changes
from voicepipeline.admin.lists import ClubFilter, HistoryAdmin
from voicepipeline.admin.privacy import PrivateNames
from voicepipeline.admin.words import moment
from voicepipeline.masking import initials
from voicepipeline.models import Coach, PlayerAlias
from voicepipeline.operations.rosters import PERMISSION
from voicepipeline.text import row_number

EVERY_COACH = "Every coach"


class CoachFilter(admin.SimpleListFilter):
    """Coaches for whom something was learned, of the chosen club if one is chosen; long lists are cut."""

    title = "coach"
    parameter_name = "coach"
    most = 200

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        club = row_number(request.GET.get("club", ""))
        coaches = Coach.objects.filter(aliases__isnull=False).distinct().order_by("last_name", "first_name", "pk")
        if club is not None:
            coaches = coaches.filter(organization_id=club)
        return [("all", EVERY_COACH), *((str(coach.pk), str(coach)) for coach in coaches[: self.most])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == "all":
            return queryset.filter(coach__isnull=True)
        coach = row_number(value)
        return queryset if coach is None else queryset.filter(coach_id=coach)


@admin.register(PlayerAlias)
class LearnedNameAdmin(PrivateNames, HistoryAdmin):
    masked = {"said": "said_short", "means": "means_short"}
    list_display = ("said", "means", "kind", "club", "for_coach", "used", "last_used", "taught", "remove")
    list_filter = (ClubFilter, CoachFilter, "kind")
    list_select_related = ("organization", "coach", "player", "team", "coach_meant", "created_by")
    ordering = ("-pk",)
    search_fields = ("text__istartswith",)
    search_help_text = "Beginning of what is said"
    empty_hint = "Whenever somebody says who is meant by a name, what they were called is learned for that coach."
    list_before_template = "voicepipeline/learned_before.html"

    def get_urls(self) -> list[URLPattern]:
        """A learned name has no page of its own: all that it is stands in its row."""
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="voicepipeline_playeralias_changelist"),
            path("remove/", wrap(self.remove_many_view), name="voicepipeline_playeralias_remove_many"),
            path("<int:alias_pk>/remove/", wrap(self.remove_view), name="voicepipeline_playeralias_remove"),
        ]

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        return columns if may_remove(request) else [each for each in columns if each != "remove"]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        many = reverse("admin:voicepipeline_playeralias_remove_many") if may_remove(request) else ""
        context = {"title": "Learned names", "remove_many_url": many, **(extra_context or {})}
        return super().changelist_view(request, context)

    def remove_view(self, request: HttpRequest, alias_pk: int) -> HttpResponse:
        """Not in a transaction: the operation makes its own."""
        return roster_unlearning.remove_one(self, request, alias_pk)

    def remove_many_view(self, request: HttpRequest) -> HttpResponse:
        return roster_unlearning.remove_many(self, request)

    @display(description="As spoken")
    def said(self, alias: PlayerAlias) -> str:
        return alias.text

    @display(description="As spoken")
    def said_short(self, alias: PlayerAlias) -> str:
        return initials(alias.text)

    @display(description="Means")
    def means(self, alias: PlayerAlias) -> str:
        return str(alias.player or alias.team or alias.coach_meant)

    @display(description="Means")
    def means_short(self, alias: PlayerAlias) -> str:
        return str(alias.team) if alias.team else initials(self.means(alias))

    @display(description="Club")
    def club(self, alias: PlayerAlias) -> str:
        return str(alias.organization)

    @display(description="For")
    def for_coach(self, alias: PlayerAlias) -> str:
        return str(alias.coach) if alias.coach else EVERY_COACH

    @display(description="Times used")
    def used(self, alias: PlayerAlias) -> str:
        return f"{alias.use_count:,}"

    @display(description="Last used (UTC)")
    def last_used(self, alias: PlayerAlias) -> str:
        return moment(alias.last_used_at)

    @display(description="Taught (UTC)")
    def taught(self, alias: PlayerAlias) -> str:
        if alias.created_by is None:
            return moment(alias.created_at)
        by = alias.created_by.get_full_name() or alias.created_by.username
        return format_html('{} <span class="vp-quiet">by {}</span>', moment(alias.created_at), by)

    @display(description="Remove")
    def remove(self, alias: PlayerAlias) -> str:
        url = reverse("admin:voicepipeline_playeralias_remove", args=[alias.pk])
        return format_html('<a class="vp-link" href="{}">Remove<span class="vp-sr"> {}</span></a>', url, alias.text)


def may_remove(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION) and may_read_content(request.user)
