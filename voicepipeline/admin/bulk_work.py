"""What was asked for many notes at once, and how far it is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from voicepipeline.admin.lists import ClubFilter, HistoryAdmin
from voicepipeline.admin.live import live_answer, live_part
from voicepipeline.admin.words import NOTHING, State, length, moment
from voicepipeline.engine.limits import limits
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import BulkWork, Coach, Organization, Player, Topic
from voicepipeline.text import row_number

PAGE, BODY = "voicepipeline/bulk_work.html", "voicepipeline/bulk_work_body.html"
# What the figures of each kind count.
ROWS = {
    BulkWork.Kind.CONFIRM_ENTRIES: "suggested entries",
    BulkWork.Kind.REJECT_ENTRIES: "suggested entries",
    BulkWork.Kind.HOLD_ENTRIES: "suggested entries",
    BulkWork.Kind.MATCH_AGAIN: "open questions",
    BulkWork.Kind.MERGE_PLAYERS: "matched names, answers and entries",
}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Not finished"), ("finished", "Finished"), ("trouble", "With voice notes that failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.filter(finished_at__isnull=True)
            case "finished":
                return queryset.filter(finished_at__isnull=False)
            case "trouble":
                return queryset.filter(failed__gt=0)
        return queryset


@admin.register(BulkWork)
class BulkWorkAdmin(HistoryAdmin):
    list_display = ("what", "who", "club", "state", "progress", "left", "failures", "requested")
    list_filter = ("kind", StateFilter, ClubFilter)
    list_select_related = ("requested_by", "organization")
    empty_hint = "Each appears here as soon as somebody asks for something to be done to many voice notes at once."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, {"title": "Bulk actions", **(extra_context or {})})
        return response

    @display(description="What")
    def what(self, work: BulkWork) -> str:
        return work.get_kind_display()

    @display(description="Who")
    def who(self, work: BulkWork) -> str:
        return _name(work)

    @display(description="Club", empty_value=NOTHING)
    def club(self, work: BulkWork) -> Any:
        return work.organization

    @display(description="State")
    def state(self, work: BulkWork) -> str:
        return state_of_work(work, timezone.now()).label

    @display(description="Done")
    def progress(self, work: BulkWork) -> str:
        return f"{work.done:,} of {work.expected:,}"

    @display(description="Left as they were")
    def left(self, work: BulkWork) -> str:
        return f"{work.skipped:,}"

    @display(description="Notes that failed")
    def failures(self, work: BulkWork) -> str:
        return f"{work.failed:,}"

    @display(description="Requested (UTC)")
    def requested(self, work: BulkWork) -> str:
        return moment(work.created_at)

    # --- One of them -----------------------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(self.live_view)
        return [path("<int:pk>/live/", live, name="voicepipeline_bulkwork_live"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        work = self._verified(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": work,
            "title": str(work),
            "live": live_part(request, BODY, self._body(request, work), url=_live_url(work)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, PAGE, context)

    def live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        work = self._verified(request, str(pk))
        return live_answer(request, BODY, self._body(request, work), url=_live_url(work))

    def _verified(self, request: HttpRequest, object_id: str) -> BulkWork:
        if not self.has_view_permission(request):
            raise PermissionDenied
        works = BulkWork.objects.select_related("requested_by", "organization")
        work: BulkWork | None = works.filter(pk=row_number(object_id) or 0).first()
        if work is None:
            raise Http404
        return work

    def _body(self, request: HttpRequest, work: BulkWork) -> dict[str, Any]:
        seen = work.done + work.skipped
        most = max(work.expected, seen, 1)
        eyes = eyes_of(request.user)
        numbers = {name: getattr(work, name) for name in ("expected", "done", "skipped", "notes", "failed")}
        remarks = sorted(work.remarks.items(), key=lambda remark: (-remark[1], remark[0]))
        return {
            "work": work,
            "state": state_of_work(work, timezone.now()),
            "who": _name(work),
            "requested": moment(work.created_at),
            "finished": moment(work.finished_at),
            "took": length(work.created_at, work.finished_at) if work.finished_at else "",
            "rows": ROWS.get(BulkWork.Kind(work.kind), "rows") if work.kind in BulkWork.Kind.values else "rows",
            "seen": seen,
            "most": most,
            "counts": {name: f"{number:,}" for name, number in {**numbers, "seen": seen, "most": most}.items()},
            "reason": eyes.text(work.reason),
            "chosen": list(chosen(work, eyes)),
            "remarks": [(words, f"{times:,}") for words, times in remarks],
        }


def state_of_work(work: BulkWork, now: datetime) -> State:
    """Whether a worker has it, as far as can be told from when it last moved."""
    if work.finished_at is not None:
        return State("failed", "Finished, with failures") if work.failed else State("completed", "Finished")
    moving = work.moved_at is not None and work.notes and now - work.moved_at < limits().bulk_quiet_for
    return State("running", "Under way") if moving else State("waiting", "Waits for a worker")


def chosen(work: BulkWork, eyes: Eyes) -> Iterator[tuple[str, str]]:
    """What was asked for, as pairs of words; ids are looked up, and what is gone is told by its id."""
    given = work.selection
    if work.kind == BulkWork.Kind.MATCH_AGAIN:
        yield "Open questions", "All of this club, in voice notes that were there when it was requested"
    elif work.kind == BulkWork.Kind.MERGE_PLAYERS:
        names = {player.pk: eyes.name(player) for player in Player.objects.filter(pk__in=[*_ids(given)])}
        yield "Player who goes", names.get(given.get("goes"), NOTHING)
        yield "Player who stays", names.get(given.get("stays"), NOTHING)
    else:
        yield from _filters(given)


def _ids(given: dict[str, Any]) -> Iterator[int]:
    return (given[name] for name in ("goes", "stays") if name in given)


def _filters(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Those by which suggested entries were chosen; without any, all that waited were."""
    if given.get("club"):
        yield "Club", _row(Organization.objects.filter(pk=given["club"]).first(), given["club"])
    if given.get("coach"):
        yield "Coach", _row(Coach.objects.filter(pk=given["coach"]).first(), given["coach"])
    if given.get("topic"):
        yield "Category", dict(Topic.choices).get(given["topic"], given["topic"])
    if given.get("prompt_version"):
        yield "Prompt version", given["prompt_version"]
    if given.get("since"):
        yield "Suggested from (UTC)", given["since"]
    if given.get("until"):
        yield "Suggested until (UTC)", given["until"]
    if given.get("previewed_at"):
        yield "Waiting at (UTC)", moment(datetime.fromisoformat(given["previewed_at"]))


def _row(row: object | None, pk: int) -> str:
    return f"No longer there ({pk})" if row is None else str(row)


def _name(work: BulkWork) -> str:
    return work.requested_by.get_full_name() or work.requested_by.get_username()


def _live_url(work: BulkWork) -> str:
    return reverse("admin:voicepipeline_bulkwork_live", args=[work.pk])
